"""The forecast backtested over the company's past quarters, and what of that the ledger keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

import pyarrow.compute as pc
from sqlalchemy import select

from connectors.errors import UsageError
from model.book import Win
from model.forecast import Span
from model.panel import build_panel
from model.past_quarters import PastForecast, bias, coverage, past_quarters, recipe
from model.ranges import PRIOR_QUARTERS, Residual, widening
from sync.forecast_deals import DealBook
from sync.forecast_periods import fiscal_quarter
from sync.outcomes import expansions
from sync.store.tables import StepRow

if TYPE_CHECKING:
    from sync.loop import Loop

STEP: Final = "forecast backtest"
KEPT: Final = timedelta(days=400)  # after that the company that was backtested is another one


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """Past forecasts with what happened, the share within P10–P90 and the bias of the quarter about to
    begin, and how many times too narrow independent accounts' ranges were."""

    run_id: str
    as_of: date
    currency: str
    past: tuple[PastForecast, ...]
    coverage: float | None
    bias: float | None
    widening: float

    @property
    def quarters(self) -> tuple[PastForecast, ...]:
        """Those made as the quarter began."""
        return tuple(one for one in self.past if one.lead == 0)


def backtest_forecast(loop: Loop) -> Backtest:
    """What the forecast would have said at the start of each past quarter; kept in the ledger.

    Raises UsageError when no quarter that is over had anything to learn from before it."""
    with loop.run("forecast") as run, run.step(STEP) as detail:
        tables = loop.tables().tables
        today = loop.today()
        loop.tell("Build the panel", 0, None)
        panel = build_panel(
            tables, as_of=today, target=loop.target, products=loop.products, signals=loop.signals
        )
        events = [
            Win(account_id=event.account_id, day=event.day, arr=event.arr or 0.0, product=event.product_id)
            for event in expansions(tables, loop.target, through=today)
        ]
        cutoffs = loop.settings.tiers
        past = past_quarters(
            quarters_over(
                pc.min(panel.table["as_of"]).as_py(), today, loop.settings.company.fiscal_year_start
            ),
            said_on=recipe(
                panel,
                events,
                target=loop.target,
                products=loop.products,
                tiers={"very_high": cutoffs.very_high, "high": cutoffs.high, "medium": cutoffs.medium},
            ),
            deals_on=DealBook(tables, loop.target, loop.settings.company.currency).open_on,
            events=events,
            horizon_days=loop.target.horizon_days,
            progress=lambda quarter, done, total: loop.tell(f"Forecast {quarter}", done, total),
        )
        if not past:
            raise UsageError(
                "no past quarter can be forecast: there was too little history before each of them.",
                fix=f"wait until {loop.target.horizon_days} days and a quarter have passed since the data "
                "begins, or load older exports",
            )
        residuals = [one.residual for one in past]
        detail.update(as_of=today.isoformat(), residuals=[asdict(one) for one in residuals])
        return Backtest(
            run_id=run.id,
            as_of=today,
            currency=loop.settings.company.currency,
            past=tuple(past),
            coverage=coverage(past),
            bias=bias(past),
            widening=widening(residuals, 0),
        )


def quarters_over(first: date, today: date, fiscal_year_start: int) -> list[Span]:
    """The fiscal quarters that are over, from the one after that which holds the first day."""
    found: list[Span] = []
    quarter = fiscal_quarter(first, fiscal_year_start)
    while True:
        quarter = fiscal_quarter(quarter.last_day + timedelta(days=1), fiscal_year_start)
        if quarter.last_day >= today:
            return found
        found.append(Span(label=str(quarter), first=quarter.first_day, last=quarter.last_day))


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What the ledger keeps of the newest backtest; nothing of it where there was none lately."""

    as_of: date | None
    residuals: tuple[Residual, ...]

    @property
    def source(self) -> str:
        """Where the widening of ranges comes from, in a sentence."""
        n = sum(one.lead == 0 for one in self.residuals)
        times = f"{widening(self.residuals, 0):.2f} times the deviation of independent accounts"
        if not n:
            return (
                f"Ranges: {times}, the default until this company's own quarters were backtested "
                "(upswell forecast --backtest)."
            )
        drawn = f", drawn towards the default as if by {PRIOR_QUARTERS:.0f} quarters more"
        return f"Ranges: {times}, by {n} quarters backtested on {self.as_of}{drawn}."


def kept_backtest(loop: Loop, today: date) -> Past:
    """The newest backtest in the ledger."""
    query = select(StepRow.detail).where(StepRow.name == STEP, StepRow.status == "done")
    with loop.store.session() as session:
        detail: Mapping[str, Any] | None = session.scalars(
            query.order_by(StepRow.started_at.desc()).limit(1)
        ).first()
    if detail is None or today - date.fromisoformat(detail["as_of"]) > KEPT:
        return Past(as_of=None, residuals=())
    return Past(
        as_of=date.fromisoformat(detail["as_of"]),
        residuals=tuple(Residual(**one) for one in detail["residuals"]),
    )
