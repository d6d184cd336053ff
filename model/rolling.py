"""Exact rolling activity of every account, for any number of days at the price of reading days once.

The coverage rule: a user active on day d, known from day s and last active on day p, is among "active in
the last W days" on the days [max(s, p + W), d + W): +1 on the first, -1 on the last. The running sum per
account is the exact number of distinct users.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from model.workspace import Workspace


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


def rolling_users(
    active_day: ir.Table, asked: Mapping[int, Sequence[int]], space: Workspace
) -> Mapping[int, Grid]:
    """Distinct active users of the last W days on each day asked for, by W.

    A late line (known after its day) counts from the day it was known, exactly.
    """
    return rolling_distinct(active_day, "user", asked, space)


def rolling_distinct(
    subject_day: ir.Table, subject: str, asked: Mapping[int, Sequence[int]], space: Workspace
) -> Mapping[int, Grid]:
    """Distinct subjects of each account on the last W days, on each day asked for, by W, as known that day.

    `subject_day` has account, the column `subject`, at and known; lines may share a day.
    """
    earliest = min(min(days) - width for width, days in asked.items())
    recent = subject_day.filter(subject_day["at"] > earliest)
    recent = recent.mutate(start=ibis.greatest(recent["at"], recent.known))
    before = ibis.window(group_by=["account", subject], order_by=["start", "at"], preceding=(None, 1))
    stretches = recent.mutate(previous=recent["at"].max().over(before))
    # a stretch that ends no later than one that began before it adds nothing
    stretches = stretches.filter(stretches.previous.isnull() | (stretches["at"] > stretches.previous))
    stretches = space.keep(stretches.select("account", "start", "at", "previous"))
    grids = {}
    for width, days in asked.items():
        begins = ibis.greatest(stretches.start, ibis.coalesce(stretches.previous + width, stretches.start))
        spans = stretches.select(
            "account", begins=begins, ends=stretches["at"] + width, amount=ibis.literal(1, "int32")
        )
        grids[width] = _rolling(spans, days)
    return grids


def rolling_total(account_day: ir.Table, column: str, width: int, days: Iterable[int]) -> Grid:
    """The sum of `column` over the last `width` days, on each day asked for.

    `account_day` has account, at and known; lines may share a day.
    """
    spans = account_day.select(
        "account",
        begins=ibis.greatest(account_day["at"], account_day.known),
        ends=account_day["at"] + width,
        amount=account_day[column],
    )
    return _rolling(spans, days)


def _rolling(spans: ir.Table, days: Iterable[int]) -> Grid:
    """For each account and day asked for, the sum of `amount` of the spans [begins, ends) that hold it."""
    asked = np.array(sorted(set(days)))
    # slot of the first asked day that is not before it; the last slot stands for "after all of them"
    at = np.arange(asked[0], asked[-1] + 2)
    slot = pa.array(np.searchsorted(asked, at), pa.int32())
    first = ibis.memtable(pa.table({"begins": pa.array(at, pa.int32()), "first": slot}))
    last = ibis.memtable(pa.table({"ends": pa.array(at, pa.int32()), "last": slot}))
    spans = spans.filter(spans.begins < spans.ends, spans.ends > int(at[0]), spans.begins < int(at[-1]))
    spans = spans.mutate(
        begins=ibis.greatest(spans.begins, int(at[0])), ends=ibis.least(spans.ends, int(at[-1]))
    )
    held = spans.join(first, "begins").join(last, "ends").filter(lambda t: t.first < t.last)
    changes = held.select("account", "amount", slot="first").union(
        held.select("account", slot="last", amount=-held.amount)
    )
    changes = changes.group_by("account", "slot").agg(amount=changes.amount.sum()).to_pyarrow()
    account = changes["account"].to_numpy()
    steps = np.zeros((int(account.max(initial=-1)) + 1, len(asked) + 1), np.int64)
    steps[account, changes["slot"].to_numpy()] = changes["amount"].cast(pa.int64()).to_numpy()
    return Grid(days=asked, values=steps.cumsum(axis=1)[:, :-1])
