"""What a feature and a family of features are, and what a family's builder is given."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from model.product import Product
from model.target import Target
from model.timeline import Timeline
from model.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """A reason in plain words. `{name}` stands for that feature's value, written in its unit.

    It speaks for expansion (`supports`) or against it, and only where the feature lies at or beyond its
    bound, so a sentence never says the opposite of what the number shows; not at the value `unless`, where it
    would be odd: nothing runs out "in 0 days". `dated` is the feature that says how many days ago that
    happened of which it speaks; without it, the sentence bears the day up to which the source table tells
    anything.
    """

    code: str
    supports: bool
    text: str
    at_least: float | None = None
    at_most: float | None = None
    dated: str = ""
    unless: float | None = None

    def holds(self, values: np.ndarray) -> np.ndarray:
        """Of each value, whether it is where this phrase may be said."""
        low = -np.inf if self.at_least is None else self.at_least
        high = np.inf if self.at_most is None else self.at_most
        odd = np.nan if self.unless is None else self.unless
        inside: np.ndarray = (values >= low) & (values <= high) & (np.round(values) != odd)
        return inside


def good(
    code: str,
    text: str,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    dated: str = "",
    unless: float | None = None,
) -> Phrase:
    """A phrase that speaks for expansion."""
    return Phrase(
        code=code,
        supports=True,
        text=text,
        at_least=at_least,
        at_most=at_most,
        dated=dated,
        unless=unless,
    )


def bad(
    code: str,
    text: str,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    dated: str = "",
) -> Phrase:
    """A phrase that speaks against expansion."""
    return Phrase(code=code, supports=False, text=text, at_least=at_least, at_most=at_most, dated=dated)


UNITS = (
    "share",
    "change",
    "ratio",
    "count",
    "days",
    "weeks",
    "months",
    "money",
    "points",
    "flag",
    "category",
)


@dataclass(frozen=True, slots=True)
class Feature:
    """One column of the panel: `about` says what it is, `source` the table that reasons cite.

    A `vague` one stands for several others, and speaks only where none of those can. A `present` one knows
    the CRM record as it stands now, for past rows too, since no history says what it was then. `groups` are
    the features by which it groups accounts. `direction` is the one that usually favours expansion, where the
    phrases don't tell (`directed` sets it): what people expect, while the model learns its own.
    """

    name: str
    unit: str
    source: str
    about: str
    phrases: tuple[Phrase, ...] = ()
    vague: bool = False
    present: bool = False
    groups: tuple[str, ...] = ()
    direction: str = ""

    @property
    def favours(self) -> str:
        """The direction that usually favours expansion: up, down or either."""
        told = {_favoured(phrase) for phrase in self.phrases}
        return self.direction or (told.pop() if len(told) == 1 else "either")

    @property
    def categorical(self) -> bool:
        """Whether the values are text."""
        return self.unit == "category"


def directed(
    features: tuple[Feature, ...], *, up: Collection[str] = (), down: Collection[str] = ()
) -> tuple[Feature, ...]:
    """The features with the direction that usually favours expansion, where their phrases don't tell it."""
    told = {**dict.fromkeys(up, "up"), **dict.fromkeys(down, "down")}
    return tuple(replace(each, direction=told.get(each.name, each.direction)) for each in features)


def _favoured(phrase: Phrase) -> str:
    """The direction that a phrase speaks for: towards its bound, or away from it."""
    upwards = phrase.at_least is not None
    return "up" if upwards == phrase.supports else "down"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Which rows of a source table a feature is made of, so that they can be shown.

    Those of the account that were known by the as-of day, and of them only

    * `days`: those that happened less than so many days before, by their own day or the column `day`
    * `where`: those in which a text column has one of these values, in lower case
    * `filled`, `flags`: those in which these columns are not empty, or true
    * `roles`, `pages`: events of users in these roles, events whose name or feature matches the expression
    * `newest`: the latest one of what is left

    With `alike` they are the rows of other accounts: of those with the same values of these features, of the
    parent's group ("siblings", or "group" with the account itself), or of all ("all").
    """

    table: str
    days: int | None = None
    day: str = "at"
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    filled: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    pages: str = ""
    newest: bool = False
    alike: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What a family's builder may read: clean sources, the timeline, and the as-of rows to fill.

    `rows` has `row` (0 … n−1), `account_id` and `day` (number of the last complete day, the eve of the as-of
    date); `days` are its distinct days.
    """

    sources: Mapping[str, ir.Table]
    timeline: Timeline
    rows: ir.Table
    days: tuple[int, ...]
    account: np.ndarray
    day: np.ndarray
    target: Target
    products: tuple[Product, ...]
    signals: Mapping[str, float]
    space: Workspace

    def known(self, table: ir.Table) -> ir.Table:
        """Each as-of row with every record of `table` that was known by then; `age` is its days since.

        Of invoices (`replaced`) those that another one for the same first day had not replaced by then."""
        rows = self.rows
        meets = [rows.account_id == table.account_id, table.known <= rows.day]
        if "replaced" in table.columns:
            meets.append(table.replaced.isnull() | (rows.day < table.replaced))
        joined = rows.join(table, meets)
        return joined.mutate(age=joined.day - joined["at"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One signal family: the source columns it reads, its features, and how they are built.

    `build` returns one line at most per `row`, with a column for each feature; a row that it leaves out,
    a null or a NaN means that nothing was known.
    """

    name: str
    title: str
    needs: Mapping[str, tuple[str, ...]]
    features: tuple[Feature, ...]
    build: Callable[[Inputs], ir.Table | pa.Table]
    traces: Mapping[str, tuple[Trace, ...]] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)  # where a feature's bounds come from, if stated

    def traced(self, feature: Feature) -> tuple[Trace, ...]:
        """The source rows of one of its features: where none are stated, all that the account has."""
        return self.traces.get(feature.name, (Trace(table=feature.source),))
