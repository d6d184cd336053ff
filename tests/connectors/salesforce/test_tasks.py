"""Tasks that Upswell makes."""

# ruff: noqa: E501  # a record in one line reads better

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from connectors.crm import RowOutcome, TaskDraft
from connectors.errors import AmbiguousError, SetupError
from connectors.sandbox.salesforce.schema import Schema


def draft(account: str, key: str = "C-1:expand:2026-11", **changes: Any) -> TaskDraft:
    """A task for an account."""
    values: dict[str, Any] = {
        "key": key,
        "subject": "Talk about seats",
        "body": "94 of 100 seats are used.",
        "due": date(2026, 11, 9),
        "owner_id": None,
        "account_crm_id": account,
        "contact_crm_id": None,
        "priority": "high",
    }
    return TaskDraft(**{**values, **changes})


def owner(org: Any) -> str:
    """A person's user id."""
    from connectors.sandbox.salesforce.org import ADMIN_USER_ID

    return ADMIN_USER_ID


def test_a_task_is_made_for_the_right_people_and_found_by_its_key(our_org: Any) -> None:
    """Owner, account, contact, due date and body arrive."""
    account = our_org.create("Account", Name="Acme")
    contact = our_org.create("Contact", LastName="Ng", AccountId=account)
    crm = our_org.connect()
    (result,) = crm.create_tasks([draft(account, owner_id=owner(our_org), contact_crm_id=contact)])
    assert (result.outcome, result.key) == (RowOutcome.APPLIED, "C-1:expand:2026-11")
    (state,) = crm.find_tasks(["C-1:expand:2026-11", "another"]).values()
    assert (state.id, state.account_crm_id, state.owner_id) == (result.id, account, owner(our_org))
    assert (state.subject, state.due, state.is_closed, state.touched) == (
        "Talk about seats",
        date(2026, 11, 9),
        False,
        False,
    )
    held = crm.read("Task", [state.id], ["Description", "WhoId", "Priority"])[state.id]
    assert held.values == {"Description": "94 of 100 seats are used.", "WhoId": contact, "Priority": "High"}


def test_a_task_that_a_person_changed_is_touched(our_org: Any) -> None:
    """So that nothing of theirs is overwritten."""
    account = our_org.create("Account", Name="Acme")
    crm = our_org.connect()
    (result,) = crm.create_tasks([draft(account)])
    our_org.edit("Task", result.id, Subject="My own words")
    assert crm.find_tasks(["C-1:expand:2026-11"])["C-1:expand:2026-11"].touched is True


def test_a_key_differs_by_case_and_hostile_keys_find_only_themselves(our_org: Any) -> None:
    """Salesforce compares without case; a key does not."""
    account = our_org.create("Account", Name="Acme")
    crm = our_org.connect()
    keys = ["a-key", 'it\'s \\ "one"', "') OR Subject != ('"]
    assert all(
        r.outcome is RowOutcome.APPLIED for r in crm.create_tasks([draft(account, key=key) for key in keys])
    )
    assert set(crm.find_tasks(keys)) == set(keys)
    assert crm.find_tasks(["A-KEY"]) == {}
    assert crm.find_tasks([]) == {}


def test_many_keys_are_found_in_few_calls(our_org: Any) -> None:
    """Lists are cut to the length of an address, five of them in a call; one that fails is asked by itself."""
    account = our_org.create("Account", Name="Acme")
    crm = our_org.connect()
    keys = [f"C-{number:05}:expand:2026-11" for number in range(600)]
    for start in range(0, 600, 200):
        crm.create_tasks([draft(account, key=key) for key in keys[start : start + 200]])
    before = crm.usage().calls
    assert set(crm.find_tasks(keys)) == set(keys)
    assert crm.usage().calls - before == 1
    our_org.fault(kind="part", part=2, status=503)
    assert set(crm.find_tasks(keys)) == set(keys)
    assert crm.usage().calls - before == 3


def test_a_lost_reply_to_a_creation_leaves_one_task_to_find(our_org: Any) -> None:
    """It is not sent again; the key tells what happened."""
    account = our_org.create("Account", Name="Acme")
    crm = our_org.connect()
    crm.find_tasks(["C-1:expand:2026-11"])
    our_org.fault(kind="reset_after", method="POST", endpoint="*collections*")
    with pytest.raises(AmbiguousError):
        crm.create_tasks([draft(account)])
    assert len(crm.find_tasks(["C-1:expand:2026-11"])) == 1


def test_an_org_that_takes_a_unique_key_refuses_a_second_task_itself(our_org: Any) -> None:
    """An administrator made the key's field unique, as describe says: the second one is refused, not made."""
    account = our_org.create("Account", Name="Acme")
    schema = Schema(our_org.sandbox.store)
    task = schema.find("Task")
    assert task is not None
    schema.add_fields("Task", [replace(task.fields["expansion_task_key__c"], unique=True)])
    crm = our_org.connect()
    (first,) = crm.create_tasks([draft(account)])
    assert crm.capabilities.unique_task_key
    (second,) = crm.create_tasks([draft(account)])
    assert (first.outcome, second.outcome, second.vendor_code) == (
        RowOutcome.APPLIED,
        RowOutcome.REFUSED,
        "DUPLICATE_VALUE",
    )
    assert [state.id for state in crm.find_tasks([draft(account).key]).values()] == [first.id]


def test_a_deleted_task_is_not_found(our_org: Any) -> None:
    """What lies in the recycle bin does not exist."""
    account = our_org.create("Account", Name="Acme")
    crm = our_org.connect()
    (result,) = crm.create_tasks([draft(account)])
    our_org.delete("Task", result.id)
    assert crm.find_tasks(["C-1:expand:2026-11"]) == {}


def test_closing_appends_a_note_and_reports_what_is_gone(our_org: Any) -> None:
    """The body stays, its end gives way when the field is full."""
    account = our_org.create("Account", Name="Acme")
    crm = our_org.connect()
    short, full, gone = (r.id for r in crm.create_tasks([draft(account, key="a"), draft(account, key="b", body="x" * 32_000), draft(account, key="c")]))  # fmt: skip
    our_org.delete("Task", gone)
    results = crm.close_tasks({short: "Deal opened.", full: "Deal opened.", gone: ""})
    assert [(r.key, r.outcome) for r in results] == [
        (short, RowOutcome.APPLIED),
        (full, RowOutcome.APPLIED),
        (gone, RowOutcome.GONE),
    ]
    held = crm.read("Task", [short, full], ["Description", "Status"])
    assert held[short].values["Description"] == "94 of 100 seats are used.\n\nDeal opened."
    body = str(held[full].values["Description"])
    assert len(body) == 32_000
    assert body.endswith("…\n\nDeal opened.")
    assert all(state.is_closed and not state.touched for state in crm.find_tasks(["a", "b"]).values())


def test_an_owner_that_does_not_exist_refuses_only_that_task(our_org: Any) -> None:
    """The others are made."""
    account = our_org.create("Account", Name="Acme")
    crm = our_org.connect()
    good, bad = crm.create_tasks(
        [draft(account, key="a"), draft(account, key="b", owner_id="005000000000009AAA")]
    )
    assert good.outcome is RowOutcome.APPLIED
    assert bad.outcome is RowOutcome.REFUSED
    assert bad.fix


def test_without_the_key_field_no_task_is_made(org: Any) -> None:
    """It could be made twice."""
    account = org.create("Account", Name="Acme")
    crm = org.connect()
    with pytest.raises(SetupError, match="Expansion_Task_Key__c"):
        crm.create_tasks([draft(account)])
    with pytest.raises(SetupError, match="Expansion_Task_Key__c"):
        crm.find_tasks(["a"])


def test_one_key_twice_in_a_call_is_a_mistake_of_the_caller(our_org: Any) -> None:
    """Told before anything is sent."""
    crm = our_org.connect()
    with pytest.raises(ValueError, match="same key"):
        crm.create_tasks([draft("001000000000001AAA"), draft("001000000000001AAA")])
