"""Report types over our fields and objects, from which RevOps and finance make reports of their own.

Metadata API Developer Guide: "ReportType". The account of a row is reached over its lookup.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final
from xml.etree.ElementTree import Element, SubElement

from connectors.fields import FieldSpec, ObjectSpec
from connectors.salesforce.elements import add, root_of
from connectors.salesforce.parts import Part

ACCOUNTS: Final = "Upswell_Accounts"
_OF_ACCOUNT: Final = ("Name", "Owner.Name", "Type", "Industry")


def report_type_of(spec: ObjectSpec) -> str:
    """The name of the report type over an object of our own."""
    return f"Upswell_{spec.plural.removeprefix('Expansion ').replace(' ', '_')}"


def report_types(fields: Iterable[FieldSpec], objects: Sequence[ObjectSpec]) -> list[Part]:
    """One over accounts with these fields of ours, and one over each of these objects."""
    ours = [spec.salesforce for spec in fields if spec.object == "accounts"]
    label = "Accounts with Expansion Fields"
    about = "Accounts with what Upswell writes about them, and what people say of it."
    columns: tuple[str, ...] = (*_OF_ACCOUNT, *ours)
    parts = [_part(ACCOUNTS, "Account", columns, label=label, about=about, category="accounts")]
    for spec in objects:
        account = next((each for each in spec.fields.values() if each.references == "accounts"), None)
        over = () if account is None else tuple(f"{account.salesforce}.{name}" for name in _OF_ACCOUNT)
        label = spec.plural if account is None else f"{spec.plural} with Account"
        columns = ("Name", *(each.salesforce for each in spec.fields.values()), *over)
        category = "other" if account is None else "accounts"
        name, base = report_type_of(spec), spec.salesforce
        parts.append(_part(name, base, columns, label=label, about=spec.help, category=category))
    return parts


def _part(name: str, base: str, columns: Sequence[str], *, label: str, about: str, category: str) -> Part:
    """One ReportType in the schema's order, all its columns in one section."""
    root: Element = root_of("ReportType")
    add(root, "baseObject", base)
    add(root, "category", category)
    add(root, "deployed", True)
    add(root, "description", about)
    add(root, "label", label)
    section = SubElement(root, "sections")
    for column in columns:
        entry = SubElement(section, "columns")
        add(entry, "checkedByDefault", False)
        add(entry, "field", column)
        add(entry, "table", base)
    add(section, "masterLabel", label)
    return Part(kind="ReportType", name=name, root=root)
