"""Every field, object, permission set and view in Markdown, from fields.toml and views.toml: `make docs`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Final

from connectors.fields import FieldSpec, field_specs, group_specs, object_specs, permission_specs
from connectors.views import Where, view_specs

INTRODUCTION: Final = """\
# Fields, objects and views in the CRM

Written by `make docs` from `connectors/fields.toml` and `connectors/views.toml`; a test fails when it is not
what they say. `upswell install` makes them: [install.md](install.md) says how, and how to take them away.

*Machine*: Upswell writes it, people read it. *Person*: people fill it in, Upswell reads it and never writes
it. A field with `history` keeps its history in Salesforce where there is room. To use a field of your own in
place of one of these, name it under `[mapping.fields]` by its key ([mapping.md](mapping.md)).
"""
_OBJECTS: Final = {"accounts": "On the account (Account, company)", "tasks": "On tasks (Activity, task)"}
_HEAD: Final = "| key | Salesforce | HubSpot | type | who writes | help |\n|---|---|---|---|---|---|"


def dictionary() -> str:
    """The whole of docs/fields.md."""
    return "\n".join([INTRODUCTION, *_fields(), *_objects(), *_sets(), *_views()])


def _fields() -> Iterator[str]:
    for key, title in _OBJECTS.items():
        yield f"## {title}\n\n{_HEAD}"
        yield from (_row(spec) for spec in field_specs().values() if spec.object == key)
        yield ""


def _row(spec: FieldSpec) -> str:
    kind = spec.type.replace("_", " ")
    size = f" {spec.length}" if spec.length else ""
    history = ", history" if spec.track_history else ""
    cells = (
        f"`{spec.key}`",
        f"`{spec.salesforce}`",
        f"`{spec.hubspot}`",
        f"{kind}{size}{history}",
        spec.owner,
        spec.help,
    )
    return f"| {' | '.join(cells)} |"


def _objects() -> Iterator[str]:
    for spec in object_specs().values():
        yield f"## {spec.plural} (`{spec.salesforce}`, `{spec.hubspot}`)\n\n{spec.help}\n\n{_HEAD}"
        yield from (_row(each) for each in spec.fields.values())
        yield ""


def _sets() -> Iterator[str]:
    yield "## Permission sets (Salesforce)\n\n| set | sees | fills in | objects | for |"
    yield "|---|---|---|---|---|"
    for spec in permission_specs().values():
        objects = (f"{object_specs()[key].plural} ({how})" for key, how in spec.objects.items())
        cells = (spec.label, _keys(spec.read), _keys(spec.edit), ", ".join(objects), spec.description)
        yield f"| {' | '.join(cells)} |"
    yield "\n| group | sets | for |\n|---|---|---|"
    for group in group_specs().values():
        labels = ", ".join(permission_specs()[name].label for name in group.sets)
        yield f"| {group.label} | {labels} | {group.description} |"
    yield ""


def _keys(keys: Iterable[str]) -> str:
    """The keys, or the owner whose fields they all are."""
    held = tuple(keys)
    for owner in ("machine", "person"):
        if held == tuple(key for key, spec in field_specs().items() if spec.owner == owner):
            return f"all of *{owner}*"
    return ", ".join(f"`{key}`" for key in held)


def _views() -> Iterator[str]:
    yield "## Views of accounts\n\n| list view in Salesforce | list in HubSpot | accounts | columns |"
    yield "|---|---|---|---|"
    for spec in view_specs().values():
        which = " and ".join(_condition(each) for each in spec.where)
        whose = "one's own, " if spec.is_own else ""
        columns = _keys(each.key for each in spec.columns)
        yield f"| {spec.label} | {spec.hubspot} | {whose}{which} | {columns} |"
    yield ""


def _condition(where: Where) -> str:
    name = f"`{where.field.key}`"
    match where.test:
        case "is" | "has":
            labels = [where.field.options.get(each, each) for each in where.options]
            return f"{name} {where.test} {' or '.join(labels)}"
        case "above":
            return f"{name} above {where.number}"
        case "within":
            return f"{name} within {where.number} days"
        case "before":
            return f"{name} more than {where.number} days ago"
    return f"{name} empty"


if __name__ == "__main__":
    sys.stdout.write(dictionary())
