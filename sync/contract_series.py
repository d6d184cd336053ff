"""Several contracts of one account as one series of invoices, so that they add up wherever they are read.

On every invoice's first day the series says what all contracts in force come to: the sums of their levels
(ARR, seats, list ARR), the tier of the largest, the latest end, and what was invoiced on that day alone.
A row holds until the next one begins, and of one first day the row that was known last counts, so that at any
as-of day the rows known by then say what was to be known by then.

* Of one contract and first day the invoice that was known last counts, of two known on one day the larger;
  a figure that it does not state is the one stated before.
* A contract holds until its next invoice. Where none has come `GRACE` days after its end, it ended on that
  day: a row says so from then on, on the first day after the end, where other contracts go on.
* Where another contract's first invoice begins at that end or in the grace days, it is the same contract
  under another id: the one ends as the other begins, and nothing is added.
* Contracts that say the same, as far as both tell, are one that was exported twice.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import fsum
from typing import Final

from model.customers import INVOICE_GRACE_DAYS as GRACE

FOREVER: Final = 10**6


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """What was invoiced for the days `at` to `paid`, known since the day `known`; days are numbers.

    `levels` hold from day to day, the first of them is what tells a contract's size; `flows` are of these
    days alone. `currencies` are joined where contracts differ."""

    at: int
    known: int
    paid: int
    levels: tuple[float | None, ...]
    flows: tuple[float | None, ...] = ()
    tier: str | None = None
    currencies: tuple[str | None, ...] = ()

    @property
    def says(self) -> tuple[object, ...]:
        """All that it says, whenever that was known."""
        return self.at, self.paid, self.levels, self.flows, self.tier, self.currencies


@dataclass(slots=True, eq=False)
class _Contract:
    """What is known of one contract by the day that the series has come to, by first day: its invoices, and
    the same with what they do not state as stated before."""

    first_days: list[int] = field(default_factory=list)
    standing: dict[int, Invoice] = field(default_factory=dict)
    full: dict[int, Invoice] = field(default_factory=dict)

    def tell(self, invoice: Invoice) -> int:
        """Take in an invoice; the first day since when what was known may be another."""
        place = bisect_left(self.first_days, invoice.at)
        if invoice.at in self.standing:
            invoice = _restated(self.standing[invoice.at], invoice)
        else:
            self.first_days.insert(place, invoice.at)
        self.standing[invoice.at] = invoice
        for later in range(place, len(self.first_days)):
            at = self.first_days[later]
            stated = self.standing[at]
            whole = _restated(self.full[self.first_days[later - 1]], stated) if later else stated
            if later > place and self.full[at] == whole:
                break
            self.full[at] = whole
        # the one before may be known to have ended, or to have an heir, and now it has not
        return min(invoice.at, self.standing[self.first_days[place - 1]].paid) if place else invoice.at

    def until(self, place: int, today: int, all_contracts: Iterable[_Contract]) -> int:
        """The first day on which an invoice holds no more, as known today."""
        invoice = self.standing[self.first_days[place]]
        waits = invoice.paid + GRACE
        is_last = place + 1 == len(self.first_days)
        if not is_last and self.first_days[place + 1] <= waits:
            return self.first_days[place + 1]
        begins = [each.first_days[0] for each in all_contracts if each is not self and each.first_days]
        # some bill to the day on which the next period begins, hence from the end on, and not after it
        heirs = [day for day in begins if invoice.at < day and invoice.paid <= day <= waits]
        if heirs:
            return min(heirs)
        return FOREVER if is_last and today <= waits else invoice.paid + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """The contracts of an account: their sum, which are one, and which are known to have ended.

    `rows` are in the order in which they became known, `of` gives the number of the contract that an id
    stands for, and `ended` by that number the first day on which it held no more, and since when that is
    known."""

    rows: Sequence[Invoice]
    of: Mapping[str, int]
    ended: Mapping[int, tuple[int, int]]


def combined(contracts: Mapping[str, Sequence[Invoice]], newest: int) -> Together:
    """What the contracts come to, given by the ids under which they are invoiced.

    `newest` is the day up to which invoices have come in: what ended since then, nobody can know."""
    groups = _distinct(contracts)
    series = _Series([[each for name in names for each in contracts[name]] for names in groups], newest)
    rows = series.rows()
    numbers = {name: number for number, names in enumerate(groups) for name in names}
    return Together(rows=rows, of=numbers, ended=series.ended())


class _Series:
    """The contracts day by day as they became known, and the rows of their sum."""

    def __init__(self, contracts: Sequence[Sequence[Invoice]], newest: int) -> None:
        self._newest = newest
        self._contracts = [_Contract() for _ in contracts]
        self._arriving: dict[int, list[tuple[int, Invoice]]] = {}
        for number, told in enumerate(contracts):
            for invoice in _one_a_day(told):
                self._arriving.setdefault(invoice.known, []).append((number, invoice))
        self._days = sorted(self._arriving)
        self._ends: list[tuple[int, int, int]] = []  # the day, the contract and the first day of its invoice
        self._points: list[int] = []
        self._said: dict[int, Invoice] = {}

    def rows(self) -> list[Invoice]:
        """Every row of the series."""
        heapq.heapify(self._days)
        made: list[Invoice] = []
        while self._days:
            today = heapq.heappop(self._days)
            if self._days and self._days[0] == today:
                continue
            since = min(self._arrive(today), self._end(today))
            for at in self._points[bisect_left(self._points, since) :]:
                row = self._row(at, today)
                if row is not None and (at not in self._said or row.says != self._said[at].says):
                    self._said[at] = row
                    made.append(row)
        return made

    def _arrive(self, today: int) -> int:
        """Take in the day's invoices; the first day since when the sum may be another."""
        since = FOREVER
        for number, invoice in self._arriving.get(today, ()):
            contract = self._contracts[number]
            began = contract.first_days[:1]
            since = min(since, contract.tell(invoice))
            self._point(invoice.at)
            self._awaits_end(number, invoice.at, today)
            if contract.first_days[:1] != began:  # an heir to contracts that ended before, or no longer one
                since = -FOREVER
                for other, each in enumerate(self._contracts):
                    for at in each.first_days:
                        self._awaits_end(other, at, today)
        return since

    def _awaits_end(self, number: int, at: int, today: int) -> None:
        day = max(today, self._contracts[number].standing[at].paid + GRACE + 1)
        if day <= self._newest:
            heapq.heappush(self._ends, (day, number, at))
            if day > today:
                heapq.heappush(self._days, day)

    def _end(self, today: int) -> int:
        """Note the contracts of which it is known from this day on that they ended; since when, as above."""
        since = FOREVER
        while self._ends and self._ends[0][0] <= today:
            _, number, at = heapq.heappop(self._ends)
            contract = self._contracts[number]
            place = bisect_left(contract.first_days, at)
            ended = contract.standing[at].paid + 1
            if ended in contract.standing:  # the next period began at once
                continue
            if contract.until(place, min(today, self._newest), self._contracts) == ended:
                since = min(since, ended)
                self._point(ended)
        return since

    def _point(self, at: int) -> None:
        """Note a day since when the sum may be another than on the day before."""
        place = bisect_left(self._points, at)
        if self._points[place : place + 1] != [at]:
            self._points.insert(place, at)

    def ended(self) -> dict[int, tuple[int, int]]:
        """The contracts that ended, once `rows` is through: since which day, and when that became known."""
        found: dict[int, tuple[int, int]] = {}
        for number, contract in enumerate(self._contracts):
            last = contract.standing[contract.first_days[-1]]
            until = contract.until(len(contract.first_days) - 1, self._newest, self._contracts)
            heirs = [each.standing[until].known for each in self._contracts if each.first_days[:1] == [until]]
            if until < FOREVER:
                found[number] = (until, max(last.known, min(heirs) if heirs else last.paid + GRACE + 1))
        return found

    def _row(self, at: int, today: int) -> Invoice | None:
        """What the contracts come to on a day, as known today; None where no contract holds.

        Where a row was said already, one that goes on with the row before takes its place."""
        held: list[Invoice] = []
        flows: list[tuple[float | None, ...]] = []
        for contract in self._contracts:
            place = bisect_right(contract.first_days, at) - 1
            if place >= 0 and at < contract.until(place, min(today, self._newest), self._contracts):
                held.append(contract.full[contract.first_days[place]])
            if at in contract.standing:
                flows.append(contract.standing[at].flows)
        if not held:
            earlier = self._points[: bisect_left(self._points, at)] if at in self._said else []
            before = next((self._said[day] for day in reversed(earlier) if day in self._said), None)
            return before and replace(before, at=at, known=today, flows=(None,) * len(before.flows))
        largest = max(held, key=lambda each: (each.tier is not None, each.levels[0] or 0.0, each.tier or ""))
        return Invoice(
            at=at,
            known=today,
            paid=max(each.paid for each in held),
            levels=_sums([each.levels for each in held]),
            flows=_sums(flows) if flows else (None,) * len(held[0].flows),
            tier=largest.tier,
            currencies=tuple(map(_joined, zip(*(each.currencies for each in held), strict=True))),
        )


def _distinct(contracts: Mapping[str, Sequence[Invoice]]) -> list[list[str]]:
    """The ids by contract: those that say the same, as far as both tell, are taken for one."""
    found: list[tuple[list[tuple[object, ...]], list[str]]] = []
    for name in sorted(contracts, key=lambda name: (-len(contracts[name]), name)):
        says = _standing(contracts[name])
        twin = next((each for each in found if _begins_alike(each[0], says)), None)
        if twin is None:
            found.append((says, [name]))
        else:
            twin[1].append(name)
    return [names for _, names in found]


def _standing(told: Iterable[Invoice]) -> list[tuple[object, ...]]:
    """What a contract's invoices say by now, in the order of their first days."""
    contract = _Contract()
    for invoice in _one_a_day(told):
        contract.tell(invoice)
    return [contract.standing[at].says for at in contract.first_days]


def _begins_alike(one: Sequence[object], other: Sequence[object]) -> bool:
    shared = min(len(one), len(other))
    return shared > 0 and one[:shared] == other[:shared]


def _one_a_day(told: Iterable[Invoice]) -> list[Invoice]:
    """One invoice a first day and day of knowing, of several the larger figures, in the order of knowing."""
    found: dict[tuple[int, int], Invoice] = {}
    for invoice in told:
        key = (invoice.known, invoice.at)
        found[key] = _larger(found[key], invoice) if key in found else invoice
    return [found[key] for key in sorted(found)]


def _larger(one: Invoice, other: Invoice) -> Invoice:
    """Of two invoices known on one day, the larger of each figure, and the words of the larger one."""
    small, large = sorted((one, other), key=lambda each: (each.levels[0] or 0.0, each.tier or ""))
    return replace(
        large,
        paid=max(one.paid, other.paid),
        levels=tuple(map(_max, one.levels, other.levels)),
        flows=tuple(map(_max, one.flows, other.flows)),
        tier=large.tier if large.tier is not None else small.tier,
    )


def _restated(old: Invoice, new: Invoice) -> Invoice:
    """The new invoice, what it does not state as the old one states it."""
    levels, flows = _filled(new.levels, old.levels), _filled(new.flows, old.flows)
    tier = old.tier if new.tier is None else new.tier
    if (levels, flows, tier) == (new.levels, new.flows, new.tier):
        return new
    return replace(new, levels=levels, flows=flows, tier=tier)


def _filled(figures: tuple[float | None, ...], before: tuple[float | None, ...]) -> tuple[float | None, ...]:
    return tuple(old if new is None else new for new, old in zip(figures, before, strict=True))


def _max(one: float | None, other: float | None) -> float | None:
    return max((each for each in (one, other) if each is not None), default=None)


def _sums(rows: Sequence[tuple[float | None, ...]]) -> tuple[float | None, ...]:
    """The sum of each figure over the rows that state it."""
    stated = [[each for each in figures if each is not None] for figures in zip(*rows, strict=True)]
    return tuple(fsum(figures) if figures else None for figures in stated)


def _joined(currencies: Iterable[str | None]) -> str | None:
    """The common currency, or the names of all in their order."""
    return "+".join(sorted({each for each in currencies if each is not None})) or None
