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
