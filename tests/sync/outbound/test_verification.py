"""What was written is looked at again: by the reply where it shows the record, else in few large readings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from connectors.crm import Change, RowOutcome, RowResult, Value
from sync.cells import Cell, cell_to_json
from sync.delivery import Settled
from sync.gateway import CellErrand
from sync.mapping import field_map
from sync.operations import Operation

TIER = "Expansion_Tier__c"


@dataclass
class Asked:
    """The readings that an errand makes: how many records each."""

    sizes: list[int] = field(default_factory=list)


@pytest.fixture
def asked(world: Any, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """A CRM with a hundred accounts, fifty of them in a reading, that remembers how it is read."""
    world.crm.records = {f"001{n}": {TIER: "high"} for n in range(100)}
    noted, read = Asked(), world.crm.read

    def counting(object_name: str, ids: Sequence[str], fields: Sequence[str]) -> Any:
        noted.sizes.append(len(ids))
        return read(object_name, ids, fields)

    monkeypatch.setattr(world.crm, "read", counting, raising=False)
    return noted


def errand(world: Any, **able: Any) -> CellErrand:
    """The gateway to a CRM that is able to do this."""
    world.crm.capabilities = replace(world.crm.capabilities, **able)
    return CellErrand(crm=world.crm, fields=field_map(world.crm))


def applied(numbers: Sequence[int], held: Value | None = None) -> list[Settled]:
    """Writes of a tier that were applied, with what the replies show."""
    cell = cell_to_json(Cell(key="tier", name=TIER, before=None, after="high"))
    shown = None if held is None else {TIER: held}
    return [
        (
            Operation(
                key=f"p:{n}", plan_id="p", run_id="r", position=n, kind="write", object="Account",
                record_id=f"001{n}", account_id=f"a{n}", payload={"cells": [cell]},
            ),
            RowResult(key=f"p:{n}", outcome=RowOutcome.APPLIED, held=shown),
        )
        for n in numbers
    ]  # fmt: skip


def test_what_was_written_is_read_again_when_it_fills_a_call(world: Any, asked: Asked) -> None:
    """Three batches of thirty: one reading of fifty, and one of the rest at the end."""
    gateway = errand(world)
    for start in (0, 30, 60):
        gateway.verify(applied(range(start, start + 30)))
    assert asked.sizes == [50]
    gateway.verify_rest()
    assert asked.sizes == [50, 40]
    gateway.verify_rest()
    assert asked.sizes == [50, 40], "nothing is looked at twice"
    assert gateway.drifts == []


def test_a_cell_that_did_not_stay_is_told_though_the_reading_waited(world: Any, asked: Asked) -> None:
    """With what was written and what is there."""
    gateway = errand(world)
    world.crm.records["0017"][TIER] = "low"
    gateway.verify(applied(range(10)))
    assert gateway.drifts == []
    gateway.verify_rest()
    assert [(d.record_id, d.field, d.written, d.held) for d in gateway.drifts] == [
        ("0017", TIER, "high", "low")
    ]


def test_where_the_reply_shows_the_record_a_tenth_is_read_again(world: Any, asked: Asked) -> None:
    """Which tenth, the operations' keys decide: the same ones every time."""
    sizes = []
    for _ in range(2):
        gateway = errand(world, read_again=0.1, read_batch=200)
        gateway.verify(applied(range(1000), held="high"))
        assert asked.sizes == sizes
        gateway.verify_rest()
        sizes.append(asked.sizes[-1])
    assert sizes[0] == sizes[1]
    assert 60 <= sizes[0] <= 140


def test_a_reply_that_shows_another_value_is_a_drift_without_a_reading(world: Any, asked: Asked) -> None:
    """And a reply that does not show the field is read again, however small the sample."""
    gateway = errand(world, read_again=0.0)
    gateway.verify(applied([1], held="low") + applied([2]))
    gateway.verify_rest()
    assert [(d.record_id, d.held) for d in gateway.drifts] == [("0011", "low")]
    assert asked.sizes == [1]


def test_an_apply_verifies_all_that_it_wrote_before_it_says_so(world: Any, score: Any) -> None:
    """An automation undoes the last record's tier; the report names it."""

    def undo() -> None:
        def again() -> None:
            world.crm.records["0013"][TIER] = "low"

        world.crm.after_write.append(again)

    world.crm.after_write.append(undo)
    report = world.apply(world.plan(*(score(n, tier="high") for n in range(4))))
    assert report.outcomes == {"applied": 4}
    assert [(d.record_id, d.held) for d in report.drifts] == [("0013", "low")]


def test_a_call_is_no_larger_than_the_crm_takes(world: Any, score: Any) -> None:
    """Long texts leave in several calls, each of which bears its own rows only."""
    world.crm.capabilities = replace(world.crm.capabilities, write_batch=50, write_bytes=1)
    calls: list[int] = []
    write = world.crm.write

    def counting(changes: Sequence[Change]) -> Any:
        calls.append(len(changes))
        return write(changes)

    world.crm.write = counting
    report = world.apply(world.plan(*(score(n, tier="low") for n in range(4))))
    assert (report.outcomes, calls) == ({"applied": 4}, [1, 1, 1, 1])
