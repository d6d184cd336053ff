"""The company's book as it stands: the newest scoring, the deals open today, and everything won until then.

The forecast sums it, rows and fields of the CRM are cut out of it, so none of them can say anything else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from connectors.errors import UsageError
from model.amounts import Amounts, amounts_by_account
from model.book import MODEL, OPEN, Book, Win, by_product, make_book
from model.forecast import Span
from sync.forecast_deals import DealBook
from sync.forecast_periods import quarters_from
from sync.outcomes import expansions
from sync.retention import QUARTERS
from sync.store.scores import latest_scoring, load_scores, target_of_scoring
from sync.store.tables import BookmarkRow, ModelRunRow

if TYPE_CHECKING:
    from sync.loop import Loop


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentBook:
    """The book, the day it is of, and the scoring with its scores by account.

    `split` is the book cut by product, of whose items in whole cents every figure is summed."""

    scoring: ModelRunRow
    scores: Mapping[str, Mapping[str, Any]]
    today: date
    horizon_days: int
    book: Book
    split: Book


def read_book(loop: Loop) -> CurrentBook:
    """The book of this fiscal quarter and the next three.

    Raises UsageError while nothing is scored."""
    scoring = latest_scoring(loop.store)
    if scoring is None:
        raise UsageError("nothing is scored yet.", fix="score first: upswell score")
    tables, target, company = loop.tables().tables, loop.target, loop.settings.company
    today = known_day(loop, scoring.as_of)
    spans = tuple(
        Span(label=str(quarter), first=quarter.first_day, last=quarter.last_day)
        for quarter in quarters_from(today, company.fiscal_year_start, QUARTERS)
    )
    scores = load_scores(loop.store, scoring.run_id).to_pylist()
    horizon_days = target_of_scoring(scoring, target).horizon_days
    book = make_book(
        scores,
        DealBook(tables, target, company.currency).open_now(today),
        [
            Win(account_id=event.account_id, day=event.day, arr=event.arr or 0.0, product=event.product_id)
            for event in expansions(tables, target, through=today)
        ],
        spans,
        scored_on=scoring.as_of,
        today=today,
        horizon_days=horizon_days,
    )
    return CurrentBook(
        scoring=scoring,
        scores={row["account_id"]: row for row in scores},
        today=today,
        horizon_days=horizon_days,
        book=book,
        split=by_product(book, scores),
    )


def quarter_amounts(loop: Loop) -> dict[str, Amounts]:
    """Of each account the ARR to expect in this fiscal quarter's rest and the next three, from the book.

    By its open opportunity where there is one, else by the model, run rates included; what was won already is
    left out. Raises UsageError while nothing is scored."""
    return amounts_by_account(read_book(loop).split, bases=(OPEN, MODEL))


def known_day(loop: Loop, scored_on: date) -> date:
    """The day up to which the CRM was read, in the company's zone; never before the scoring's."""
    with loop.store.session() as session:
        read_until = session.scalar(select(func.max(BookmarkRow.until)))
    if read_until is None:
        return scored_on
    read_on: date = read_until.astimezone(ZoneInfo(loop.settings.company.timezone)).date()
    return max(scored_on, read_on)
