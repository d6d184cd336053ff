"""OAuth 2.0 logins and sessions.

Sources: "OAuth 2.0 Client Credentials Flow", "OAuth 2.0 JWT Bearer Flow", "OAuth 2.0 Refresh Token Flow" and
"OAuth 2.0 Authorization Errors", Salesforce Help. Sessions and assertions live by the machine's clock.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from urllib.parse import parse_qs

from connectors.sandbox.salesforce.errors import RefusalError
from connectors.sandbox.salesforce.org import INTEGRATION_USER_ID
from connectors.sandbox.store import Store
from connectors.sandbox.wire import Request, Response

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SESSION_SECONDS = 2 * 3600
MAX_ASSERTION_SECONDS = 180  # "OAuth 2.0 JWT Bearer Flow": exp within 3 minutes
_CLOCK_SKEW = 5


class Auth:
    """Issues and checks the tokens of one org."""

    def __init__(self, *, store: Store, url: str, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self._url = url
        self._now = now
        with store.transaction() as sql:
            sql.execute(
                "CREATE TABLE IF NOT EXISTS sessions (token TEXT PRIMARY KEY, user_id TEXT, expires REAL)"
            )

    def token(self, request: Request) -> Response:
        """The answer of /services/oauth2/token."""
        form = {name: values[-1] for name, values in parse_qs(request.body.decode(errors="replace")).items()}
        form |= _basic(request.headers.get("authorization", ""))
        match form.get("grant_type"):
            case "client_credentials":
                error = self._check_client(form)
            case "refresh_token":
                error = self._check_client(form) or self._check_refresh(form)
            case g if g == JWT_BEARER:
                error = self._check_assertion(form.get("assertion", ""))
            case _:
                error = ("unsupported_grant_type", "grant type not supported")
        if error is not None:
            return Response.of(400, {"error": error[0], "error_description": error[1]}, api_calls=0)
        return self._issue(form["grant_type"])

    def user(self, request: Request) -> str:
        """The user id behind the request's session. Raises RefusalError 401."""
        return self.user_of(_bearer(request))

    def user_of(self, token: str) -> str:
        """The user id behind an access token. Raises RefusalError 401."""
        found = self._store.select(
            "SELECT user_id FROM sessions WHERE token = ? AND expires > ?", (_hash(token), self._now())
        )
        if not found:
            raise RefusalError(401, "INVALID_SESSION_ID", "Session expired or invalid")
        return str(found[0][0])

    def expire(self, request: Request) -> None:
        """Make the request's session invalid for good."""
        with self._store.transaction() as sql:
            sql.execute("DELETE FROM sessions WHERE token = ?", (_hash(_bearer(request)),))

    def _check_client(self, form: dict[str, str]) -> tuple[str, str] | None:
        if form.get("client_id") != self._store.meta["client.id"]:
            return "invalid_client_id", "client identifier invalid"
        if not hmac.compare_digest(form.get("client_secret", ""), self._store.meta["client.secret"]):
            return "invalid_client", "invalid client credentials"
        return None

    def _check_refresh(self, form: dict[str, str]) -> tuple[str, str] | None:
        if not hmac.compare_digest(form.get("refresh_token", ""), self._store.meta["client.refresh_token"]):
            return "invalid_grant", "expired access/refresh token"
        return None

    def _check_assertion(self, assertion: str) -> tuple[str, str] | None:
        import jwt

        port = self._url.rsplit(":", 1)[1]
        audiences = [
            f"{scheme}://{host}:{port}" for scheme in ("http", "https") for host in ("127.0.0.1", "localhost")
        ]
        key = self._store.meta["client.public_key"]
        try:
            # exp is compared below with this server's own clock
            options = {"require": ["iss", "sub", "aud", "exp"], "verify_exp": False, "verify_iat": False}
            claims = jwt.decode(assertion, key, algorithms=["RS256"], audience=audiences, options=options)  # type: ignore[arg-type]  # PyJWT types its options as a closed dict
        except jwt.InvalidAudienceError:
            return "invalid_grant", "audience is invalid"
        except jwt.InvalidTokenError:
            return "invalid_grant", "invalid assertion"
        if claims["iss"] != self._store.meta["client.id"]:
            return "invalid_client_id", "client identifier invalid"
        if claims["sub"] != self._store.meta["client.username"]:
            return "invalid_grant", "user hasn't approved this consumer"
        ahead = float(claims["exp"]) - self._now()
        if not -_CLOCK_SKEW <= ahead <= MAX_ASSERTION_SECONDS + _CLOCK_SKEW:
            return "invalid_grant", "expired authorization code" if ahead < 0 else "invalid assertion"
        return None

    def _issue(self, grant: str) -> Response:
        org_id = self._store.meta["org.id"]
        access_token = f"{org_id[:15]}!{secrets.token_urlsafe(64)}"
        issued_at = str(int(self._now() * 1000))
        identity = f"{self._url}/id/{org_id}/{INTEGRATION_USER_ID}"
        with self._store.transaction() as sql:
            expires = self._now() + SESSION_SECONDS
            sql.execute(
                "INSERT INTO sessions VALUES (?, ?, ?)", (_hash(access_token), INTEGRATION_USER_ID, expires)
            )
        signed = hmac.digest(
            self._store.meta["client.secret"].encode(), (identity + issued_at).encode(), "sha256"
        )
        body = {
            "access_token": access_token,
            "scope": "api",
            "instance_url": self._url,
            "id": identity,
            "token_type": "Bearer",
            "issued_at": issued_at,
            "signature": base64.b64encode(signed).decode(),
        }
        if grant == JWT_BEARER:
            del body["issued_at"], body["signature"]  # the JWT flow returns neither
        return Response.of(200, body, headers={"Cache-Control": "no-cache, no-store"}, api_calls=0)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme in ("Bearer", "OAuth") else ""


def _basic(header: str) -> dict[str, str]:
    scheme, _, encoded = header.partition(" ")
    if scheme != "Basic":
        return {}
    try:
        client_id, _, client_secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return {}
    return {"client_id": client_id, "client_secret": client_secret}
