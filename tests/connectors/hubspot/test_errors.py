"""HubSpot's replies as our errors and outcomes: documented bodies, and what stands between."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from connectors.crm import RowOutcome
from connectors.errors import (
    AmbiguousError,
    LoginError,
    QuotaError,
    SetupError,
    TerminalError,
    TransientError,
    UpswellError,
)
from connectors.hubspot.errors import error_of, read_problem, row_result
from connectors.redaction import Redactor


def reply(status: int, body: object, **headers: str) -> requests.Response:
    """A reply as requests would hand it over."""
    made = requests.Response()
    made.status_code = status
    made._content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    made.headers.update(headers)
    return made


def limited(policy: str) -> dict[str, str]:
    """The body of a 429."""
    return {
        "status": "error",
        "errorType": "RATE_LIMIT",
        "policyName": policy,
        "message": "You have reached it.",
    }


@pytest.mark.parametrize(
    ("status", "body", "writing", "expected"),
    [
        (429, limited("DAILY"), True, QuotaError),
        (429, limited("TEN_SECONDLY_ROLLING"), True, TransientError),
        (429, limited("SECONDLY"), False, TransientError),
        (429, "<html>rate limited</html>", False, TransientError),
        (401, {"category": "EXPIRED_AUTHENTICATION", "message": "expired"}, False, LoginError),
        (403, {"category": "MISSING_SCOPES", "message": "no"}, True, SetupError),
        (403, "<html>Forbidden by the proxy</html>", False, TerminalError),
        (423, {"category": "LOCKED", "message": "locked"}, True, TransientError),
        (477, {"message": "migrating"}, False, TransientError),
        (500, {"message": "internal"}, False, TransientError),
        (500, {"message": "internal"}, True, AmbiguousError),
        (503, "<html>", True, TransientError),
        (504, "", True, AmbiguousError),
        (521, "", True, AmbiguousError),
        (526, "", True, TransientError),
        (400, {"category": "VALIDATION_ERROR", "message": "no"}, True, TerminalError),
        (302, "", False, TerminalError),
    ],
)
def test_a_refused_call_becomes_the_right_kind_of_error(
    status: int, body: object, writing: bool, expected: type[UpswellError]
) -> None:
    """Exactly that class: a kind decides whether it is retried."""
    error = error_of(reply(status, body), what="POST x", writing=writing, redact=Redactor())
    assert type(error) is expected
    if expected in {QuotaError, LoginError, SetupError} or status in {403, 302}:
        assert error.fix


@pytest.mark.parametrize(
    ("entry", "outcome", "code"),
    [
        (
            {"category": "OBJECT_NOT_FOUND", "message": "m", "context": {"ids": ["1"]}},
            "gone",
            "OBJECT_NOT_FOUND",
        ),
        ({"category": "RATE_LIMITS", "message": "m"}, "failed", "RATE_LIMITS"),
        (
            {
                "category": "VALIDATION_ERROR",
                "message": "m",
                "errors": [{"message": "x", "code": "INVALID_OPTION"}],
            },
            "refused",
            "INVALID_OPTION",
        ),
        (
            {
                "category": "VALIDATION_ERROR",
                "message": "m",
                "errors": [{"code": "REQUIRED_FIELDS_MISSING", "context": {"properties": ["closedate"]}}],
            },
            "refused",
            "REQUIRED_FIELDS_MISSING",
        ),
        ({"category": "VALIDATION_ERROR", "errors": [{"code": "SOMETHING_NEW"}]}, "refused", "SOMETHING_NEW"),
        ({"category": "SOMETHING_NEW", "message": "m"}, "refused", "SOMETHING_NEW"),
        ({"message": "m", "errors": None, "context": None, "subCategory": None}, "refused", "UNKNOWN"),
        ({"category": "X", "errors": [{"context": "{missingScopes=[a]}", "message": "m"}]}, "refused", "X"),
    ],
)
def test_a_refused_row_has_an_outcome_a_code_and_a_fix(entry: Any, outcome: str, code: str) -> None:
    """Every field of the entry may be missing ("Handle errors"); what is refused says what to do."""
    result = row_result("k", read_problem(entry), record_id="1", redact=Redactor())
    assert (result.outcome, result.vendor_code) == (outcome, code)
    if result.outcome is RowOutcome.REFUSED:
        assert result.fix
