"""Tasks: made once a key, found by it, closed with a note, and left alone once a person has touched them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from connectors.crm import Crm, RowOutcome, TaskDraft
from connectors.errors import AmbiguousError
from infra.contract.org import Org
from infra.contract.orgs import BY_SEARCH, ORGS

DUE = date(2026, 11, 20)
Draft = Callable[..., TaskDraft]


@pytest.fixture(params=[*ORGS, BY_SEARCH])
def crm_name(request: pytest.FixtureRequest) -> str:
    """Every CRM, and an account that can't refuse a second task with a key."""
    name: str = request.param
    return name


@pytest.fixture
def account(org: Org) -> str:
    """Whose tasks they are."""
    return org.create("accounts", name="A")


@pytest.fixture
def draft(account: str) -> Draft:
    """A task for the account."""

    def make(key: str, **changes: Any) -> TaskDraft:
        values: dict[str, Any] = {
            "subject": "Talk about seats",
            "body": "96 % of seats are used.\n<b>Not</b> & bold.",
            "due": DUE,
            "owner_id": None,
            "account_crm_id": account,
            "contact_crm_id": None,
        }
        return TaskDraft(key=key, **{**values, **changes})

    return make


def test_a_task_is_found_by_its_key_as_it_was_made(org: Org, crm: Crm, draft: Draft, account: str) -> None:
    """Account, subject, day; open, and touched by nobody. Another connection finds it too."""
    contact = org.create("contacts", name="C", account_crm_id=account)
    made = crm.create_tasks([draft("k:1", contact_crm_id=contact, priority="high")])
    assert [(each.key, each.outcome) for each in made] == [("k:1", RowOutcome.APPLIED)]
    for connection in (crm, org.connect()):
        found = connection.find_tasks(["k:1", "k:2"], sent_to={"k:1": account})
        assert found.keys() == {"k:1"}
        state = found["k:1"]
        assert (state.id, state.account_crm_id, state.subject) == (made[0].id, account, "Talk about seats")
        assert (state.is_closed, state.touched, state.due) == (False, False, DUE)


def test_a_bad_draft_stops_no_good_one(org: Org, crm: Crm, draft: Draft) -> None:
    """An owner that does not exist is refused, with the vendor's code."""
    results = crm.create_tasks([draft("k:1"), draft("k:2", owner_id=org.unknown_owner), draft("k:3")])
    assert [each.key for each in results] == ["k:1", "k:2", "k:3"]
    assert [each.outcome for each in results] == [
        RowOutcome.APPLIED,
        RowOutcome.REFUSED,
        RowOutcome.APPLIED,
    ]
    assert results[1].vendor_code
    assert crm.find_tasks(["k:1", "k:2", "k:3"]).keys() == {"k:1", "k:3"}


@pytest.mark.parametrize(("kind", "happened"), [("reset_before", False), ("reset_after", True)])
def test_a_lost_reply_is_settled_by_looking_for_the_key(
    org: Org, crm: Crm, draft: Draft, account: str, kind: str, happened: bool
) -> None:
    """Sent once; it is there or it is not."""
    crm.find_tasks(["warm"])
    org.break_("tasks", kind)
    with pytest.raises(AmbiguousError):
        crm.create_tasks([draft("k:1")])
    assert len(org.requests("tasks")) == 1
    org.mend()
    found = org.connect().find_tasks(["k:1"], sent_to={"k:1": account})
    assert (found.keys() == {"k:1"}) is happened


def test_a_second_task_with_a_key_is_refused_or_the_older_one_is_ours(
    org: Org, crm: Crm, draft: Draft
) -> None:
    """Where the vendor makes it all the same, a search tells the older one."""
    first = crm.create_tasks([draft("k:1")])[0]
    second = org.connect().create_tasks([draft("k:1")])[0]
    assert second.outcome in {RowOutcome.UNCHANGED, RowOutcome.APPLIED}
    if crm.capabilities.unique_task_key:
        assert (second.outcome, second.id) == (RowOutcome.UNCHANGED, first.id)
    assert crm.find_tasks(["k:1"])["k:1"].id == first.id


def test_a_key_comes_once_in_a_call(crm: Crm, draft: Draft) -> None:
    """A mistake of the caller."""
    with pytest.raises(ValueError, match="key"):
        crm.create_tasks([draft("k:1"), draft("k:1")])


def test_closing_appends_the_note_and_closes_once_for_all(org: Org, crm: Crm, draft: Draft) -> None:
    """A deleted one is gone; the others close."""
    made = {each.key: str(each.id) for each in crm.create_tasks([draft("k:1"), draft("k:2")])}
    org.delete("tasks", made["k:2"])
    results = crm.close_tasks({made["k:1"]: "Taken back <i>now</i>.", made["k:2"]: "x"})
    assert [(each.key, each.outcome) for each in results] == [
        (made["k:1"], RowOutcome.APPLIED),
        (made["k:2"], RowOutcome.GONE),
    ]
    state = crm.find_tasks(["k:1"])["k:1"]
    assert (state.is_closed, state.touched) == (True, False)
    body = str(org.held("tasks", made["k:1"]))
    assert "96 % of seats" in body
    assert "Taken back" in body


def test_a_task_that_a_person_changed_is_touched(org: Org, crm: Crm, draft: Draft) -> None:
    """So that nobody's work is closed over."""
    made = crm.create_tasks([draft("k:1"), draft("k:2")])
    org.advance(minutes=5)
    subject = "Subject" if org.kind == "salesforce" else "hs_task_subject"
    org.edit("tasks", str(made[0].id), {subject: "I call them"})
    found = crm.find_tasks(["k:1", "k:2"])
    assert (found["k:1"].touched, found["k:2"].touched) == (True, False)


def test_what_came_of_a_task_is_read_with_its_day(org: Org, crm: Crm, draft: Draft) -> None:
    """An outcome that a person picks, whether the task is closed yet or not; a closed one has its moment."""
    made = {each.key: str(each.id) for each in crm.create_tasks([draft("k:1"), draft("k:2"), draft("k:3")])}
    status, done = {
        "salesforce": ("Status", "Completed"),
        "hubspot": ("hs_task_status", "COMPLETED"),
    }[org.kind]
    org.advance(minutes=90)
    at = org.now
    org.edit("tasks", made["k:1"], {org.ours("task_outcome"): "accepted"})
    org.edit("tasks", made["k:2"], {status: done})
    org.advance(minutes=90)
    found = crm.find_tasks(["k:1", "k:2", "k:3"])
    told = {key: (state.outcome, state.is_closed, state.touched) for key, state in found.items()}
    assert told == {"k:1": ("accepted", False, True), "k:2": (None, True, True), "k:3": (None, False, False)}
    for key in ("k:1", "k:2"):
        when = found[key].outcome_at
        assert when is not None
        assert abs(when - at) < timedelta(minutes=1)
    assert found["k:3"].outcome_at is None


def test_keys_in_any_number_are_found(org: Org, crm: Crm, draft: Draft) -> None:
    """More than a query's list holds, in calls of their own, by whoever asks; capitals are no matter."""
    keys = [f"account-{number}:expand:2026-Q4" for number in range(130)]
    size = min(crm.capabilities.write_batch, 100)
    for start in range(0, len(keys), size):
        crm.create_tasks([draft(key) for key in keys[start : start + size]])
    org.advance(minutes=1)  # the index has caught up
    another = org.connect()
    assert another.find_tasks([*keys, "other"]).keys() == set(keys)
    assert another.find_tasks([]) == {}
