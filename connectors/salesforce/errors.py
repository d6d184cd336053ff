"""Salesforce's error codes as our exceptions and row outcomes, each with what to do next.

Codes: SOAP API Developer Guide, "Core Data Types Used in API Calls" (StatusCode), and REST API
Developer Guide, "Status Codes and Error Responses".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import requests

from connectors.crm import RowOutcome, RowResult
from connectors.errors import (
    AmbiguousError,
    LoginError,
    QuotaError,
    RemoteError,
    SetupError,
    TerminalError,
    TransientError,
    UpswellError,
)
from connectors.redaction import Redactor

SESSION_EXPIRED: Final = "INVALID_SESSION_ID"

_TRANSIENT: Final = frozenset(
    {
        "UNABLE_TO_LOCK_ROW",
        "SERVER_UNAVAILABLE",
        "QUERY_TIMEOUT",
        "OPERATION_TOO_LARGE",
        "CONCURRENT_REQUESTS_LIMIT_EXCEEDED",
        "API_CURRENTLY_DISABLED",  # because of a system problem, and temporarily, as the guide says
        "UNKNOWN_EXCEPTION",
    }
)
_QUOTA: Final = frozenset({"REQUEST_LIMIT_EXCEEDED", "TXN_SECURITY_METERING_ERROR"})
_SETUP: Final = {
    "INVALID_FIELD": "Restore the field, show it to our user by a permission set, or correct the mapping.",
    "INVALID_FIELD_FOR_INSERT_UPDATE": "Give our user edit access to the field in the permission set.",
    "INVALID_TYPE": "Give our user read access to the object, or leave its table out.",
    "API_DISABLED_FOR_ORG": "Enable API access for our user's profile; some editions have none.",
    "FUNCTIONALITY_NOT_ENABLED": "Enable the feature in the org, or leave its table out.",
    "INSUFFICIENT_ACCESS": "Give our user access to the object or record.",
    "INSUFFICIENT_ACCESS_OR_READONLY": "Give our user edit access to the object.",
}
_GONE: Final = frozenset({"ENTITY_IS_DELETED", "INVALID_ID_FIELD", "NOT_FOUND"})
_ROW_FIXES: Final[Mapping[str, str]] = {
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": "Exempt our user from the validation rule, or correct the record.",
    "FIELD_FILTER_VALIDATION_EXCEPTION": "The lookup's filter refuses the value: correct one of them.",
    "STRING_TOO_LONG": "Lengthen the field to the length in fields.toml.",
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": "Add the value to the picklist, or run `upswell install`.",
    "NUMBER_OUTSIDE_VALID_RANGE": "Give the field the digits stated in fields.toml.",
    "DUPLICATES_DETECTED": "A duplicate rule blocks the save: merge the duplicates or exempt our user.",
    "DUPLICATE_VALUE": "Another record holds this unique value already.",
    "REQUIRED_FIELD_MISSING": "A required field is empty on this record: fill it in, or make it optional.",
    "INVALID_CROSS_REFERENCE_KEY": "The record or owner it points to does not exist or can't be used.",
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": "Give our user access to the record it points to.",
    "INSUFFICIENT_ACCESS_OR_READONLY": "Give our user edit access to this record.",
    "INVALID_FIELD_FOR_INSERT_UPDATE": "Give our user edit access to the field in the permission set.",
    "CANNOT_EXECUTE_FLOW_TRIGGER": "A flow of the org failed on this record: mend the flow.",
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": "An Apex trigger of the org failed on this record.",
    "INACTIVE_OWNER_OR_USER": "The owner is inactive: give the record an active owner.",
    "ENTITY_IS_LOCKED": "An approval process has locked the record: decide it, or exempt our user.",
    "STORAGE_LIMIT_EXCEEDED": "The org's data storage is full: free some, or buy more.",
    "OP_WITH_INVALID_USER_TYPE_EXCEPTION": "The owner can't own this kind of record: choose another.",
    "MALFORMED_ID": "The id is no Salesforce id.",
}
_ANY_FIX: Final = "Salesforce's own words say which rule it is: correct the record, or exempt our user."
_PASSING_WORDS: Final = ("UNABLE_TO_LOCK_ROW", "System.LimitException", "ConcurrentPerOrgLongTxn")
"""What a trigger's or flow's failure quotes when it met a lock or a governor limit, which pass."""
_NOTHING_HAPPENED: Final = _TRANSIENT - {"UNKNOWN_EXCEPTION"}
_CERTAINLY_NOT: Final = frozenset({501, 503})  # behind any other 5xx, a gateway's too, a write may be done
_MOVED: Final = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorError:
    """One entry of Salesforce's error body."""

    code: str
    message: str
    fields: tuple[str, ...] = ()


def entries_of(body: Any) -> tuple[VendorError, ...]:
    """The errors in a REST error body: a list of errorCode and message, or OAuth's error object."""
    items: Sequence[Any] = body if isinstance(body, list) else [body]
    found = []
    for item in items:
        if not isinstance(item, Mapping):
            continue
        code = item.get("errorCode") or item.get("statusCode") or item.get("error")
        text = item.get("message") or item.get("error_description") or ""
        if code is not None:
            names = tuple(str(name) for name in item.get("fields") or ())
            found.append(VendorError(code=str(code), message=str(text), fields=names))
    return tuple(found)


def error_of(reply: requests.Response, *, what: str, writing: bool, redact: Redactor) -> UpswellError:
    """Our exception for a reply with status 300 or more; `what` names the call for people."""
    try:
        errors = entries_of(reply.json())
    except ValueError:
        errors = ()
    if not errors:
        errors = (VendorError(code=f"HTTP_{reply.status_code}", message=reply.reason or ""),)
    return error_from(
        errors,
        status=reply.status_code,
        what=what,
        writing=writing,
        redact=redact,
        retry_after=_retry_after(reply.headers),
    )


def error_from(
    errors: Sequence[VendorError],
    *,
    status: int,
    what: str,
    writing: bool,
    redact: Redactor,
    retry_after: float | None = None,
) -> UpswellError:
    """Our exception for a status of 300 or more and its errors, of a reply or of a part of one."""
    first = errors[0] if errors else VendorError(code=f"HTTP_{status}", message="")
    message = redact(f"Salesforce answered {first.code} to {what}: {' '.join(first.message.split())[:500]}")
    error: UpswellError
    if first.code in _QUOTA and "concurrent" not in first.message.lower():
        error = QuotaError(
            message, fix="The org's API calls of the last 24 hours are used up: wait, or buy more calls."
        )
    elif first.code == SESSION_EXPIRED or status == 401:
        error = LoginError(message, fix="Check that the user may log in by API.")
    elif writing and status >= 500 and status not in _CERTAINLY_NOT and first.code not in _NOTHING_HAPPENED:
        error = AmbiguousError(message)
    elif first.code in _TRANSIENT | _QUOTA or status >= 500 or status in {408, 429}:
        error = TransientError(message, retry_after=retry_after)
    elif first.code in _SETUP:
        error = SetupError(message, fix=_SETUP[first.code])
    elif status in _MOVED:
        error = TerminalError(message, fix="The org has moved: correct instance_url.")
    else:
        error = TerminalError(message)
    if isinstance(error, RemoteError):
        error.status, error.vendor_code = status, first.code
    return error


def row_result(
    key: str, errors: Sequence[Mapping[str, Any]], *, record_id: str | None, redact: Redactor
) -> RowResult:
    """The result of a row that Salesforce did not take."""
    found = entries_of(list(errors))
    first = found[0] if found else VendorError(code="UNKNOWN", message="no reason given")
    if first.code in _GONE:
        outcome = RowOutcome.GONE
    elif first.code in _TRANSIENT or any(words in first.message for words in _PASSING_WORDS):
        outcome = RowOutcome.FAILED
    else:
        outcome = RowOutcome.REFUSED
    where = f" ({', '.join(first.fields)})" if first.fields else ""
    return RowResult(
        key=key,
        outcome=outcome,
        id=record_id,
        vendor_code=first.code,
        message=redact(f"{first.message}{where}"),
        fix=row_fix(first.code) or (_ANY_FIX if outcome is RowOutcome.REFUSED else None),
    )


def row_fix(code: str) -> str | None:
    """What to do about a refused row, where it is known."""
    return _ROW_FIXES.get(code)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds asked for by a Retry-After header; Salesforce itself sends none, proxies do."""
    value = headers.get("Retry-After", "")
    return float(value) if value.isdigit() else None
