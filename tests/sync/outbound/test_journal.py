"""The journal keeps every cell as it was written, whatever it holds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.crm import Value
from sync import journal
from sync.audit import verify
from sync.cells import Cell, cell_to_json
from sync.journal import Entry
from sync.operations import Operation, add

Write = Callable[..., list[Entry]]


@pytest.fixture
def write(world: Any, score: Callable[..., dict[str, Any]]) -> Write:
    """Journal writes of these cells, one record each; the plan's standing entries afterwards."""
    plan = world.plan(score(1))
    done = 0

    def written(*records: list[Cell], undoes: dict[str, int] | None = None) -> list[Entry]:
        nonlocal done
        operations = []
        for cells in records:
            held = [cell_to_json(cell) | ({"undoes": undoes[cell.name]} if undoes else {}) for cell in cells]
            operations.append(
                Operation(
                    key=f"op-{done}",
                    plan_id=plan.id,
                    run_id=plan.run_id,
                    position=1000 + done,
                    kind="write",
                    object="Account",
                    record_id=f"001{done}",
                    account_id=f"a{done}",
                    payload={"cells": held},
                )
            )
            done += 1
        with world.store.begin() as session:
            add(session, operations, world.now)
            journal.record(session, operations, world.now)
        with world.store.session() as session:
            return journal.standing(session, plan.id)

    return written


VALUES: list[Value] = [
    None,
    True,
    False,
    0,
    -7,
    2**53 + 1,
    0.1 + 0.2,
    1e-7,
    1.0,
    "",
    "  “Grüße” \\ \"quoted\" 'single'\n\ttab \u2028 😀 null {}",
    date(2026, 11, 20),
    datetime(2026, 11, 20, 9, 30, 15, tzinfo=UTC),
    ("a,b", "c;d"),
]


def test_each_value_comes_back_as_it_was(write: Write) -> None:
    """Text to the last character, numbers to the last digit, and of the same type."""
    cells = [
        Cell(key=f"k{n}", name=f"F{n}__c", before=value, after=after)
        for n, (value, after) in enumerate(zip(VALUES, reversed(VALUES), strict=True))
    ]
    entries = write(cells)
    found = [(e.key, e.field, e.before, e.after) for e in entries]
    assert found == [(c.key, c.name, c.before, c.after) for c in cells]
    assert [type(e.before) for e in entries] == [type(value) for value in VALUES]


def test_entries_stand_in_the_order_of_their_operations(write: Write) -> None:
    """Each under its record, with the cells in the order in which they were planned."""
    cells = [Cell(key=key, name=f"{key}__c", before=None, after=key) for key in ("b", "a")]
    entries = write(cells, cells[:1], cells)
    found = [(e.record_id, e.account_id, e.key) for e in entries]
    assert found == [
        ("0010", "a0", "b"),
        ("0010", "a0", "a"),
        ("0011", "a1", "b"),
        ("0012", "a2", "b"),
        ("0012", "a2", "a"),
    ]


def test_a_restore_takes_back_the_entry_that_it_names(write: Write) -> None:
    """Only that one no longer stands."""
    cells = [Cell(key=key, name=f"{key}__c", before=None, after=key) for key in ("a", "b")]
    first, second = write(cells)
    back = Cell(key="a", name="a__c", before="a", after=None)
    assert write([back], undoes={"a__c": first.id}) == [second]


TEXTS = st.text(st.sampled_from('aé=\0\ud800\udfff\n"\\ 😀'), max_size=6)
"""With NUL and halves of surrogate pairs, which no database holds."""
ANY: st.SearchStrategy[Value] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    TEXTS,
    st.dates(),
    st.datetimes(timezones=st.just(UTC)),
    st.lists(TEXTS, max_size=3).map(tuple),
)


def test_whatever_was_written_verifies(write: Write, world: Any) -> None:
    """Digests are made before the database has the row, and are right for what it gives back."""

    @settings(derandomize=True, deadline=None, max_examples=60)
    @given(st.lists(st.tuples(TEXTS, ANY, ANY), min_size=1, max_size=4))
    def law(drawn: list[tuple[str, Value, Value]]) -> None:
        write([Cell(key=f"k{key}", name=key, before=before, after=after) for key, before, after in drawn])
        assert verify(world.store).faults == ()

    law()


def test_nothing_written_leaves_no_entry(write: Write) -> None:
    """A batch that was refused whole is no error."""
    assert write() == []
