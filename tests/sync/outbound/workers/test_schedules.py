"""Any order of workers, kills, lost replies, late writes and people's edits: each operation once, or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.errors import TerminalError

TIER = "Expansion_Tier__c"
NOTE = "Expansion_Reason_1__c"
FAULT = st.sampled_from(
    ["none", "away", "lost_before", "lost_after", "late 1", "late 4", "late 14", "wait 9", "page"]
)
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("step"), st.integers(0, 2), st.integers(1, 40)),
        st.tuples(st.just("kill"), st.integers(0, 2), st.integers(1, 12)),
        st.tuples(st.just("wait"), st.sampled_from([1, 3, 11, 110]), st.just(0)),
        st.tuples(st.just("set back"), st.sampled_from([30, 3600]), st.just(0)),
        st.tuples(st.just("edit"), st.integers(0, 3), st.sampled_from([TIER, NOTE])),
    ),
    min_size=8,
    max_size=30,
)
SCHEDULE = given(
    faults=st.lists(FAULT, max_size=3), task_faults=st.lists(FAULT, min_size=1, max_size=4), events=EVENTS
)
PATIENCE: dict[str, Any] = {
    "derandomize": True,
    "deadline": None,
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
}
CONDITION = pytest.mark.parametrize("is_conditional", [True, False], ids=["conditional", "plain"])


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite"])
@CONDITION
@settings(max_examples=25, **PATIENCE)
@SCHEDULE
def test_every_order_of_events_writes_each_operation_once(
    crew: Any, is_conditional: bool, faults: Any, task_faults: Any, events: Any
) -> None:
    """The laws of `Crew.check` hold; where the CRM takes a condition, no person's edit is ever lost.

    Without one, an edit between read and write is overwritten: nobody edits there while workers are at it."""
    play(crew, is_conditional, faults, task_faults, events)


@pytest.mark.slow
@pytest.mark.parametrize("database", ["postgresql"])
@CONDITION
@settings(max_examples=5, **PATIENCE)
@SCHEDULE
def test_a_server_as_ledger_keeps_the_same_laws(
    crew: Any, is_conditional: bool, faults: Any, task_faults: Any, events: Any
) -> None:
    """Fewer orders, for it is slower."""
    play(crew, is_conditional, faults, task_faults, events)


def play(
    crew: Any,
    is_conditional: bool,
    faults: Sequence[str],
    task_faults: Sequence[str],
    events: Sequence[tuple[str, int, Any]],
) -> None:
    """Let it all happen, and then let one worker bring the plan to its end in peace."""
    world = crew.world
    objects = frozenset({"Account"} if is_conditional else ())
    world.crm.capabilities = replace(world.crm.capabilities, write_batch=2, conditional_write=objects)
    crew.reset()
    crew.start()
    crew.wire.faults, crew.wire.task_faults = list(faults), list(task_faults)
    edits: dict[tuple[str, str], str] = {}
    crew.hire()
    for kind, number, more in events:
        match kind:
            case "step":
                worker = crew.workers[number % len(crew.workers)]
                for _ in range(more):
                    if worker.step() == "idle":
                        world.machine.sleep(1)
            case "kill":
                worker = crew.workers.pop(number % len(crew.workers))
                for _ in range(more):
                    worker.step()
                worker.kill()
                crew.hire()
            case "wait":
                world.machine.sleep(number)
                if len(crew.workers) < 3:
                    crew.hire()
            case "set back":
                world.machine.set_back(number)
            case "edit" if is_conditional:
                crew.wire.person(f"001{number}", **{more: "low"})
                edits[f"001{number}", more] = "low"
    errors = [error for worker in crew.workers for error in worker.errors]
    assert all(isinstance(error, TerminalError) for error in errors), errors  # the page that is no API
    crew.dismiss()
    crew.wire.faults, crew.wire.task_faults = [], []
    assert crew.finish() == "applied"
    crew.check()
    for (record_id, field), value in edits.items():
        assert crew.world.crm.records[record_id][field] == value
