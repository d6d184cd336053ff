"""Our tasks in a HubSpot account on a real port."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.crm import RowOutcome, TaskDraft
from connectors.errors import AmbiguousError, SetupError
from connectors.fields import field_specs


def draft(key: str, company: str, **changes: Any) -> TaskDraft:
    """A task draft, right but for the changes."""
    values: dict[str, Any] = {
        "key": key,
        "subject": "Talk about seats",
        "body": "Line one <script>\nLine two",
        "due": date(2026, 11, 20),
        "owner_id": None,
        "account_crm_id": company,
        "contact_crm_id": None,
    }
    return TaskDraft(**{**values, **changes})


@pytest.fixture(params=["unique key", "searched key"])
def crm_and_account(request: pytest.FixtureRequest, tmp_path: Path, opened: Callable[..., Any]) -> Any:
    """An installed account, once with a unique task key and once without, and an index that lags."""
    account = opened(tmp_path / "tasks", unique_on_tasks=int(request.param == "unique key"), index_lag=3600)
    crm = account.connect()
    crm.install(list(field_specs().values()), apply=True)
    return crm, account


def test_a_task_is_found_by_its_key_at_once(crm_and_account: Any) -> None:
    """A task just made is found although the search index does not show it yet."""
    crm, account = crm_and_account
    company, person = account.create("companies", name="A"), account.create("contacts", firstname="P")
    owner = account.connect()._client.get("/crm/owners/2026-09")["results"][0]["id"]
    results = crm.create_tasks(
        [draft("a|seats|1", company, owner_id=owner, contact_crm_id=person), draft("b|seats|1", company)]
    )
    assert [result.outcome for result in results] == [RowOutcome.APPLIED, RowOutcome.APPLIED]
    found = crm.find_tasks(["a|seats|1", "b|seats|1", "c|seats|1"])
    assert set(found) == {"a|seats|1", "b|seats|1"}
    state = found["a|seats|1"]
    assert (results[0].id, company, owner, "Talk about seats", False, False, date(2026, 11, 20)) == (
        state.id,
        state.account_crm_id,
        state.owner_id,
        state.subject,
        state.is_closed,
        state.touched,
        state.due,
    )


def test_after_a_lost_reply_the_task_is_found(crm_and_account: Any) -> None:
    """A reset behind the write is ambiguous, one call was made, and the look finds the task."""
    crm, account = crm_and_account
    company = account.create("companies", name="A")
    account.fault(endpoint="tasks.batch.create", kind="reset_after")
    with pytest.raises(AmbiguousError):
        crm.create_tasks([draft("k", company)])
    assert len(account.requests("objects/2026-09/tasks/batch/create")) == 1
    assert set(crm.find_tasks(["k"])) == {"k"}


def test_another_process_finds_a_new_task_when_it_says_where(crm_and_account: Any) -> None:
    """The one that sent it died; the index does not show the task yet, but its company does."""
    crm, account = crm_and_account
    company = account.create("companies", name="A")
    crm.create_tasks([draft("k", company)])
    other = account.connect()
    assert set(other.find_tasks(["k"])) == ({"k"} if other.capabilities.unique_task_key else set())
    assert set(other.find_tasks(["k"], sent_to={"k": company})) == {"k"}


def test_capabilities_tell_whether_the_key_is_unique(crm_and_account: Any) -> None:
    """unique_task_key is what the account's property says; a second task then ends as the first."""
    crm, account = crm_and_account
    held = crm.describe("tasks").fields["expansion_task_key"]
    assert crm.find_tasks(["k"]) == {}
    assert crm.capabilities.unique_task_key is held.unique
    if held.unique:
        company = account.create("companies", name="A")
        first = crm.create_tasks([draft("k", company)])[0]
        again = account.connect().create_tasks([draft("k", company)])[0]
        assert (RowOutcome.UNCHANGED, first.id) == (again.outcome, again.id)


def test_a_person_who_edits_a_task_has_touched_it(crm_and_account: Any) -> None:
    """A subject changed by hand is seen; closing keeps the body and adds the note."""
    crm, account = crm_and_account
    company = account.create("companies", name="A")
    mine, theirs = crm.create_tasks([draft("mine", company), draft("theirs", company)])
    account.edit("tasks", theirs.id, hs_task_subject="Mine now")
    found = crm.find_tasks(["mine", "theirs"])
    assert {key: state.touched for key, state in found.items()} == {"mine": False, "theirs": True}
    results = crm.close_tasks({mine.id: "Taken back & closed", "31415926": ""})
    assert [result.outcome for result in results] == [RowOutcome.APPLIED, RowOutcome.GONE]
    assert crm.find_tasks(["mine"])["mine"].is_closed
    body = crm.read("tasks", [mine.id], ["hs_task_body"])[mine.id].values["hs_task_body"]
    assert body == "Line one &lt;script&gt;<br>Line two<br><br>Taken back &amp; closed"


def test_without_the_key_property_no_task_is_made(account: Any) -> None:
    """Before the install a task could be made twice, so it is refused."""
    company = account.create("companies", name="A")
    with pytest.raises(SetupError, match="upswell install"):
        account.connect().create_tasks([draft("k", company)])
    assert not account.requests("objects/2026-09/tasks/batch/create")


def test_a_bad_owner_refuses_its_task_only(our_account: Any) -> None:
    """The other drafts of the call are made."""
    company = our_account.create("companies", name="A")
    results = our_account.connect().create_tasks(
        [draft("good", company), draft("bad", company, owner_id="12")]
    )
    assert [result.outcome for result in results] == [RowOutcome.APPLIED, RowOutcome.REFUSED]
    assert results[1].message


def test_long_keys_are_searched_in_parts(tmp_path: Path, opened: Callable[..., Any]) -> None:
    """A hundred long keys exceed the size of one search and are all found."""
    account = opened(tmp_path / "keys", unique_on_tasks=0)
    crm = account.connect()
    crm.install([field_specs()["task_key"]], apply=True)
    company = account.create("companies", name="A")
    keys = [f"{n:03d}" + "k" * 110 for n in range(60)]
    crm.create_tasks([draft(key, company) for key in keys])
    assert set(account.connect().find_tasks(keys)) == set(keys)
