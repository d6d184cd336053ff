"""HubSpot's errors as our exceptions and row outcomes, each with what to do next.

Bodies: HubSpot Developer documentation, "Handle errors" (category, subCategory, errors[].code, context),
and "API usage guidelines" for 429 with its policyName.
"""

from __future__ import annotations

import json
import re
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

NOT_FOUND: Final = "OBJECT_NOT_FOUND"
NO_LINKS: Final = "NO_ASSOCIATIONS_FOUND"

_GONE: Final = frozenset({NOT_FOUND, "NOT_FOUND", "RESOURCE_NOT_FOUND"})
_PASSING_ROWS: Final = frozenset({"RATE_LIMITS", "INTERNAL_ERROR", "CONFLICT", "LOCKED", "TIMEOUT"})
_SETUP: Final[Mapping[str, str]] = {
    "PROPERTY_DOESNT_EXIST": "Run `upswell install`, restore the property, or correct [mapping].",
    "MISSING_SCOPES": "Give the app these scopes and install it again (a Service Key: edit its scopes).",
}
_ROW_FIXES: Final[Mapping[str, str]] = {
    "INVALID_OPTION": "Add the option to the property, or run `upswell install`.",
    "INVALID_INTEGER": "The property must be a number: correct its type or the mapping.",
    "INVALID_LONG": "The property must be a number: correct its type or the mapping.",
    "INVALID_NUMBER": "The property must be a number: correct its type or the mapping.",
    "INVALID_DATE": "The property must be a date: correct its type or the mapping.",
    "READ_ONLY_VALUE": "HubSpot computes this property: map another one.",
    "INVALID_OWNER": "The owner does not exist or was deactivated: give the record an active owner.",
    "INVALID_OWNER_ID": "The owner does not exist or was deactivated: give the record an active owner.",
    "UNIQUE_VALUE_CONFLICT": "Another record holds this unique value already.",
    "REQUIRED_FIELDS_MISSING": "The account requires a property that this record lacks: fill it in.",
    "VALIDATION_ERROR": "A rule of the account refuses the value: correct the record, or exempt our app.",
}
_ANY_FIX: Final = "HubSpot's own words say which rule it is: correct the record, or exempt our app."
_CERTAINLY_NOT: Final = frozenset({501, 503, 525, 526})  # behind any other 5xx a write may be done
_MOVED: Final = frozenset({301, 302, 303, 307, 308})
_OLD_STYLE: Final = re.compile(r"(\[\{.*\}\])", re.DOTALL)  # the list of problems inside `message`


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One error of HubSpot's; `code` is the most telling of its codes."""

    code: str
    category: str
    message: str
    properties: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    traces: tuple[str, ...] = ()  # objectWriteTraceId of the rows that it is about


def read_problem(body: Any, *, fallback: str = "UNKNOWN") -> Problem:
    """The problem that an error body, or one entry of a batch's `errors`, tells."""
    if not isinstance(body, Mapping):
        return Problem(code=fallback, category=fallback, message="")
    details = [each for each in body.get("errors") or () if isinstance(each, Mapping)]
    details += _inside(str(body.get("message") or ""))
    first = details[0] if details else {}
    category = str(body.get("category") or body.get("errorType") or body.get("policyName") or fallback)
    last = str(body.get("subCategory") or "").rpartition(".")[2]
    status = str(body.get("status") or "").upper()  # OAuth's own code stands there
    told = status if status not in {"", "ERROR"} and category == fallback else category
    code = str(first.get("code") or first.get("error") or last or body.get("error") or told)
    context: dict[str, Any] = {**_mapping(first.get("context")), **_mapping(body.get("context"))}
    names = [*_list(context.get("propertyName")), *(str(d["name"]) for d in details if d.get("name"))]
    text = str(first.get("message") or body.get("message") or body.get("error_description") or "")
    return Problem(
        code=code,
        category=category,
        message=" ".join(text.split())[:500],
        properties=tuple(dict.fromkeys(names)),
        ids=tuple(_list(context.get("ids")) or _list(context.get("id"))),
        traces=tuple(_list(context.get("objectWriteTraceId"))),
    )


def problem_of(reply: requests.Response) -> Problem:
    """The problem in an error reply."""
    try:
        body = reply.json()
    except ValueError:
        body = None
    return read_problem(body, fallback=f"HTTP_{reply.status_code}")


def error_of(reply: requests.Response, *, what: str, writing: bool, redact: Redactor) -> UpswellError:
    """Our exception for a reply with status 300 or more; `what` names the call for people."""
    problem = problem_of(reply)
    status = reply.status_code
    message = redact(f"HubSpot answered {problem.code} to {what}: {problem.message or reply.reason}")
    error: UpswellError
    if status == 429:
        error = _too_many(reply, message)
    elif status == 401:
        error = LoginError(
            message, fix="Check the token: it may be revoked, rotated, or of another account's app."
        )
    elif status == 403 and problem.code == "HTTP_403":  # no word of HubSpot's
        error = TerminalError(
            message,
            fix="Something between this machine and HubSpot refuses the call: ask who runs the network.",
        )
    elif status == 403:
        error = SetupError(
            message + _scopes(reply, redact), fix=_SETUP.get(problem.code, _SETUP["MISSING_SCOPES"])
        )
    elif problem.code == "PROPERTY_DOESNT_EXIST":
        error = SetupError(message, record=", ".join(problem.properties) or None, fix=_SETUP[problem.code])
    elif writing and status >= 500 and status not in _CERTAINLY_NOT:
        error = AmbiguousError(message)
    elif status >= 500 or status in {408, 423, 477}:  # 423 locked, 477 account is being migrated
        error = TransientError(message, retry_after=_retry_after(reply))
    elif status in _MOVED:
        error = TerminalError(message, fix="Correct base_url.")
    else:
        error = TerminalError(message, fix=_ROW_FIXES.get(problem.code))
    if isinstance(error, RemoteError):
        error.status, error.vendor_code = status, problem.code
    return error


def row_result(key: str, problem: Problem, *, record_id: str | None, redact: Redactor) -> RowResult:
    """The result of a row that HubSpot did not take."""
    if _GONE & {problem.code, problem.category}:
        outcome = RowOutcome.GONE
    elif _PASSING_ROWS & {problem.code, problem.category}:
        outcome = RowOutcome.FAILED
    else:
        outcome = RowOutcome.REFUSED
    where = f" ({', '.join(problem.properties)})" if problem.properties else ""
    return RowResult(
        key=key,
        outcome=outcome,
        id=record_id,
        vendor_code=problem.code,
        message=redact(f"{problem.message}{where}"),
        fix=_fix(problem) if outcome is RowOutcome.REFUSED else row_fix(problem.code),
    )


def _fix(problem: Problem) -> str:
    return row_fix(problem.code) or row_fix(problem.category) or _ANY_FIX


def row_fix(code: str) -> str | None:
    """What to do about a refused row, where it is known."""
    return _ROW_FIXES.get(code)


def _too_many(reply: requests.Response, message: str) -> TransientError:
    """Over the daily limit it is a matter of hours, over the others one of seconds."""
    try:
        policy = str(reply.json().get("policyName") or "").upper()
    except (ValueError, AttributeError):
        policy = ""
    if "DAILY" in policy:
        return QuotaError(
            message, fix="The account's API calls of the day are used up: wait for midnight there."
        )
    asked = _retry_after(reply)
    if asked is None:
        interval = reply.headers.get("X-HubSpot-RateLimit-Interval-Milliseconds", "")
        asked = int(interval) / 1000 if "TEN" in policy and interval.isdigit() else None
    return TransientError(
        message, retry_after=asked if asked is not None else 10.0 if "TEN" in policy else 1.0
    )


_SCOPES = ("crm.", "account", "oauth", "sales", "settings.")


def _scopes(reply: requests.Response, redact: Redactor) -> str:
    """The scopes that HubSpot says are missing."""
    found = re.findall(r"[a-z][a-z0-9_-]*(?:\.[a-z0-9_-]+)+", redact(reply.text))
    scopes = [each for each in dict.fromkeys(found) if each.startswith(_SCOPES)]
    return f" Missing: {', '.join(scopes)}." if scopes else ""


def _inside(message: str) -> list[Mapping[str, Any]]:
    """The problems that older endpoints write as JSON into the message."""
    found = _OLD_STYLE.search(message)
    try:
        items = json.loads(found[1]) if found is not None else []
    except ValueError:
        return []
    return [each for each in items if isinstance(each, Mapping)]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> Sequence[str]:
    if value is None:
        return []
    return [str(each) for each in value] if isinstance(value, (list, tuple)) else [str(value)]


def _retry_after(reply: requests.Response) -> float | None:
    value = reply.headers.get("Retry-After", "")
    return float(value) if value.isdigit() else None
