"""Text with its secrets taken out."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.redaction import HIDDEN, RedactingFilter, Redactor

TOKEN = "00D5g000004ABCDEAA!AQ8AQPlaintextTokenValue.x_y"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"Authorization: Bearer {TOKEN}", TOKEN),
        (f"'Authorization': 'Bearer {TOKEN}'", TOKEN),
        ("grant_type=refresh_token&client_secret=s3cr3tValue&x=1", "s3cr3tValue"),
        ('{"access_token": "abc.def-ghi", "scope": "api"}', "abc.def-ghi"),
        ("<met:sessionId>plainsession</met:sessionId>", "plainsession"),
        ("assertion=eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJhIn0.c2ln", "eyJhbGciOiJSUzI1NiJ9"),
        ("a token eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJhIn0.c2ln alone", "eyJpc3MiOiJhIn0"),
        ("-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----", "MIIEvQ"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIEcut", "MIIEcut"),
        (f"see /services/data?sid={TOKEN}", TOKEN),
    ],
)
def test_credentials_are_hidden_by_shape_or_by_name(text: str, secret: str) -> None:
    """What stood around them stays readable."""
    shown = Redactor()(text)
    assert secret not in shown
    assert HIDDEN in shown


def test_ordinary_words_stay() -> None:
    """An error message remains an error message."""
    text = "No such column 'Foo__c' on entity 'Account'. errorCode: INVALID_FIELD, Basic support code"
    assert Redactor()(text) == text


@settings(deadline=None, derandomize=True)
@given(
    st.text(min_size=6, max_size=40).filter(lambda s: s not in HIDDEN),
    st.text(max_size=30),
    st.text(max_size=30),
)
def test_a_learnt_secret_never_shows(secret: str, before: str, after: str) -> None:
    """Wherever it stands in the text."""
    redact = Redactor()
    redact.learn(secret, None, "")
    assert secret not in redact(before + secret + after).replace(HIDDEN, "\0")


def test_log_records_are_redacted_when_they_are_finished() -> None:
    """Arguments are merged into the message first."""
    record = logging.LogRecord("x", logging.INFO, "f", 1, "token %s", (f"Bearer {TOKEN}",), None)
    assert RedactingFilter(Redactor()).filter(record)
    assert record.getMessage() == f"token Bearer {HIDDEN}"
