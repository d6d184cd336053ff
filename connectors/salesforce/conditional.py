"""Records written only if nobody has changed them since they were read; whoever finds that out reads again.

REST API Developer Guide, "Update Records Using sObject Rows" and "Conditional Request Headers":
If-Unmodified-Since on a record of any object, 412 when it was modified after that. "Composite Subrequest":
each of up to 25 subrequests has headers of its own, and the whole is one API call. Collections know no
condition, so this costs eight times the calls.

The condition is as fine as an HTTP date: a second. A record that was modified in the very second in which
it was read could be modified again in that second unseen, so it is not sent before another reading.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any, Final

from connectors.crm import RowOutcome, RowResult
from connectors.errors import AmbiguousError
from connectors.salesforce.client import SalesforceClient
from connectors.salesforce.errors import entries_of, row_result
from connectors.salesforce.rows import Row
from connectors.salesforce.values import parse_time

SUBREQUESTS: Final = 25
OBJECTS: Final = frozenset({"Account"})
"""The objects that we write conditionally, which are those that people edit beside us."""
_STAMP: Final = "SystemModstamp"  # never earlier than the LastModifiedDate that Salesforce compares with
_TICK: Final = timedelta(seconds=1)


class ConditionalWriter:
    """Writes records of one org, each only if it is as it was read."""

    def __init__(self, client: SalesforceClient) -> None:
        self._client = client
        self._unsettled: dict[str, datetime] = {}  # short id -> modified in the second of its last reading

    def note_reads(self, records: Iterable[Mapping[str, Any] | None]) -> None:
        """Take note of the records of the last reply: which of them were modified just then."""
        now = self._client.door.server_time
        for held in records:
            stamp = None if held is None else held.get(_STAMP)
            if held is None or stamp is None or now is None:
                continue
            short, modified = str(held["Id"])[:15], parse_time(stamp)
            if modified + _TICK > now.replace(microsecond=0):
                self._unsettled[short] = modified
            else:
                self._unsettled.pop(short, None)

    def update(
        self, object_name: str, rows: Sequence[Row], since: Mapping[str, datetime | None]
    ) -> list[RowResult]:
        """One result a row, in order; one API call. `since` is when a record was last modified, by key."""
        if len(rows) > SUBREQUESTS:
            raise ValueError(f"{len(rows)} conditional writes in one call; Salesforce takes {SUBREQUESTS}")
        known = {each.key: each.refusal or self._too_fresh(each, since[each.key]) for each in rows}
        leaving = [each for each in rows if known[each.key] is None]
        answers: Sequence[Mapping[str, Any]] = []
        if leaving:
            body = {
                "allOrNone": False,
                "compositeRequest": [
                    self._subrequest(position, object_name, each, since[each.key])
                    for position, each in enumerate(leaving)
                ],
            }
            reply = self._client.send("POST", "composite", body)
            answers = (reply.get("compositeResponse") if isinstance(reply, Mapping) else None) or []
            _check(leaving, answers, object_name)
        told = {each.key: self._result(each, answer) for each, answer in zip(leaving, answers, strict=True)}
        return [known[each.key] or told[each.key] for each in rows]

    def _too_fresh(self, row: Row, since: datetime | None) -> RowResult | None:
        if since is None or self._unsettled.get(str(row.id)[:15]) != since:
            return None
        message = "the record was modified in the very second in which it was read"
        return RowResult(key=row.key, outcome=RowOutcome.FAILED, id=row.id, message=message)

    def _subrequest(
        self, position: int, object_name: str, row: Row, since: datetime | None
    ) -> Mapping[str, Any]:
        request = {
            "method": "PATCH",
            "url": f"/services/data/v{self._client.sf_version}/sobjects/{object_name}/{row.id}",
            "referenceId": f"row{position}",
            "body": row.body,
        }
        if since is None:
            return request
        return request | {"httpHeaders": {"If-Unmodified-Since": format_datetime(since, usegmt=True)}}

    def _result(self, row: Row, answer: Mapping[str, Any]) -> RowResult:
        status = int(answer["httpStatusCode"])
        if status < 300:
            return RowResult(key=row.key, outcome=RowOutcome.APPLIED, id=row.id)
        body = answer.get("body")
        errors = [each for each in body if isinstance(each, Mapping)] if isinstance(body, list) else []
        if status == 412:
            code = next((error.code for error in entries_of(errors)), "PRECONDITION_FAILED")
            return RowResult(
                key=row.key,
                outcome=RowOutcome.FAILED,
                id=row.id,
                vendor_code=code,
                message="the record was changed between our reading and our writing; it was left alone",
            )
        return row_result(row.key, errors, record_id=row.id, redact=self._client.door.redact)


def _check(rows: Sequence[Row], answers: Sequence[Mapping[str, Any]], object_name: str) -> None:
    """Results are matched by their order and reference, so a reply of another shape tells nothing."""
    told = [answer.get("referenceId") for answer in answers]
    if told != [f"row{position}" for position in range(len(rows))]:
        raise AmbiguousError(
            f"Salesforce answered {len(answers)} results to {len(rows)} records, or in another order.",
            record=object_name,
            fix="The records are read back before anything is sent again.",
        )
