"""The org's ingest jobs: data that waits, is worked on once its job is closed, and its results for a week.

A closed job has done its work before anybody looks at it, as a real one may have; how often it is found
InProgress until it says so depends on its size. Its results come in an order of their own.
"""

from __future__ import annotations

import csv
import io
import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from connectors.sandbox.clock import Clock
from connectors.sandbox.salesforce.errors import RefusalError, RowError, not_found
from connectors.sandbox.salesforce.ids import normal_id, salesforce_id
from connectors.sandbox.salesforce.rows import RowRefusedError, Writer
from connectors.sandbox.salesforce.schema import SObject
from connectors.sandbox.store import Cell, Store, moment

if TYPE_CHECKING:
    from connectors.sandbox.salesforce.call import Call

KEPT = timedelta(days=7)
SLOW_FROM = (2_000, 20_000)  # records from which one more look finds the job still at work
SUCCESSFUL, FAILED, UNPROCESSED = "successful", "failed_rows", "unprocessed"
CLEARED = "#N/A"
_OPEN, _CLOSED, _WORKING, _DONE = "Open", "UploadComplete", "InProgress", "JobComplete"
Line = Mapping[str, str]


class _UnfitDataError(Exception):
    """The data as a whole can't be worked on: the job fails, and nothing of it was processed."""


class IngestJobs:
    """The jobs of one org; each call works on what the store holds."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        with store.transaction() as sql:
            sql.execute(
                "CREATE TABLE IF NOT EXISTS ingest_jobs (id TEXT PRIMARY KEY, object TEXT, operation TEXT,"
                " ending TEXT, user TEXT, created TEXT, state TEXT, looks INTEGER DEFAULT 0, data BLOB,"
                " processed INTEGER DEFAULT 0, failed INTEGER DEFAULT 0, error TEXT,"
                " successful TEXT, failed_rows TEXT, unprocessed TEXT)"
            )

    def create(self, *, object_name: str, operation: str, ending: str, user_id: str) -> dict[str, Cell]:
        """A new job, open for its data."""
        job_id = salesforce_id("750", self._store.next_number("ingest_job", first=1_000_000))
        with self._store.transaction() as sql:
            sql.execute(
                "INSERT INTO ingest_jobs (id, object, operation, ending, user, created, state)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (job_id, object_name, operation, ending, user_id, self._clock.stamp(), _OPEN),
            )
        return self.job(job_id, user_id)

    def job(self, job_id: str, user_id: str) -> dict[str, Cell]:
        """The job's row. Raises RefusalError 404 for one that is not there, too old, or not this user's."""
        row = self._store.row("ingest_jobs", normal_id(job_id) or job_id, column="id")
        if row is None or row["user"] != user_id or moment(str(row["created"])) + KEPT < self._clock.now():
            raise not_found()
        return row

    def upload(self, job_id: str, user_id: str, data: bytes) -> None:
        """Keep the job's data, which come once."""
        job = self.job(job_id, user_id)
        if job["state"] != _OPEN or job["data"] is not None:
            raise _wrong_state("Uploading data to", job)
        self._set(job, data=data)

    def close(self, job_id: str, call: Call) -> dict[str, Cell]:
        """Set the job to work."""
        job = self.job(job_id, call.view.user_id)
        if job["state"] != _OPEN:
            raise _wrong_state("Closing", job)
        if job["data"] is None:
            raise RefusalError(400, "INVALIDJOBSTATE", "The job has no data: upload them first.")
        try:
            header, lines = parsed(job)
            sobject = call.view.find(str(job["object"]))
            assert sobject is not None
            _check_header(header, sobject, str(job["operation"]))
        except _UnfitDataError as unfit:
            self._set(job, state="Failed", error=f"InvalidBatch : {unfit}")
            return self.job(job_id, call.view.user_id)
        most = call.request.halt_after
        done = lines if most is None else lines[:most]
        results = _Work(call.writer(), sobject, str(job["operation"])).work(done)
        created = "true" if job["operation"] == "insert" else "false"
        good = [((key, created), line) for key, line, errors in results if not errors]
        bad = [((_id(line), _told(errors)), line) for _, line, errors in results if errors]
        self._set(
            job,
            state=_CLOSED,
            processed=len(done),
            failed=len(bad),
            error=None if most is None else "InternalServerError : the job was halted",
            successful=_table(["sf__Id", "sf__Created"], header, good),
            failed_rows=_table(["sf__Id", "sf__Error"], header, bad),
            unprocessed=_table([], header, [((), line) for line in lines[len(done) :]]),
        )
        return self.job(job_id, call.view.user_id)

    def abort(self, job_id: str, user_id: str) -> dict[str, Cell]:
        """Stop the job; what it did stays."""
        job = self.job(job_id, user_id)
        if job["state"] not in {_OPEN, _CLOSED, _WORKING}:
            raise _wrong_state("Aborting", job)
        self._set(job, state="Aborted")
        return self.job(job_id, user_id)

    def look(self, job_id: str, user_id: str) -> dict[str, Cell]:
        """The job as a client finds it; it moves on from look to look."""
        job = self.job(job_id, user_id)
        if job["state"] in {_CLOSED, _WORKING}:
            looks = int(job["looks"] or 0) + 1
            is_done = looks > sum(int(job["processed"] or 0) > size for size in SLOW_FROM)
            ended = "Failed" if job["error"] else _DONE
            self._set(job, looks=looks, state=ended if is_done else _WORKING)
        return self.job(job_id, user_id)

    def delete(self, job_id: str, user_id: str) -> None:
        """Forget a job that has ended."""
        job = self.job(job_id, user_id)
        if job["state"] in {_OPEN, _CLOSED, _WORKING}:
            raise _wrong_state("Deleting", job)
        with self._store.transaction() as sql:
            sql.execute("DELETE FROM ingest_jobs WHERE id = ?", (job["id"],))

    def results(self, job_id: str, user_id: str, which: str) -> str:
        """The CSV of one kind of results. Raises RefusalError while the job has not ended."""
        job = self.job(job_id, user_id)
        if job["state"] in {_OPEN, _CLOSED, _WORKING}:
            raise _wrong_state("Getting results of", job)
        return str(job[which] or "")

    def sent(self, job_id: str) -> list[tuple[str | None, Line]]:
        """The rows that closing the job would write, for the audit; none that can't be read."""
        row = self._store.row("ingest_jobs", normal_id(job_id) or job_id, column="id")
        if row is None or row["state"] != _OPEN or row["data"] is None:
            return []
        try:
            return [(normal_id(_id(line)), line) for line in parsed(row)[1]]
        except _UnfitDataError:
            return []

    def _set(self, job: Mapping[str, Cell], **values: object) -> None:
        names = ", ".join(f"{name} = ?" for name in values)
        with self._store.transaction() as sql:
            sql.execute(f"UPDATE ingest_jobs SET {names} WHERE id = ?", (*values.values(), job["id"]))  # noqa: S608  # our own names


class _Work:
    """Writes the lines of a job, one after the other."""

    def __init__(self, writer: Writer, sobject: SObject, operation: str) -> None:
        self._writer = writer
        self._sobject = sobject
        self._operation = operation

    def work(self, lines: Sequence[Line]) -> list[tuple[str, Line, tuple[RowError, ...]]]:
        """Each line with its record's id, or with why it was refused, in an order of their own."""
        seen: set[str] = set()
        results: list[tuple[str, Line, tuple[RowError, ...]]] = []
        for index, line in enumerate(lines):
            try:
                results.append((self._one(index, line, seen), line, ()))
            except RowRefusedError as refused:
                results.append((_id(line), line, refused.errors))
        self._writer.flush()
        return sorted(results, key=lambda each: zlib.crc32(each[0].encode()))

    def _one(self, index: int, line: Line, seen: set[str]) -> str:
        values = {
            name: None if cell == CLEARED else cell for name, cell in line.items() if cell and name != "Id"
        }
        if self._operation == "insert":
            return self._writer.create(self._sobject, values)
        record_id = _id(line)
        if record_id in seen:
            message = f"duplicate id in list: {record_id}"
            raise RowRefusedError(RowError(code="DUPLICATE_VALUE", message=message, fields=("Id",)))
        seen.add(record_id)
        if self._operation == "delete":
            self._writer.delete(self._sobject, record_id, index=index)
        else:
            self._writer.update(self._sobject, record_id, values, index=index)
        return normal_id(record_id) or record_id


def parsed(job: Mapping[str, Cell]) -> tuple[list[str], list[Line]]:
    """The header and the lines of a job's data. Raises _UnfitDataError."""
    data: object = job["data"]
    assert isinstance(data, bytes)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise _UnfitDataError("the data are not UTF-8") from None
    first = text.partition("\n")[0]
    if first.endswith("\r") != (job["ending"] == "CRLF"):
        message = f"LineEnding is invalid on user data. Current LineEnding setting is {job['ending']}"
        raise _UnfitDataError(message)
    try:
        header, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    except (csv.Error, ValueError) as error:
        raise _UnfitDataError(f"the data are no CSV: {error}") from None
    if any(len(row) != len(header) for row in rows):
        raise _UnfitDataError("a line has another number of cells than the header")
    return header, [dict(zip(header, row, strict=True)) for row in rows]


def _check_header(header: Sequence[str], sobject: SObject, operation: str) -> None:
    unknown = [name for name in header if sobject.field(name) is None]
    if unknown:
        raise _UnfitDataError(f"Field name not found : {unknown[0]}")
    if len(set(header)) < len(header):
        raise _UnfitDataError("a field comes twice")
    if operation != "insert" and "Id" not in header:
        raise _UnfitDataError("Field name not found : Id")


def _id(line: Line) -> str:
    return line.get("Id", "")


def _told(errors: Sequence[RowError]) -> str:
    """How a failed row tells its errors: code, message and fields."""
    return ";".join(f"{each.code}:{each.message}:{' '.join(each.fields)} --" for each in errors)


def _table(ahead: Sequence[str], header: Sequence[str], rows: Iterable[tuple[Sequence[str], Line]]) -> str:
    """A CSV of results with every cell quoted: what is told of each row, then the row as it was sent."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow([*ahead, *header])
    writer.writerows([*told, *(line[name] for name in header)] for told, line in rows)
    return out.getvalue()


def _wrong_state(doing: str, job: Mapping[str, Cell]) -> RefusalError:
    return RefusalError(400, "INVALIDJOBSTATE", f"{doing} a job in state {job['state']} is not allowed")
