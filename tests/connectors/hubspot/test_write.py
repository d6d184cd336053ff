"""Writes and read-backs against a HubSpot account on a real port."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from connectors.crm import Change, RowOutcome, TaskDraft
from connectors.errors import AmbiguousError, SetupError
from connectors.fields import field_specs


def change(identifier: str, **values: Any) -> Change:
    """New values for a company, under a key made from its id."""
    return Change(key=f"op-{identifier}", object="companies", id=identifier, values=values)


def test_values_come_back_as_they_were_written(our_account: Any) -> None:
    """Each kind of value is read back as the same value, and None clears."""
    company = our_account.create("companies", name="A")
    crm = our_account.connect()
    values = {
        "expansion_score": 71,
        "expansion_tier": "Very high",
        "expansion_probability": 0.7134,
        "expansion_expected_arr": 12345.67,
        "expansion_reason_1": "Seats 96 % used; <b>“Ünï”</b> 🚀",
        "expansion_scored_at": datetime(2026, 11, 2, 9, 30, tzinfo=UTC),
        "expansion_data_as_of": date(2026, 11, 1),
    }
    results = crm.write([change(company, **values)])
    assert [(f"op-{company}", RowOutcome.APPLIED, company)] == [(r.key, r.outcome, r.id) for r in results]
    assert crm.read("companies", [company], list(values))[company].values == values
    assert results[0].held == values
    crm.write([change(company, **dict.fromkeys(values))])
    cleared = crm.read("companies", [company], list(values))[company].values
    assert cleared == dict.fromkeys(values)


@pytest.mark.parametrize("shown", [None, {}, {"expansion_score": "7"}])
def test_a_reply_that_does_not_show_what_was_written_verifies_nothing(
    our_account: Any, monkeypatch: pytest.MonkeyPatch, shown: Any
) -> None:
    """`held` is what the reply shows of every written property, not what we hope for."""
    company = our_account.create("companies", name="A")
    crm = our_account.connect()
    send = crm._client.send

    def sparing(path: str, body: Any) -> Any:
        reply = send(path, body)
        return {**reply, "results": [{**each, "properties": shown} for each in reply["results"]]}

    monkeypatch.setattr(crm._client, "send", sparing)
    both = crm.write([change(company, expansion_score=71, expansion_tier="High")])[0]
    assert (both.outcome, both.held) == (RowOutcome.APPLIED, None)
    if shown:
        assert crm.write([change(company, expansion_score=71)])[0].held == {"expansion_score": 7}


def test_a_refused_row_stops_no_other(our_account: Any) -> None:
    """In one call the good rows are written, and each bad one says why."""
    good, gone = our_account.create("companies", name="A"), our_account.create("companies", name="B")
    owned = our_account.create("companies", name="C")
    our_account.archive("companies", gone)
    crm = our_account.connect()
    crm.describe("companies")
    before = len(our_account.requests())
    results = crm.write(
        [
            change(good, expansion_score=1),
            change(gone, expansion_score=2),
            change(owned, hubspot_owner_id="999"),
            change("424242", expansion_tier="Enormous"),
        ]
    )
    assert [result.outcome for result in results] == [
        RowOutcome.APPLIED,
        RowOutcome.GONE,
        RowOutcome.REFUSED,
        RowOutcome.REFUSED,
    ]
    assert len(our_account.requests()) == before + 1
    assert all(result.vendor_code and result.message for result in results[1:])


def test_a_batch_refused_whole_is_sent_in_parts_until_the_bad_row_stands_alone(
    our_account: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where HubSpot answers 400 to the whole call, everything but the bad row is written all the same."""
    ids = [our_account.create("companies", name=str(n)) for n in range(7)]
    crm = our_account.connect()
    send = crm._client.send

    def without_traces(path: str, body: Any) -> Any:
        inputs = [{k: v for k, v in row.items() if k != "objectWriteTraceId"} for row in body["inputs"]]
        return send(path, {"inputs": inputs})

    monkeypatch.setattr(crm._client, "send", without_traces)
    changes = [change(each, expansion_score=5) for each in ids]
    changes[4] = change(ids[4], hubspot_owner_id="999")
    outcomes = [result.outcome for result in crm.write(changes)]
    assert outcomes == [RowOutcome.REFUSED if n == 4 else RowOutcome.APPLIED for n in range(7)]


def test_no_row_of_a_batch_refused_whole_is_sent_more_than_three_times(
    our_account: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All hundred, then ten, then one by one: 21 calls find one bad row, and no good one is in doubt."""
    ids = [our_account.create("companies", name=str(n)) for n in range(100)]
    crm = our_account.connect()
    crm.describe("companies")
    send = crm._client.send
    sent: list[list[str]] = []

    def without_traces(path: str, body: Any) -> Any:
        sent.append([row["id"] for row in body["inputs"]])
        inputs = [{k: v for k, v in row.items() if k != "objectWriteTraceId"} for row in body["inputs"]]
        return send(path, {"inputs": inputs})

    monkeypatch.setattr(crm._client, "send", without_traces)
    changes = [change(each, expansion_score=5) for each in ids]
    changes[64] = change(ids[64], hubspot_owner_id="999")
    refused = [n for n, result in enumerate(crm.write(changes)) if result.outcome is RowOutcome.REFUSED]
    assert refused == [64]
    assert [len(part) for part in sent] == [100, *[10] * 7, *[1] * 10, *[10] * 3]
    assert max(sum(each in part for part in sent) for each in ids) == 3


def test_a_lost_reply_is_ambiguous_and_not_sent_again(our_account: Any) -> None:
    """After a reset behind the write, the caller learns that it may have happened; one call was made."""
    company = our_account.create("companies", name="A")
    crm = our_account.connect()
    crm.describe("companies")
    our_account.fault(endpoint="companies.batch.update", kind="reset_after")
    with pytest.raises(AmbiguousError):
        crm.write([change(company, expansion_score=9)])
    assert len(our_account.requests("batch/update")) == 1
    assert crm.read("companies", [company], ["expansion_score"])[company].values == {"expansion_score": 9}


def test_archived_and_merged_records_are_told_apart(our_account: Any) -> None:
    """An archived record is deleted, a merged one names its survivor, an unknown id is missing."""
    gone, winner, loser = (our_account.create("companies", name=n) for n in "ABC")
    our_account.archive("companies", gone)
    crm = our_account.connect()
    survivor = our_account.merge(crm, "companies", winner, loser)
    found = crm.read("companies", [gone, loser, survivor, "987654321"], ["name"])
    assert {gone: (True, None), loser: (True, survivor), survivor: (False, None)} == {
        identifier: (record.is_deleted, record.merged_into) for identifier, record in found.items()
    }


def test_a_property_that_is_missing_stops_before_anything_is_sent(account: Any) -> None:
    """Without the install, a read of our property says what to do."""
    company = account.create("companies", name="A")
    with pytest.raises(SetupError, match="upswell install"):
        account.connect().read("companies", [company], ["expansion_score"])


def test_a_property_archived_in_mid_run_is_a_setup_error(our_account: Any) -> None:
    """A property that vanished after describe is named, and nothing is written."""
    company = our_account.create("companies", name="A")
    crm = our_account.connect()
    crm.describe("companies")
    our_account.connect()._client.send(
        "/crm/properties/2026-09/companies/batch/archive", {"inputs": [{"name": "expansion_score"}]}
    )
    with pytest.raises(SetupError, match="expansion_score"):
        crm.write([change(company, expansion_score=9)])
    assert "expansion_score" not in crm.describe("companies").fields


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "text", True])
def test_what_is_no_number_never_leaves(our_account: Any, value: Any) -> None:
    """A value of another kind is refused here: no write call is made."""
    company = our_account.create("companies", name="A")
    results = our_account.connect().write([change(company, expansion_score=value)])
    assert [result.outcome for result in results] == [RowOutcome.REFUSED]
    assert not our_account.requests("batch/update")


def test_a_record_may_come_once_in_a_call(our_account: Any) -> None:
    """Two changes of one record in a call are a programming error."""
    crm = our_account.connect()
    with pytest.raises(ValueError, match="once"):
        crm.write([change("1", expansion_score=1), change("1", expansion_score=2)])


def test_many_records_are_read_in_batches_of_a_hundred(account: Any, by_id: Callable[..., Any]) -> None:
    """250 ids cost three calls."""
    ids = [account.create("companies", name=str(n)) for n in range(250)]
    found = account.connect().read("companies", ids, ["name"])
    assert {identifier: record.values["name"] for identifier, record in found.items()} == {
        identifier: str(n) for n, identifier in enumerate(ids)
    }
    assert len(account.requests("batch/read")) == 3


@pytest.mark.parametrize("version", ["v3", "2026-03", "2026-09"])
def test_every_dialect_writes_the_same(account: Any, version: str) -> None:
    """Install, write, read, tasks and their end work in v3 and in the dated API."""
    company = account.create("companies", name="A")
    crm = account.connect(account.settings(api_version=version))
    crm.install(list(field_specs().values()), apply=True)
    results = crm.write([change(company, expansion_score=77)])
    results += crm.create_tasks(
        [
            TaskDraft(
                key="k",
                subject="S",
                body="B",
                due=date(2026, 11, 20),
                owner_id=None,
                account_crm_id=company,
                contact_crm_id=None,
            )
        ]
    )
    task = crm.find_tasks(["k"])["k"]
    results += crm.close_tasks({task.id: "done"})
    assert {RowOutcome.APPLIED} == {result.outcome for result in results}
    assert crm.read("companies", [company], ["expansion_score"])[company].values == {"expansion_score": 77}
    assert crm.find_tasks(["k"])["k"].is_closed
    others = [each for each in ("/v3", "2026-03", "2026-09") if each.lstrip("/") != version]
    assert not [r for r in account.requests() if any(each in r.path for each in others)]
