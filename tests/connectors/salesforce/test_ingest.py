"""Records written by a job of Bulk API 2.0, and what becomes of each."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from typing import Any

import pytest

from connectors.crm import Change, RowOutcome
from connectors.errors import AmbiguousError, SetupError, TerminalError, TransientError
from connectors.salesforce.crm import Salesforce
from connectors.salesforce.ingest import IngestJobs
from connectors.write_jobs import JobLook, JobState

SCORE = "Expansion_Score__c"
REASON = "Expansion_Reason_1__c"
CELLS: dict[str, Any] = {
    SCORE: 72,
    "Expansion_Tier__c": "very_high",
    "Expansion_Probability__c": 0.7153,
    "Expansion_Expected_ARR__c": 12345.67,
    REASON: "Größe, \"Berlin\" ≥ 5;\n日本 🙂\r\n'x', \\ and a comma,",
    "Expansion_Scored_At__c": datetime(2026, 11, 2, 9, 30, 15, tzinfo=UTC),
    "Expansion_Data_As_Of__c": date(2026, 11, 1),
}


@pytest.fixture
def crm(our_org: Any) -> Salesforce:
    """A connection that knows the object already."""
    made: Salesforce = our_org.connect()
    made.describe("Account")
    return made


@pytest.fixture
def jobs(crm: Salesforce) -> IngestJobs:
    """Its jobs."""
    assert isinstance(crm.jobs, IngestJobs)
    return crm.jobs


def change(record_id: str, **values: Any) -> Change:
    """New values for an account; its key is not its id."""
    return Change(key=f"k-{record_id}", object="Account", id=record_id, values=values)


def keys(ids: list[str]) -> dict[str, str]:
    """The operations' keys by record."""
    return {each: f"k-{each}" for each in ids}


def opened(jobs: IngestJobs, changes: list[Change]) -> str:
    """The id of a job that bears all of them."""
    job = jobs.open(changes)
    assert job.id is not None
    assert job.left_out == ()
    return job.id


def looked(jobs: IngestJobs, job: str, ids: list[str]) -> JobLook:
    """A look at a small job, which has ended by then."""
    found = jobs.look(job, keys(ids))
    assert found.state is JobState.ENDED
    return found


def outcomes(found: JobLook) -> Counter[str]:
    """How many records came to which end."""
    return Counter(result.outcome.value for result in found.results)


def test_every_kind_of_value_arrives_by_a_job_as_by_a_call(our_org: Any, crm: Any, jobs: IngestJobs) -> None:
    """Commas, quotes, line breaks, numbers, dates; None clears, and what a row does not name stays."""
    first, second = our_org.create("Account", Name="a"), our_org.create("Account", Name="b")
    job = opened(jobs, [change(first, **CELLS), change(second, **{SCORE: 5})])
    jobs.close(job)
    assert outcomes(looked(jobs, job, [first, second])) == {"applied": 2}
    assert crm.read("Account", [first], list(CELLS))[first].values == CELLS
    job = opened(jobs, [change(first, **dict.fromkeys(CELLS)), change(second, **{REASON: "x"})])
    jobs.close(job)
    looked(jobs, job, [first, second])
    assert set(crm.read("Account", [first], list(CELLS))[first].values.values()) == {None}
    assert crm.read("Account", [second], [SCORE, REASON])[second].values == {SCORE: 5, REASON: "x"}


def test_nothing_happens_before_a_job_is_closed(our_org: Any, crm: Any, jobs: IngestJobs) -> None:
    """Two calls; an aborted job never does anything, and can't be closed any more."""
    ids = our_org.many_accounts(3)
    before = crm.usage().calls
    job = opened(jobs, [change(each, **{SCORE: 1}) for each in ids])
    assert crm.usage().calls == before + 2
    assert jobs.look(job, keys(ids)).state is JobState.OPEN
    jobs.abort(job)
    with pytest.raises(TerminalError, match="INVALIDJOBSTATE"):
        jobs.close(job)
    assert jobs.look(job, keys(ids)) == JobLook(state=JobState.ENDED)
    assert {held.values[SCORE] for held in crm.read("Account", ids, [SCORE]).values()} == {None}


def test_a_job_of_good_rows_costs_four_calls(our_org: Any, crm: Any, jobs: IngestJobs) -> None:
    """Its counts agree, so that no results need be read."""
    ids = our_org.many_accounts(500)
    before = crm.usage().calls
    job = opened(jobs, [change(each, **{SCORE: n % 100}) for n, each in enumerate(ids)])
    jobs.close(job)
    found = looked(jobs, job, ids)
    assert crm.usage().calls == before + 4
    assert {(r.key, r.id, r.outcome) for r in found.results} == {
        (f"k-{each}", each, RowOutcome.APPLIED) for each in ids
    }


def test_results_are_matched_by_record_whatever_their_order(our_org: Any, jobs: IngestJobs) -> None:
    """Deleted, locked, refused by the org: each under its own key, with the code and a fix."""
    ids = our_org.many_accounts(40)
    our_org.delete("Account", ids[7])
    our_org.fault(kind="lock", endpoint="ingest.close", ids=[ids[30]])
    job = opened(jobs, [change(each, **{SCORE: 3}) for each in ids])
    jobs.close(job)
    found = {result.key: result for result in looked(jobs, job, ids).results}
    assert len(found) == len(ids)
    assert (found[f"k-{ids[7]}"].outcome, found[f"k-{ids[7]}"].vendor_code) == (
        RowOutcome.GONE,
        "ENTITY_IS_DELETED",
    )
    locked = found[f"k-{ids[30]}"]
    assert (locked.outcome, locked.vendor_code) == (RowOutcome.FAILED, "UNABLE_TO_LOCK_ROW")
    assert locked.message == "unable to obtain exclusive access to this record"
    assert Counter(result.outcome for result in found.values())[RowOutcome.APPLIED] == 38


def test_a_job_that_stops_half_way_tells_what_it_did(our_org: Any, crm: Any, jobs: IngestJobs) -> None:
    """Successful, failed and unprocessed are all that was sent; who was not reached may pass later."""
    ids = our_org.many_accounts(50)
    our_org.delete("Account", ids[2])
    our_org.fault(kind="halt", endpoint="ingest.close", rows=20)
    job = opened(jobs, [change(each, **{SCORE: 3}) for each in ids])
    jobs.close(job)
    found = looked(jobs, job, ids)
    assert outcomes(found) == {"applied": 19, "gone": 1, "failed": 30}
    late = next(result for result in found.results if result.key == f"k-{ids[40]}")
    assert "before it came to this record: InternalServerError" in str(late.message)
    held = crm.read("Account", [*ids[:2], *ids[3:]], [SCORE])
    assert sum(each.values[SCORE] == 3 for each in held.values()) == 19


def test_only_the_records_asked_for_are_told_of(our_org: Any, jobs: IngestJobs) -> None:
    """The others were settled before; and one that the job never bore has no result."""
    ids = our_org.many_accounts(10)
    job = opened(jobs, [change(each, **{SCORE: 3}) for each in ids[:9]])
    jobs.close(job)
    assert {r.id for r in looked(jobs, job, ids[:4]).results} == set(ids[:4])
    found = looked(jobs, job, ids)
    assert {r.id for r in found.results} == set(ids[:9])


def test_a_job_that_is_still_running_has_no_results(our_org: Any, crm: Any, jobs: IngestJobs) -> None:
    """One call a look, whatever name the state has that it is in."""
    ids = our_org.many_accounts(2)
    job = opened(jobs, [change(each, **{SCORE: 3}) for each in ids])
    jobs.close(job)
    for state in ("UploadComplete", "InProgress", "SomethingNew"):
        our_org.fault(kind="status", status=200, body=f'{{"state":"{state}"}}', endpoint="ingest.info")
        before = crm.usage().calls
        assert jobs.look(job, keys(ids)) == JobLook(state=JobState.RUNNING)
        assert crm.usage().calls == before + 1
    our_org.sandbox.faults.clear()
    assert outcomes(looked(jobs, job, ids)) == {"applied": 2}


def test_a_week_later_nobody_knows_the_job(our_org: Any, jobs: IngestJobs) -> None:
    """Its results are gone: the records themselves have to be read."""
    ids = our_org.many_accounts(2)
    job = opened(jobs, [change(each, **{SCORE: 3}) for each in ids])
    jobs.close(job)
    our_org.advance(days=8)
    assert jobs.look(job, keys(ids)) == JobLook(state=JobState.GONE)


def test_a_lost_reply_to_closing_is_told_by_a_look(our_org: Any, jobs: IngestJobs) -> None:
    """Before the close: still open. After it: done."""
    ids = our_org.many_accounts(2)
    for kind, state in (("reset_before", JobState.OPEN), ("reset_after", JobState.ENDED)):
        job = opened(jobs, [change(each, **{SCORE: 3}) for each in ids])
        our_org.fault(kind=kind, endpoint="ingest.close", times=1)
        with pytest.raises(AmbiguousError):
            jobs.close(job)
        assert jobs.look(job, keys(ids)).state is state


def test_an_upload_that_fails_leaves_no_open_job(our_org: Any, jobs: IngestJobs) -> None:
    """Nothing happened then. What passes is tried again, a lost reply is not."""
    changes = [change(each, **{SCORE: 3}) for each in our_org.many_accounts(2)]
    for fault, uploads, is_aborted in (
        ({"kind": "status", "status": 503}, 5, True),
        ({"kind": "reset_after"}, 1, True),
        ({"kind": "status", "status": 503, "times": 2}, 3, False),
    ):
        our_org.fault(endpoint="ingest.upload", **fault)
        before = len(our_org.requests())
        if is_aborted:
            with pytest.raises(TransientError):
                jobs.open(changes)
        else:
            assert jobs.open(changes).id is not None
        asked = [each.endpoint for each in our_org.requests()[before:]]
        assert asked == ["ingest.create", *["ingest.upload"] * uploads, *["ingest.close"] * is_aborted]


def test_what_a_job_can_not_bear_is_left_out_of_it(our_org: Any, jobs: IngestJobs) -> None:
    """A value that must not leave is refused; a text that would clear the cell goes another way."""
    ids = our_org.many_accounts(3)
    changes = [change(ids[0], **{SCORE: float("nan")}), change(ids[1], **{REASON: "#N/A"}), change(ids[2])]
    job = jobs.open([*changes[:2], change(ids[2], **{SCORE: 1})])
    assert job.id is not None
    assert [(r.key, r.outcome.value) for r in job.left_out] == [
        (f"k-{ids[0]}", "refused"),
        (f"k-{ids[1]}", "failed"),
    ]
    before = len(our_org.requests())
    assert jobs.open(changes[:2]).id is None
    assert len(our_org.requests()) == before


def test_an_expired_session_is_renewed_at_every_step(our_org: Any, crm: Any, jobs: IngestJobs) -> None:
    """Opening, uploading, closing, looking: the job is one, and each row is written once."""
    ids = our_org.many_accounts(3)
    our_org.delete("Account", ids[2])
    our_org.fault(kind="expire_session", endpoint="ingest.*", request=(1, 3, 5, 7, 9))
    job = opened(jobs, [change(each, **{SCORE: 3}) for each in ids])
    jobs.close(job)
    assert outcomes(looked(jobs, job, ids)) == {"applied": 2, "gone": 1}
    written = [each for each in our_org.sandbox.audit.changes() if each.field == SCORE]
    assert len(written) == 2


def test_results_that_are_cut_off_are_no_results(our_org: Any, jobs: IngestJobs) -> None:
    """Half a table, or one with other columns, is read again later."""
    ids = our_org.many_accounts(3)
    our_org.delete("Account", ids[2])
    job = opened(jobs, [change(each, **{SCORE: 3}) for each in ids])
    jobs.close(job)
    for body in ('"sf__Id","sf__Error","Id","Expa', '"a","b"\n"1","2"\n', '"sf__Error","Id"\n"x'):
        our_org.fault(
            kind="status",
            endpoint="ingest.failed",
            status=200,
            body=body,
            headers={"Content-Type": "text/csv"},
        )
        with pytest.raises(TransientError, match="cut off"):
            jobs.look(job, keys(ids))


def test_a_job_that_failed_before_its_first_record_wrote_nothing(our_org: Any, jobs: IngestJobs) -> None:
    """All of them are unprocessed; where the job says not even that, nobody knows."""
    ids = our_org.many_accounts(3)
    our_org.fault(kind="halt", endpoint="ingest.close", rows=0)
    job = opened(jobs, [change(each, **{SCORE: 3}) for each in ids])
    jobs.close(job)
    assert outcomes(looked(jobs, job, ids)) == {"failed": 3}
    our_org.fault(
        kind="status",
        endpoint="ingest.unprocessed",
        status=200,
        body="",
        headers={"Content-Type": "text/csv"},
    )
    assert looked(jobs, job, ids).results == ()


def test_a_connection_may_be_set_to_open_no_jobs(our_org: Any) -> None:
    """By its own setting, because each write is to carry a condition, or because calls are to be small."""
    assert our_org.connect().capabilities.job_batch == 10_000
    assert our_org.connect(write_batch=200).capabilities.job_batch == 0
    for changes in ({"bulk_writes": "never"}, {"conditional_writes": True}):
        assert our_org.connect(our_org.settings(**changes)).capabilities.job_batch == 0


def test_two_objects_in_a_job_are_a_mistake(our_org: Any, jobs: IngestJobs) -> None:
    """Told before a call; and so is an object that is not there."""
    ids = our_org.many_accounts(2)
    with pytest.raises(ValueError, match="one object"):
        jobs.open([change(ids[0]), Change(key="x", object="Contact", id=ids[1], values={})])
    with pytest.raises(SetupError):
        jobs.open([Change(key="x", object="Nothing__c", id=ids[1], values={})])
