"""The checker over evidence that is made up: nothing of a sound run, the promise's name of a broken one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from connectors.sandbox.audit import AuditedRequest, AuditedRow
from infra.chaos.checker import check
from infra.chaos.evidence import ChangeSeen, EntrySeen, Evidence, OperationSeen, PlanSeen, TaskSeen

SCORE = ("Account", "001", "Score")
KEY = "Task_Key"


def change(place: tuple[str, str, str], before: str, after: str, request: int | None = 1) -> ChangeSeen:
    """A change by us in a request, by a person without one."""
    return ChangeSeen(request=request, place=place, before=before, after=after, ours=request is not None)


def request(number: int) -> AuditedRequest:
    """A write that was taken."""
    return AuditedRequest(
        number=number, at="", endpoint="update", method="PATCH", path="/", status=200, api_calls=1, fault=None
    )


def sound() -> Evidence:
    """A score written from 1 to 2 and a task made, as planned."""
    write = OperationSeen(
        key="w", plan_id="p", kind="write", record_id="001", cells=(("Score", "1", "2"),), task_key=None,
        task_id=None, state="done", outcome="applied", attempts=1, requests=1,
    )  # fmt: skip
    task = replace(write, key="t", kind="task", cells=(), task_key="k")
    born = [("Id", "null", '"00T"', 2), (KEY, "null", '"k"', 2), ("Status", "null", '"Open"', 2)]
    return Evidence(
        plans={"p": PlanSeen(id="p", object="Account", fields=frozenset({"Score"}), status="applied")},
        approved=frozenset({"p"}),
        operations=(write, task),
        journal=(EntrySeen(operation_key="w", place=SCORE, before="1", after="2"),),
        tasks=(TaskSeen(key="k", id="00T", closed=False),),
        changes=(
            change(SCORE, "1", "2"),
            *(change(("Task", "00T", name), before, after, number) for name, before, after, number in born),
        ),
        requests=(request(1), request(2)),
        rows=(
            AuditedRow(request=1, id="001", digest="w"),
            AuditedRow(request=2, id=None, digest="t"),
        ),
        held={SCORE: "2"},
        crm_tasks=(TaskSeen(key="k", id="00T", closed=False),),
        task_object="Task",
        key_field=KEY,
    )


def with_write(**changed: Any) -> Evidence:
    """The sound run with another write operation."""
    evidence = sound()
    write, task = evidence.operations
    return replace(evidence, operations=(replace(write, **changed), task))


def and_then(*changes: ChangeSeen, held: str = "2") -> Evidence:
    """The sound run, after which this happened too."""
    evidence = sound()
    return replace(evidence, changes=(*evidence.changes, *changes), held={SCORE: held})


def asked_for_twice(outcome: str) -> Evidence:
    """The sound run, and a later plan that wants the same task."""
    evidence = sound()
    again = replace(evidence.operations[1], key="t2", outcome=outcome)
    return replace(evidence, operations=(*evidence.operations, again))


BROKEN: dict[str, tuple[str, Evidence]] = {
    "an operation without an outcome": ("I1", with_write(state="planned", outcome=None)),
    "an outcome that is none": ("I1", with_write(outcome="lost")),
    "applied, and nothing happened": ("I1", replace(with_write(), changes=sound().changes[1:], journal=())),
    "refused, and yet it happened": ("I1", with_write(outcome="refused")),
    "a conflict that nobody caused": (
        "I1", replace(with_write(outcome="conflict"), changes=sound().changes[1:], journal=()),
    ),
    "half of a record": ("I1", with_write(cells=(("Score", "1", "2"), ("Tier", "1", "2")))),
    "written twice": ("I2", and_then(change(SCORE, "2", "1", None), change(SCORE, "1", "2", 3))),
    "two who say that they made it": ("I1", asked_for_twice("applied")),
    "two tasks for a key": ("I2", and_then(change(("Task", "00U", KEY), "null", '"k"', 3))),
    "a value that nobody planned": ("I3", and_then(change(SCORE, "2", "9", 3), held="9")),
    "a field that is not ours": ("I3", and_then(change(("Account", "001", "Phone"), "null", '"1"', 3))),
    "another object": ("I3", and_then(change(("Contact", "003", "Name"), "null", '"1"', 3))),
    "a plan that nobody approved": ("I3", replace(sound(), approved=frozenset())),
    "a task that nobody planned": ("I3", and_then(change(("Task", "00U", KEY), "null", '"x"', 3))),
    "a task that was changed": ("I3", and_then(change(("Task", "00T", "Subject"), "null", '"x"', 3))),
    "another value overwritten": ("I4", with_write(cells=(("Score", "7", "2"),))),
    "no journal": ("I5", replace(sound(), journal=())),
    "a journal that tells it twice": ("I5", replace(sound(), journal=(*sound().journal, *sound().journal))),
    "another value in the CRM": ("I5", replace(sound(), held={SCORE: "3"})),
    "a task that the ledger lacks": ("I5", replace(sound(), tasks=())),
    "a task that the CRM never had": (
        "I5", replace(sound(), tasks=(*sound().tasks, TaskSeen(key="x", id="00X", closed=False))),
    ),
    "a task closed in the ledger only": (
        "I5", replace(sound(), tasks=(TaskSeen(key="k", id="00T", closed=True),)),
    ),
    "too many requests by the ledger": ("I7", with_write(requests=7)),
    "too many requests by the CRM": (
        "I7", replace(sound(), rows=tuple(AuditedRow(request=n, id="001", digest="w") for n in range(7))),
    ),
    "a journal that does not verify": ("I8", replace(sound(), journal_faults=("changed: entry 1",))),
}  # fmt: skip


def test_nothing_is_found_in_a_sound_run() -> None:
    """Nor where a person changed the cell afterwards, or another plan found the task there."""
    assert check(sound()) == []
    assert check(and_then(change(SCORE, "2", "5", None), held="5")) == []
    assert check(asked_for_twice("unchanged")) == []


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_promise_is_named(what: str) -> None:
    """By its rule."""
    rule, evidence = BROKEN[what]
    found = check(evidence)
    assert rule in {violation.rule for violation in found}, found


def test_what_was_taken_back_before_it_was_sent_needs_no_outcome() -> None:
    """It is nobody's promise any more."""
    unsent = replace(with_write(state="planned", outcome=None), changes=sound().changes[1:], journal=())
    plan = replace(unsent.plans["p"], status="rolled_back")
    assert check(replace(unsent, plans={"p": plan})) == []


TAKEN_BACK = frozenset({"p"})


def restored(*more: ChangeSeen, held: str, closed: bool = True) -> Evidence:
    """The sound run, taken back."""
    evidence = sound()
    back = replace(evidence.operations[0], key="r", kind="restore", cells=(("Score", "2", "1"),))
    close = replace(evidence.operations[1], key="c", kind="close", task_id="00T", requests=1)
    return replace(
        evidence,
        operations=(*evidence.operations, back, close),
        journal=(*evidence.journal, EntrySeen(operation_key="r", place=SCORE, before="2", after="1")),
        changes=(
            *evidence.changes,
            change(SCORE, "2", "1", 3),
            change(("Task", "00T", "Status"), '"Open"', '"Completed"', 4),
            *more,
        ),
        held={SCORE: held},
        tasks=(TaskSeen(key="k", id="00T", closed=True),),
        crm_tasks=(TaskSeen(key="k", id="00T", closed=closed),),
    )


def test_an_exact_rollback_is_one() -> None:
    """The old value is back and the task is closed; what a person changes after that stays theirs."""
    assert check(restored(held="1"), rolled_back=TAKEN_BACK) == []
    assert check(restored(change(SCORE, "1", "8", None), held="8"), rolled_back=TAKEN_BACK) == []


def test_a_rollback_that_left_our_value_is_found() -> None:
    """It was to be the old one."""
    assert "I6" in {each.rule for each in check(sound(), rolled_back=TAKEN_BACK)}


def test_a_rollback_over_a_persons_value_is_found() -> None:
    """What they wrote was to stay."""
    evidence = sound()
    theirs = (change(SCORE, "2", "5", None), change(SCORE, "5", "1", 3))
    over = replace(evidence, changes=(*evidence.changes, *theirs), held={SCORE: "1"})
    assert "I6" in {each.rule for each in check(over, rolled_back=TAKEN_BACK)}


def test_a_task_that_someone_worked_on_must_not_be_closed() -> None:
    """And one that nobody touched must be."""
    worked = change(("Task", "00T", "Subject"), '"a"', '"b"', None)
    closing = change(("Task", "00T", "Status"), '"Open"', '"Completed"', 5)
    found = check(restored(worked, closing, held="1"), rolled_back=TAKEN_BACK)
    assert "a task that someone worked on was changed" in {each.why for each in found}
    open_still = check(restored(held="1", closed=False), rolled_back=TAKEN_BACK)
    assert "a task that nobody touched was left open" in {each.why for each in open_still}
