"""Up to 1,000 rows written in one API call: sObject Collections, and five of them in a Composite call.

REST API Developer Guide, "Update Multiple Records with Fewer Round-Trips": 200 records, results in the order
of the request. "Composite": at most 5 of the 25 subrequests may be sObject Collections or queries, and the
whole is one API call. Each of these parts has a status of its own: one that fails says nothing of the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from connectors.crm import RowOutcome, RowResult
from connectors.errors import AmbiguousError, RemoteError, TerminalError, UpswellError
from connectors.salesforce.client import SalesforceClient
from connectors.salesforce.errors import entries_of, error_from, row_result
from connectors.salesforce.rows import Row

PART: Final = 200
PARTS: Final = 5
MOST: Final = PART * PARTS
_PATH: Final = "composite/sobjects"


class Collections:
    """Sends rows of one org."""

    def __init__(self, client: SalesforceClient) -> None:
        self._client = client

    def send(self, method: str, object_name: str, rows: Sequence[Row]) -> list[RowResult]:
        """A result for each row whose outcome is known, in the order of `rows`; at most one API call.

        Raises the error of a call that failed as a whole."""
        if len(rows) > MOST:
            raise ValueError(f"{len(rows)} records in one call; Salesforce takes {MOST:,}")
        leaving = [each for each in rows if each.body is not None]
        parts = [leaving[start : start + PART] for start in range(0, len(leaving), PART)]
        known: dict[str, RowResult] = {}
        if len(parts) == 1:
            known = self._alone(method, object_name, leaving)
        elif parts:
            known = self._together(method, object_name, parts)
        told = (each.refusal or known.get(each.key) for each in rows)
        return [result for result in told if result is not None]

    def _alone(self, method: str, object_name: str, rows: Sequence[Row]) -> dict[str, RowResult]:
        answers = self._client.send(method, _PATH, _body(object_name, rows)) or []
        if not _matches(rows, answers):
            raise _unknown(len(answers), f"{len(rows)} records", object_name)
        return self._results(rows, answers)

    def _together(
        self, method: str, object_name: str, parts: Sequence[Sequence[Row]]
    ) -> dict[str, RowResult]:
        bodies = [_body(object_name, rows) for rows in parts]
        reply = self._client.send("POST", "composite", composed(self._client, method, _PATH, bodies))
        answers = (reply.get("compositeResponse") if isinstance(reply, Mapping) else None) or []
        if [each.get("referenceId") for each in answers] != [f"part{n}" for n in range(len(parts))]:
            raise _unknown(len(answers), f"{len(parts)} parts", object_name)
        errors = [self._error(each, method) for each in answers]
        if (whole := _of_all(errors)) is not None:
            raise whole
        known: dict[str, RowResult] = {}
        for rows, answer, error in zip(parts, answers, errors, strict=True):
            if error is not None:
                known |= _failed(rows, error)
            elif _matches(rows, answer["body"]):
                known |= self._results(rows, answer["body"])
        return known

    def _results(self, rows: Sequence[Row], answers: Sequence[Mapping[str, Any]]) -> dict[str, RowResult]:
        told = (self._result(row, answer) for row, answer in zip(rows, answers, strict=True))
        return {result.key: result for result in told}

    def _result(self, row: Row, answer: Mapping[str, Any]) -> RowResult:
        identifier = str(answer.get("id") or row.id or "") or None
        if answer.get("success"):
            return RowResult(key=row.key, outcome=RowOutcome.APPLIED, id=identifier)
        return row_result(
            row.key, answer.get("errors") or (), record_id=identifier, redact=self._client.door.redact
        )

    def _error(self, answer: Mapping[str, Any], method: str) -> UpswellError | None:
        """What went wrong with a part as a whole, None when it answers row by row."""
        status = int(answer["httpStatusCode"])
        if status < 300:
            return None
        return error_from(
            entries_of(answer.get("body")),
            status=status,
            what=f"{method} {_PATH}",
            writing=True,
            redact=self._client.door.redact,
        )


def composed(
    client: SalesforceClient, method: str, path: str, bodies: Sequence[Mapping[str, Any]]
) -> Mapping[str, Any]:
    """The body of a Composite call whose parts `part0`, `part1` … go to one address, one after the other."""
    return {
        "allOrNone": False,
        "collateSubrequests": False,
        "compositeRequest": [
            {
                "method": method,
                "url": f"/services/data/v{client.sf_version}/{path}",
                "referenceId": f"part{position}",
                "body": body,
            }
            for position, body in enumerate(bodies)
        ],
    }


def _body(object_name: str, rows: Sequence[Row]) -> Mapping[str, Any]:
    return {"allOrNone": False, "records": list(_records(object_name, rows))}


def _records(object_name: str, rows: Sequence[Row]) -> Iterator[Mapping[str, Any]]:
    for each in rows:
        record = {"attributes": {"type": object_name}, **(each.body or {})}
        yield record if each.id is None else record | {"id": each.id}


def _matches(rows: Sequence[Row], answers: Any) -> bool:
    """Results are matched by their order, so a reply of another shape tells nothing."""
    return (
        isinstance(answers, list)
        and len(rows) == len(answers)
        and all(
            each.id is None or not answer.get("success") or str(answer.get("id"))[:15] == each.id[:15]
            for each, answer in zip(rows, answers, strict=True)
        )
    )


def _of_all(errors: Sequence[UpswellError | None]) -> UpswellError | None:
    """The error of a call all of whose parts came to the same nothing."""
    first = errors[0]
    same = first is not None and all(type(each) is type(first) for each in errors)
    return first if same and all(_code(each) == _code(first) for each in errors) else None


def _code(error: UpswellError | None) -> str | None:
    return error.vendor_code if isinstance(error, RemoteError) else None


def _failed(rows: Sequence[Row], error: UpswellError) -> dict[str, RowResult]:
    """Results of a part that failed as a whole; none where it may have happened all the same."""
    if isinstance(error, AmbiguousError):
        return {}
    is_content = isinstance(error, TerminalError) and error.is_about_content
    result = RowResult(
        key="",
        outcome=RowOutcome.REFUSED if is_content else RowOutcome.FAILED,
        vendor_code=_code(error),
        message=error.message,
        fix=error.fix,
        refused_with=len(rows) - 1 if is_content else 0,
    )
    return {each.key: replace(result, key=each.key, id=each.id) for each in rows}


def _unknown(answers: int, of: str, object_name: str) -> AmbiguousError:
    return AmbiguousError(
        f"Salesforce answered {answers} results to {of}, or in another order.",
        record=object_name,
        fix="The records are read back before anything is sent again.",
    )
