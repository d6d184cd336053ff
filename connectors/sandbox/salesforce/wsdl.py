"""What the vendor's own schema says against a metadata file: its elements, and the words and numbers in them.

Source: `metadata.wsdl`, which simple-salesforce ships. The Metadata API takes the elements of a file in any
order, but those of one name must stand together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import groupby, pairwise
from xml.etree.ElementTree import Element, fromstring

from connectors.sandbox.salesforce.custom_field import NAMESPACE

_XSD = "{http://www.w3.org/2001/XMLSchema}"
_SIMPLE = {
    "boolean": re.compile(r"true|false|0|1"),
    "int": re.compile(r"[+-]?[0-9]+"),
    "double": re.compile(r"[+-]?[0-9]+(\.[0-9]*)?"),
    "date": re.compile(r"\d{4}-\d{2}-\d{2}"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """An element that a type may have."""

    type: str
    required: bool
    many: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Kinds:
    """The schema: the elements of each type in their order, and the words of each enumeration."""

    parts: Mapping[str, Mapping[str, Part]]
    words: Mapping[str, frozenset[str]]


@cache
def kinds() -> Kinds:
    """The vendor's schema, read once."""
    text = resources.files("simple_salesforce").joinpath("metadata.wsdl").read_bytes()
    root = fromstring(text)  # noqa: S314  # a file of the library
    found = {str(node.get("name")): node for node in root.iter(f"{_XSD}complexType")}
    words = {
        str(node.get("name")): frozenset(str(each.get("value")) for each in node.iter(f"{_XSD}enumeration"))
        for node in root.iter(f"{_XSD}simpleType")
    }
    return Kinds(parts={name: _parts(node, found) for name, node in found.items()}, words=words)


def _parts(node: Element, found: Mapping[str, Element]) -> dict[str, Part]:
    """The elements of a type, those that it inherits first."""
    extension = next(node.iter(f"{_XSD}extension"), None)
    parts: dict[str, Part] = {}
    if extension is not None:
        parts |= _parts(found[_local(extension.get("base"))], found)
    for each in node.iter(f"{_XSD}element"):
        parts[str(each.get("name"))] = Part(
            type=str(each.get("type")),
            required=each.get("minOccurs", "1") != "0",
            many=each.get("maxOccurs", "1") != "1",
        )
    return parts


def _local(name: str | None) -> str:
    return str(name).rpartition(":")[2]


def problems(root: Element, kind: str) -> Iterator[str]:
    """What the schema has against an element of this type, in the Metadata API's words."""
    known = kinds().parts[kind]
    for name, group in groupby(root, key=lambda child: child.tag.removeprefix(NAMESPACE)):
        children = list(group)
        part = known.get(name) if children[0].tag.startswith(NAMESPACE) else None
        if part is None:
            yield f"Element {children[0].tag} invalid at this location in type {kind}"
            continue
        apart = len(children) < len(root.findall(NAMESPACE + name))
        if apart or (len(children) > 1 and not part.many):
            yield f"Element {name} is duplicated at this location in type {kind}"
        for child in children:
            yield from _problems_of(child, part)
    for name, part in known.items():
        if part.required and root.find(NAMESPACE + name) is None:
            yield f"Required field is missing: {name} in type {kind}"


def _problems_of(child: Element, part: Part) -> Iterator[str]:
    name, text = _local(part.type), (child.text or "").strip()
    if part.type.startswith("xsd:"):
        pattern = _SIMPLE.get(name)
        if pattern is not None and not pattern.fullmatch(text):
            yield f"'{text}' is not a valid value for the type xsd:{name}"
    elif name in kinds().words:
        if kinds().words[name] and text not in kinds().words[name]:
            yield f"'{text}' is not a valid value for the enum '{name}'"
    else:
        yield from problems(child, name)


def out_of_order(root: Element, kind: str) -> Iterator[str]:
    """Elements that stand where the schema has them not, which the API bears and a reader does not expect."""
    known = list(kinds().parts[kind])
    places = [known.index(child.tag.removeprefix(NAMESPACE)) for child in root]
    for before, after in pairwise(places):
        if after < before:
            yield f"{known[after]} stands after {known[before]} in {kind}"
    for child in root:
        inner = _local(kinds().parts[kind][child.tag.removeprefix(NAMESPACE)].type)
        if inner in kinds().parts:
            yield from out_of_order(child, inner)
