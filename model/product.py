"""The products that can be sold, and which of them fits an account now.

Stated rules say which signals point to a type of product; past expansions say how far to trust them. With
P(product) ∝ share × exp(pull × rule), one pull a type is fitted by maximum likelihood. (Measured on three
synthetic companies, a later quarter: best product right in 56 %, with rules at face value 38 %, multinomial
CatBoost 55 %, the truth itself 56 %.)
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from scipy.optimize import minimize

from model.eligibility import Eligibility
from model.eligibility_text import parse_eligibility
from model.errors import ModelError
from model.features.wording import TOPICS
from model.frame import numbers

PRODUCT_TYPES = ("seat", "tier", "module", "addon", "service", "commit")
# What the product rules weigh a type with before anything was ever bought.
_PRIOR_SHARES = {"seat": 0.35, "tier": 0.2, "module": 0.1, "addon": 0.08, "service": 0.07, "commit": 0.08}
# Purchases that the prior shares are worth when they meet the account base's own history.
_PRIOR_WEIGHT = 20.0
_OWNED_ONCE = ("module", "addon")
# Trust in the rules before anything was learnt, and how many purchases that prior is worth.
DEFAULT_PULL = 0.3
_PULL_WEIGHT = 20.0
_MAX_PULL = 1.5
MIN_BOUGHT = 75


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One product of the catalogue. `price` is ARR per `unit`; `replaces` is the tier that it follows."""

    id: str
    name: str
    type: str
    price: float = 0.0
    unit: str = ""
    eligible: str = ""
    replaces: str = ""
    keywords: tuple[str, ...] = ()  # words of a ticket that points to it

    def __post_init__(self) -> None:
        if self.type not in PRODUCT_TYPES:
            raise ModelError(
                f"Product {self.id!r} has the type {self.type!r}.",
                fix=f"Use one of {', '.join(PRODUCT_TYPES)}.",
            )
        self.eligibility()

    def eligibility(self, names: Collection[str] = ()) -> Eligibility | None:
        """Who can buy it, beside those who own it already; None when anybody can. Raises ModelError when the
        expression can't be read, or names what is not among `names`."""
        if not self.eligible.strip():
            return None
        return parse_eligibility(self.eligible, what=f"Product {self.id!r}: eligible", names=names)

    @property
    def topic(self) -> str:
        """The topic of ticket text that points to this product, or nothing."""
        name = f"{self.name} {self.id}".lower()
        return next((topic for topic, words in TOPICS.items() if topic in name or re.search(words, name)), "")


def base_shares(bought: list[str | None], products: tuple[Product, ...]) -> dict[str, float]:
    """Share of past expansions by product id, drawn towards the prior shares of the products' types."""
    prior = {p.id: _PRIOR_SHARES[p.type] for p in products}
    total = sum(prior.values()) or 1.0
    counts = {p.id: bought.count(p.id) for p in products}
    n = sum(counts.values())
    return {pid: (counts[pid] + _PRIOR_WEIGHT * prior[pid] / total) / (n + _PRIOR_WEIGHT) for pid in prior}


def fit_pull(
    table: pa.Table,
    bought: Sequence[str | None],
    products: tuple[Product, ...],
    shares: Mapping[str, float],
    signals: Mapping[str, float],
) -> dict[str, float]:
    """How far each type's rules are to be trusted (0–1.5), from the rows that `bought` a product.

    Fewer than 75 such rows leave the default of 0.3.
    """
    types = sorted({product.type for product in products})
    default = dict.fromkeys(types, DEFAULT_PULL)
    places = {product.id: place for place, product in enumerate(products)}
    told = np.array([places.get(pid or "", -1) for pid in bought], int)
    rows = np.flatnonzero(told >= 0)
    if rows.size < MIN_BOUGHT:
        return default
    table, chosen = table.take(pa.array(rows)), told[rows]
    allowed = eligible(table, products)
    allowed[np.arange(rows.size), chosen] = True  # what was bought could be bought
    drives = np.column_stack([_drive(table, product, signals) for product in products])
    base = np.log([_share(shares, product) for product in products])
    of_type = np.array([[product.type == name for name in types] for product in products], float)

    def loss(pull: np.ndarray) -> tuple[float, np.ndarray]:
        fit = np.where(allowed, base + drives * (of_type @ pull), -np.inf)
        fit -= fit.max(axis=1, keepdims=True)
        chance = np.exp(fit)
        chance /= chance.sum(axis=1, keepdims=True)
        observed = np.zeros_like(chance)
        observed[np.arange(rows.size), chosen] = 1.0
        slope = ((chance - observed) * drives).sum(axis=0) @ of_type
        log_chance = np.log(np.maximum(chance[np.arange(rows.size), chosen], 1e-12))
        away = pull - DEFAULT_PULL
        return float(-log_chance.sum() + _PULL_WEIGHT * (away @ away)), slope + 2 * _PULL_WEIGHT * away

    start = np.full(len(types), DEFAULT_PULL)
    best = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(0.0, _MAX_PULL)] * len(types))
    # three digits are more than the data tell, and the same on every machine
    return {name: round(float(value), 3) for name, value in zip(types, best.x, strict=True)}


def product_chances(
    table: pa.Table,
    products: tuple[Product, ...],
    shares: Mapping[str, float],
    signals: Mapping[str, float],
    pull: Mapping[str, float],
) -> np.ndarray:
    """rows × products: the chance of each product given that the account expands, 0 where it isn't eligible.

    A row sums to 1, or to 0 where no product is eligible.
    """
    if not products:
        return np.zeros((table.num_rows, 0))
    fit = np.column_stack(
        [
            np.log(_share(shares, p)) + pull.get(p.type, DEFAULT_PULL) * _drive(table, p, signals)
            for p in products
        ]
    )
    chances = np.where(eligible(table, products), np.exp(fit - fit.max(axis=1, keepdims=True)), 0.0)
    total = np.zeros(table.num_rows)
    for place in range(len(products)):  # added up in one order, whichever rows stand beside
        total += chances[:, place]
    return chances / np.where(total > 0, total, 1.0)[:, None]


def rank_products(
    table: pa.Table,
    products: tuple[Product, ...],
    shares: Mapping[str, float],
    signals: Mapping[str, float],
    pull: Mapping[str, float],
) -> tuple[list[str | None], list[str | None]]:
    """The most and the second most likely eligible product id of each row, or None where none is eligible."""
    return best_two(product_chances(table, products, shares, signals, pull), products)


def recommended(
    chances: np.ndarray, arr: np.ndarray, products: tuple[Product, ...]
) -> tuple[list[str | None], list[str | None]]:
    """The ids of the two most likely products of each row, the one with more expected ARR first.

    `chances` and `arr` (ARR added, if it is bought) are rows × products; None where no other is eligible. By
    expected ARR alone a dear product that hardly anybody buys would come before what the account needs."""
    order = np.argsort(-chances, axis=1, kind="stable")[:, :2]
    likely = np.zeros_like(chances)
    np.put_along_axis(likely, order, np.take_along_axis(chances, order, axis=1), axis=1)
    return best_two(likely * arr, products)


def best_two(worth: np.ndarray, products: tuple[Product, ...]) -> tuple[list[str | None], list[str | None]]:
    """The ids of the two products worth most in each row (rows × products), None for one that is worth 0."""
    order = np.argsort(-worth, axis=1, kind="stable")
    ids = [p.id for p in products]

    def pick(place: int) -> list[str | None]:
        if place >= len(ids):
            return [None] * worth.shape[0]
        return [ids[j] if worth[i, j] > 0 else None for i, j in enumerate(order[:, place])]

    return pick(0), pick(1)


def product_scores(
    first: Sequence[str | None], second: Sequence[str | None], bought: Sequence[str | None]
) -> dict[str, float]:
    """Shares of the rows that bought a known product in which the first, or one of both, was that product.

    `commonest` is what naming the product bought most for every row would have got. Empty without such rows.
    """
    known = [place for place, pid in enumerate(bought) if pid is not None]
    if not known:
        return {}
    names = [bought[place] for place in known]
    one = sum(first[place] == bought[place] for place in known)
    two = sum(bought[place] in (first[place], second[place]) for place in known)
    return {
        "rows": float(len(known)),
        "first_right": one / len(known),
        "two_right": two / len(known),
        "commonest": max(names.count(name) for name in set(names)) / len(known),
    }


def _share(shares: Mapping[str, float], product: Product) -> float:
    """The product's share of past expansions; a product that is new is as rare as the rarest."""
    return shares.get(product.id, min(shares.values(), default=0.01))


def eligible(table: pa.Table, products: tuple[Product, ...]) -> np.ndarray:
    """rows × products: whether each may be offered; owned once, or following another tier, or by its rule."""
    owned = [set(items or ()) for items in table["owned"].to_pylist()]
    tiers = table["plan_tier"].to_pylist() if "plan_tier" in table.column_names else [None] * table.num_rows
    allowed = np.ones((table.num_rows, len(products)), bool)
    for j, product in enumerate(products):
        if product.type in _OWNED_ONCE:
            allowed[:, j] = [product.id not in items for items in owned]
        if product.replaces:
            allowed[:, j] &= [tier == product.replaces for tier in tiers]
        if (stated := product.eligibility()) is not None:
            allowed[:, j] &= stated.holds(table)
    return allowed


def _drive(table: pa.Table, product: Product, signals: Mapping[str, float]) -> np.ndarray:
    """Log-odds by which the account's signals point to a product of this type."""

    def over(name: str, bound: float, scale: float, cap: float = 1.5) -> np.ndarray:
        return np.nan_to_num(np.clip((numbers(table, name) - bound) / scale, -cap, cap))

    match product.type:
        case "seat":
            return (
                over("seat_utilisation", signals["seat_utilisation"], 0.15)
                + 0.5 * over("users_growth_90", signals["users_growth"], 0.15)
                + 0.3 * over("departments_new", 0.5, 1.0)
            )
        case "tier":
            return over("limit_utilisation", signals["limit_utilisation"], 0.2) + 0.5 * over(
                "advanced_features_90", 1.5, 2.0
            )
        case "module":
            gap = over(f"gap_{product.topic}_180", 0.5, 1.0) if product.topic else 0.0
            return gap + 0.3 * over("sibling_products_missing", 0.5, 1.0)
        case "addon":
            return 0.7 * over("tickets_90", 4.0, 4.0) + 0.7 * over("gap_support_180", 0.5, 1.0)
        case "service":
            return 0.7 * over("features_unused_share", 0.6, 0.2) + 0.5 * over("growth_goals_365", 0.5, 1.0)
        case _:
            return -0.7 * over("days_to_renewal", 120.0, 90.0) + 0.3 * over("tenure_days", 540.0, 365.0)
