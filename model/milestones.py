"""Milestones: what accounts had reached before they adopted a product, learnt from those that did.

Of each account that adopted a product, its last row before is compared with the rows of the accounts that
didn't, on the same dates and in the same proportion, so that a season or a trend of the whole company is no
milestone. A milestone is a value of a feature that a third of the adopters or more had reached, and so many
fewer of the others that chance is ruled out: a z-score of 4 for two shares, which holds for the thousand
values that are tried (Bonferroni at 5 %), and a lift of 1.25. Of each signal family the one that tells most
is kept, five at most, and told in the order in which accounts reach them: the commonest first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from model.features.families import CATALOGUE, FAMILY_OF
from model.frame import numbers
from model.product import Product, eligible
from model.shapes import MILESTONE
from model.wordsmith import write_value

MIN_ADOPTERS: Final = 30
MIN_REACHED: Final = 1 / 3
MIN_LIFT: Final = 1.25
MIN_Z: Final = 4.0
MOST: Final = 5
# What an account does; contract, season, peers and what it is are no steps that it takes.
FAMILIES_OF_STEPS: Final = (
    *("seats", "limits", "usage", "adoption", "departments", "power_users", "people", "support"),
    "relationship",
)
_WHOLE: Final = ("count", "days", "weeks", "months", "money", "flag")  # none of which is no milestone
_QUANTILES: Final = np.linspace(0.1, 0.8, 8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestone:
    """A feature's value that came before adoption: reached by a share of `adopters`, and of `others`."""

    feature: str
    at_least: float
    adopters: float
    others: float

    def reached(self, table: pa.Table) -> np.ndarray:
        """Of each row, whether it has got there; what is unknown has not."""
        there: np.ndarray = numbers(table, self.feature) >= self.at_least
        return there

    @property
    def tells(self) -> float:
        """How much it tells adopters from others: Kullback–Leibler divergence of the two shares, in nats.

        What few others have reached tells more than what most of both have."""
        return _tells(self.adopters, self.others)

    def words(self) -> str:
        """The milestone in words, such as "Departments active in the last 30 days: 4 or more"."""
        feature = CATALOGUE[self.feature]
        return f"{feature.about}: {write_value(self.at_least, feature.unit)} or more"


Milestones = Mapping[str, tuple[Milestone, ...]]
"""Milestones by product id, in the order in which accounts reach them."""


def learn_milestones(
    rows: pa.Table, features: Sequence[str], products: tuple[Product, ...]
) -> dict[str, tuple[Milestone, ...]]:
    """The milestones of each product that enough accounts adopted; `rows` are matured, in order of time."""
    bought = np.array([product or "" for product in rows["bought"].to_pylist()], dtype=object)
    may_buy = eligible(rows, products)
    accounts = rows["account_id"].combine_chunks().dictionary_encode().indices.to_numpy()
    days = np.unique(rows["as_of"].to_numpy(), return_inverse=True)[1]
    steps = [
        name
        for name in features
        if FAMILY_OF.get(name) in FAMILIES_OF_STEPS and CATALOGUE[name].favours != "down"
    ]
    found = {}
    for place, product in enumerate(products):
        adopted = np.flatnonzero((bought == product.id) & may_buy[:, place])
        last = np.array(sorted({accounts[row]: row for row in adopted.tolist()}.values()), int)
        others = np.flatnonzero((bought != product.id) & may_buy[:, place])
        if last.size < MIN_ADOPTERS:
            continue
        weight, last = _same_dates(days, last, others)
        candidates = [
            each for name in steps if (each := _strongest(numbers(rows, name), name, last, others, weight))
        ]
        if kept := _one_a_family(candidates):
            found[product.id] = kept
    return found


def as_json(milestones: Milestones) -> dict[str, list[dict[str, Any]]]:
    """The milestones as plain JSON values."""
    return {product: [asdict(each) for each in own] for product, own in milestones.items()}


def from_json(values: Mapping[str, Sequence[Mapping[str, Any]]] | None) -> Milestones:
    """What `as_json` wrote; nothing for a model that learnt none."""
    return {product: tuple(Milestone(**each) for each in own) for product, own in (values or {}).items()}


def milestone_column(
    table: pa.Table, milestones: Milestones, recommended: Sequence[Sequence[str | None]]
) -> pa.Array:
    """For each row the milestones of the products recommended for it that have any: list<struct<product,
    reached (features), next (in words, null when all are reached), of (how many there are)>>."""
    told = {product: _told(table, own) for product, own in milestones.items()}
    return pa.array(
        [
            [
                {"product": product, "of": len(milestones[product]), **told[product][row]}
                for product in chosen
                if product in milestones
            ]
            for row, chosen in enumerate(zip(*recommended, strict=True))
        ],
        pa.list_(MILESTONE),
    )


def _told(table: pa.Table, own: Sequence[Milestone]) -> list[dict[str, Any]]:
    """Of each row, which of a product's milestones are reached, and the next with the value now."""
    there = np.column_stack([each.reached(table) for each in own])
    names = [each.feature for each in own]
    reached = [[name for name, hit in zip(names, row, strict=True) if hit] for row in there.tolist()]
    first = np.where(there.all(axis=1), -1, np.argmin(there, axis=1))
    following: list[str | None] = [None] * table.num_rows
    for place, each in enumerate(own):
        unit, words = CATALOGUE[each.feature].unit, each.words()
        at = np.flatnonzero(first == place)
        for row, value in zip(at.tolist(), numbers(table, each.feature)[at].tolist(), strict=True):
            following[row] = f"{words} (now {'unknown' if np.isnan(value) else write_value(value, unit)})"
    return [{"reached": done, "next": step} for done, step in zip(reached, following, strict=True)]


def _same_dates(days: np.ndarray, adopters: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights of the others, summing to 1, by which their dates are those of the adopters; and the adopters
    on dates that have others at all."""
    size = int(days.max()) + 1
    theirs = np.bincount(days[others], minlength=size)
    adopters = adopters[theirs[days[adopters]] > 0]
    ours = np.bincount(days[adopters], minlength=size)
    share = np.divide(ours, theirs * max(adopters.size, 1), out=np.zeros(size), where=theirs > 0)
    return share[days[others]], adopters


def _strongest(
    values: np.ndarray, name: str, adopters: np.ndarray, others: np.ndarray, weight: np.ndarray
) -> Milestone | None:
    """The value of a feature that tells adopters from others best, if it is a milestone at all."""
    ours, theirs = values[adopters], values[others]
    known = ours[~np.isnan(ours)]
    if known.size < MIN_ADOPTERS or adopters.size < MIN_ADOPTERS:
        return None
    effective = 1.0 / float((weight**2).sum())
    best: Milestone | None = None
    tried = {_round(value, CATALOGUE[name].unit) for value in np.quantile(known, _QUANTILES).tolist()}
    for at_least in sorted(tried):
        hit = float((ours >= at_least).mean())
        other = float(weight[theirs >= at_least].sum())
        both = min(1.0, (hit * adopters.size + other * effective) / (adopters.size + effective))
        noise = np.sqrt(both * (1 - both) * (1 / adopters.size + 1 / effective))
        is_one = hit >= MIN_REACHED and hit >= MIN_LIFT * other and hit - other >= MIN_Z * noise > 0
        if is_one and (best is None or _tells(hit, other) > best.tells):
            best = Milestone(feature=name, at_least=at_least, adopters=round(hit, 4), others=round(other, 4))
    return best


def _tells(adopters: float, others: float) -> float:
    ours, theirs = np.clip([adopters, others], 0.001, 0.999).tolist()
    return float(ours * np.log(ours / theirs) + (1 - ours) * np.log((1 - ours) / (1 - theirs)))


def _round(value: float, unit: str) -> float:
    """Two significant digits, and whole where the unit is: what is told is what is tested."""
    short = float(f"{value:.2g}")
    return float(max(np.ceil(short), 1.0)) if unit in _WHOLE else short


def _one_a_family(candidates: Sequence[Milestone]) -> tuple[Milestone, ...]:
    chosen: dict[str, Milestone] = {}
    for each in sorted(candidates, key=lambda m: (-m.tells, m.feature)):
        chosen.setdefault(FAMILY_OF[each.feature], each)
    kept = list(chosen.values())[:MOST]
    return tuple(sorted(kept, key=lambda m: (-m.others, m.feature)))
