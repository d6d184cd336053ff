"""What several contracts of an account allow and use: limits and figures added up as their invoices are.

* Of a limit (also seats) each contract allows what the latest grant that holds says; the account has the sum.
  A contract that has ended by its invoices allows nothing any more, even where its grant was until further
  notice. Which products an account owns is no level, so those grants stay as told.
* Figures of a metric add up where they are of one period, and are known once all that tell the period have
  told it. Figures that are the same under two ids throughout are one that was exported twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Final

from sync.contract_series import FOREVER

PRODUCT: Final = "product"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What is allowed on the days `at` to `last`, known since the day `known`; days are numbers."""

    at: int
    known: int
    last: int = FOREVER
    quantity: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A metric's value over a period, known since the day `known`."""

    period: tuple[str, int, int | None]  # metric, first day, days
    known: int
    value: float


def grants(contracts: Mapping[int, Sequence[Grant]], ended: Mapping[int, tuple[int, int]]) -> list[Grant]:
    """What the contracts allow of one item together, in the order in which it became known.

    `ended` is by contract the first day on which it holds no more, and the day since when that is known."""
    told = [grant for each in contracts.values() for grant in each]
    ends = {number: ended[number] for number in contracts if number in ended}
    points = {grant.at for grant in told} | {grant.last + 1 for grant in told if grant.last < FOREVER}
    points |= {day for day, _ in ends.values()}
    days = {grant.known for grant in told} | {known for _, known in ends.values()} | points
    said: dict[int, tuple[float, int]] = {}
    made: list[Grant] = []
    for today in sorted(days):
        for at in sorted(point for point in points if point <= today):
            held = [
                grant
                for number, each in contracts.items()
                if (grant := _held(each, at, today, ends.get(number))) is not None
            ]
            if not held:
                continue
            state = fsum(grant.quantity for grant in held), max(grant.last for grant in held)
            if said.get(at) != state:
                said[at] = state
                made.append(Grant(at=at, known=today, quantity=state[0], last=state[1]))
    return made


def _held(told: Iterable[Grant], at: int, today: int, ended: tuple[int, int] | None) -> Grant | None:
    """The latest grant of a contract that holds on a day, as known today."""
    until = ended[0] if ended is not None and ended[1] <= today else FOREVER
    held = [
        grant
        for grant in told
        if grant.known <= today and grant.at <= at <= grant.last and (at < until or grant.at >= until)
    ]
    return max(held, key=lambda grant: (grant.at, grant.known, grant.quantity), default=None)


def figures(contracts: Mapping[int, Sequence[Figure]]) -> list[Figure]:
    """The figures of all contracts, one a period and day on which another sum became known."""
    told: dict[tuple[str, int, int | None], dict[int, list[Figure]]] = {}
    for number, each in _distinct(contracts).items():
        for figure in each:
            told.setdefault(figure.period, {}).setdefault(number, []).append(figure)
    made: list[Figure] = []
    for period, by_contract in told.items():
        all_told = max(min(figure.known for figure in each) for each in by_contract.values())
        later = {figure.known for each in by_contract.values() for figure in each if figure.known > all_told}
        for today in (all_told, *sorted(later)):
            value = fsum(_value(each, today) for each in by_contract.values())
            made.append(Figure(period=period, known=today, value=value))
    return made


def _value(told: Iterable[Figure], today: int) -> float:
    """What was told last by a day; of two told on one day the larger."""
    known = (figure for figure in told if figure.known <= today)
    return max(known, key=lambda figure: (figure.known, figure.value)).value


def _distinct(contracts: Mapping[int, Sequence[Figure]]) -> dict[int, Sequence[Figure]]:
    found: dict[int, Sequence[Figure]] = {}
    for number, told in contracts.items():
        says = {figure.period: figure.value for figure in told}
        twin = None
        for other, theirs in found.items():
            shared = [(figure.value, says[figure.period]) for figure in theirs if figure.period in says]
            if shared and all(one == same for one, same in shared):
                twin = other
        if twin is None:
            found[number] = told
        else:
            periods = {figure.period for figure in found[twin]}
            found[twin] = [*found[twin], *(each for each in told if each.period not in periods)]
    return found
