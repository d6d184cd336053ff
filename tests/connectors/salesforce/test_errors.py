"""Salesforce's codes as our errors and outcomes."""

from __future__ import annotations

import json

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
from connectors.redaction import Redactor
from connectors.salesforce.errors import error_of, row_result


def reply(status: int, body: object, **headers: str) -> requests.Response:
    """A reply as requests would hand it over."""
    made = requests.Response()
    made.status_code = status
    made._content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    made.headers.update(headers)
    return made


@pytest.mark.parametrize(
    ("status", "code", "writing", "expected"),
    [
        (403, "REQUEST_LIMIT_EXCEEDED", False, QuotaError),
        (401, "INVALID_SESSION_ID", False, LoginError),
        (401, "INVALID_AUTH_HEADER", True, LoginError),
        (503, "SERVER_UNAVAILABLE", True, TransientError),
        (500, "UNABLE_TO_LOCK_ROW", True, TransientError),
        (400, "QUERY_TIMEOUT", False, TransientError),
        (403, "API_CURRENTLY_DISABLED", False, TransientError),
        (403, "API_DISABLED_FOR_ORG", False, SetupError),
        (503, "", True, TransientError),
        (520, "", True, AmbiguousError),
        (524, "", True, AmbiguousError),
        (524, "", False, TransientError),
        (500, "UNKNOWN_EXCEPTION", False, TransientError),
        (500, "UNKNOWN_EXCEPTION", True, AmbiguousError),
        (502, "", True, AmbiguousError),
        (400, "INVALID_FIELD", True, SetupError),
        (400, "INVALID_TYPE", False, SetupError),
        (400, "MALFORMED_QUERY", False, TerminalError),
        (404, "NOT_FOUND", False, TerminalError),
        (302, "", False, TerminalError),
    ],
)
def test_a_refused_call_becomes_the_right_kind_of_error(
    status: int, code: str, writing: bool, expected: type[UpswellError]
) -> None:
    """Exactly that class: a kind decides whether it is retried."""
    body = [{"errorCode": code, "message": "It says so."}] if code else "<html>"
    error = error_of(reply(status, body), what="GET query", writing=writing, redact=Redactor())
    assert type(error) is expected


def test_too_many_calls_at_once_pass_in_a_moment_and_too_many_a_day_do_not() -> None:
    """Both bear the same code; only the words tell them apart."""
    words = {
        "TotalRequests Limit exceeded.": QuotaError,
        "ConcurrentRequests (Concurrent API Requests) Limit exceeded.": TransientError,
    }
    for text, kind in words.items():
        body = [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": text}]
        error = error_of(reply(403, body), what="GET query", writing=False, redact=Redactor())
        assert type(error) is kind, text


def test_a_proxys_retry_after_is_kept() -> None:
    """In seconds."""
    error = error_of(reply(503, "", **{"Retry-After": "30"}), what="x", writing=False, redact=Redactor())
    assert isinstance(error, TransientError)
    assert error.retry_after == 30


def test_an_error_that_quotes_a_token_is_redacted() -> None:
    """Messages are shown and stored."""
    body = [{"errorCode": "X", "message": "Bearer 00D5g000004ABCDEAA!AQ8AQPlaintext was bad"}]
    assert "Plaintext" not in str(error_of(reply(400, body), what="x", writing=False, redact=Redactor()))


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("ENTITY_IS_DELETED", RowOutcome.GONE),
        ("UNABLE_TO_LOCK_ROW", RowOutcome.FAILED),
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION", RowOutcome.REFUSED),
        ("STRING_TOO_LONG", RowOutcome.REFUSED),
        ("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", RowOutcome.REFUSED),
        ("DUPLICATES_DETECTED", RowOutcome.REFUSED),
        ("SOMETHING_NEW", RowOutcome.REFUSED),
    ],
)
def test_a_refused_row_has_an_outcome_and_the_vendors_code(code: str, outcome: RowOutcome) -> None:
    """An unknown code is a refusal, not a retry."""
    errors = [{"statusCode": code, "message": "Because.", "fields": ["Name"]}]
    result = row_result("k", errors, record_id="001", redact=Redactor())
    assert (result.outcome, result.vendor_code, result.key) == (outcome, code, "k")
    assert result.message == "Because. (Name)"
    if outcome is RowOutcome.REFUSED:
        assert result.fix


def test_a_trigger_that_met_a_lock_or_a_limit_may_pass_later() -> None:
    """The row bears the trigger's code; what it quotes decides."""
    quoted = {
        "Update failed. First exception on row 0; first error: UNABLE_TO_LOCK_ROW, unable": "failed",
        "System.LimitException: Apex CPU time limit exceeded": "failed",
        "System.NullPointerException: Attempt to de-reference a null object": "refused",
    }
    for text, outcome in quoted.items():
        errors = [{"statusCode": "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "message": text, "fields": []}]
        assert row_result("k", errors, record_id="001", redact=Redactor()).outcome == outcome, text
