"""DuckDB behind Ibis, for tables so small that putting a query together costs more than running it.

A panel is some hundred queries. On a small company most of its time was Ibis making SQL of expressions that
differ from those of the run before in nothing; here an expression is compiled once a process.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import ibis.expr.operations as ops
import ibis.expr.schema as sch
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend
from ibis.expr.operations.udf import InputType

COMPILED: Final = 2000  # expressions whose SQL is kept; a training and a scoring have about 250
_SQL: Final[dict[ops.Node, str]] = {}


class Engine(Backend):  # type: ignore[misc]  # Ibis has no types
    """An Ibis connection to DuckDB that knows the SQL of the expressions that the process has seen.

    Expressions are equal when their operations, values, and tables' names and columns are, and then so is
    their SQL, whatever the tables hold. For that, tables that are made anew each time need the same names
    each time: `fresh_name` counts them on each connection.
    """

    _named = 0

    def fresh_name(self, about: str) -> str:
        """A table's name that this connection has not given before."""
        self._named += 1
        return f"{about}_{self._named}"

    def compile(
        self,
        expr: ir.Expr,
        /,
        *,
        limit: int | None = None,
        params: Mapping[ir.Scalar, Any] | None = None,
        pretty: bool = False,
    ) -> str:
        """The expression as SQL."""
        if limit is not None or params or pretty:
            return str(super().compile(expr, limit=limit, params=params, pretty=pretty))
        node = expr.as_table().op()
        found = _SQL.get(node)
        if found is None:
            found = str(super().compile(expr))
            if not node.find(_registered):
                if len(_SQL) >= COMPILED:
                    _SQL.clear()
                _SQL[node] = found
        return found

    def _run_pre_execute_hooks(self, expr: ir.Expr) -> None:
        """What Ibis does before a query for the sake of tables and functions that we keep no SQL of."""
        if expr.as_table().op() not in _SQL:
            super()._run_pre_execute_hooks(expr)

    def _register_in_memory_table(self, op: ops.InMemoryTable) -> None:
        """Make the table in memory known to the connection."""
        # DuckDB takes none while a result is unread, and Ibis does not read that of a SET or a DROP
        self.con.execute("SELECT 1").fetchall()
        super()._register_in_memory_table(op)

    def create_table(self, name: str, /, obj: Any = None, *, temp: bool = False, **kwargs: Any) -> ir.Table:
        """The table made of the expression, or of whatever else Ibis takes.

        Ibis would ask for the current database first, and then for the columns that it has just named."""
        if not temp or kwargs or not isinstance(obj, ir.Table):
            return super().create_table(name, obj, temp=temp, **kwargs)
        self._run_pre_execute_hooks(obj)
        schema = obj.schema()
        # typed before it is filled: a sum of whole numbers is wider in DuckDB than in Ibis
        self.con.execute(f'CREATE TEMPORARY TABLE "{name}" ({_columns(schema)})').fetchall()
        self.con.execute(f'INSERT INTO "{name}" {self.compile(obj)}').fetchall()
        place = ops.Namespace(catalog="temp", database="main")
        return ops.DatabaseTable(name, schema=schema, source=self, namespace=place).to_expr()


def _registered(node: ops.Node) -> bool:
    """Whether Ibis has to tell the connection of a table in memory, or of a function in Python."""
    if isinstance(node, ops.ScalarUDF | ops.AggUDF):
        return bool(node.__input_type__ is not InputType.BUILTIN)
    return isinstance(node, ops.InMemoryTable)


@lru_cache(maxsize=COMPILED)
def _columns(schema: sch.Schema) -> str:
    """The columns as CREATE TABLE wants them."""
    return ", ".join(column.sql("duckdb") for column in schema.to_sqlglot_column_defs("duckdb"))
