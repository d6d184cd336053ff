"""What came of a quarter, filled into forecast rows once it is over: expansions closed in it, each once.

The snapshots that are judged are the first of each fiscal quarter: what was said as the quarter began, and
one, two and three quarters before. In each of them an account's actual stands on one row of its product;
where the forecast had none, a row of nothing is added for it. So the actuals of a snapshot sum to what closed
in the quarter. They are looked at anew until the next quarter is over, since invoices come late.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from model.forecast import Span
from sync.cells import Cell
from sync.forecast_periods import fiscal_quarter
from sync.forecast_rows import EXPANSION, NEW, About, ForecastRow, Place, part
from sync.outcomes import Expansion
from sync.own_rows import HeldRow, held_rows, snapshots
from sync.planned_rows import FORECASTS, PlannedFill, PlannedRow
from sync.store import Store

CLOSED_WON = "closed_won"
Came = Mapping[tuple[str, str], int]
"""Cents that came, by account and product id (empty where it is not known)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actuals:
    """What to fill in, and rows to add for what nobody had forecast."""

    fills: tuple[PlannedFill, ...] = ()
    rows: tuple[PlannedRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ActualsOf:
    """Where the rows of an org stand, and how its fields are called; `about` are the accounts of today."""

    store: Store
    org_id: str
    crm_object: str
    field: str  # the vendor's name of the actual
    fiscal_year_start: int
    about: Mapping[str, About]
    names: Mapping[str, str]  # of the products by id
    run_id: str
    in_crm: bool

    def plan(self, quarter: Span, came: Came) -> Actuals:
        """The actuals of a quarter that is over, in every snapshot that is judged by it."""
        fills: list[PlannedFill] = []
        rows: list[PlannedRow] = []
        days = snapshots(self.store, self.org_id, quarter=quarter.label)
        for day in judged(days, self.fiscal_year_start):
            held = held_rows(self.store, self.org_id, FORECASTS, snapshot=day, quarter=quarter.label)
            chosen, missing = _places(held, came)
            fills += self._fills(held, chosen)
            rows += self._rows(quarter, day, missing, held)
        return Actuals(fills=tuple(fills), rows=tuple(rows))

    def _fills(self, held: Sequence[HeldRow], chosen: Mapping[str, int]) -> Iterator[PlannedFill]:
        for row in held:
            before = row.values.get("actual")
            after = chosen[row.key] / 100 if row.key in chosen else None
            if after is None and before is not None:
                after = 0.0  # what was filled in came to nothing
            if after != before:
                yield PlannedFill(
                    object=FORECASTS,
                    crm_object=self.crm_object,
                    key=row.key,
                    account_id=row.account_id,
                    record_id=row.record_id,
                    cells=(Cell(key="actual", name=self.field, before=before, after=after),),
                )

    def _rows(
        self, quarter: Span, day: date, missing: Mapping[tuple[str, str], int], held: Sequence[HeldRow]
    ) -> Iterator[PlannedRow]:
        """Rows of nothing forecast, each with what is known of its account on that day, else today."""
        then = {row.account_id: row for row in held}
        for (account, product), amount in sorted(missing.items()):
            about = self.about.get(account, About())
            place = Place(account_id=account, product=product, span=0, basis=CLOSED_WON, component=EXPANSION)
            row = ForecastRow(place=place, quarter=quarter, amount=0, about=about)
            values = row.values(day, self.names, self.run_id)
            if account in then:
                same = ("account", "tier", "probability", "owner", "segment")
                values |= {name: then[account].values.get(name) for name in same}
            yield PlannedRow(
                object=FORECASTS,
                key=row.key(day),
                account_id=account,
                record_id=about.crm_id,
                values=values | {"actual": amount / 100},
                in_crm=self.in_crm,
            )


def judged(days: Sequence[date], fiscal_year_start: int) -> list[date]:
    """Of the days of snapshots the first of each fiscal quarter."""
    first: dict[str, date] = {}
    for day in sorted(days):
        first.setdefault(str(fiscal_quarter(day, fiscal_year_start)), day)
    return list(first.values())


def came_in(quarter: Span, events: Sequence[Expansion]) -> dict[tuple[str, str], int]:
    """The cents that came in a quarter, by account and product."""
    found: dict[tuple[str, str], int] = {}
    for event in events:
        if quarter.first <= event.day <= quarter.last:
            place = (event.account_id, event.product_id or "")
            found[place] = found.get(place, 0) + round(100 * (event.arr or 0.0))
    return {place: amount for place, amount in found.items() if amount}


def _places(held: Sequence[HeldRow], came: Came) -> tuple[dict[str, int], dict[tuple[str, str], int]]:
    """Which row bears what came of each account and product, by its key; and what has no row."""
    rows: dict[tuple[str, str], list[HeldRow]] = {}
    for row in held:
        product, component = row.key.split("|")[1], row.values["component"]
        if row.account_id and component in (EXPANSION, NEW):
            rows.setdefault((row.account_id, product), []).append(row)
    chosen, missing = {}, {}
    for (account, product), amount in came.items():
        place = (account, part(product))
        if place in rows:  # one that bears an actual already goes on bearing it
            best = min(rows[place], key=lambda row: (row.values.get("actual") is None, row.key))
            chosen[best.key] = amount
        else:
            missing[account, product] = amount
    return chosen, missing
