"""The engine compiles an expression once, and gives what Ibis gives."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import ibis
import pyarrow as pa
import pytest
from ibis.backends.duckdb import Backend

from model.days import day_table
from model.engine import Engine
from model.panel import build_rows
from model.product import Product
from model.target import Target
from model.workspace import Workspace


@pytest.fixture
def engines() -> Iterator[list[Any]]:
    """Two connections that hold a table of the same name, with other rows."""
    made = [Engine().connect(), Engine().connect()]
    for place, engine in enumerate(made):
        engine.con.register("bills", pa.table({"arr": pa.array([place, 10, 20], pa.int64())}))
    yield made
    for engine in made:
        engine.disconnect()


def test_an_expression_that_was_seen_is_not_compiled_again(
    engines: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On whichever connection it was seen; each answers from its own rows."""
    first, second = (engine.table("bills").arr.sum() for engine in engines)
    assert first.to_pyarrow().as_py() == 30
    monkeypatch.setattr(Backend, "compile", lambda *_args, **_kwargs: pytest.fail("compiled again"))
    assert second.to_pyarrow().as_py() == 31


def test_expressions_that_differ_in_a_value_have_their_own_sql(engines: list[Any]) -> None:
    """Even in values that Python gives one hash, as −1 and −2."""
    bills = engines[0].table("bills")
    assert hash(-1) == hash(-2)
    found = {
        value: bills.filter(bills.arr - 1 == value).count().to_pyarrow().as_py() for value in (-1, -2, 9)
    }
    assert found == {-1: 1, -2: 0, 9: 1}


def test_a_table_of_an_expression_has_its_types(engines: list[Any]) -> None:
    """DuckDB's sum of whole numbers has 128 bits."""
    bills = engines[0].table("bills")
    made = engines[0].create_table("sums", bills.group_by("arr").agg(total=bills.arr.sum()), temp=True)
    assert made.to_pyarrow().schema.field("total").type == pa.int64()
    assert made.schema() == engines[0].table("sums", database=("temp", "main")).schema()


def test_tables_in_memory_are_read_on_every_connection(engines: list[Any]) -> None:
    """Though the process has seen the expression."""
    rows = ibis.memtable(pa.table({"n": [1, 2, 3]}))
    for engine in (*engines, *engines):
        assert engine.to_pyarrow(rows.n.sum()).as_py() == 6


@pytest.mark.parametrize("method", ["_run_pre_execute_hooks", "_register_in_memory_table"])
def test_the_private_methods_that_are_replaced_are_those_that_ibis_calls(
    engines: list[Any], monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """Ibis promises nothing of them. When this fails, put model/engine.py right by what took their place:
    without the first queries cost more, without the second tables in memory may not be read."""
    theirs, own = (inspect.signature(getattr(kind, method)) for kind in (Backend, Engine))
    assert list(theirs.parameters) == list(own.parameters)
    calls = [0]
    monkeypatch.setattr(Engine, method, counting(getattr(Engine, method), calls))
    rows = ibis.memtable(pa.table({"n": [4, 5]}))
    assert engines[0].to_pyarrow(rows.n.sum()).as_py() == 9
    assert calls[0] > 0


def test_workspaces_of_one_connection_do_not_share_tables(engines: list[Any]) -> None:
    """Not even one that is opened while another is, after a third was closed."""
    bills = engines[0].table("bills")
    first, second = Workspace(engines[0]), Workspace(engines[0])
    first.__enter__()
    with second:
        kept = second.keep(bills.filter(bills.arr == 20))
        first.keep(bills)
        first.__exit__(None, None, None)
        with Workspace(engines[0]) as third:
            assert third.keep(bills.filter(bills.arr == 10)).arr.to_pyarrow().to_pylist() == [10]
            assert kept.arr.to_pyarrow().to_pylist() == [20]


def test_days_come_once_each_in_order(engines: list[Any]) -> None:
    """As 64-bit numbers, so that what is made of them has room."""
    with Workspace(engines[0]) as space:
        days = day_table([20_000, 3, 20_000], space).order_by("day").to_pyarrow()
    assert days.equals(pa.table({"day": pa.array([3, 20_000], pa.int64())}))


def test_most_queries_for_another_day_are_the_same(
    tiny: Any, as_of: date, catalogue: tuple[Product, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Days are rows of a table: only what looks at one table up to a day has a number in its place."""
    asked, anew = [0], [0]
    for kind, counted in ((Engine, asked), (Backend, anew)):
        monkeypatch.setattr(kind, "compile", counting(kind.compile, counted))
    for day in (as_of, as_of - timedelta(days=10)):
        asked[0] = anew[0] = 0
        build_rows(tiny.tables(), as_of=day, target=Target(), products=catalogue)
    assert asked[0] > 80
    assert anew[0] < asked[0] / 2


def counting(compiled: Any, calls: list[int]) -> Any:
    """The method, with its calls counted."""

    def compile_expression(engine: Any, expression: Any, **options: Any) -> Any:
        calls[0] += 1
        return compiled(engine, expression, **options)

    return compile_expression
