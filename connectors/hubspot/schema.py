"""What the account says about its objects: property definitions, as our app may see them.

A choice has an internal value and a label. People, mappings and scores speak in labels, as in
Salesforce, so `FieldSchema.options` are labels and the internal values stay in here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from connectors.crm import FieldSchema, FieldType, ObjectSchema
from connectors.errors import SetupError, TerminalError
from connectors.fields import FieldSpec, field_specs, object_specs
from connectors.hubspot.blanks import trimmed
from connectors.page import Records

_NAME: Final = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}"
)  # or an objectTypeId; it becomes part of an address
_TEXT_LIMIT: Final = 65_536  # characters in a text property, Knowledge Base "Property field types"
_TYPES: Final[Mapping[str, FieldType]] = {
    "string": FieldType.TEXT,
    "phone_number": FieldType.TEXT,
    "number": FieldType.NUMBER,
    "bool": FieldType.CHECKBOX,
    "date": FieldType.DATE,
    "datetime": FieldType.DATETIME,
    "enumeration": FieldType.PICKLIST,
}
_LONG: Final = frozenset({"textarea", "html"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """The options of one property: internal value to label and back."""

    label_of: Mapping[str, str]
    value_of: Mapping[str, str]

    def label(self, value: str) -> str:
        """The label of an internal value, blanks around it left aside; the value itself if it has none."""
        if value in self.label_of:
            return self.label_of[value]
        return self.label_of.get(trimmed(value), trimmed(value))

    def value(self, said: str) -> str | None:
        """The internal value for a label, or for itself; None for neither."""
        if said in self.value_of:
            return self.value_of[said]
        return said if said in self.label_of else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """An object's schema, and the internal values of its choices."""

    schema: ObjectSchema
    choices: Mapping[str, Choices]

    def has(self, name: str) -> bool:
        """Whether the property exists."""
        return name in self.schema.fields


class Schemas:
    """Describes objects once each; `get` calls the properties API."""

    def __init__(self, get: Callable[[str], Any], path: Callable[[str], str]) -> None:
        self._get = get
        self._path = path
        self._known: dict[str, Described] = {}
        self._left_out: dict[str, set[str]] = {}  # properties that exist, and that records came without

    def __getitem__(self, object_name: str) -> Described:
        """The object. Raises SetupError when the account does not show it to our app."""
        if object_name not in self._known:
            if _NAME.fullmatch(object_name) is None:
                raise SetupError("This is no object name.", record=object_name, fix="Correct the mapping.")
            try:
                body = self._get(self._path(object_name))
            except TerminalError as error:
                if error.status not in {400, 404}:  # 400: "Unable to infer object type from: …"
                    raise
                raise SetupError(
                    "The account has no such object.", record=object_name, fix="Leave its table out."
                ) from None
            self._known[object_name] = described(object_name, body["results"])
        return self._known[object_name]

    def forget(self, object_name: str) -> None:
        """Describe it anew next time, because its properties were changed."""
        self._known.pop(object_name, None)

    def check_shown(self, object_name: str, asked: Iterable[str], records: Records) -> None:
        """Raise SetupError for a property that was archived since it was described.

        HubSpot does not refuse to read it: it leaves it out of every record, which looks like an empty one
        ("Retrieve records": properties that don't exist are ignored; those that are empty come as null)."""
        wanted = set(asked) - self._left_out.get(object_name, set())
        names = {name for record in records for name in wanted - record["properties"].keys()}
        if not names:
            return
        self.forget(object_name)
        gone = sorted(name for name in names if not self[object_name].has(name))
        self._left_out.setdefault(object_name, set()).update(names.difference(gone))
        if gone:
            raise SetupError(
                f"{object_name} have no property {', '.join(gone)} any more.",
                record=object_name,
                fix="Restore the property, correct the mapping, or run `upswell install` for one of ours.",
            )


def described(object_name: str, properties: list[Mapping[str, Any]]) -> Described:
    """The properties reply as our values."""
    live = [each for each in properties if not each.get("archived")]
    choices = {str(each["name"]): _choices(each) for each in live if each.get("options")}
    fields = {str(each["name"]): _field(each, choices.get(str(each["name"]))) for each in live}
    return Described(
        schema=ObjectSchema(
            name=object_name, label=object_name, fields=fields, createable=True, updateable=True
        ),
        choices=MappingProxyType(choices),
    )


def _choices(item: Mapping[str, Any]) -> Choices:
    """Labels where they tell the options apart, else the internal values.

    An option of ours has our label, whatever an administrator calls it: its internal value stays."""
    options = item["options"]
    labels = {str(o["value"]): str(o.get("label") or o["value"]) for o in options}
    for spec in _ours():
        if spec.hubspot == item["name"]:
            labels |= {value: label for value, label in spec.options.items() if value in labels}
    if len(set(labels.values())) < len(labels):
        labels = {value: value for value in labels}
    return Choices(label_of=labels, value_of={label: value for value, label in labels.items()})


def _field(item: Mapping[str, Any], choices: Choices | None) -> FieldSchema:
    """One property. HubSpot's numbers have no precision, its text has no length of its own."""
    kind = _kind(item)
    name = str(item["name"])
    writable = not item.get("calculated") and not (item.get("modificationMetadata") or {}).get(
        "readOnlyValue"
    )
    visible = {str(o["value"]) for o in item.get("options") or () if not o.get("hidden")}
    options: tuple[str, ...] = ()
    if choices is not None and kind in {FieldType.PICKLIST, FieldType.MULTI_PICKLIST}:
        options = tuple(label for value, label in choices.label_of.items() if value in visible)
    held = FieldSchema(
        name=name,
        label=str(item.get("label") or name),
        type=kind,
        length=_TEXT_LIMIT if kind in {FieldType.TEXT, FieldType.LONG_TEXT} else None,
        options=options,
        restricted=kind in {FieldType.PICKLIST, FieldType.MULTI_PICKLIST},
        createable=writable,
        updateable=writable,
        calculated=bool(item.get("calculated")),
        external_id=bool(item.get("hasUniqueValue")),
        unique=bool(item.get("hasUniqueValue")),
        help=str(item.get("description") or ""),
        group=str(item.get("groupName") or ""),
        references=(str(item["referencedObjectType"]),) if item.get("referencedObjectType") else (),
    )
    return _as_ours(held)


def _kind(item: Mapping[str, Any]) -> FieldType:
    kind = _TYPES.get(str(item["type"]), FieldType.OTHER)
    style = str(item.get("fieldType") or "")
    if kind is FieldType.TEXT and style in _LONG:
        return FieldType.LONG_TEXT
    if kind is FieldType.NUMBER and item.get("numberDisplayHint") == "percentage":
        return FieldType.PERCENT
    if kind is FieldType.NUMBER and (item.get("showCurrencySymbol") or item.get("currencyPropertyName")):
        return FieldType.CURRENCY
    if kind is FieldType.PICKLIST:
        return _kind_of_choice(item, style)
    return kind


def _kind_of_choice(item: Mapping[str, Any], style: str) -> FieldType:
    if item.get("referencedObjectType") or item.get("externalOptions"):
        return FieldType.REFERENCE
    return {"booleancheckbox": FieldType.CHECKBOX, "checkbox": FieldType.MULTI_PICKLIST}.get(
        style, FieldType.PICKLIST
    )


@cache
def _ours() -> tuple[FieldSpec, ...]:
    """Every field of ours, those of our own objects too."""
    own = (field for each in object_specs().values() for field in each.fields.values())
    return (*field_specs().values(), *own)


def _as_ours(held: FieldSchema) -> FieldSchema:
    """A property of ours is the kind of number that we made it: the display hint is not always told."""
    spec = next((each for each in _ours() if each.hubspot == held.name), None)
    if spec is not None and held.type is FieldType.NUMBER and spec.type in {"percent", "currency"}:
        return replace(held, type=FieldType(spec.type))
    return held
