"""The expansion ARR of a whole book by span: closed won, open opportunities and the model, nothing twice.

An account with an open expansion opportunity counts by that opportunity alone, and one that expanded since
it was scored counts as won alone; all others count by the model. Everything is a chance of an amount, so that
the book's range follows from its parts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np

from model.forecast import Span, chance_by_span, span_of

WON, OPEN, MODEL = "Closed won", "Open opportunity", "Model only"
BASES: Final = (WON, OPEN, MODEL)
# P90 − P10 of a normal distribution in standard deviations
_EIGHTY: Final = 2.5631


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """An open expansion opportunity; what the CRM lacks is None, where `foreign` for want of a rate."""

    account_id: str
    amount: float | None
    chance: float | None
    close_date: date | None
    product: str | None = None
    foreign: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Win:
    """An expansion that happened on a day."""

    account_id: str
    day: date
    arr: float
    product: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """Items, one an account, deal or expansion, with the chance (0–1) that each comes in each span.

    `chance` and `beyond` (its part beyond the model's horizon) are items × spans; an item comes once at most.
    `arr` is its mean ARR if it comes, `spread` the deviation of its logarithm. `later` is the ARR of open
    deals that close after the last span; `foreign` and `unknown` count the deals left out."""

    spans: tuple[Span, ...]
    accounts: tuple[str, ...]
    bases: tuple[str, ...]
    products: tuple[str | None, ...]
    chance: np.ndarray
    beyond: np.ndarray
    arr: np.ndarray
    spread: np.ndarray
    later: float = 0.0
    foreign: int = 0
    unknown: int = 0


def make_book(
    scores: Sequence[Mapping[str, Any]],
    deals: Sequence[Deal],
    won: Sequence[Win],
    spans: Sequence[Span],
    *,
    scored_on: date,
    today: date,
    horizon_days: int,
) -> Book:
    """The book of a scoring, the deals open on `today` and what was won in the first span until then.

    `scores` have the columns of the Prediction table; a deal's amount or chance that the CRM lacks is the
    model's."""
    by_account = {row["account_id"]: row for row in scores}
    since = {win.account_id for win in won if win.day > scored_on}
    counted = {deal.account_id for deal in deals} | since
    modelled = [
        row
        for row in scores
        if row["account_id"] not in counted
        and not row["is_pipeline"]
        and row["probability"] is not None
        and row["arr_if_expands"] is not None
    ]
    chance, beyond = chance_by_span(
        spans,
        probability=np.array([row["probability"] for row in modelled], float),
        timing=[row["timing"] for row in modelled],
        scored_on=scored_on,
        today=today,
        horizon_days=horizon_days,
    )
    sold = [win for win in won if spans[0].first <= win.day <= spans[0].last]
    placed, left_out = _placed(deals, by_account, spans)
    first = np.zeros((len(sold), len(spans)))
    first[:, 0] = 1.0
    negotiated = np.zeros((len(placed), len(spans)))
    for item, (_, _, likely, at) in enumerate(placed):
        negotiated[item, at] = likely
    none = np.zeros((len(sold) + len(placed), len(spans)))
    fixed = np.zeros(len(sold) + len(placed))
    return Book(
        spans=tuple(spans),
        accounts=(
            *(win.account_id for win in sold),
            *(deal.account_id for deal, *_ in placed),
            *(row["account_id"] for row in modelled),
        ),
        bases=(*[WON] * len(sold), *[OPEN] * len(placed), *[MODEL] * len(modelled)),
        products=(
            *(win.product for win in sold),
            *(deal.product for deal, *_ in placed),
            *(row["product"] for row in modelled),
        ),
        chance=np.vstack([first, negotiated, chance]),
        beyond=np.vstack([none, beyond]),
        arr=np.array(
            [
                *(win.arr for win in sold),
                *(amount for _, amount, _, _ in placed),
                *(row["arr_if_expands"] for row in modelled),
            ],
            float,
        ),
        spread=np.concatenate([fixed, _log_spread(modelled)]),
        **left_out,
    )


def _placed(
    deals: Sequence[Deal], scores: Mapping[str, Mapping[str, Any]], spans: Sequence[Span]
) -> tuple[list[tuple[Deal, float, float, int]], dict[str, Any]]:
    """Each deal with amount, chance and the span it closes in; and what is left out."""
    placed, later, foreign, unknown = [], 0.0, 0, 0
    for deal in deals:
        score = scores.get(deal.account_id, {})
        amount = deal.amount if deal.amount is not None else score.get("arr_if_expands")
        chance = deal.chance if deal.chance is not None else score.get("probability")
        if deal.amount is None and deal.foreign:
            foreign += 1
        elif amount is None or chance is None:
            unknown += 1
        elif (at := span_of(deal.close_date or spans[0].last, spans)) is None:
            later += amount * chance
        else:
            placed.append((deal, float(amount), min(max(float(chance), 0.0), 1.0), at))
    return placed, {"later": later, "foreign": foreign, "unknown": unknown}


def _log_spread(rows: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """Deviation of the logarithm of ARR added, from its P10 and P90; 0 where they are not known."""
    low = np.array([row["arr_low"] or 0.0 for row in rows], float)
    high = np.array([row["arr_high"] or 0.0 for row in rows], float)
    known = (low > 0) & (high > low)
    ratio = np.where(known, high, 1.0) / np.where(known, low, 1.0)
    spread: np.ndarray = np.log(ratio) / _EIGHTY
    return spread
