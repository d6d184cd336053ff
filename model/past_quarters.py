"""What the forecast would have said at the start of each past quarter, and what happened.

Each quarter has its own model, trained by the same recipe on outcomes that were known when it began, the
deals as they stood that day, and a range widened by the quarters before it alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from model.book import Book, Deal, Win, make_book
from model.customers import INVOICE_GRACE_DAYS
from model.days import day_number
from model.forecast import Span
from model.frame import numbers
from model.panel import STEP_DAYS, Panel
from model.predict import predict_range
from model.product import Product
from model.ranges import Range, Residual, common_shock, cumulants, range_of, widening
from model.target import Target
from model.train import train

LEADS: Final = 4
"""How many quarters each start looks ahead: the one that begins, and the three after it."""
MIN_LABELS: Final = 3  # as-of dates with known outcomes before there is a forecast to judge

DealsOn = Callable[[date], Sequence[Deal]]
Said = tuple[date, list[dict[str, Any]]]
"""The day of a scoring, and its rows with the columns of COLUMNS."""
SaidOn = Callable[[date], Said | None]
COLUMNS: Final = (
    *("account_id", "probability", "arr_if_expands", "arr_low", "arr_high", "timing", "product"),
    "is_pipeline",
)
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class PastForecast:
    """What was said at the start of the quarter `made_in` about `quarter`, `lead` quarters ahead.

    `said` is the range as it was widened then, `deviation` that of independent accounts, `actual` the
    expansion ARR of the same accounts."""

    made_in: str
    quarter: str
    lead: int
    said: Range
    deviation: float
    actual: float

    @property
    def residual(self) -> Residual:
        """What the next forecasts learn from."""
        return Residual(lead=self.lead, said=self.said.mean, deviation=self.deviation, actual=self.actual)


def past_quarters(
    quarters: Sequence[Span],
    *,
    said_on: SaidOn,
    deals_on: DealsOn,
    events: Sequence[Win],
    horizon_days: int,
    progress: Progress | None = None,
) -> list[PastForecast]:
    """A forecast of each quarter of `quarters` (in order, all over) made at its start and before it.

    `said_on` gives what a model said by what was known on a day (`recipe`), `deals_on` the deals open on a
    day as they stood on it. Quarters that begin before there was anything to learn from are left out."""
    found: list[PastForecast] = []
    ends = {span.label: span.last for span in quarters}
    for position, span in enumerate(quarters):
        if progress is not None:
            progress(span.label, position, len(quarters))
        said = said_on(span.first)
        if said is None:
            continue
        scored_on, scores = said
        eve = span.first - timedelta(days=1)
        book = make_book(
            scores,
            deals_on(eve),
            [event for event in events if event.day < span.first],
            quarters[position : position + LEADS],
            scored_on=scored_on,
            today=eve,
            horizon_days=horizon_days,
        )
        known = [past.residual for past in found if ends[past.quarter] < span.first]
        counted = {*book.accounts, *(row["account_id"] for row in scores)}
        of_book = [event for event in events if event.account_id in counted]
        found += _forecasts(span.label, book, of_book, known)
    return found


def coverage(past: Sequence[PastForecast], lead: int = 0) -> float | None:
    """The share of quarters whose actual lay within P10–P90; None where there is none."""
    held = [one.said.holds(one.actual) for one in past if one.lead == lead]
    return sum(held) / len(held) if held else None


def bias(past: Sequence[PastForecast], lead: int = 0) -> float | None:
    """How much more was said than came, as a share of what came; None where nothing came."""
    of_lead = [one for one in past if one.lead == lead]
    came = sum(one.actual for one in of_lead)
    return sum(one.said.mean for one in of_lead) / came - 1 if came > 0 else None


def _forecasts(
    label: str, book: Book, events: Sequence[Win], known: Sequence[Residual]
) -> list[PastForecast]:
    """What the book said of each of its spans, and what came by the events of its accounts."""
    parts = cumulants(book.chance, book.arr, book.spread).sum(axis=0)
    made = []
    for lead, (quarter, total) in enumerate(zip(book.spans, parts, strict=True)):
        shock = common_shock(total, widening(known, lead))
        actual = sum(event.arr for event in events if quarter.first <= event.day <= quarter.last)
        made.append(
            PastForecast(
                made_in=label,
                quarter=quarter.label,
                lead=lead,
                said=range_of(total, shock),
                deviation=float(np.sqrt(max(total[1], 0.0))),
                actual=float(actual),
            )
        )
    return made


def recipe(
    panel: Panel,
    events: Sequence[Win],
    *,
    target: Target,
    products: tuple[Product, ...],
    tiers: Mapping[str, float],
    seed: int = 0,
    threads: int = 2,
) -> SaidOn:
    """A function from a day to what a model said on the panel's latest date up to it, trained by the usual
    recipe on outcomes that were known on the day; to None where these are too few."""

    def said_on(day: date) -> Said | None:
        dates = sorted({each for each in panel.table["as_of"].to_pylist() if each <= day})
        matured = [each for each in dates if each + timedelta(days=target.horizon_days) <= day]
        if len(matured) < MIN_LABELS or day - dates[-1] >= timedelta(days=STEP_DAYS):
            return None
        known = _known_on(panel, day, target.horizon_days, events)
        trained = train(known, target=target, products=products, seed=seed, threads=threads)
        rows = panel.table.filter(pc.equal(panel.table["as_of"], pa.scalar(dates[-1])))
        said = predict_range(trained, replace(panel, table=rows), tiers=tiers, products=products)
        return dates[-1], said.select(COLUMNS).to_pylist()

    return said_on


def _known_on(panel: Panel, day: date, horizon_days: int, events: Sequence[Win]) -> Panel:
    """The panel's rows whose outcome had happened by the day, and losses only where they were known too."""
    days = panel.table["as_of"].cast(pa.int32()).to_numpy()
    table = panel.table.filter(pa.array(days + horizon_days <= day_number(day)))
    late = table["as_of"].cast(pa.int32()).to_numpy() + horizon_days + INVOICE_GRACE_DAYS > day_number(day)
    loss = pa.array(np.where(late, np.nan, numbers(table, "loss")))
    table = table.set_column(table.column_names.index("loss"), "loss", loss)
    missed = day_number(max(panel.table["as_of"].to_pylist())) - day_number(day)
    return replace(
        panel,
        table=table,
        data_hash=f"{panel.data_hash}:known on {day}",
        history_days=panel.history_days - missed,
        expansions=sum(event.day < day for event in events),
    )
