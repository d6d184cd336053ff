"""Open expansion opportunities: as they stand, and as they stood on a day by their history.

The chance of each is what became of the company's own deals that stood at such a probability, drawn towards
the CRM's figure while they are few: a stage's probability is a default that nobody measured.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final

from model.book import Deal
from model.expansions import is_expansion, is_won
from model.target import Target
from sync.briefs.evidence import Tables, day_of
from sync.briefs.evidence import select as rows_of_table

BANDS: Final = (0.15, 0.4, 0.8)
"""Bounds between the CRM's probabilities that are judged together: early, in talks, offered, agreed."""
PRIOR_DEALS: Final = 20.0
"""Closed deals whose weight the CRM's own probability has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """What the CRM said of a deal from a moment on."""

    since: datetime
    amount: float | None
    chance: float | None
    close_date: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DealRecord:
    """Of each band, the closed deals that stood in it, and the share of their amounts that was won."""

    deals: tuple[int, ...]
    shares: tuple[float, ...]

    def chance(self, said: float) -> float:
        """The chance of a deal at that probability in the CRM."""
        band = bisect_right(BANDS, said)
        n = self.deals[band]
        return (n * self.shares[band] + PRIOR_DEALS * said) / (n + PRIOR_DEALS)


class DealBook:
    """The expansion opportunities of the lake and their history, read once."""

    def __init__(self, tables: Tables, target: Target, currency: str) -> None:
        deals = tables["opportunities"]
        table = deals.filter(is_expansion(deals, target)).mutate(won=is_won(deals, target))
        columns = (
            *("crm_id", "account_id", "product_id", "amount", "probability", "close_date"),
            *("original_currency", "created_at", "closed_at", "is_closed", "won"),
        )
        self._rows = rows_of_table({"deals": table.order_by("crm_id")}, "deals", columns)
        self._steps = _steps(tables)
        self._currency = currency

    def open_now(self, today: date) -> list[Deal]:
        """The deals that the CRM has open, their chances by the record until today."""
        record = self.record(today)
        return [
            _judged(
                Deal(
                    account_id=row["account_id"],
                    amount=row["amount"],
                    chance=row["probability"],
                    close_date=row["close_date"],
                    product=row["product_id"],
                    foreign=row["original_currency"] not in (None, self._currency),
                ),
                record,
            )
            for row in self._rows
            if not row["is_closed"]
        ]

    def open_on(self, day: date) -> list[Deal]:
        """The deals open at the end of a day, each as its history has it then.

        One whose history is not kept has no amount, chance or close date: as it ended would tell how."""
        record = self.record(day)
        return [
            _judged(_as_of(row, self._steps.get(row["crm_id"], ()), day), record)
            for row in self._rows
            if _was_open(row, day)
        ]

    def record(self, day: date) -> DealRecord:
        """What became of the deals closed by the day: each counts once in every band that it stood in."""
        size = len(BANDS) + 1
        deals, amounts, won = [0] * size, [0.0] * size, [0.0] * size
        for row in self._rows:
            closed = day_of(row["closed_at"])
            if closed is None or closed > day:
                continue
            stood: dict[int, float] = {}
            for step in self._steps.get(row["crm_id"], ()):
                if step.chance is not None and step.amount is not None and step.since < row["closed_at"]:
                    stood[bisect_right(BANDS, step.chance)] = step.amount
            for band, amount in stood.items():
                deals[band] += 1
                amounts[band] += amount
                won[band] += (row["amount"] or 0.0) if row["won"] else 0.0
        shares = tuple(min(1.0, w / a) if a > 0 else 0.0 for w, a in zip(won, amounts, strict=True))
        return DealRecord(deals=tuple(deals), shares=shares)


def _judged(deal: Deal, record: DealRecord) -> Deal:
    return deal if deal.chance is None else replace(deal, chance=record.chance(deal.chance))


def _was_open(row: Mapping[str, Any], day: date) -> bool:
    created, closed = day_of(row["created_at"]), day_of(row["closed_at"])
    if created is None or created > day:
        return False
    # a closed one without a closing day can't be placed in time
    return closed > day if closed is not None else not row["is_closed"]


def _as_of(row: Mapping[str, Any], steps: Sequence[_Step], day: date) -> Deal:
    at = bisect_right([step.since.date() for step in steps], day)
    then = steps[at - 1] if at else None
    return Deal(
        account_id=row["account_id"],
        amount=None if then is None else then.amount,
        chance=None if then is None else then.chance,
        close_date=None if then is None else then.close_date,
        product=row["product_id"],
    )


def _steps(tables: Tables) -> dict[str, list[_Step]]:
    """The steps of each opportunity in order of time, by its record's id."""
    columns = ("opportunity_crm_id", "amount", "probability", "close_date", "changed_at")
    found: dict[str, list[_Step]] = {}
    for row in rows_of_table(tables, "opportunity_history", columns):
        if row["changed_at"] is not None:
            step = _Step(
                since=row["changed_at"],
                amount=row["amount"],
                chance=row["probability"],
                close_date=row["close_date"],
            )
            found.setdefault(row["opportunity_crm_id"], []).append(step)
    for steps in found.values():
        steps.sort(key=lambda step: step.since)
    return found
