"""Suspects: features that look written after the expansion, each with what gives it away.

Such a field is empty until somebody has sold the expansion; then it is filled in, and every past row of the
account bears today's value. A model takes it for foresight: it looks better on all past rows, and is worse on
the accounts it scores. Four tells, of which one is enough:

- alone, it ranks expansions almost perfectly (a category by the past rate of each level, judged later);
- it is filled almost only in rows that an expansion followed;
- it knows a record as it stands now, and tells almost perfectly which accounts have ever expanded;
- it is known for most of the rows to learn from and for few of those to score.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from model.evaluate import auc
from model.features.families import CATALOGUE
from model.frame import numbers
from model.panel import Panel
from model.split import Split

# One feature that alone ranks this well is most likely written after the fact.
SUSPECT_AUC: Final = 0.95
# Of both outcomes there must be as many: noise has an AUC of 0.50 ± 0.065 then.
FEW: Final = 20
# An account has a row a month, so rows are many before they tell anything.
MANY_ROWS: Final = 200
# By so much of the rows a feature may be known less a horizon later. (More is what a growing history brings.)
# Rule of thumb.
KNOWN_GAP: Final = 0.5
LATEST_DATES: Final = 3
# Of the exceptions that chance would bring, at most this share is "almost none".
ALMOST_NONE: Final = 0.1
# The rate of a level with fewer rows than this is drawn towards the rate of all.
PRIOR_ROWS: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A feature that looks written afterwards. `why` goes on from "because"."""

    name: str
    why: str


def find_suspects(panel: Panel, rows: pa.Table, split: Split | None) -> tuple[Suspect, ...]:
    """The features of the panel that look written after the expansion; `rows` are those to train on.

    With fewer than `FEW` expansions, or rows without one, nothing can be told and nothing is suspected.
    """
    y = numbers(rows, "label")
    accounts = _Accounts.of(panel)
    dates = rows["as_of"].to_numpy()
    latest = np.isin(dates, np.unique(dates)[-LATEST_DATES:])
    to_score = panel.table.filter(pc.equal(panel.table["as_of"], pc.max(panel.table["as_of"])))
    found = []
    for name in panel.features:
        column = _values(rows, name, text=name in panel.categorical)
        why = _ranks(column, y, split) or _filled(column, y, "rows", "an expansion followed")
        if why is None and name in CATALOGUE and CATALOGUE[name].present:
            why = accounts.tell(_values(panel.table, name, text=name in panel.categorical))
        if why is None:
            why = _differs(column[latest], _values(to_score, name, text=name in panel.categorical))
        if why is not None:
            found.append(Suspect(name=name, why=why))
    return tuple(found)


def made_of(suspects: Iterable[str]) -> tuple[str, ...]:
    """The features that are worked out by grouping accounts by a suspect, and so know what it knows."""
    known = set(suspects)
    return tuple(name for name, feature in CATALOGUE.items() if known & set(feature.groups))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Accounts:
    """Each account's last row in the panel, and whether it has ever expanded."""

    last: np.ndarray
    expanded: np.ndarray

    @classmethod
    def of(cls, panel: Panel) -> _Accounts:
        # deals that were under way count too, and what was won before the first row
        seen = (numbers(panel.table, "label") == 1) | (numbers(panel.table, "expansions_past") > 0)
        coded = panel.table["account_id"].combine_chunks().dictionary_encode()
        account = coded.indices.to_numpy()
        expanded = np.zeros(len(coded.dictionary))
        np.maximum.at(expanded, account, seen)
        last = np.zeros(expanded.size, np.int64)
        last[account] = np.arange(account.size)  # a panel's rows are in order of time
        return cls(last=last, expanded=expanded)

    def tell(self, column: np.ndarray) -> str | None:
        """How a record's present value gives away which accounts have ever expanded; None if it doesn't."""
        values, y = column[self.last], self.expanded
        if not _enough(y):
            return None
        known = _known(values)
        if values.dtype == object:
            half = np.arange(y.size) % 2 == 0
            learnt = np.where(
                half, _rates(values[~half], y[~half], values), _rates(values[half], y[half], values)
            )
            alone = auc(y, learnt)
        else:
            alone = _either_way(y[known], values[known])
        if alone >= SUSPECT_AUC:
            return f"as it stands today it tells which accounts have ever expanded (AUC {alone:.2f})"
        if (why := _filled(values, y, "accounts", "an expansion came before")) is not None:
            return why
        spared = int(y[~known].sum())
        if _almost_none(spared, (~known).sum() * y.mean()):
            return f"of {(~known).sum():,} accounts that lack it {spared:,} have ever expanded"
        return None


def _ranks(column: np.ndarray, y: np.ndarray, split: Split | None) -> str | None:
    """The first tell: out of time for a category, in any row for a number, which has nothing to learn."""
    if column.dtype != object:
        known = _known(column)
        y, learnt = y[known], column[known]
    elif split is not None:
        before = split.before_test
        y, learnt = y[split.test], _rates(column[before], y[before], column[split.test])
    else:
        return None
    if y.size < MANY_ROWS or not _enough(y):
        return None
    alone = auc(y, learnt) if column.dtype == object else _either_way(y, learnt)
    return f"alone it ranks expansions almost perfectly (AUC {alone:.2f})" if alone >= SUSPECT_AUC else None


def _filled(column: np.ndarray, y: np.ndarray, what: str, when: str) -> str | None:
    """The second tell: filled, and hardly ever without an expansion."""
    known = _known(column)
    if not known.any() or not 0 < y.sum() < y.size:
        return None
    without = int((1 - y[known]).sum())
    if not _almost_none(without, known.sum() * (1 - y.mean())):
        return None
    return f"it is filled almost only where {when} ({known.sum() - without:,} of {known.sum():,} {what})"


def _differs(past: np.ndarray, now: np.ndarray) -> str | None:
    """The fourth tell: values of the latest rows to learn from against those of the rows to score."""
    if min(past.size, now.size) < FEW:
        return None
    before, after = float(_known(past).mean()), float(_known(now).mean())
    if before - after <= KNOWN_GAP:
        return None
    return f"it is known for {before:.0%} of the latest rows to learn from and {after:.0%} of those to score"


def _rates(past: np.ndarray, y: np.ndarray, later: np.ndarray) -> np.ndarray:
    """The past rate of each later row's level, nothing being one; a level never seen has the rate of all."""
    overall = float(y.mean()) if y.size else 0.0
    totals: dict[Hashable, tuple[float, int]] = {}
    for level, hit in zip(past.tolist(), y.tolist(), strict=True):
        hits, rows = totals.get(level, (0.0, 0))
        totals[level] = (hits + hit, rows + 1)
    rates = {level: (hits + PRIOR_ROWS * overall) / (n + PRIOR_ROWS) for level, (hits, n) in totals.items()}
    return np.array([rates.get(level, overall) for level in later.tolist()])


def _values(table: pa.Table, name: str, *, text: bool) -> np.ndarray:
    if not text:
        return numbers(table, name)
    values: np.ndarray = np.array([text or None for text in table[name].to_pylist()], object)
    return values


def _known(values: np.ndarray) -> np.ndarray:
    if values.dtype == object:
        return np.array([value is not None for value in values.tolist()], bool)
    known: np.ndarray = ~np.isnan(values)
    return known


def _either_way(y: np.ndarray, values: np.ndarray) -> float:
    """The AUC of the ranking or of its reverse, whichever is better; 0.5 where nothing can be told."""
    if not _enough(y):
        return 0.5
    alone = auc(y, values)
    return max(alone, 1 - alone)


def _enough(y: np.ndarray) -> bool:
    return bool(y.sum() >= FEW and y.size - y.sum() >= FEW)


def _almost_none(exceptions: float, expected: float) -> bool:
    """Whether far fewer exceptions are there than chance would bring, and it would bring some."""
    return expected >= FEW and exceptions <= ALMOST_NONE * expected
