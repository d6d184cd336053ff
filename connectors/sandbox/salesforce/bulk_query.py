"""Query jobs of Bulk API 2.0: a result that is fixed when it is made, handed out as CSV in sets.

Sources: "Query Jobs" (create, get information, get results, abort, delete) and "Limits", Bulk API 2.0
Developer Guide. How long a job takes is told in looks at it, not in seconds, so that a run can be repeated.
"""

from __future__ import annotations

import gzip
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as BadBase64Error
from datetime import timedelta

from connectors.sandbox.clock import Clock
from connectors.sandbox.salesforce.errors import RefusalError, not_found
from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.record_csv import header_line
from connectors.sandbox.salesforce.soql_sql import CompiledQuery
from connectors.sandbox.salesforce.soql_tree import Aggregate, FieldSet, Query
from connectors.sandbox.store import Cell, Store, stamp
from connectors.sandbox.wire import Response

KEPT = timedelta(days=7)
DEFAULT_SET = 50_000  # rows of a set of results where the client names no number
LARGEST_SET = 250_000
SLOW_FROM = (10_000, 100_000)  # a job of more rows is found at work once, of more still twice

NOT_TAKEN = frozenset(
    {"CaseStatus", "ContractStatus", "OpportunityStage", "OrderStatus", "RecentlyViewed", "TaskPriority"}
    | {"TaskStatus", "TaskWhoRelation", "EventWhoRelation", "UserRecordAccess"}
)
"""sObjects of which Salesforce says that they are not supported by the Bulk API."""


def check(query: Query, sobject: str) -> None:
    """Raise RefusalError for what a Bulk query does not take ("SOQL Considerations")."""
    refused = None
    if sobject in NOT_TAKEN:
        raise RefusalError(400, "INVALIDENTITY", f"Entity '{sobject}' is not supported by the Bulk API.")
    if query.group or any(isinstance(item, Aggregate) for item in query.items):
        refused = "Aggregate Relationships not supported in Bulk Query"
    elif query.offset:
        refused = "OFFSET not supported in Bulk Query"
    elif any(isinstance(item, FieldSet) for item in query.items):
        refused = "FIELDS() not supported in Bulk Query"
    if refused is not None:
        raise RefusalError(400, "API_ERROR", refused)


class BulkQueries:
    """Keeps query jobs and their results."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        with store.transaction() as sql:
            sql.execute(
                "CREATE TABLE IF NOT EXISTS bulk_query_jobs (id TEXT PRIMARY KEY, operation TEXT,"
                " object TEXT, user TEXT, created TEXT, state TEXT, looks INTEGER, rows INTEGER, header TEXT)"
            )
            sql.execute(
                "CREATE TABLE IF NOT EXISTS bulk_query_rows (job TEXT, n INTEGER, line TEXT,"
                " PRIMARY KEY (job, n)) WITHOUT ROWID"
            )

    def create(self, compiled: CompiledQuery, *, operation: str, user_id: str) -> dict[str, Cell]:
        """A new job with its result; what is older than a week goes."""
        job_id = salesforce_id("750", self._store.next_number("bulk_query"))
        numbered = f"SELECT ?, row_number() OVER () - 1, line FROM ({compiled.lines})"  # noqa: S608  # schema's names
        with self._store.transaction() as sql:
            self._forget_old()
            rows = sql.execute(
                f"INSERT INTO bulk_query_rows (job, n, line) {numbered}", (job_id, *compiled.parameters)
            ).rowcount
            job = (job_id, operation, compiled.sobject.name, user_id, self._clock.stamp())
            sql.execute(
                "INSERT INTO bulk_query_jobs VALUES (?, ?, ?, ?, ?, 'UploadComplete', 0, ?, ?)",
                (*job, rows, header_line(compiled.header)),
            )
        return self.job(job_id, user_id)

    def job(self, job_id: str, user_id: str) -> dict[str, Cell]:
        """The job's row. Raises RefusalError 404 for one that is not there, or not this user's."""
        row = self._store.row("bulk_query_jobs", job_id, column="id")
        if row is None or row["user"] != user_id:
            raise not_found()
        return row

    def look(self, job_id: str, user_id: str) -> dict[str, Cell]:
        """The job as a client finds it; it moves on from look to look."""
        job = self.job(job_id, user_id)
        if job["state"] in {"UploadComplete", "InProgress"}:
            looks = int(job["looks"] or 0) + 1
            rows = int(job["rows"] or 0)
            done = looks > sum(rows > limit for limit in SLOW_FROM)
            self._set(job_id, "JobComplete" if done else "InProgress", looks)
        return self.job(job_id, user_id)

    def abort(self, job_id: str, user_id: str) -> dict[str, Cell]:
        """The job, which does nothing more."""
        job = self.job(job_id, user_id)
        if job["state"] not in {"UploadComplete", "InProgress"}:
            raise RefusalError(
                400, "INVALIDJOBSTATE", f"Aborting a job in state {job['state']} is not allowed"
            )
        self._set(job_id, "Aborted", int(job["looks"] or 0))
        return self.job(job_id, user_id)

    def delete(self, job_id: str, user_id: str) -> None:
        """Forget the job and its result; only one that has ended."""
        job = self.job(job_id, user_id)
        if job["state"] in {"UploadComplete", "InProgress"}:
            raise RefusalError(
                400, "INVALIDJOBSTATE", f"Deleting a job in state {job['state']} is not allowed"
            )
        with self._store.transaction() as sql:
            sql.execute("DELETE FROM bulk_query_rows WHERE job = ?", (job_id,))
            sql.execute("DELETE FROM bulk_query_jobs WHERE id = ?", (job_id,))

    def results(
        self, job_id: str, user_id: str, *, locator: str | None, most: int | None, compress: bool
    ) -> Response:
        """A set of results with the locator of the next; nothing while the job is not complete."""
        job = self.job(job_id, user_id)
        if job["state"] != "JobComplete":
            return Response(status=204)
        start = 0 if locator is None else _place(locator)
        rows = int(job["rows"] or 0)
        if start > rows:
            raise RefusalError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        end = min(rows, start + _set_size(start, most))
        lines = self._store.select(
            "SELECT line FROM bulk_query_rows WHERE job = ? AND n >= ? AND n < ? ORDER BY n",
            (job_id, start, end),
        )
        text = "\n".join([str(job["header"]), *(str(line) for (line,) in lines), ""])
        body = text.encode()
        headers = {
            "Content-Type": "text/csv; charset=UTF-8",
            "Sforce-NumberOfRecords": str(end - start),
            "Sforce-Locator": "null" if end >= rows else _locator(end),
        }
        if compress:  # "Understanding Bulk API 2.0 Query": the response body is always compressed
            body, headers["Content-Encoding"] = gzip.compress(body, compresslevel=1), "gzip"
        return Response(status=200, body=body, headers=headers)

    def _set(self, job_id: str, state: str, looks: int) -> None:
        with self._store.transaction() as sql:
            sql.execute(
                "UPDATE bulk_query_jobs SET state = ?, looks = ? WHERE id = ?", (state, looks, job_id)
            )

    def _forget_old(self) -> None:
        """Results are kept for seven days."""
        oldest = stamp(self._clock.now() - KEPT)
        with self._store.transaction() as sql:
            old = "SELECT id FROM bulk_query_jobs WHERE created < ?"
            sql.execute(f"DELETE FROM bulk_query_rows WHERE job IN ({old})", (oldest,))  # noqa: S608  # our own text
            sql.execute("DELETE FROM bulk_query_jobs WHERE created < ?", (oldest,))


def _locator(place: int) -> str:
    return urlsafe_b64encode(str(place).encode()).decode().rstrip("=")


def _place(locator: str) -> int:
    """Where a locator leads. Raises RefusalError for one that no set of results bore."""
    try:
        text = urlsafe_b64decode(locator + "=" * (-len(locator) % 4)).decode()
        return int(text)
    except (BadBase64Error, ValueError):
        raise RefusalError(400, "INVALID_QUERY_LOCATOR", "invalid query locator") from None


def _set_size(start: int, most: int | None) -> int:
    """Rows of the set that begins at `start`: now and then fewer than asked for, the same at each run."""
    wanted = DEFAULT_SET if most is None else max(1, min(most, LARGEST_SET))
    dice = zlib.crc32(str(start + wanted).encode())
    return max(1, wanted - dice % 97) if dice % 5 == 0 else wanted
