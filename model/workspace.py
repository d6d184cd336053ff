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

VIEWS_ONLY: Final = frozenset({"pyspark"})
"""Engines, by Ibis' name, that have temporary views but no temporary tables."""


class Workspace:
    """Temporary tables of one build: `keep` materialises an expression, leaving the block drops them all.

    >>> with Workspace(backend) as space:
    ...     user_day = space.keep(events.group_by("user_id").agg(n=events.count()))
    """

    def __init__(self, backend: Any) -> None:
        self._backend = backend
        self._kind = "VIEW" if backend.name in VIEWS_ONLY else "TABLE"
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
            self._drop(name)
        self._names.clear()
        self._numbers.clear()
        taken = _OPEN[id(self._backend)]
        taken.remove(self._number)
        if not taken:
            del _OPEN[id(self._backend)]

    def keep(self, expression: ir.Table) -> ir.Table:
        """The expression's rows as a temporary table."""
        name = f"upswell_{self._number}_{len(self._names)}"
        if self._kind == "VIEW":
            table = self._view_of_rows(name, expression)
        else:
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
        """The rows as a table of the engine."""
        table = ibis.memtable(rows)
        # on Spark each kept table is a job and a checkpoint; rows as few as these go with the query
        return table if self._kind == "VIEW" else self.keep(table)

    def _view_of_rows(self, name: str, expression: ir.Table) -> ir.Table:
        """A view of the rows as they are now, which Spark holds until the view is dropped.

        A checkpoint and no cache: a cached view of views is planned anew down to the first table each time,
        and a panel is made of dozens of them."""
        plan = f"{name}_plan"
        planned = self._backend.create_view(plan, expression)  # Arrow tables in it become known by this
        try:
            rows = self._backend.raw_sql(self._backend.compile(planned))
            rows.localCheckpoint().createTempView(name)
        finally:
            self._drop(plan)
        table: ir.Table = self._backend.table(name)
        return table

    def _drop(self, name: str) -> None:
        self._backend.raw_sql(f"DROP {self._kind} {name}")
