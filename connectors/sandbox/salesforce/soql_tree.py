"""A SOQL query as values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """A field, perhaps of a parent: Name, Owner.Name, Account.Owner.Name."""

    parts: tuple[str, ...]
    position: int

    @property
    def text(self) -> str:
        """The path as it is written."""
        return ".".join(self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """COUNT(Id), SUM(Amount) total; COUNT() has no path."""

    function: str
    path: Path | None
    alias: str | None
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSet:
    """FIELDS(ALL), FIELDS(STANDARD), FIELDS(CUSTOM)."""

    kind: str
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Literal:
    """A value: kind is string, number, boolean, null, date, datetime or range (a date literal)."""

    kind: str
    text: str
    position: int
    pattern: str = ""  # a string as a LIKE pattern
    count: int | None = None  # the n of LAST_N_DAYS:n


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Field, operator (= != < <= > >= LIKE), value."""

    path: Path
    operator: str
    literal: Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """Field IN or NOT IN a list or a semi-join; INCLUDES or EXCLUDES for multi-select picklists."""

    path: Path
    operator: str
    literals: tuple[Literal, ...] = ()
    query: Query | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Logic:
    """Conditions joined by one of AND, OR."""

    operator: str
    terms: tuple[Condition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Negation:
    """NOT condition."""

    term: Condition


Condition = Comparison | Membership | Logic | Negation


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordering:
    """One field of ORDER BY. SOQL puts nulls first unless told otherwise."""

    path: Path | Aggregate
    descending: bool
    nulls_last: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A whole query."""

    items: tuple[Path | Aggregate | FieldSet, ...]
    object: str
    object_position: int
    alias: str | None = None
    where: Condition | None = None
    group: tuple[Path, ...] = ()
    order: tuple[Ordering, ...] = ()
    limit: int | None = None
    offset: int = 0
    offset_position: int = 0
