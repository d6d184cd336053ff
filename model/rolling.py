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
import pyarrow.compute as pc

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

    def on(self, day: int, count: int) -> np.ndarray:
        """The figure of each code below `count` on a day; KeyError for one that was not asked for."""
        slot = int(np.searchsorted(self.days, day))
        if slot == len(self.days) or self.days[slot] != day:
            raise KeyError(f"{day} is not a day of this grid")
        held = self.values[:count, slot]
        return np.concatenate([held, np.zeros(count - len(held), held.dtype)])


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
    earliest, latest = _earliest(asked), max(max(days) for days in asked.values())
    recent = subject_day.filter(subject_day["at"] > earliest, subject_day.known <= latest)
    recent = recent.mutate(start=ibis.greatest(recent["at"], recent.known))
    grids = {width: _Steps(days) for width, days in asked.items()}
    for account, start, at, previous in _stretches(recent, subject, earliest, latest):
        for width, steps in grids.items():
            steps.add(account, np.maximum(start, previous + width), at + width)
    return {width: steps.grid() for width, steps in grids.items()}


def rolling_totals(
    subject_day: ir.Table, column: str, asked: Mapping[int, Collection[int]], by: str = "account"
) -> Mapping[int, Grid]:
    """The sum of `column` over the last W days, on each day asked for, by W, of every subject `by`.

    `subject_day` has `by`, the subject's code, at and known; lines may share a day.
    """
    recent = subject_day.filter(subject_day["at"] > _earliest(asked))
    lines = recent.select(
        "at", subject=recent[by], start=ibis.greatest(recent["at"], recent.known), amount=recent[column]
    )
    grids = {width: _Steps(days) for width, days in asked.items()}
    for batch in lines.to_pyarrow().to_batches(max_chunksize=BATCH):
        subject, start, at, amount = (_whole(batch[name]) for name in ("subject", "start", "at", "amount"))
        for width, steps in grids.items():
            steps.add(subject, start, at + width, amount)
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


def _stretches(
    subject_day: ir.Table, subject: str, earliest: int, latest: int
) -> Iterator[tuple[np.ndarray, ...]]:
    """Account, start, day and the last day before it of each subject's days, a batch at a time.

    A day that is no later than one which was known before it adds nothing and is left out. One number holds
    all of a line, so that they are sorted as numbers: the engine's window function takes five times as long.
    """
    rows = subject_day.select("account", "start", "at", subject=subject_day[subject]).to_pyarrow()
    subjects, bits = int(pc.max(rows["subject"]).as_py() or 0) + 1, int(latest - earliest + 1).bit_length()
    # in place, one column after another: what is held meanwhile is what a build's memory comes to
    lines = _whole(rows["account"]) * subjects
    lines += rows["subject"].to_numpy()
    names = None
    if int(lines.max(initial=0)).bit_length() + 2 * bits > 63:
        names, lines = np.unique(lines, return_inverse=True)
    for column in ("start", "at"):
        lines <<= bits
        lines += rows[column].to_numpy() - earliest
    del rows
    lines.sort()
    day, last = 2**bits - 1, np.array([-1])
    for first in range(0, len(lines), BATCH):
        batch = lines[first : first + BATCH]
        pair, at = batch >> 2 * bits, batch & day
        latest_yet = np.maximum.accumulate(np.concatenate([last, pair << bits | at]))
        before, last = latest_yet[:-1], latest_yet[-1:]
        previous = np.where(before >> bits == pair, before & day, NEVER)
        new = np.flatnonzero(at > previous)
        of_pair = pair[new] if names is None else names[pair[new]]
        start = (batch[new] >> bits) & day
        yield of_pair // subjects, start + earliest, at[new] + earliest, previous[new] + earliest


def _earliest(asked: Mapping[int, Collection[int]]) -> int:
    return min(min(days) - width for width, days in asked.items())


def _whole(column: pa.Array | pa.ChunkedArray) -> np.ndarray:
    numbers: np.ndarray = column.cast(pa.int64()).to_numpy()
    return numbers
