"""As-of rows of one account, as the model saw them on a day."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from connectors.errors import UsageError
from model.panel import Rows, build_days
from sync.store.scores import latest_scoring

if TYPE_CHECKING:
    import pyarrow as pa

    from sync.loop import Loop


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRows:
    """Every active customer's row of one day; a row's features are float64 with NaN for unknown, or text."""

    day: date
    rows: Rows

    def row(self, account_id: str) -> pa.Table:
        """The account's row as a table of one row.

        Raises UsageError when the account was no active customer on that day."""
        table = self.rows.table
        found = table.filter(pc.equal(table["account_id"], account_id)).combine_chunks()
        if found.num_rows == 0:
            raise UsageError(
                f"this account was no active customer on {self.day}, so it has no features that day.",
                record=account_id,
                fix="Name a day on which it was one with --as-of, or check its billing and customer_since.",
            )
        return found

    def values(self, account_id: str) -> dict[str, Any]:
        """The account's features by name; None where nothing was known."""
        row = self.row(account_id).to_pylist()[0]
        return {name: _known(row[name]) for name in self.rows.features}


def rows_of(loop: Loop, day: date) -> DayRows:
    """The rows of every active customer on `day`; peers and parents need them all. Raises ModelError."""
    return rows_of_days(loop, [day])[day]


def rows_of_days(loop: Loop, days: Collection[date]) -> Mapping[date, DayRows]:
    """The same of several days, which costs little more than one. Raises ModelError."""
    loop.tell("Build the features", 0, None)
    built = build_days(
        loop.tables().tables, days=days, target=loop.target, products=loop.products, signals=loop.signals
    )
    return {day: DayRows(day=day, rows=rows) for day, rows in built.items()}


def newest_day(loop: Loop) -> date:
    """The day of the newest scoring, else the CRM's today."""
    scoring = latest_scoring(loop.store)
    return loop.today() if scoring is None else scoring.as_of


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value
