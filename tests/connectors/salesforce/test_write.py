"""Rows written and read back."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from connectors.crm import Change, RowOutcome
from connectors.errors import AmbiguousError, SetupError

NOW = datetime(2026, 11, 2, 9, 30, 15, tzinfo=UTC)
CELLS: dict[str, Any] = {
    "Expansion_Score__c": 72,
    "Expansion_Tier__c": "very_high",
    "Expansion_Probability__c": 0.7153,
    "Expansion_Expected_ARR__c": 12345.67,
    "Expansion_Reason_1__c": 'Seats 94 % used since 14 Sep — "Berlin" joined',
    "Expansion_Scored_At__c": NOW,
    "Expansion_Data_As_Of__c": date(2026, 11, 1),
}


def change(record_id: str, key: str = "k", **values: Any) -> Change:
    """New values for an account."""
    return Change(key=key, object="Account", id=record_id, values=values)


def test_what_is_written_is_what_is_read_back(our_org: Any) -> None:
    """Every kind of our fields; None clears."""
    account = our_org.create("Account", Name="Acme")
    crm = our_org.connect()
    (result,) = crm.write([change(account, **CELLS)])
    assert (result.outcome, result.id) == (RowOutcome.APPLIED, account)
    record = crm.read("Account", [account], list(CELLS))[account]
    assert record.values == CELLS
    assert record.modified_at is not None
    crm.write([change(account, **dict.fromkeys(CELLS))])
    assert set(crm.read("Account", [account], list(CELLS))[account].values.values()) == {None}


def test_two_hundred_records_cost_one_call(our_org: Any) -> None:
    """And their results come in the order of the changes."""
    ids = our_org.many_accounts(200)
    crm = our_org.connect()
    crm.describe("Account")
    before = crm.usage().calls
    results = crm.write([change(each, key=f"k{n}", Expansion_Score__c=n % 100) for n, each in enumerate(ids)])
    assert crm.usage().calls == before + 1
    assert [(r.key, r.id) for r in results] == [(f"k{n}", each) for n, each in enumerate(ids)]


def test_reading_ten_thousand_records_costs_one_call(our_org: Any) -> None:
    """In five parts of 2,000; a part that fails is asked by itself."""
    ids = our_org.many_accounts(10_000)
    crm = our_org.connect()
    crm.describe("Account")
    before = crm.usage().calls
    assert len(crm.read("Account", ids[:2000], ["Name"])) == 2000
    assert crm.usage().calls == before + 1
    held = crm.read("Account", ids, ["Name"])
    assert [held[each].values["Name"] for each in ids] == [f"A {each}" for each in ids]
    assert crm.usage().calls == before + 2
    our_org.fault(kind="part", part=2, status=503)
    assert crm.read("Account", ids[:5000], ["Name"]).keys() == set(ids[:5000])
    assert crm.usage().calls == before + 4


def test_one_refused_row_does_not_stop_the_others(our_org: Any) -> None:
    """Whether refused here or by the org."""
    ids = [our_org.create("Account", Name=name) for name in "abcd"]
    our_org.delete("Account", ids[2])
    crm = our_org.connect()
    results = crm.write(
        [
            change(ids[0], "fits", Expansion_Score__c=1),
            change(ids[1], "nan", Expansion_Score__c=float("nan")),
            change(ids[2], "gone", Expansion_Score__c=3),
            change(ids[3], "unknown", Nothing__c=4),
        ]
    )
    assert {r.key: r.outcome for r in results} == {
        "fits": RowOutcome.APPLIED,
        "nan": RowOutcome.REFUSED,
        "gone": RowOutcome.GONE,
        "unknown": RowOutcome.REFUSED,
    }
    assert all(r.vendor_code and r.message for r in results[1:])


def test_a_locked_row_fails_and_may_pass_later(our_org: Any) -> None:
    """UNABLE_TO_LOCK_ROW is neither applied nor refused."""
    account = our_org.create("Account", Name="Acme")
    crm = our_org.connect()
    our_org.fault(kind="lock", method="PATCH", times=1)
    (result,) = crm.write([change(account, Expansion_Score__c=1)])
    assert (result.outcome, result.vendor_code) == (RowOutcome.FAILED, "UNABLE_TO_LOCK_ROW")
    (again,) = crm.write([change(account, Expansion_Score__c=1)])
    assert again.outcome is RowOutcome.APPLIED


def test_a_field_that_people_own_or_the_org_computes_is_refused(our_org: Any) -> None:
    """Our user's permissions are read from describe, nothing is sent."""
    account = our_org.create("Account", Name="Acme")
    crm = our_org.connect()
    for name, value in (("Expansion_Status__c", "open"), ("SystemModstamp", NOW), ("Id", account)):
        (result,) = crm.write([change(account, **{name: value})])
        assert result.outcome is RowOutcome.REFUSED, name
    assert not [each for each in our_org.requests() if each.method == "PATCH"]


def test_a_deleted_record_is_told_from_a_missing_one(our_org: Any) -> None:
    """In the recycle bin: flagged. Never there: absent."""
    there, binned = our_org.create("Account", Name="a"), our_org.create("Account", Name="b")
    our_org.delete("Account", binned)
    crm = our_org.connect()
    found = crm.read("Account", [there, binned, "001000000000009AAA"], ["Name"])
    assert set(found) == {there, binned}
    assert (found[there].is_deleted, found[binned].is_deleted) == (False, True)


def test_a_merged_record_names_its_survivor(our_org: Any) -> None:
    """The loser of a merge lies in the recycle bin and points to the winner."""
    winner, loser = our_org.create("Account", Name="a"), our_org.create("Account", Name="b")
    our_org.sandbox.store.bulk_update("Account", [{"Id": loser, "IsDeleted": True, "MasterRecordId": winner}])
    record = our_org.connect().read("Account", [loser], ["Name"])[loser]
    assert (record.is_deleted, record.merged_into) == (True, winner)


def test_ids_of_fifteen_characters_are_the_same_records(our_org: Any) -> None:
    """Asked by the short id, answered under the short id."""
    account = our_org.create("Account", Name="Acme")
    crm = our_org.connect()
    assert crm.read("Account", [account[:15]], ["Name"])[account[:15]].values["Name"] == "Acme"
    (result,) = crm.write([change(account[:15], Name="New")])
    assert result.outcome is RowOutcome.APPLIED


def test_reading_a_field_that_is_not_there_names_it(our_org: Any) -> None:
    """With the fix, before any call."""
    crm = our_org.connect()
    with pytest.raises(SetupError, match="Expansion_Gone__c") as caught:
        crm.read("Account", ["001000000000001AAA"], ["Expansion_Gone__c"])
    assert "install" in str(caught.value.fix)


def test_mistakes_of_the_caller_are_told_before_a_call(our_org: Any) -> None:
    """Two objects, one record twice, 1,001 records."""
    crm = our_org.connect()
    ids = our_org.many_accounts(1001)
    with pytest.raises(ValueError, match="one object"):
        crm.write([change(ids[0]), Change(key="x", object="Contact", id=ids[1], values={})])
    with pytest.raises(ValueError, match="once"):
        crm.write([change(ids[0]), change(ids[0][:15])])
    with pytest.raises(ValueError, match="1001"):
        crm.write([change(each, Name="x") for each in ids])
    assert crm.write([]) == []


def test_an_expired_session_during_a_write_applies_it_once(our_org: Any) -> None:
    """The 401 came before anything was written."""
    account = our_org.create("Account", Name="Acme")
    crm = our_org.connect()
    crm.describe("Account")
    our_org.fault(kind="expire_session", method="PATCH", request=(1,))
    (result,) = crm.write([change(account, Expansion_Score__c=5)])
    assert result.outcome is RowOutcome.APPLIED
    written = [c for c in our_org.sandbox.audit.changes() if c.field == "Expansion_Score__c"]
    assert len(written) == 1


def test_results_in_another_order_or_number_are_ambiguous(our_org: Any, monkeypatch: Any) -> None:
    """Results are matched by their order, so nothing is concluded from another one."""
    ids = [our_org.create("Account", Name=name) for name in "ab"]
    crm = our_org.connect()
    changes = [change(each, key=each, Name="x") for each in ids]
    for answers in (
        [{"id": ids[0], "success": True}],
        [{"id": each, "success": True} for each in reversed(ids)],
    ):
        monkeypatch.setattr(crm._client, "send", lambda *_, answers=answers: answers)
        with pytest.raises(AmbiguousError):
            crm.write(changes)


def test_text_leaves_as_it_is_in_any_script(our_org: Any) -> None:
    """UTF-8 on the wire, no escapes doubled."""
    account = our_org.create("Account", Name="Acme")
    crm = our_org.connect()
    text = "Größe ≥ 5 \\ \"x\" 日本 🙂 'y' <b>&amp;"
    crm.write([change(account, Expansion_Reason_1__c=text)])
    assert crm.read("Account", [account], ["Expansion_Reason_1__c"])[account].values == {
        "Expansion_Reason_1__c": text
    }
    assert json.dumps(text)
