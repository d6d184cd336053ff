"""Whatever is done to the journal or its chain behind our back is found, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import JSON, Table, delete, insert, select, text, update
from sqlalchemy.orm import Session

from connectors.errors import StateError, UsageError
from sync import chain
from sync.audit import Verdict, verdict, verify
from sync.erasure import erase
from sync.mentions import Sought
from sync.store import Store
from sync.store.base import UtcDateTime
from sync.store.people import ApprovalRow
from sync.store.writeback import JournalRow, LinkRow, OperationRow, TaskRow

TABLES: dict[str, Table] = {table.__tablename__: table.__table__ for table in (JournalRow, LinkRow)}  # type: ignore[misc]
Row = dict[str, Any]


@pytest.fixture
def used(world: Any, score: Callable[..., dict[str, Any]]) -> Any:
    """A world in which a plan was applied and partly taken back, one approved and applied, someone erased."""
    first = world.plan(*(score(n) for n in range(3)))
    world.apply(first)
    world.rollback(first.id, account="a1")
    erase(world.store, Sought(records=frozenset({"a0"})), reason="request 1", at=world.now)
    world.now += timedelta(hours=1)
    second = world.plan(*(score(n, probability=0.6) for n in range(1, 4)))
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
    max_examples=60,
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
    assert found.erased > 0
    assert verify(used.store, head=found.head).faults == ()
    assert names(verify(used.store, head=f"{last['seq']}:{'0' * 64}")) == f"link {last['seq']}"


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


def test_each_column_of_an_erased_entry_and_of_each_kind_of_link_counts(used: Any) -> None:
    """One of each, whichever the law above happens to draw; an entry without content has other rules."""
    with used.store.session() as session:
        entries = rows_of(session, TABLES["journal"])
        links = {row["kind"]: row for row in rows_of(session, TABLES["journal_links"])}
    erased = next(row for row in entries if row["erased_at"] is not None)
    places = [(TABLES["journal"], erased), *((TABLES["journal_links"], row) for row in links.values())]
    assert set(links) == {"entries", "approval", "erasure"}

    @settings(LAWS, max_examples=3)
    @given(st.data())
    def law(draw: st.DataObject) -> None:
        for table, row in places:
            for column in table.columns.keys():  # noqa: SIM118  # a ColumnCollection gives columns
                if column in (number_of(table), "undoes"):
                    continue
                with tampering(used.store) as session:
                    number = row[number_of(table)]
                    put(session, table, number, **{column: other(draw, table, column, row[column])})
                    assert str(number) in names(verdict(session, None))

    law()


def each_row(store: Store) -> list[tuple[Table, Row, Row]]:
    """Every row of both tables, each with the one after it."""
    with store.session() as session:
        held = {name: rows_of(session, table) for name, table in TABLES.items()}
    return [
        (TABLES[name], row, after)
        for name, rows in held.items()
        for row, after in zip(rows, [*rows[1:], rows[0]], strict=True)
    ]


def test_any_row_that_is_removed_is_found(used: Any) -> None:
    """From the middle and from the end, without a head that was kept."""

    @LAWS
    @given(st.sampled_from(each_row(used.store)))
    def law(place: tuple[Table, Row, Row]) -> None:
        table, row, after = place
        number, is_last = row[number_of(table)], after[number_of(table)] < row[number_of(table)]
        with tampering(used.store) as session:
            session.execute(delete(table).where(table.columns[number_of(table)] == number))
            found = verdict(session, None)
        assert found.faults
        assert str(number) in names(found) or (is_last and table.name == "journal_links")

    law()


def test_rows_that_change_places_are_found(used: Any) -> None:
    """Everything but the number is swapped between two neighbours."""

    @LAWS
    @given(st.sampled_from(each_row(used.store)))
    def law(place: tuple[Table, Row, Row]) -> None:
        table, row, after = place
        key = number_of(table)
        if table.name == "journal" and row["undoes"] != after["undoes"]:
            return  # unique: a database would refuse it
        with tampering(used.store) as session:
            for number, values in ((row[key], after), (after[key], row)):
                put(session, table, number, **{name: value for name, value in values.items() if name != key})
            found = verdict(session, None)
        assert str(row[key]) in names(found)
        assert str(after[key]) in names(found)

    law()


def test_rows_that_are_put_in_are_found(used: Any) -> None:
    """A copy of any row, under a number of its own, at either end."""

    @LAWS
    @given(st.sampled_from(each_row(used.store)), st.sampled_from([0, 10_000]))
    def law(place: tuple[Table, Row, Row], number: int) -> None:
        table, row, _ = place
        copy = row | {number_of(table): number} | ({"undoes": None} if table.name == "journal" else {})
        with tampering(used.store) as session:
            session.execute(insert(table).values(copy))
            found = verdict(session, None)
        assert str(number) in names(found)

    law()


def test_the_newest_links_can_only_be_cut_off_where_nothing_speaks_of_them(used: Any) -> None:
    """With its entries removed as well, the operations still say that something was written."""
    with tampering(used.store) as session:
        last = rows_of(session, TABLES["journal_links"])[-1]
        (first, end), *_ = last["ref"]["entries"]
        session.execute(delete(JournalRow.__table__).where(JournalRow.__table__.c.id.between(first, end)))
        session.execute(delete(LinkRow.__table__).where(LinkRow.__table__.c.seq == last["seq"]))
        found = verdict(session, None)
        session.execute(delete(TaskRow))
        without_tasks = verdict(session, None)
    assert {fault.code for fault in found.faults} == {"missing"}
    assert "FY2026Q4" in names(found)  # the keys of the tasks that were made
    assert names(without_tasks) == names(found)  # the operations that made them are still there


def test_a_head_that_was_kept_tells_a_chain_that_was_cut_off(used: Any) -> None:
    """Even when everything that speaks of the newest link is removed with it."""
    head = verify(used.store).head
    assert head is not None
    seq = int(head.split(":")[0])
    with tampering(used.store) as session:
        (link,) = (row for row in rows_of(session, TABLES["journal_links"]) if row["seq"] == seq)
        (first, end), *_ = link["ref"]["entries"]
        session.execute(delete(JournalRow.__table__).where(JournalRow.__table__.c.id.between(first, end)))
        session.execute(delete(TaskRow).where(TaskRow.run_id == "run-2"))
        written = (OperationRow.kind == "task", OperationRow.run_id == "run-2")
        session.execute(update(OperationRow).where(*written).values(outcome="failed"))
        session.execute(delete(LinkRow.__table__).where(LinkRow.__table__.c.seq == seq))
        assert verdict(session, None).faults == ()
        assert names(verdict(session, (seq, link["mac"]))) == f"link {seq}"


@pytest.mark.parametrize("head", ["", "7", "7:", ":ab", "x:ab"])
def test_a_head_that_is_none_is_the_users_slip(ledger: Store, head: str) -> None:
    """It is said how a head looks."""
    with pytest.raises(UsageError, match="SEQ:MAC"):
        verify(ledger, head=head)


def test_a_ledger_in_which_nothing_was_written_is_whole(ledger: Store) -> None:
    """No link, no head, no fault."""
    found = verify(ledger)
    assert (found.links, found.entries, found.head, found.faults) == (0, 0, None, ())


def test_entries_whose_links_are_all_gone_are_found(used: Any) -> None:
    """Verifying says so, and nothing more is written over it."""
    with tampering(used.store) as session:
        session.execute(delete(LinkRow.__table__))
        found = verdict(session, None)
        assert "journal_links" in names(found)
        with pytest.raises(StateError, match="links are gone"):
            chain.add(session, "install", {"fields": []}, at=used.now)


def test_an_approval_that_nobody_gave_is_found(used: Any) -> None:
    """Put in, changed or taken away: each is told."""
    with tampering(used.store) as session:
        row = session.get(ApprovalRow, "ap-1")
        assert row is not None
        assert chain.vouches_for(session, row)
        row.operator = "somebody"
        assert not chain.vouches_for(session, row)
        assert {fault.code for fault in verdict(session, None).faults} == {"inserted", "missing"}
    with tampering(used.store) as session:
        session.execute(delete(ApprovalRow).where(ApprovalRow.id == "ap-1"))
        assert [(fault.code, fault.record) for fault in verdict(session, None).faults] == [
            ("missing", "approval ap-1")
        ]
