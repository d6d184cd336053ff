"""Whatever is done to the journal or its chain behind our back is found, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import JSON, Table, select, text, update
from sqlalchemy.orm import Session

from sync import chain
from sync.audit import Verdict, verdict, verify
from sync.store import Store
from sync.store.base import UtcDateTime
from sync.store.people import ApprovalRow
from sync.store.writeback import JournalRow, LinkRow

TABLES: dict[str, Table] = {table.__tablename__: table.__table__ for table in (JournalRow, LinkRow)}  # type: ignore[misc]
Row = dict[str, Any]


@pytest.fixture
def used(world: Any, score: Callable[..., dict[str, Any]]) -> Any:
    """A world in which two plans were applied, one partly taken back, and one approved."""
    first = world.plan(*(score(n) for n in range(4)))
    world.apply(first)
    world.rollback(first.id, account="a1")
    world.now += timedelta(hours=1)
    second = world.plan(*(score(n, probability=0.6) for n in range(6)))
    with world.store.begin() as session:
        row = ApprovalRow(
            id="ap-1", kind="size", org_id=second.org_id, plan_id=second.id, fields=[], operator="dana",
            at=world.now, note="",
        )  # fmt: skip
        session.add(row)
        chain.add_approval(session, row)
    world.apply(second)
    return world


@contextmanager
def tampering(store: Store) -> Iterator[Session]:
    """A session in which anything can be done to the ledger, and nothing is kept."""
    with store.session() as session:
        if session.get_bind().dialect.name == "sqlite":
            session.execute(text("PRAGMA defer_foreign_keys = ON"))
        else:
            session.execute(text("SET LOCAL session_replication_role = replica"))
        yield session


def rows_of(session: Session, table: Table) -> list[Row]:
    """The rows of a table in the order of their numbers."""
    found = session.execute(select(table).order_by(*table.primary_key.columns))
    return [dict(row._mapping) for row in found]


def number_of(table: Table) -> str:
    """The column that numbers a table's rows."""
    return next(iter(table.primary_key.columns)).name


def put(session: Session, table: Table, number: Any, **values: Any) -> None:
    """Change a row by hand."""
    key = table.columns[number_of(table)]
    session.execute(update(table).where(key == number).values(values))


def names(found: Verdict) -> str:
    """Everything that the faults name."""
    return " ".join(fault.record for fault in found.faults)


def other(draw: st.DataObject, table: Table, column: str, held: Any) -> Any:
    """Another value for a column that holds this one."""
    kind = table.columns[column].type
    nothing = [st.none()] if table.columns[column].nullable else []
    if isinstance(kind, UtcDateTime):
        moved = st.timedeltas(timedelta(days=-9), timedelta(days=9))
        options = [moved.map(lambda by: (held or datetime(2026, 1, 1).astimezone()) + by)]
    elif isinstance(kind, JSON):
        values = st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.text("abc", max_size=3))
        options = [values.map(lambda value: {"value": value}), values.map(lambda value: [value])]
        options.append(st.just({"entries": [[1, 2]], "reason": "x", "operations": []}))
    elif isinstance(held, int) or column in ("undoes", "id", "seq"):
        options = [st.integers(-3, 10_000)]
    else:
        options = [st.text("0123456789abcdef", max_size=64), st.just(f"{held}x")]
    return draw.draw(st.one_of(*nothing, *options).filter(lambda value: value != held), label=column)


LAWS = settings(
    derandomize=True,
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def test_an_untouched_ledger_verifies(used: Any) -> None:
    """Cells, restores, tasks and approvals: no fault, and a head to keep."""
    found = verify(used.store)
    assert found.faults == ()
    with used.store.session() as session:
        last = rows_of(session, TABLES["journal_links"])[-1]
        kinds = {row["kind"] for row in rows_of(session, TABLES["journal"])}
    assert found.head == f"{last['seq']}:{last['mac']}"
    assert kinds == {"write", "restore", "task", "close"}
    assert verify(used.store, head=found.head).faults == ()


@pytest.mark.parametrize("name", TABLES)
def test_any_change_to_any_column_is_found_and_the_row_is_named(used: Any, name: str) -> None:
    """Facts, contents, salts, digests, numbers: there is no column that could be changed unseen."""
    table = TABLES[name]
    with used.store.session() as session:
        held = rows_of(session, table)

    @LAWS
    @given(st.sampled_from(held), st.sampled_from([column.name for column in table.columns]), st.data())
    def law(row: Row, column: str, draw: st.DataObject) -> None:
        number = row[number_of(table)]
        value = other(draw, table, column, row[column])
        taken = column == number_of(table) and value in [each[column] for each in held]
        with tampering(used.store) as session:
            if not taken:
                put(session, table, number, **{column: value})
                found = verdict(session, None)
                assert str(number) in names(found)

    law()
