"""A forecast cut into rows: account × product × fiscal quarter × basis × component, in whole cents.

Rows are made of the same cents as the forecast's lines and bridges, so whatever they are summed by, they come
to its figures. What rounds to nothing is no row. What is not said of an account itself would be most of the
rows: it is put together by owner, segment and tier, in rows without an account (`Detail`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from connectors.crm import Value
from connectors.fields import object_specs
from model.account_bridges import AccountBridges
from model.amounts import CENTS, cents, cents_of
from model.book import MODEL, OPEN, WON
from model.forecast import Span
from sync.cells import cut
from sync.forecast_book import CurrentBook

OPENING, EXPANSION, NEW, CONTRACTION, CHURN = "opening", "expansion", "expansion_new", "contraction", "churn"
BILLING: Final = "billing"
MODEL_ONLY: Final = "model_only"
BASIS: Final[Mapping[str, str]] = MappingProxyType(
    {WON: "closed_won", OPEN: "open_opportunity", MODEL: MODEL_ONLY}
)
SEPARATOR: Final = "|"
LONGEST_PART: Final = 70  # characters; a key has 255
POOLED: Final = "*"  # stands for the account of a row that is of many


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a row says of its account besides amounts: as it was on that day. `crm_id` is its record's."""

    crm_id: str = ""
    owner: str = ""
    segment: str = ""
    tier: str = ""
    probability: float | None = None

    def of_many(self, *, is_own: bool) -> About:
        """What many accounts have in common; their tier only where the amounts are said of each of them."""
        return About(owner=self.owner, segment=self.segment, tier=self.tier if is_own else "")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Place:
    """Where an amount stands: `span` counts the quarters from 0; `product` is an id, empty of all."""

    account_id: str
    product: str
    span: int
    basis: str
    component: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """Which amounts have a row of their own account: all, or those that are said of this account.

    A run rate, and what follows from one, is no prediction of an account: every account has a part of it. A
    prediction below `floor` (ARR) says next to nothing."""

    everything: bool = False
    floor: float = 0.0

    def wants(self, place: Place, is_own: bool, amount: int) -> bool:
        """Whether the amount stands alone; `is_own` where it is said of its account."""
        is_sure = place.basis != MODEL_ONLY
        return self.everything or is_sure or (is_own and abs(amount) >= self.floor * CENTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastRow:
    """One amount with what is known of its account; `account_id` is empty where it is of many."""

    place: Place
    quarter: Span
    amount: int  # cents
    about: About

    def key(self, snapshot: date) -> str:
        """The row's key: account, product, quarter, snapshot, basis, component."""
        about, place = self.about, self.place
        pooled = SEPARATOR.join((about.owner, about.segment, about.tier))
        account = part(place.account_id) if place.account_id else f"{POOLED}{_digest(pooled)}"
        parts = (account, part(place.product), self.quarter.label, snapshot.isoformat())
        return SEPARATOR.join((*parts, place.basis, place.component))

    def values(self, snapshot: date, names: Mapping[str, str], run_id: str) -> dict[str, Value]:
        """The row as our object holds it, by our fields' keys; `names` are of the products by id."""
        about, place = self.about, self.place
        product = names.get(place.product, place.product)
        return {
            "key": self.key(snapshot),
            "account": about.crm_id or None,
            "product": _fits(product, "product"),
            "quarter": self.quarter.label,
            "quarter_start": self.quarter.first,
            "snapshot": snapshot,
            "basis": place.basis,
            "component": place.component,
            "amount": self.amount / CENTS,
            "tier": about.tier or None,
            "probability": about.probability,
            "owner": _fits(about.owner, "owner"),
            "segment": _fits(about.segment, "segment"),
            "run": run_id,
        }


def forecast_rows(
    current: CurrentBook,
    bridges: AccountBridges | None,
    about: Mapping[str, About],
    *,
    detail: Detail,
) -> list[ForecastRow]:
    """The rows of a forecast, in the order of their places; what `detail` does not want alone is pooled."""
    amounts: dict[tuple[Place, bool], int] = {}
    for place, is_own, amount in (*_expansion(current, bridges), *_bridge(current, bridges)):
        amounts[place, is_own] = amounts.get((place, is_own), 0) + amount
    nobody = About()
    pooled: dict[tuple[Place, About], int] = {}
    for (place, is_own), amount in amounts.items():
        own = about.get(place.account_id, nobody)
        key = (
            (place, own)
            if detail.wants(place, is_own, amount)
            else (_of_many(place), own.of_many(is_own=is_own))
        )
        pooled[key] = pooled.get(key, 0) + amount
    spans = current.book.spans
    rows = [
        ForecastRow(place=place, quarter=spans[place.span], amount=amount, about=own)
        for (place, own), amount in pooled.items()
        if amount
    ]
    return sorted(rows, key=lambda row: (row.place, row.about.owner, row.about.segment, row.about.tier))


def _expansion(current: CurrentBook, bridges: AccountBridges | None) -> Iterator[tuple[Place, bool, int]]:
    """What every item of the book adds, and whether it is no run rate; what a customer adds that is none yet
    is no part of the bridge."""
    split = current.split
    amounts, is_rate = cents_of(split), split.beyond >= split.chance
    begun, paying = _customers(bridges)
    items, spans = np.nonzero(amounts)
    for item, span in zip(items.tolist(), spans.tolist(), strict=True):
        account = split.accounts[item]
        counts = bridges is None or account in (begun if span == 0 else paying)
        place = Place(
            account_id=account,
            product=split.products[item] or "",
            span=span,
            basis=BASIS[split.bases[item]],
            component=EXPANSION if counts else NEW,
        )
        yield place, not is_rate[item, span], int(amounts[item, span])


def _customers(bridges: AccountBridges | None) -> tuple[frozenset[str], frozenset[str]]:
    """The customers of the first quarter's first day, and those of today."""
    if bridges is None:
        return frozenset(), frozenset()
    return frozenset(bridges.so_far), bridges.paying


def _bridge(current: CurrentBook, bridges: AccountBridges | None) -> Iterator[tuple[Place, bool, int]]:
    """Opening, contraction and churn of every customer; what happened in the first quarter is by billing.

    Losses are said of an account in quarters that begin before the horizon ends; openings of later
    quarters follow from all the rest."""
    if bridges is None:
        return
    end = current.scoring.as_of + timedelta(days=current.horizon_days)
    for component, amounts in (
        (OPENING, bridges.opening),
        (CONTRACTION, bridges.contraction),
        (CHURN, bridges.churn),
    ):
        rows, spans = np.nonzero(amounts)
        for at, span in zip(rows.tolist(), spans.tolist(), strict=True):
            account = bridges.accounts[at]
            billed = 0
            if span == 0 and account in bridges.so_far:
                billed = int(cents(np.array(getattr(bridges.so_far[account], component))))
            is_own = component != OPENING and current.book.spans[span].first <= end
            for basis, amount in ((BILLING, billed), (MODEL_ONLY, int(amounts[at, span]) - billed)):
                if amount:
                    place = Place(account_id=account, product="", span=span, basis=basis, component=component)
                    yield place, is_own, amount


def _of_many(place: Place) -> Place:
    return Place(
        account_id="",
        product=place.product,
        span=place.span,
        basis=place.basis,
        component=place.component,
    )


def part(text: str) -> str:
    """A part of a key, as it is where it can be: CRMs take keys that differ by case alone for the same one,
    so one with capitals bears a digest, and one that could be taken for more than a part, or that the CRM
    would hold another way, is a digest."""
    is_plain = text.isprintable() and text == " ".join(text.split()) and SEPARATOR not in text
    if not is_plain or text.startswith(POOLED) or len(text) > LONGEST_PART:
        return _digest(text)
    return text if text == text.lower() else f"{text}~{_digest(text)[:8]}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _fits(text: str, field: str) -> str | None:
    """The text as the field of a row holds it."""
    return cut(text, object_specs()["forecasts"].fields[field].length or 255) or None


def about_accounts(
    scores: Mapping[str, Mapping[str, Any]],
    records: Mapping[str, str],
    owners: Mapping[str, str],
    segments: Mapping[str, str],
) -> dict[str, About]:
    """What is known of each account on the day, by account_id."""
    return {
        account: About(
            crm_id=records.get(account, ""),
            owner=owners.get(account, ""),
            segment=segments.get(account, ""),
            tier=str(scores[account]["tier"] or "") if account in scores else "",
            probability=scores[account]["probability"] if account in scores else None,
        )
        for account in {*scores, *records}
    }
