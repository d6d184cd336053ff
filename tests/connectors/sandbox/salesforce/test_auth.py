"""Logins by each OAuth flow, and what a wrong one is told."""

from __future__ import annotations

import json
import stat
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
import requests

from connectors.sandbox.server import Sandbox

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def facts(sandbox: Sandbox) -> dict[str, str]:
    """What sandbox.json tells."""
    entries = json.loads((sandbox.folder / "sandbox.json").read_text())
    assert isinstance(entries, dict)
    return entries


def secret(sandbox: Sandbox, name: str) -> str:
    """One secret."""
    return (sandbox.folder / "secrets" / name).read_text()


def ask(sandbox: Sandbox, **form: str) -> requests.Response:
    """POST to the token endpoint."""
    return requests.post(f"{sandbox.url}/services/oauth2/token", data=form, timeout=10)


def assertion(sandbox: Sandbox, **changes: Any) -> str:
    """A JWT that is right but for the changes."""
    known = facts(sandbox)
    claims = {
        "iss": known["client_id"],
        "sub": known["username"],
        "aud": sandbox.url,
        "exp": int(time.time()) + 120,
    }
    return jwt.encode({**claims, **changes}, secret(sandbox, "jwt_key.pem"), algorithm="RS256")


def test_client_credentials_give_a_session_that_works(sandbox: Sandbox) -> None:
    """The reply names the instance and the user, and the token opens the API."""
    known = facts(sandbox)
    form = {"client_id": known["client_id"], "client_secret": secret(sandbox, "client_secret")}
    reply = ask(sandbox, grant_type="client_credentials", **form)
    body = reply.json()
    assert reply.status_code == 200
    assert body["instance_url"] == sandbox.url == known["url"]
    assert body["id"].startswith(f"{sandbox.url}/id/{known['org_id']}/005")
    headers = {"Authorization": f"Bearer {body['access_token']}"}
    assert requests.get(f"{sandbox.url}/services/data/v68.0/limits", headers=headers, timeout=10).ok


def test_client_credentials_may_come_as_basic_authorization(sandbox: Sandbox) -> None:
    """simple-salesforce sends them so."""
    reply = requests.post(
        f"{sandbox.url}/services/oauth2/token",
        data={"grant_type": "client_credentials"},
        auth=(facts(sandbox)["client_id"], secret(sandbox, "client_secret")),
        timeout=10,
    )
    assert reply.status_code == 200


def test_a_refresh_token_gives_a_session(sandbox: Sandbox) -> None:
    """With the client's own credentials beside it."""
    form = {
        "client_id": facts(sandbox)["client_id"],
        "client_secret": secret(sandbox, "client_secret"),
        "refresh_token": secret(sandbox, "refresh_token"),
    }
    assert ask(sandbox, grant_type="refresh_token", **form).status_code == 200
    refused = ask(sandbox, grant_type="refresh_token", **{**form, "refresh_token": "old"})
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")


def test_a_signed_assertion_gives_a_session(sandbox: Sandbox) -> None:
    """RS256, for this server, soon to expire."""
    assert ask(sandbox, grant_type=JWT_BEARER, assertion=assertion(sandbox)).status_code == 200


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"aud": "https://login.salesforce.com"}, ("invalid_grant", "audience is invalid")),
        ({"iss": "someone"}, ("invalid_client_id", "client identifier invalid")),
        ({"sub": "nobody@example.com"}, ("invalid_grant", "user hasn't approved this consumer")),
        ({"exp": 1_000_000_000}, ("invalid_grant", "expired authorization code")),
        ({"exp": int(time.time()) + 3600}, ("invalid_grant", "invalid assertion")),
    ],
)
def test_a_wrong_assertion_is_refused_in_the_vendors_words(
    sandbox: Sandbox, changes: dict[str, Any], error: tuple[str, str]
) -> None:
    """Each claim is checked."""
    reply = ask(sandbox, grant_type=JWT_BEARER, assertion=assertion(sandbox, **changes))
    assert reply.status_code == 400
    assert (reply.json()["error"], reply.json()["error_description"]) == error


def test_another_key_is_refused(sandbox: Sandbox) -> None:
    """An assertion that this org's key did not sign opens nothing."""
    other = jwt.encode({"iss": "x"}, "a secret of thirty-two characters or more", algorithm="HS256")
    assert ask(sandbox, grant_type=JWT_BEARER, assertion=other).json()["error"] == "invalid_grant"


def test_wrong_clients_and_unknown_grants_are_refused(sandbox: Sandbox) -> None:
    """invalid_client_id, invalid_client, unsupported_grant_type."""
    known = facts(sandbox)["client_id"]
    cases = [
        ({"grant_type": "client_credentials", "client_id": "x", "client_secret": "y"}, "invalid_client_id"),
        ({"grant_type": "client_credentials", "client_id": known, "client_secret": "y"}, "invalid_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ]
    assert [ask(sandbox, **form).json()["error"] for form, _ in cases] == [error for _, error in cases]


def test_a_call_without_a_session_is_unauthorised(sandbox: Sandbox) -> None:
    """401 INVALID_SESSION_ID, and it costs no API call."""
    reply = requests.get(f"{sandbox.url}/services/data/v68.0/limits", timeout=10)
    assert reply.status_code == 401
    assert reply.json() == [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
    assert sandbox.audit.requests()[-1].api_calls == 0


def test_sessions_survive_a_restart(start: Callable[..., Sandbox], login: Callable[[Sandbox], str]) -> None:
    """They are kept in the file, as hashes."""
    first = start()
    token = login(first)
    first.close()
    again = start()
    headers = {"Authorization": f"Bearer {token}"}
    assert requests.get(f"{again.url}/services/data/v68.0/limits", headers=headers, timeout=10).ok
    assert token not in str(again.store.select("SELECT * FROM sessions"))


def test_secrets_are_readable_by_the_owner_only(sandbox: Sandbox) -> None:
    """And none of them is in sandbox.json."""
    for file in (sandbox.folder / "secrets").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert file.read_text() not in (sandbox.folder / "sandbox.json").read_text()
