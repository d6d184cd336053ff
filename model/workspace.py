"""Intermediate tables that live in the engine while a panel is built, and not a moment longer."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from types import TracebackType
from typing import Any, Final

import ibis
import ibis.expr.types as ir
import pyarrow as pa

_OPEN: Final[dict[int, set[int]]] = {}
"""The numbers of the blocks that are open on each backend, by its id."""


class Workspace:
    """Temporary tables of one build: `keep` materialises an expression, leaving the block drops them all.

    >>> with Workspace(backend) as space:
    ...     user_day = space.keep(events.group_by("user_id").agg(n=events.count()))
    """

    def __init__(self, backend: Any) -> None:
        self._backend = backend
        self._names: list[str] = []
        self._numbers: dict[tuple[str, tuple[int, ...]], ir.Table] = {}
        self._number = 0

    def __enter__(self) -> Workspace:
        # the same names in each build, for an engine that knows expressions again
        taken = _OPEN.setdefault(id(self._backend), set())
        self._number = next(number for number in count() if number not in taken)
        taken.add(self._number)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Table.cache and drop_table render an empty DROP with ibis 12.0 on sqlglot 30.30, hence the plain
        # statement; the names are our own.
        for name in reversed(self._names):
            self._backend.raw_sql(f"DROP TABLE {name}")
        self._names.clear()
        self._numbers.clear()
        taken = _OPEN[id(self._backend)]
        taken.remove(self._number)
        if not taken:
            del _OPEN[id(self._backend)]

    def keep(self, expression: ir.Table) -> ir.Table:
        """The expression's rows as a temporary table."""
        name = f"upswell_{self._number}_{len(self._names)}"
        table = self._backend.create_table(name, expression, temp=True)
        self._names.append(name)
        return table

    def numbers(self, name: str, values: Sequence[int]) -> ir.Table:
        """Whole numbers as a temporary table of one column, made once.

        A query that named them would be another query for each day that is asked about."""
        key = (name, tuple(values))
        if key not in self._numbers:
            self._numbers[key] = self.hold(pa.table({name: pa.array(key[1], pa.int64())}))
        return self._numbers[key]

    def hold(self, rows: pa.Table) -> ir.Table:
        """The rows as a temporary table."""
        return self.keep(ibis.memtable(rows))
