"""NRR and GRR by fiscal quarter with their bridges: the last four by billing, the next four expected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from connectors.errors import UpswellError
from model.account_bridges import AccountBridges, account_bridges, coming_bridges
from model.amounts import CENTS, sums_by_account
from model.book import Book
from model.customers import INVOICE_GRACE_DAYS
from model.days import day_number
from model.errors import ModelError
from model.ranges import cumulants
from model.recurring import Bridge, arr_on, arr_spans, billing_end, bridge_by_account, bridges
from model.retention import (
    Customer,
    Renewals,
    losses_by_span,
    next_renewal,
    nrr_range,
    renewals_by_span,
)
from model.risk import RiskModel, default_risk
from model.sources import read_sources
from model.workspace import Workspace
from sync.briefs.evidence import Tables
from sync.briefs.evidence import select as rows_of_table
from sync.forecast_periods import quarters_before

if TYPE_CHECKING:
    from sync.loop import Loop

QUARTERS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """One quarter's bridge. `nrr_low` and `nrr_high` are P10 and P90 of a coming one; a past one is
    `provisional` until an invoice can't come any more. `renewals` of a coming one are those still ahead."""

    quarter: str
    actual: bool
    bridge: Bridge
    nrr_low: float | None = None
    nrr_high: float | None = None
    provisional: bool = False
    renewals: Renewals | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The quarters in order of time, and what was assumed; no quarters where billing says nothing.

    `accounts` are the coming quarters' bridges account by account; None without quarters."""

    quarters: tuple[Retention, ...]
    assumptions: tuple[str, ...]
    accounts: AccountBridges | None = None


def retention(
    loop: Loop,
    book: Book,
    split: Book,
    scores: Mapping[str, Mapping[str, Any]],
    *,
    version: str,
    scored_on: date,
    today: date,
    shocks: Sequence[float],
) -> Kept:
    """Past and coming quarters of one definition: ARR of the customers of a quarter's first day.

    `split` is the book cut by product, whose items the expansion is summed of."""
    tables, spans = loop.tables().tables, book.spans
    risk, learnt = _risk_of(loop, version)
    begins = quarters_before(spans[0].first, loop.settings.company.fiscal_year_start, QUARTERS)
    with Workspace(next(iter(tables.values())).get_backend()) as space:
        sources = read_sources(tables, space)
        end = billing_end(sources, day_number(today))
        held = space.keep(arr_spans(sources, data_end=end))
        past = bridges(held, [*(quarter.first_day for quarter in begins), spans[0].first])
        so_far, now = bridge_by_account(held, spans[0].first, today), arr_on(held, today)
    if not now:
        return Kept(quarters=(), assumptions=("NRR and GRR need billing with ARR, and there is none.",))
    customers = _customers(tables, now, scores, today)
    losses = losses_by_span(customers, spans, risk, scored_on=scored_on, today=today)
    parts = account_bridges(customers, losses, sums_by_account(split), so_far)
    coming = coming_bridges(parts)
    variance = _variance(book, so_far.keys(), now.keys(), parts.expansion.sum(axis=0) / CENTS, shocks)
    spread = variance + losses.cumulants(np.array(list(now.values()), float))[:, 1]
    renewals = renewals_by_span(customers, spans, losses)
    final = [(quarter.last_day + timedelta(days=1 + INVOICE_GRACE_DAYS)) for quarter in begins]
    said = [
        Retention(quarter=str(quarter), actual=True, bridge=bridge, provisional=day_number(day) > end)
        for quarter, bridge, day in zip(begins, past, final, strict=True)
        if bridge.opening > 0
    ]
    for span, bridge, wide, up in zip(spans, coming, spread, renewals, strict=True):
        low, high = nrr_range(bridge, float(wide)) or (None, None)
        said.append(
            Retention(
                quarter=span.label, actual=False, bridge=bridge, nrr_low=low, nrr_high=high, renewals=up
            )
        )
    return Kept(quarters=tuple(said), assumptions=_assumptions(said, learnt), accounts=parts)


def _risk_of(loop: Loop, version: str) -> tuple[RiskModel, bool]:
    """The rates of the model that scored, and whether there are any; else the stated defaults."""
    try:
        held = loop.registry.manifest(version).get("risk")
    except (ModelError, UpswellError):
        held = None
    if held is None:
        return default_risk(loop.target.horizon_days), False
    return RiskModel.from_json(held, None), True


def _customers(
    tables: Tables, now: Mapping[str, float], scores: Mapping[str, Mapping[str, Any]], today: date
) -> list[Customer]:
    """Who pays today, in the order of `now`."""
    columns = ("account_id", "renewal_date", "contract_start", "contract_term_months")
    contract = {row["account_id"]: row for row in rows_of_table(tables, "accounts", columns)}
    nothing: dict[str, Any] = dict.fromkeys(columns)
    made = []
    for account_id, arr in now.items():
        terms, score = contract.get(account_id, nothing), scores.get(account_id, {})
        renewal = next_renewal(
            today, terms["renewal_date"], terms["contract_start"], terms["contract_term_months"]
        )
        made.append(
            Customer(
                account_id=account_id,
                arr=arr,
                churn=score.get("churn"),
                contraction=score.get("contraction"),
                renewal=renewal,
            )
        )
    return made


def _variance(
    book: Book, at_first: Set[str], now: Set[str], expansion: np.ndarray, shocks: Sequence[float]
) -> np.ndarray:
    """The variance of the ARR added in each span by those who are its customers, `expansion` in the mean."""
    parts = cumulants(book.chance, book.arr, book.spread)
    first = np.array([account in at_first for account in book.accounts], bool)
    later = np.array([account in now for account in book.accounts], bool)
    own = [parts[first if at == 0 else later, at, 1].sum() for at in range(len(book.spans))]
    variance: np.ndarray = np.array(own, float) + (np.array(shocks) * expansion) ** 2
    return variance


def _assumptions(said: Sequence[Retention], learnt: bool) -> tuple[str, ...]:
    first = next(each for each in said if not each.actual)
    sentences = [
        (
            "NRR = (opening + expansion − contraction − churn) / opening ARR of the customers of the "
            "quarter's first day; GRR leaves expansion out. Past quarters are by billing, net by customer."
        ),
        (
            f"{first.quarter} holds what happened so far and what is expected of its rest; expansion is the "
            "forecast's, of accounts with ARR in billing. Customers won since its start join the next."
        ),
        (
            "Churn and contraction: by the risk model within its horizon, at the renewal if one falls into "
            "it; after it by the usual rates of accounts that renew in the quarter and of the others."
            if learnt
            else "Churn and contraction: stated defaults, as the model that scored says nothing of them."
        ),
    ]
    if any(each.provisional for each in said):
        names = ", ".join(each.quarter for each in said if each.provisional)
        sentences.append(
            f"Churn of {names} is not final: an invoice may come {INVOICE_GRACE_DAYS} days late."
        )
    return tuple(sentences)
