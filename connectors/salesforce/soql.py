"""SOQL text: names that the org described, values that simple-salesforce quoted, nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final
from urllib.parse import quote

from simple_salesforce.format import format_soql

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)*")
_OPERATORS: Final = frozenset({"=", "!=", "<", "<=", ">", ">=", "IN"})
LONGEST: Final = 100_000  # characters of a statement
_LIST_BYTES: Final = 14_000  # of an IN list in the address; Salesforce takes 16,384 for the whole


def name(text: str) -> str:
    """The name, if it can be one: a second lock behind describe."""
    if _NAME.fullmatch(text) is None:
        raise ValueError(f"{text!r} is no field or object name")
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Subquery:
    """The ids that another query finds: `field` of the rows of `source`."""

    field: str
    source: str
    where: tuple[Condition, ...] = ()

    def __str__(self) -> str:
        return select([self.field], self.source, where=self.where)


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One comparison of a WHERE clause."""

    field: str
    operator: str
    value: str | bool | date | datetime | Sequence[str] | Subquery | None

    def __str__(self) -> str:
        if self.operator not in _OPERATORS:
            raise ValueError(f"{self.operator!r} is no operator of ours")
        if isinstance(self.value, Subquery):
            return f"{name(self.field)} {self.operator} ({self.value})"
        if isinstance(self.value, datetime):
            return f"{name(self.field)} {self.operator} {stamp(self.value)}"
        return f"{name(self.field)} {self.operator} {format_soql('{}', self.value)}"


def stamp(moment: datetime) -> str:
    """A datetime literal in UTC with milliseconds, which format_soql would cut off."""
    if moment.tzinfo is None:
        raise ValueError("a naive datetime has no place in a window")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def select(
    fields: Iterable[str],
    source: str,
    *,
    where: Sequence[Condition] = (),
    order: Sequence[str] = (),
    limit: int | None = None,
) -> str:
    """A SELECT statement over names from describe."""
    columns = ", ".join(name(field) for field in dict.fromkeys(fields))
    parts = [f"SELECT {columns} FROM {name(source)}"]  # noqa: S608  # names only, each let through by name()
    if where:
        parts.append("WHERE " + " AND ".join(str(condition) for condition in where))
    if order:
        parts.append("ORDER BY " + ", ".join(name(field) for field in order))
    if limit is not None:
        parts.append(f"LIMIT {int(limit)}")
    return " ".join(parts)


def count(source: str) -> str:
    """A statement whose reply tells in `totalSize` how many records there are."""
    return f"SELECT COUNT() FROM {name(source)}"  # noqa: S608  # a name, let through by name()


def in_chunks(values: Iterable[str], *, most: int = _LIST_BYTES) -> Iterator[list[str]]:
    """The values in lists of `most` bytes once quoted for an address; order kept, duplicates dropped."""
    chunk: list[str] = []
    size = 0
    for value in dict.fromkeys(values):
        cost = len(quote(format_soql("{}", value), safe="")) + 3  # the comma
        if chunk and size + cost > most:
            yield chunk
            chunk, size = [], 0
        chunk.append(value)
        size += cost
    if chunk:
        yield chunk
