"""The forecast of a company: closed won, open opportunities and the model, by fiscal quarter, nothing twice.

`model.book` says what counts by what; here are the company's own scores, deals, wins and quarters, and beside
the expansion what retention makes of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from model.book import Book
from model.forecast import Span
from model.ranges import Range, common_shock, cumulants, widening
from sync.forecast_backtest import Past, kept_backtest
from sync.forecast_book import CurrentBook, read_book
from sync.forecast_groups import GroupRange, Line, group_names, lines_of, ranges_of
from sync.retention import Kept, retention

if TYPE_CHECKING:
    from sync.loop import Loop


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Every line and range, the quarters they are of, and what was assumed or left out, in sentences.

    `ranges` are of the whole book, `group_ranges` of each group; `current` is what all is summed of."""

    scored_on: date
    today: date
    model_version: str
    currency: str
    quarters: tuple[Span, ...]
    lines: tuple[Line, ...]
    ranges: tuple[GroupRange, ...]
    group_ranges: tuple[GroupRange, ...]
    retention: Kept
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]
    current: CurrentBook

    def total(
        self, *, basis: str | None = None, quarter: str | None = None, group: str | None = None
    ) -> float:
        """The ARR of the lines that fit."""
        return sum(
            line.arr
            for line in self.lines
            if (basis is None or line.basis == basis)
            and (quarter is None or line.quarter == quarter)
            and (group is None or line.group == group)
        )

    def range(self, quarter: str = "", group: str | None = None) -> Range:
        """P10, P50 and P90 of a quarter, or of all for an empty one; of the whole book or of a group."""
        held = self.ranges if group is None else self.group_ranges
        return next(each.range for each in held if each.quarter == quarter and group in (None, each.group))


def make_forecast(loop: Loop, *, by: Sequence[str] = ()) -> Forecast:
    """The forecast from the newest scoring and the lake, split by what `by` names (`forecast_groups`).

    Raises UsageError while nothing is scored."""
    current = read_book(loop)
    book, scoring, today, spans = current.book, current.scoring, current.today, current.book.spans
    tables, company = loop.tables().tables, loop.settings.company
    past = kept_backtest(loop, today)
    shocks = _shocks(book, past)
    names = {product.id: product.name for product in loop.products}
    split = current.split
    groups = group_names(by, split.accounts, split.products, tables, names)
    ranged = split if "product" in by else book  # pieces of an account come together or not at all
    group_of = groups if ranged is split else group_names(by, book.accounts, book.products, tables, names)
    whole = [""] * len(book.accounts)
    kept = retention(
        loop,
        book,
        split,
        current.scores,
        version=scoring.model_version,
        scored_on=scoring.as_of,
        today=today,
        shocks=shocks,
    )
    return Forecast(
        scored_on=scoring.as_of,
        today=today,
        model_version=scoring.model_version,
        currency=company.currency,
        quarters=spans,
        lines=lines_of(split, groups),
        ranges=ranges_of(book, whole, shocks),
        group_ranges=ranges_of(ranged, group_of, shocks),
        retention=kept,
        assumptions=_assumptions(current.horizon_days, by, past),
        warnings=_warnings(book, company.currency),
        current=current,
    )


def _shocks(book: Book, past: Past) -> list[float]:
    """What all accounts have in common in each quarter, by the backtest or the default."""
    totals = cumulants(book.chance, book.arr, book.spread).sum(axis=0)
    return [common_shock(total, widening(past.residuals, lead)) for lead, total in enumerate(totals)]


def _warnings(book: Book, currency: str) -> tuple[str, ...]:
    last, said = book.spans[-1].label, []
    if book.later:
        said.append(f"{currency} {book.later:,.0f} of open opportunities closes after {last}")
    if book.foreign:
        said.append(
            f"{book.foreign} open opportunities are left out: no rate leads from their currency to {currency}"
        )
    if book.unknown:
        said.append(f"{book.unknown} open opportunities are left out: neither CRM nor model say how much")
    return tuple(said)


def _assumptions(horizon_days: int, by: Sequence[str], past: Past) -> tuple[str, ...]:
    said = [
        "Closed won: expansions closed in this quarter so far, by the rules of [target].",
        (
            "Open opportunity: the CRM's amount in its close date's quarter, overdue ones in this, × the "
            "share that was won of deals at such a probability, drawn to the CRM's figure while they are few."
        ),
        (
            f"Model only: probability × ARR if it expands, over {horizon_days} days from the scoring by "
            "timing (now: the first third; 30 days: the first two thirds; else evenly). What comes after, "
            "or besides a deal or win, is a run rate and no prediction: accounts expand as often as the book "
            "did in the last year."
        ),
        "Nothing counts twice: an account with an open expansion opportunity counts by it alone.",
        past.source,
    ]
    if "product" in by:
        said.append(
            "By product: the model's part of an account goes to the products that it may buy, each by its "
            "own probability × ARR; an account is counted with the one that it is worth most by."
        )
    if "owner" in by:
        said.append("By owner: the owner of the account, for deals as well.")
    return tuple(said)
