"""Intermediate tables that live in the engine while a panel is built, and not a moment longer."""

from __future__ import annotations

from types import TracebackType
from typing import Any

import ibis.expr.types as ir
from ibis.util import gen_name


class Workspace:
    """Temporary tables of one build: `keep` materialises an expression, leaving the block drops them all.

    >>> with Workspace(backend) as space:
    ...     user_day = space.keep(events.group_by("user_id").agg(n=events.count()))
    """

    def __init__(self, backend: Any) -> None:
        self._backend = backend
        self._names: list[str] = []

    def __enter__(self) -> Workspace:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Table.cache and drop_table render an empty DROP with ibis 12.0 on sqlglot 30.30, hence the plain
        # statement; the names are our own.
        for name in reversed(self._names):
            self._backend.raw_sql(f"DROP TABLE {name}")
        self._names.clear()

    def keep(self, expression: ir.Table) -> ir.Table:
        """The expression's rows as a temporary table."""
        name = gen_name("upswell")
        table = self._backend.create_table(name, expression, temp=True)
        self._names.append(name)
        return table
