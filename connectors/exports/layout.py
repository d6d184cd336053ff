"""How a vendor lays out a kind of export: where each canonical column is, and what its values mean."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import pyarrow as pa

Finish = Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where the canonical columns of a kind are found: by column name, or dotted path through objects.

    Of several places the first that holds a value counts. Settings (`account_key`, `columns`) go before all.
    """

    columns: Mapping[str, tuple[str, ...]]
    only: tuple[str, Collection[str]] | None = None  # rows that are of this kind: a path, and its values then
    named: str | None = None  # a path without which a row is none of this kind
    utc: Collection[str] = ()  # canonical columns whose times are UTC where they name no zone
    epochs: Collection[str] = ()  # canonical columns that may hold seconds or milliseconds since 1970 ...
    wall: Mapping[str, str] = field(default_factory=dict)
    """Those of them that count wall-clock time of the spec's zone, with a path to a moment not before it."""
    lasts: Mapping[str, timedelta] = field(
        default_factory=dict
    )  # known when that is over, by the path at hand
    lists: bool = False  # account_key may be a list, or an object of lists
    nobody: tuple[str, str] | None = None  # a path, and a pattern of its values when nobody was logged in
    delivery: tuple[tuple[str, ...], ...] = ()  # what tells that a row was delivered twice
    repeat: str | None = None  # a path to how many events a row stands for
    nulls: Mapping[str, str] = field(default_factory=dict)  # canonical column: a value that means none
    account_fix: str = ""  # what to set where accounts have no usual place


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """What a vendor's files look like, and the kinds that they deliver.

    A kind has a layout for each sort of row that tells it."""

    name: str
    title: str
    kinds: Mapping[str, tuple[Layout, ...]]
    signature: Mapping[str, tuple[frozenset[str], ...]]
    """By kind: sets of names; a file that has one of each set is of this format."""
    finish: Mapping[str, Finish] = field(default_factory=dict)
    """By kind: what becomes of all the rows of a file together."""

    def kind_of(self, names: Collection[str]) -> str | None:
        """The kind that a file with these columns or paths delivers; None when it is not of this format."""
        return next((kind for kind in self.kinds if self.signature_of(kind, names)), None)

    def signature_of(self, kind: str, names: Collection[str]) -> bool:
        """Whether these columns or paths are those of one of its kinds."""
        return all(not one.isdisjoint(names) for one in self.signature[kind])


def one_of(*names: str) -> frozenset[str]:
    """A set of names of which a file of a format has at least one."""
    return frozenset(names)
