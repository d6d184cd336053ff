"""Our views as list views of Account.

Metadata API Developer Guide: "ListView". Without `sharedTo` everybody sees one, and it can't say how it is
sorted. Filters compare picklists by their API names.
"""

from __future__ import annotations

from collections.abc import Collection
from xml.etree.ElementTree import SubElement

from connectors.salesforce.elements import add, root_of
from connectors.salesforce.parts import Part
from connectors.views import ViewSpec, Where, view_specs

OBJECT = "Account"
_NAME = "ACCOUNT.NAME"
_CHECKED = {"true": "1", "false": "0"}


def list_views(fields: Collection[str]) -> list[Part]:
    """The list views that can do with these fields of ours, by key: RevOps may have mapped some away."""
    return [
        _list_view(spec, fields)
        for spec in view_specs().values()
        if all(each.field.key in fields for each in spec.where)
    ]


def _list_view(spec: ViewSpec, fields: Collection[str]) -> Part:
    """One ListView, elements in the schema's order."""
    root = root_of("ListView")
    add(root, "fullName", spec.salesforce)
    for column in (_NAME, *(each.salesforce for each in spec.columns if each.key in fields)):
        add(root, "columns", column)
    add(root, "filterScope", "Mine" if spec.is_own else "Everything")
    for each in spec.where:
        operation, value = _filter(each)
        entry = SubElement(root, "filters")
        add(entry, "field", each.field.salesforce)
        add(entry, "operation", operation)
        if value:
            add(entry, "value", value)
    add(root, "label", spec.label)
    return Part(kind="ListView", name=f"{OBJECT}.{spec.salesforce}", root=root)


def _filter(where: Where) -> tuple[str, str]:
    """The operation and the value of one filter."""
    match where.test:
        case "is":
            return "equals", ",".join(_CHECKED.get(each, each) for each in where.options)
        case "has":
            return "includes", ",".join(where.options)
        case "above":
            return "greaterThan", str(where.number)
        case "within":
            return "equals", f"LAST_N_DAYS:{where.number}"
        case "before":
            return "lessThan", f"LAST_N_DAYS:{where.number}"
        case "empty":
            return "equals", ""
    raise ValueError(f"{where.test!r} is no test of a view")
