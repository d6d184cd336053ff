"""Exact rolling activity of every account, for any number of days at the price of reading days once.

The coverage rule: a user active on day d, known from day s and last active on day p, is among "active in
the last W days" on the days [max(s, p + W), d + W): +1 on the first, -1 on the last. The running sum per
account is the exact number of distinct users.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

NEVER: Final = -(2**20)  # a day before all days
BATCH: Final = 2**18  # lines that are laid on days at a time; they take 8 MB


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A figure of every account (by code) on each of some days: `values` is accounts × days."""

    days: np.ndarray
    values: np.ndarray

    def at(self, account: np.ndarray, day: np.ndarray) -> np.ndarray:
        """The figure of each account on each day, both broadcast; NaN for account −1 (no events at all).

        Raises KeyError for a day that was not asked for.
        """
        account, day = np.broadcast_arrays(account, day)
        slot = np.minimum(np.searchsorted(self.days, day), len(self.days) - 1)
        if not np.array_equal(self.days[slot], day):
            raise KeyError(f"{int(day[self.days[slot] != day][0])} is not a day of this grid")
        figures = np.full(account.shape, np.nan)
        inside = (account >= 0) & (account < len(self.values))
        figures[inside] = self.values[account[inside], slot[inside]]
        # an account beyond the grid has events, but none that this figure counts
        figures[account >= len(self.values)] = 0.0
        return figures


def rolling_users(active_day: ir.Table, asked: Mapping[int, Sequence[int]]) -> Mapping[int, Grid]:
    """Distinct active users of the last W days on each day asked for, by W.

    A late line (known after its day) counts from the day it was known, exactly.
    """
    return rolling_distinct(active_day, "user", asked)


def rolling_distinct(
    subject_day: ir.Table, subject: str, asked: Mapping[int, Sequence[int]]
) -> Mapping[int, Grid]:
    """Distinct subjects of each account on the last W days, on each day asked for, by W, as known that day.

    `subject_day` has account, the column `subject`, at and known; lines may share a day.
    """
    recent = subject_day.filter(subject_day["at"] > _earliest(asked))
    recent = recent.mutate(start=ibis.greatest(recent["at"], recent.known))
    before = ibis.window(group_by=["account", subject], order_by=["start", "at"], preceding=(None, 1))
    stretches = recent.mutate(previous=ibis.coalesce(recent["at"].max().over(before), NEVER))
    # a stretch that ends no later than one that began before it adds nothing
    stretches = stretches.filter(stretches["at"] > stretches.previous)
    grids = {width: _Steps(days) for width, days in asked.items()}
    for account, start, at, previous in _numbers(stretches, "account", "start", "at", "previous"):
        for width, steps in grids.items():
            steps.add(account, np.maximum(start, previous + width), at + width)
    return {width: steps.grid() for width, steps in grids.items()}


def rolling_totals(
    account_day: ir.Table, column: str, asked: Mapping[int, Collection[int]]
) -> Mapping[int, Grid]:
    """The sum of `column` over the last W days, on each day asked for, by W.

    `account_day` has account, at and known; lines may share a day.
    """
    recent = account_day.filter(account_day["at"] > _earliest(asked))
    daily = recent.group_by("account", "at", start=ibis.greatest(recent["at"], recent.known))
    grids = {width: _Steps(days) for width, days in asked.items()}
    daily = daily.agg(amount=recent[column].sum())
    for account, start, at, amount in _numbers(daily, "account", "start", "at", "amount"):
        for width, steps in grids.items():
            steps.add(account, start, at + width, amount)
    return {width: steps.grid() for width, steps in grids.items()}


class _Steps:
    """Sums of spans of days that were added bit by bit, on some days: what goes up and down, by account.

    The engine finds the spans; that they are laid on days here costs a fifth of doing so by joins.
    """

    def __init__(self, days: Iterable[int]) -> None:
        self._days = np.array(sorted(set(days)))
        # slot of the first asked day that is not before it; the last slot stands for "after all of them"
        self._slots = np.searchsorted(self._days, np.arange(self._days[0], self._days[-1] + 2))
        self._steps = np.zeros((0, len(self._days) + 1), np.int64)

    def add(
        self, account: np.ndarray, begins: np.ndarray, ends: np.ndarray, amount: np.ndarray | int = 1
    ) -> None:
        """Add `amount` to the days [begins, ends) of each account; a span that ends first is none."""
        first, last = self._slot(begins), self._slot(ends)
        held = np.flatnonzero(first < last)
        account, amount = account[held], amount[held] if isinstance(amount, np.ndarray) else amount
        accounts = int(account.max(initial=-1)) + 1
        if accounts > len(self._steps):
            more = np.zeros((accounts - len(self._steps), self._steps.shape[1]), np.int64)
            self._steps = np.concatenate([self._steps, more])
        cells, row = self._steps.reshape(-1), account * self._steps.shape[1]
        np.add.at(cells, row + first[held], amount)
        np.subtract.at(cells, row + last[held], amount)

    def grid(self) -> Grid:
        """The sums on each day."""
        np.cumsum(self._steps, axis=1, out=self._steps)
        return Grid(days=self._days, values=self._steps[:, :-1])

    def _slot(self, day: np.ndarray) -> np.ndarray:
        earliest, latest = self._days[0], self._days[-1] + 1
        slots: np.ndarray = self._slots[np.clip(day, earliest, latest) - earliest]
        return slots


def _earliest(asked: Mapping[int, Collection[int]]) -> int:
    return min(min(days) - width for width, days in asked.items())


def _numbers(table: ir.Table, *columns: str) -> Iterator[tuple[np.ndarray, ...]]:
    """The whole numbers in these columns, a batch of rows at a time."""
    rows = table.select(*columns).to_pyarrow()
    for batch in rows.to_batches(max_chunksize=BATCH):
        yield tuple(batch[name].cast(pa.int64()).to_numpy() for name in columns)
