"""Records that Salesforce writes only if nobody has changed them since they were read."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from connectors.crm import Change, RowOutcome, RowResult
from connectors.errors import AmbiguousError, TransientError
from connectors.salesforce.crm import Salesforce
from connectors.transport import Timeouts

SCORE = "Expansion_Score__c"


@pytest.fixture
def crm(our_org: Any) -> Salesforce:
    """A connection that writes conditionally."""
    made: Salesforce = our_org.connect(our_org.settings(conditional_writes=True))
    return made


@pytest.fixture
def accounts(our_org: Any) -> list[str]:
    """Three accounts of an hour ago."""
    ids = [our_org.create("Account", Name=name) for name in "abc"]
    our_org.advance(hours=1)
    return ids


def changes(crm: Salesforce, ids: list[str], score: int = 7) -> list[Change]:
    """A score for each, on what was just read."""
    read = crm.read("Account", ids, [SCORE])
    return [
        Change(
            key=each,
            object="Account",
            id=each,
            values={SCORE: score},
            unmodified_since=read[each].modified_at,
        )
        for each in ids
    ]


def scores(crm: Salesforce, ids: list[str]) -> list[Any]:
    """What the org holds."""
    return [crm.read("Account", [each], [SCORE])[each].values[SCORE] for each in ids]


def outcomes(results: list[RowResult]) -> list[RowOutcome]:
    """What became of each."""
    return [result.outcome for result in results]


def test_only_a_connection_that_is_set_so_says_that_it_can(our_org: Any, crm: Salesforce) -> None:
    """And then a call holds 25 records instead of 1,000."""
    plain = our_org.connect().capabilities
    assert (plain.conditional_write, plain.write_batch) == (frozenset(), 1000)
    assert (crm.capabilities.conditional_write, crm.capabilities.write_batch) == ({"Account"}, 25)


def test_a_record_that_a_person_changed_since_it_was_read_is_left_alone(
    our_org: Any, crm: Salesforce, accounts: list[str]
) -> None:
    """Whatever they changed; the others are written, in the same single call."""
    wanted = changes(crm, accounts)
    our_org.edit("Account", accounts[1], Phone="1")
    before = crm.usage().calls
    results = crm.write(wanted)
    assert crm.usage().calls == before + 1
    assert outcomes(results) == [RowOutcome.APPLIED, RowOutcome.FAILED, RowOutcome.APPLIED]
    assert results[1].vendor_code == "PRECONDITION_FAILED"
    assert [result.id for result in results] == accounts
    assert scores(crm, accounts) == [7, None, 7]


def test_an_edit_in_the_last_moment_is_kept(our_org: Any, crm: Salesforce, accounts: list[str]) -> None:
    """When the request is under way already."""
    wanted = changes(crm, accounts)
    edit = {"object": "Account", "id": accounts[0], "values": {SCORE: 99}}
    our_org.fault(kind="edit", endpoint="composite", edit=edit)
    assert outcomes(crm.write(wanted)) == [RowOutcome.FAILED, RowOutcome.APPLIED, RowOutcome.APPLIED]
    assert scores(crm, accounts) == [99, 7, 7]


def test_a_record_modified_in_the_second_of_its_reading_waits_for_another(
    our_org: Any, crm: Salesforce, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Since a second edit in that second could not be told from the first; later it is written."""
    stopped = our_org.sandbox.clock._monotonic()  # or a busy machine lets the second pass
    monkeypatch.setattr(our_org.sandbox.clock, "_monotonic", lambda: stopped)
    fresh = our_org.create("Account", Name="fresh")
    (result,) = crm.write(changes(crm, [fresh]))
    assert result.outcome is RowOutcome.FAILED
    assert scores(crm, [fresh]) == [None]
    our_org.advance(seconds=3)
    assert outcomes(crm.write(changes(crm, [fresh]))) == [RowOutcome.APPLIED]


def test_a_row_that_is_refused_says_why(our_org: Any, crm: Salesforce, accounts: list[str]) -> None:
    """By us, by the org's rules, because it was deleted, or because it is locked for now."""
    wanted = changes(crm, accounts)
    wanted[0] = Change(key="nan", object="Account", id=accounts[0], values={SCORE: float("nan")})
    our_org.delete("Account", accounts[1])
    our_org.fault(kind="lock", endpoint="composite", ids=(accounts[2],))
    results = crm.write(wanted)
    assert outcomes(results) == [RowOutcome.REFUSED, RowOutcome.GONE, RowOutcome.FAILED]
    assert [result.vendor_code for result in results] == [
        "NUMBER_OUTSIDE_VALID_RANGE",
        "ENTITY_IS_DELETED",
        "UNABLE_TO_LOCK_ROW",
    ]


def test_a_lost_reply_leaves_the_outcome_open(our_org: Any, crm: Salesforce, accounts: list[str]) -> None:
    """Sent once, not again."""
    wanted = changes(crm, accounts)
    before = composites(our_org)
    our_org.fault(kind="reset_after", endpoint="composite")
    with pytest.raises(AmbiguousError):
        crm.write(wanted)
    assert scores(crm, accounts) == [7, 7, 7]
    assert composites(our_org) == before + 1


def composites(our_org: Any) -> int:
    """How many Composite calls there were."""
    return len(our_org.requests("/composite")) - len(our_org.requests("/composite/sobjects"))


def test_a_write_that_comes_late_does_not_overwrite_what_was_written_meanwhile(
    our_org: Any, crm: Salesforce, accounts: list[str]
) -> None:
    """Neither a person's edit nor our own second attempt."""
    wanted = changes(crm, accounts)
    our_org.fault(kind="late", endpoint="composite", request=(1,), seconds=3600.0)
    with pytest.raises(AmbiguousError):
        crm.write(wanted)
    our_org.edit("Account", accounts[0], **{SCORE: 50})
    crm.write(changes(crm, accounts[1:2], score=8))
    our_org.sandbox.settle_late()
    assert scores(crm, accounts) == [50, 8, 7]


def test_more_than_a_call_holds_is_refused_here(our_org: Any, crm: Salesforce) -> None:
    """Before anything is sent."""
    when = datetime.fromisoformat("2026-11-02T09:00:00+00:00")
    many = [
        Change(key=each, object="Account", id=each, values={SCORE: 1}, unmodified_since=when)
        for each in our_org.many_accounts(26)
    ]
    with pytest.raises(ValueError, match="25"):
        crm.write(many)


@pytest.mark.parametrize("conditional", [False, True])
def test_a_write_of_rows_is_sent_once(our_org: Any, conditional: bool, accounts: list[str]) -> None:
    """Whoever keeps count of attempts decides on the next; a read is repeated here."""
    crm = our_org.connect(our_org.settings(conditional_writes=conditional))
    wanted = changes(crm, accounts) if conditional else [
        Change(key=each, object="Account", id=each, values={SCORE: 1}) for each in accounts
    ]  # fmt: skip
    our_org.fault(kind="status", endpoint="composite|collections.update", status=503)
    crm.describe("Account")
    before = len(our_org.requests())
    with pytest.raises(TransientError):
        crm.write(wanted)
    assert len(our_org.requests()) == before + 1


@pytest.mark.parametrize("batch", [(0, 1000), (10, 10), (5000, 1000)])
def test_a_write_call_can_be_set_to_hold_fewer_records(our_org: Any, batch: tuple[int, int]) -> None:
    """Never more than Salesforce takes."""
    asked, gets = batch
    assert our_org.connect(write_batch=asked).capabilities.write_batch == gets


def test_a_connection_says_how_long_a_call_may_take(our_org: Any) -> None:
    """So that a worker holds what it sends for longer than that."""
    assert our_org.connect().capabilities.longest_call == 65
    assert our_org.connect(timeouts=Timeouts(connect=1, read=2)).capabilities.longest_call == 3
