"""The part of a plan that goes to objects of our own: a snapshot where one is due, feedback, and actuals.

What it takes of the org's room is told beside it, with a year's amount at this rhythm.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING, Any, Final

from connectors.crm import Capabilities, Crm
from connectors.errors import UsageError
from connectors.fields import object_specs
from model.forecast import Span
from sync.actuals import ActualsOf, came_in
from sync.feedback_rows import feedback_outcomes, feedback_rows
from sync.find_account import read_names
from sync.forecast_book import known_day
from sync.forecast_periods import quarters_before
from sync.forecast_rows import About
from sync.forecast_snapshot import Figures, is_due, read_about, run_row, snapshot_rows
from sync.forecasting import Forecast, make_forecast
from sync.heard import heard_of
from sync.outcomes import expansions
from sync.own_rows import held_rows, known_keys, snapshots
from sync.planned_rows import FEEDBACK, FORECASTS, RUNS, PlannedFill, PlannedRow, by_object
from sync.row_errands import own_fields
from sync.store.scores import latest_scoring

if TYPE_CHECKING:
    from sync.loop import Loop

KILOBYTES_A_ROW: Final = 2
SNAPSHOTS_A_YEAR: Final = 52 + 4
NEARLY_FULL: Final = 0.5  # of the room that is left, by what a year's rows take


@dataclass(frozen=True, slots=True, kw_only=True)
class RowPlan:
    """Rows to add, what to fill in, and what is shown of it."""

    rows: tuple[PlannedRow, ...] = ()
    fills: tuple[PlannedFill, ...] = ()
    summary: Mapping[str, Any] = field(default_factory=dict)

    def calls(self, able: Capabilities) -> int:
        """API calls that it takes: rows are added, what is filled in is read, written and read again."""
        in_crm = by_object(row for row in self.rows if row.in_crm).values()
        filled = by_object(fill for fill in self.fills if fill.record_id).values()
        added = sum(ceil(count / able.write_batch) for count in in_crm)
        written = sum(
            2 * ceil(count / able.write_batch) + ceil(count * able.read_again / able.read_batch)
            for count in filled
        )
        return added + written


NO_ROWS: Final = RowPlan()


@dataclass(frozen=True, slots=True, kw_only=True)
class RowPlanner:
    """Plans the rows of one run; `asked` for a snapshot that is not due by itself."""

    loop: Loop
    run_id: str
    asked: bool = False

    def plan(self, org_id: str, figures: Figures) -> RowPlan:
        """The rows that the run adds; none between snapshots.

        Raises UsageError when a second snapshot of a day is asked for."""
        loop, company = self.loop, self.loop.settings.company
        if loop.settings.forecast.rows == "off" and not self.asked:
            return NO_ROWS
        scoring = latest_scoring(loop.store)
        if scoring is None:
            return NO_ROWS
        today, days = known_day(loop, scoring.as_of), snapshots(loop.store, org_id)
        if is_due(today, days, company.fiscal_year_start, asked=self.asked):
            return self._snapshot(org_id, make_forecast(loop), figures)
        if self.asked:
            raise UsageError(
                f"the forecast's snapshot of {today} is written already, and stays as it is.",
                record=org_id,
                fix="A correction is a snapshot of another day: ask again after the next day's pull.",
            )
        return NO_ROWS

    def _snapshot(self, org_id: str, found: Forecast, figures: Figures) -> RowPlan:
        loop = self.loop
        tables = loop.tables().tables
        in_crm = {table: own_fields(loop.crm, table) is not None for table in (FORECASTS, FEEDBACK, RUNS)}
        records = {each.account_id: each.crm_id or "" for each in read_names(tables)}
        about = read_about(found, tables, records)
        names = {product.id: product.name for product in loop.products}
        rows = snapshot_rows(
            found,
            about,
            names,
            loop.settings.forecast,
            run_id=self.run_id,
            in_crm=in_crm[FORECASTS],
        )
        summary = _summary(found, rows, loop.crm, in_crm=in_crm[FORECASTS])
        events = expansions(tables, loop.target, through=found.today)
        actuals = ActualsOf(
            store=loop.store,
            org_id=org_id,
            crm_object=_object(loop.crm, FORECASTS, in_crm=in_crm[FORECASTS]),
            field=loop.crm.field_name(object_specs()[FORECASTS].fields["actual"]),
            fiscal_year_start=loop.settings.company.fiscal_year_start,
            about=about,
            names=names,
            run_id=self.run_id,
            in_crm=in_crm[FORECASTS],
        )
        (quarter,) = quarters_before(found.today, loop.settings.company.fiscal_year_start, 1)
        over = Span(label=str(quarter), first=quarter.first_day, last=quarter.last_day)
        came = actuals.plan(over, came_in(over, events))
        said, answers = self._feedback(org_id, found, about, events, in_crm=in_crm[FEEDBACK])
        last = run_row(found, figures, run_id=self.run_id, in_crm=in_crm[RUNS])
        return RowPlan(
            rows=(*rows, *came.rows, *said, last),
            fills=(*came.fills, *answers),
            summary=summary | {"actuals": len(came.fills) + len(came.rows), "feedback": len(said)},
        )

    def _feedback(
        self, org_id: str, found: Forecast, about: Mapping[str, About], events: Any, *, in_crm: bool
    ) -> tuple[list[PlannedRow], list[PlannedFill]]:
        """What was said since, and what came of what was said before."""
        loop = self.loop
        heard = [each for said in heard_of(loop.store).values() for each in said]
        owners = {account: each.owner for account, each in about.items()}
        lineage = loop.tables().lineage
        rows = list(feedback_rows(loop.store, heard, owners, lineage, in_crm=in_crm))
        known = known_keys(loop.store, org_id, FEEDBACK, [row.key for row in rows])
        answers = feedback_outcomes(
            held_rows(loop.store, org_id, FEEDBACK),
            events,
            today=found.today,
            horizon_days=found.current.horizon_days,
            crm_object=_object(loop.crm, FEEDBACK, in_crm=in_crm),
            field=loop.crm.field_name(object_specs()[FEEDBACK].fields["outcome"]),
        )
        return [row for row in rows if row.key not in known], list(answers)


def _object(crm: Crm, table: str, *, in_crm: bool) -> str:
    """The vendor's name of one of our objects; our own where there is none."""
    return crm.object_name(table) if in_crm else table


def _summary(found: Forecast, rows: list[PlannedRow], crm: Crm, *, in_crm: bool) -> dict[str, Any]:
    """Rows, what they take, and whether a year of them fits into what the org has left."""
    accounts = max(len(found.current.scores), 1)
    a_year = len(rows) * SNAPSHOTS_A_YEAR
    room = crm.room_for_rows() if in_crm else None
    warning = None
    if room is not None and a_year > NEARLY_FULL * room.rows:
        warning = (
            f"forecast rows will take {_megabytes(a_year):,.0f} MB ({a_year:,} rows) in a year, and "
            f"{room.said}: raise [forecast] rows_from, or set rows to off"
        )
    return {
        "snapshot": found.today.isoformat(),
        "forecast_rows": len(rows),
        "rows_an_account": round(len(rows) / accounts, 1),
        "in_crm": in_crm,
        "megabytes": round(_megabytes(len(rows)), 1),
        "megabytes_a_year": round(_megabytes(a_year), 1),
        "room": None if room is None else room.said,
        "warning": warning,
    }


def _megabytes(rows: int) -> float:
    return rows * KILOBYTES_A_ROW / 1024
