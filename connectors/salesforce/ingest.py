"""Rows written by jobs of Bulk API 2.0: opened, closed, looked at, and their results matched by record id.

Bulk API 2.0 Developer Guide, "Understanding Bulk API 2.0 Ingest": a job does nothing before its state is set
to UploadComplete, its results are kept for seven days and come in no fixed order. simple-salesforce's own
helper keeps the job's id to itself while it waits; ours is given away before the job is closed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from connectors.crm import Change, RowOutcome, RowResult
from connectors.errors import TerminalError, UpswellError
from connectors.salesforce.client import SalesforceClient
from connectors.salesforce.errors import row_result
from connectors.salesforce.ingest_csv import CLEARED, read_table, table_of
from connectors.salesforce.rows import Row, row
from connectors.salesforce.schema import Schemas
from connectors.write_jobs import JobLook, JobState, OpenedJob

BATCH: Final = 10_000
"""Records of a job: Salesforce works on so many at a time, and one call reads them back."""
BYTES: Final = 100_000_000
"""Of a job's data: 150 MB once they are base64, which is how Salesforce keeps them."""

_ID: Final = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")
_STATES: Final[Mapping[str, JobState]] = {
    "Open": JobState.OPEN,
    "UploadComplete": JobState.RUNNING,
    "InProgress": JobState.RUNNING,
    "JobComplete": JobState.ENDED,
    "Failed": JobState.ENDED,
    "Aborted": JobState.ENDED,
}


class IngestJobs:
    """The jobs of one org; they only update."""

    def __init__(self, client: SalesforceClient, schemas: Schemas) -> None:
        self._client = client
        self._schemas = schemas

    def open(self, changes: Sequence[Change]) -> OpenedJob:
        """A job with its data uploaded; two API calls, none if every row was left out."""
        objects = {change.object for change in changes}
        if len(objects) != 1:
            raise ValueError(f"one job writes one object, not {sorted(objects)}")
        here = self._schemas[changes[0].object]
        rows = [row(change.key, change.id, change.values, here, creating=False) for change in changes]
        left_out = {each.key: told for each in rows if (told := each.refusal or _unfit(each)) is not None}
        leaving = [each for each in rows if each.key not in left_out]
        if not leaving:
            return OpenedJob(id=None, left_out=tuple(left_out.values()))
        body = {
            "object": here.schema.name,
            "operation": "update",
            "contentType": "CSV",
            "columnDelimiter": "COMMA",
            "lineEnding": "LF",
        }
        job = self._checked(self._client.ask("jobs/ingest", body))  # a second one does no harm
        try:
            self._client.put_csv(f"jobs/ingest/{job}/batches", table_of(leaving))
        except UpswellError:
            with suppress(UpswellError):  # an open job does nothing, and goes by itself
                self.abort(job)
            raise
        return OpenedJob(id=job, left_out=tuple(left_out.values()))

    def close(self, job_id: str) -> None:
        """Set the job to work; one API call."""
        self._client.send("PATCH", f"jobs/ingest/{job_id}", {"state": "UploadComplete"})

    def abort(self, job_id: str) -> None:
        """Stop the job; what it did stays."""
        self._client.set_up("PATCH", f"jobs/ingest/{job_id}", {"state": "Aborted"})

    def look(self, job_id: str, keys: Mapping[str, str]) -> JobLook:
        """How the job stands; one API call, and one for each kind of results that are needed."""
        try:
            told = self._client.read(f"jobs/ingest/{job_id}")
        except TerminalError as error:
            if error.status == 404:
                return JobLook(state=JobState.GONE)
            raise
        state = _STATES.get(str(told.get("state")), JobState.RUNNING)
        if state is not JobState.ENDED:
            return JobLook(state=state)
        wanted = {record_id[:15]: (record_id, key) for record_id, key in keys.items()}
        try:
            results = self._results(job_id, told, wanted)
        except TerminalError as error:
            if error.status == 404:
                return JobLook(state=JobState.GONE)
            raise
        return JobLook(state=state, results=tuple(results))

    def _results(
        self, job_id: str, told: Mapping[str, Any], wanted: Mapping[str, tuple[str, str]]
    ) -> list[RowResult]:
        """Results of the rows that Salesforce tells of; the others' outcome is not known.

        Where the job is complete and its counts agree, what did not fail was applied."""
        failed = int(told.get("numberRecordsFailed") or 0)
        processed = int(told.get("numberRecordsProcessed") or 0)
        refused: dict[str, RowResult] = {}
        if failed:
            for line in self._lines(job_id, "failedResults"):
                if (row_of := wanted.get(line["Id"][:15])) is not None:
                    refused[line["Id"][:15]] = self._refused(row_of, line["sf__Error"])
        is_whole = told.get("state") == "JobComplete" and processed >= len(wanted)
        if is_whole and len(refused) == failed:
            return [refused.get(short) or _applied(row_of) for short, row_of in wanted.items()]
        done = {line["Id"][:15] for line in self._lines(job_id, "successfulResults")}
        waiting = {line["Id"][:15] for line in self._lines(job_id, "unprocessedrecords")}
        results = dict(refused)
        for short, row_of in wanted.items():
            if short in done:
                results[short] = _applied(row_of)
            elif short in waiting and short not in refused:
                results[short] = _not_processed(row_of, str(told.get("errorMessage") or told.get("state")))
        return list(results.values())

    def _lines(self, job_id: str, kind: str) -> list[Mapping[str, str]]:
        extra = {"failedResults": "sf__Error", "successfulResults": "sf__Created"}.get(kind)
        names = ["Id"] if extra is None else ["Id", extra]
        return read_table(self._client.csv(f"jobs/ingest/{job_id}/{kind}"), names, record=f"job {job_id}")

    def _refused(self, row_of: tuple[str, str], error: str) -> RowResult:
        """The result behind `CODE:message:fields --`."""
        code, _, rest = error.partition(":")
        message, _, names = rest.removesuffix("--").rstrip().rpartition(":")
        entry = {"statusCode": code.strip(), "message": message or names, "fields": names.split()}
        record_id, key = row_of
        return row_result(key, [entry], record_id=record_id, redact=self._client.door.redact)

    def _checked(self, reply: Any) -> str:
        job = str(reply.get("id") or "") if isinstance(reply, dict) else ""
        if _ID.fullmatch(job) is None:
            raise TerminalError(
                "Salesforce opened a job without telling its id.",
                record="jobs/ingest",
                fix='Set bulk_writes = "never" in [crm.salesforce].',
            )
        return job


def _unfit(row: Row) -> RowResult | None:
    """A text that a job would take for an order to clear the field: another call can bear it."""
    if row.body is None or CLEARED not in row.body.values():
        return None
    message = f"a job can't write the text {CLEARED}"
    return RowResult(key=row.key, outcome=RowOutcome.FAILED, id=row.id, message=message)


def _applied(row_of: tuple[str, str]) -> RowResult:
    record_id, key = row_of
    return RowResult(key=key, outcome=RowOutcome.APPLIED, id=record_id)


def _not_processed(row_of: tuple[str, str], why: str) -> RowResult:
    record_id, key = row_of
    message = f"the job ended before it came to this record: {why}"
    return RowResult(key=key, outcome=RowOutcome.FAILED, id=record_id, message=message)
