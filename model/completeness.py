"""How complete the data are: which columns a signal family needs, and which of them nobody delivers.

A family counts for an account by the share of its needed columns that are in the company's data at all, and
only where it knows anything of the account. So a missing table, a missing column and a silent account each
lower the score.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import ibis.expr.types as ir

from model.features.feature import Family

OPTIONAL: Final = frozenset({"account_id", "known_from"})  # a row without a stamp is known when it happens

EVENTS_IN: Final = {
    "user_id": ("user_day", "user_id"),
    "event": ("user_day", "at"),
    "at": ("user_day", "at"),
    "feature": ("feature_day", "feature"),
    "session_id": ("session_day", "session_id"),
}
"""Where the partials of events keep what a column of theirs says; an event always has a name and a day."""


def absent_columns(
    sources: Mapping[str, ir.Table], families: Iterable[Family], until: int
) -> Mapping[str, tuple[str, ...]]:
    """Family -> the columns that it needs and no row known by the day numbered `until` fills (table.column).

    Of events the `sources` have the partials, which hold the same columns."""
    families = tuple(families)
    wanted: dict[str, dict[str, None]] = {}
    for family in families:
        for table, columns in family.needs.items():
            wanted.setdefault(table, {}).update(dict.fromkeys(c for c in columns if c not in OPTIONAL))
    filled = {
        f"{table}.{column}"
        for table, columns in wanted.items()
        for column in _filled_of(sources, table, tuple(columns), until)
    }
    found = {}
    for family in families:
        missing = tuple(name for name in _needed(family) if name not in filled)
        if missing:
            found[family.name] = missing
    return found


def weight(family: Family, absent: Mapping[str, tuple[str, ...]]) -> float:
    """The share of the columns that the family needs which are there, 0–1."""
    needed = len(_needed(family))
    return 1 - len(absent.get(family.name, ())) / needed if needed else 1.0


def _needed(family: Family) -> list[str]:
    return [
        f"{table}.{column}"
        for table, columns in family.needs.items()
        for column in columns
        if column not in OPTIONAL
    ]


def _filled_of(
    sources: Mapping[str, ir.Table], table: str, columns: tuple[str, ...], until: int
) -> list[str]:
    if table != "events":
        return _filled(sources[table], columns, until)
    found = []
    for column in columns:
        partial, held = EVENTS_IN[column]
        rows = sources[partial]
        # one line is enough to tell, and the engine stops there
        line = rows.filter(rows.known <= until, rows[held].notnull()).limit(1)
        if line.count().to_pyarrow().as_py():
            found.append(column)
    return found


def _filled(table: ir.Table, columns: tuple[str, ...], until: int) -> list[str]:
    """The columns in which some row has a value."""
    if "known" in table.columns:
        table = table.filter(table.known <= until)
    counted = table.aggregate(**{name: table[name].notnull().any() for name in columns}).to_pyarrow()
    return [name for name in columns if counted[name][0].as_py()]
