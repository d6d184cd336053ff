"""DuckDB and Spark make the same table of features, and the same partials, of the same rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pytest

from infra.doubles.random_tables import random_tables
from model.features.families import CATALOGUE
from model.panel import Rows, build_days
from model.partials import partials_of
from model.product import Product
from model.target import Target
from model.workspace import Workspace

# PySpark 4.0 asks pandas for what pandas 3 does by itself, and closes its sockets when they are collected.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
AS_OF = date(2026, 6, 1)
DAYS = (AS_OF, AS_OF - timedelta(days=28), AS_OF - timedelta(days=140))
PRODUCTS = (
    Product(id="SEATS", name="Seats", type="seat", price=300),
    Product(id="UP", name="Upgrade", type="tier", price=100),
    Product(id="AN", name="Analytics Module", type="module", price=50),
    Product(id="WF", name="Workflow", type="addon", price=50, keywords=("by hand",)),
)
Given = Mapping[str, pa.Table]


def on_duckdb(given: Given) -> dict[str, Any]:
    """The tables in a DuckDB of their own."""
    connection = ibis.duckdb.connect()
    for name, rows in given.items():
        connection.con.register(f"given_{name}", rows)
    return {name: connection.table(f"given_{name}") for name in given}


def on_spark(given: Given, session: Any) -> dict[str, Any]:
    """The tables as views of the session."""
    for name, rows in given.items():
        session.createDataFrame(rows).createOrReplaceTempView(f"given_{name}")
    connection = ibis.pyspark.connect(session)
    return {name: connection.table(f"given_{name}") for name in given}


def several(seeds: Sequence[int]) -> Given:
    """Several random worlds in one build, since that costs Spark hardly more than one."""
    worlds = [random_tables(AS_OF, seed, prefix=f"W{seed}-") for seed in seeds]
    return {name: pa.concat_tables(world[name] for world in worlds) for name in worlds[0]}


def features(tables: dict[str, Any]) -> Mapping[date, Rows]:
    """All families on three days."""
    return build_days(tables, days=DAYS, target=Target(), products=PRODUCTS)


def differences(one: pa.Table, other: pa.Table) -> dict[str, list[tuple[Any, ...]]]:
    """Account and both values of each cell that differs, by column; numbers differ by more than 1e-9."""
    assert other.schema == one.schema
    found = {}
    for name in one.column_names:
        left, right = one[name], other[name]
        if pa.types.is_floating(left.type):
            same = np.isclose(left.to_numpy(), right.to_numpy(), rtol=1e-9, atol=0, equal_nan=True)
        else:
            same = np.array([a == b for a, b in zip(left.to_pylist(), right.to_pylist(), strict=True)])
        wrong = np.flatnonzero(~same)
        if len(wrong):
            cells = (one["account_id"].take(wrong), left.take(wrong), right.take(wrong))
            found[name] = list(zip(*(each.to_pylist() for each in cells), strict=True))
    return found


def test_every_feature_is_the_same_on_spark(spark: Any) -> None:
    """Of random rows of every table, on three days: columns, accounts, values, unknown ones, completeness."""
    given = several(seeds=(1, 2))
    expected, found = features(on_duckdb(given)), features(on_spark(given, spark))
    for day in DAYS:
        assert differences(expected[day].table, found[day].table) == {}, day
        assert expected[day].absent == found[day].absent
        assert expected[day].table.num_rows > 20
    whole = pa.concat_tables(rows.table for rows in expected.values())
    told = [name for name in CATALOGUE if len(set(map(str, whole[name].to_pylist())) - {"nan", "None"}) > 1]
    assert len(told) > 0.95 * len(CATALOGUE), CATALOGUE.keys() - told


def test_partials_are_the_same_on_spark(spark: Any) -> None:
    """Events of a hundred users: those of nobody, without feature or session, late ones and equal ones."""
    given = {"events": random_tables(AS_OF, 3)["events"]}
    made = []
    for tables in (on_duckdb(given), on_spark(given, spark)):
        events = tables["events"]
        with Workspace(events.get_backend()) as space:
            partials = partials_of(events, ("account_id",), space.keep)
            rows = {name: table.to_pyarrow() for name, table in partials.items()}
        made.append({name: sorted(table.to_pylist(), key=str) for name, table in rows.items()})
    assert len(made[0]["user_day"]) > 500
    assert made[1] == made[0]
