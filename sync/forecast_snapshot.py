"""A snapshot of the forecast: when one is due, and its rows with the row of the run that made it.

One a calendar week, with the week's first plan, and one a fiscal quarter, with the quarter's first; never two
of one day. What was written once stays: a correction is the snapshot of another day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from connectors.crm import Value
from sync.forecast_groups import NONE, group_names
from sync.forecast_periods import fiscal_quarter
from sync.forecast_rows import About, Detail, about_accounts, forecast_rows
from sync.forecasting import Forecast
from sync.planned_rows import FORECASTS, RUNS, PlannedRow

if TYPE_CHECKING:
    from sync.briefs.evidence import Tables
    from sync.settings_forecast import ForecastSettings

POINTS: Final = (("p10", "low"), ("p50", "middle"), ("p90", "high"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a plan comes to, for the row of its run."""

    scored: int
    written: int
    tasks: int
    left_out: int


def is_due(today: date, days: Sequence[date], fiscal_year_start: int, *, asked: bool = False) -> bool:
    """Whether a snapshot of `today` is wanted, where there are those of `days`: the first of its week, or of
    its fiscal quarter, or one that was asked for; never a second one of the day."""
    if today in days:
        return False

    def period(day: date) -> tuple[object, ...]:
        week = day.isocalendar()
        return week.year, week.week, str(fiscal_quarter(day, fiscal_year_start))

    return asked or period(today) not in {period(day) for day in days}


def read_about(found: Forecast, tables: Tables, records: Mapping[str, str]) -> dict[str, About]:
    """What rows say of each account of the forecast: names as its groups have them, scores, records."""
    bridges = found.retention.accounts
    accounts = sorted({*found.current.split.accounts, *(bridges.accounts if bridges else ())})
    nothing: list[str | None] = [None] * len(accounts)
    owners, segments = (
        dict(zip(accounts, group_names([kind], accounts, nothing, tables, {}), strict=True))
        for kind in ("owner", "segment")
    )
    return about_accounts(
        found.current.scores,
        {account: records.get(account, "") for account in accounts},
        {account: name for account, name in owners.items() if name != NONE},
        {account: name for account, name in segments.items() if name != NONE},
    )


def snapshot_rows(
    found: Forecast,
    about: Mapping[str, About],
    names: Mapping[str, str],
    settings: ForecastSettings,
    *,
    run_id: str,
    in_crm: bool,
) -> list[PlannedRow]:
    """The rows of a forecast as a plan holds them; `names` are of the products by id."""
    detail = Detail(everything=settings.detail == "all", floor=settings.rows_from)
    rows = forecast_rows(found.current, found.retention.accounts, about, detail=detail)
    return [
        PlannedRow(
            object=FORECASTS,
            key=row.key(found.today),
            account_id=row.place.account_id,
            record_id=row.about.crm_id,
            values=row.values(found.today, names, run_id),
            in_crm=in_crm,
        )
        for row in rows
    ]


def run_row(found: Forecast, figures: Figures, *, run_id: str, in_crm: bool) -> PlannedRow:
    """The row of the run: what its plan came to, and P10, P50 and P90 of the whole book by quarter."""
    values: dict[str, Value] = {
        "key": f"{run_id}|{found.today.isoformat()}",
        "snapshot": found.today,
        "data_as_of": found.scored_on,
        "model_version": found.model_version,
        "scored": figures.scored,
        "written": figures.written,
        "tasks": figures.tasks,
        "left_out": figures.left_out,
        "quarter": found.quarters[0].label,
    }
    for number, quarter in enumerate(found.quarters, start=1):
        held = found.range(quarter.label)
        for point, name in POINTS:
            values[f"quarter_{number}_{point}"] = round(float(getattr(held, name)), 2)
    return PlannedRow(
        object=RUNS, key=str(values["key"]), account_id="", record_id="", values=values, in_crm=in_crm
    )
