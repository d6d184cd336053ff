"""Rows of the canonical tables as dicts, for what looks at few: what is missing is empty."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

Tables = Mapping[str, Any]
"""Canonical tables by name, as Ibis expressions."""


def select(tables: Tables, name: str, columns: Sequence[str], ids: Iterable[str] | None = None) -> list[Any]:
    """Rows of a table as dicts; none where the table is missing, null where a column is."""
    table = tables.get(name)
    if table is None:
        return []
    if ids is not None:
        table = table.filter(table.account_id.isin(list(ids)))
    present = [column for column in columns if column in table.columns]
    empty = dict.fromkeys(columns)
    rows: list[dict[str, Any]] = table.select(*present).to_pyarrow().to_pylist()
    return [empty | row for row in rows]


def day_of(moment: date | datetime | None) -> date | None:
    """The UTC day of a date or timestamp."""
    return moment.date() if isinstance(moment, datetime) else moment


def invoices(
    tables: Tables, figures: Sequence[str], as_of: date, ids: Iterable[str] | None = None
) -> dict[str, dict[date, dict[str, Any]]]:
    """The invoices known on a day by account and first day, with these figures.

    Of several for one first day the one that was known last counts, of two known on one day the larger
    figure, as in `model/invoices.py`; what it does not state is what was stated before."""
    rows = select(tables, "billing", ("account_id", "period_start", "known_from", *figures), ids)
    known = [
        (max(row["period_start"], day_of(row["known_from"]) or date.min), row)
        for row in rows
        if row["period_start"] is not None
    ]
    found: dict[str, dict[date, dict[str, Any]]] = {}
    told: dict[tuple[str, date], date] = {}
    for day, row in sorted(known, key=lambda each: each[0]):
        if day > as_of:
            break
        key = (row["account_id"], row["period_start"])
        said = found.setdefault(key[0], {}).setdefault(key[1], dict.fromkeys(figures))
        is_same_day = told.get(key) == day
        told[key] = day
        for name in figures:
            if row[name] is not None:
                said[name] = max(said[name] or row[name], row[name]) if is_same_day else row[name]
    return found
