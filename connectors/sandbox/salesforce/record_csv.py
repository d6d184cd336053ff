"""Records turned into lines of a Bulk query's CSV by SQLite itself, every cell in quotes.

Source: "Valid Date Format in Records" and "Get Results for a Query Job", Bulk API 2.0 Developer Guide: times
end in Z, checkboxes are true and false, no value is nothing between the quotes.
"""

from __future__ import annotations

from collections.abc import Iterator

from connectors.sandbox.salesforce.record_json import Selection
from connectors.sandbox.salesforce.schema import Field
from connectors.sandbox.store import identifier


def record_csv(selection: Selection) -> tuple[tuple[str, ...], str]:
    """The columns' names, parents' with a dot, and the SQL that gives a record as one line."""
    cells = list(_cells(selection, ""))
    line = " || ',' || ".join(sql for _, sql in cells)
    return tuple(name for name, _ in cells), line


def header_line(names: tuple[str, ...]) -> str:
    """The first line of every set of results."""
    return ",".join(f'"{name}"' for name in names)


def _cells(selection: Selection, prefix: str) -> Iterator[tuple[str, str]]:
    for name, wanted in selection.fields.items():
        if isinstance(wanted, Selection):
            yield from _cells(wanted, f"{prefix}{name}.")
        elif isinstance(wanted, Field):
            yield prefix + name, _quoted(_text(selection.alias, wanted))
        else:  # SQL of a parent that may be of several types
            yield prefix + name, _quoted(wanted)


def _text(alias: str, wanted: Field) -> str:
    column = f"{alias}.{identifier(wanted.name)}"
    if wanted.type == "boolean":  # of a parent that is not there: nothing
        return f"iif({alias}.Id IS NULL, '', iif({column}, 'true', 'false'))"
    if wanted.type == "datetime":
        return f"replace({column}, '+0000', 'Z')"
    if wanted.column_kind == "REAL":
        return f"iif({column} IS NULL, NULL, json_quote({column}))"  # all digits, as REST shows them
    return column


def _quoted(sql: str) -> str:
    return f"""'"' || replace(coalesce({sql}, ''), '"', '""') || '"'"""
