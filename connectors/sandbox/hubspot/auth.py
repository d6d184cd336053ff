"""Tokens and scopes of one account.

Sources: "OAuth tokens" and "Private apps" (access token information), HubSpot API reference; "Scopes" and
"Error handling" for 401 and 403. Tokens live by the machine's clock.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable
from urllib.parse import parse_qs

from connectors.sandbox.hubspot.errors import Problem, RefusalError
from connectors.sandbox.store import Store
from connectors.sandbox.wire import Request, Response

TOKEN_SECONDS = 1_800  # "OAuth tokens": an access token lives 30 minutes

SCOPES = (
    "oauth",
    "crm.objects.companies.read",
    "crm.objects.companies.write",
    "crm.objects.contacts.read",
    "crm.objects.contacts.write",
    "crm.objects.deals.read",
    "crm.objects.deals.write",
    "crm.objects.line_items.read",
    "crm.objects.line_items.write",
    "crm.objects.products.read",
    "crm.objects.products.write",
    "crm.objects.owners.read",
    "crm.schemas.companies.read",
    "crm.schemas.companies.write",
    "crm.schemas.contacts.read",
    "crm.schemas.contacts.write",
    "crm.schemas.deals.read",
    "crm.schemas.deals.write",
    "crm.schemas.line_items.read",
    "crm.objects.custom.read",
    "crm.objects.custom.write",
    "crm.schemas.custom.read",
    "crm.schemas.custom.write",
    "crm.lists.read",
    "crm.lists.write",
    "settings.currencies.read",
    "tickets",
)
"""What the app of a new account was granted."""


def grant(store: Store, scopes: tuple[str, ...]) -> None:
    """Change what the app may do, as an administrator does; takes effect at once."""
    store.meta["app.scopes"] = " ".join(scopes)


class Auth:
    """Issues and checks the tokens of one account."""

    def __init__(self, *, store: Store, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self._now = now
        with store.transaction() as sql:
            sql.execute("CREATE TABLE IF NOT EXISTS tokens (hash TEXT PRIMARY KEY, kind TEXT, expires REAL)")

    @property
    def scopes(self) -> list[str]:
        """The scopes that the app has now."""
        return self._store.meta["app.scopes"].split()

    def token(self, request: Request) -> Response:
        """The answer of POST /oauth/v1/token."""
        form = {name: values[-1] for name, values in parse_qs(request.body.decode(errors="replace")).items()}
        meta = self._store.meta
        if form.get("grant_type") != "refresh_token":
            return _refused("BAD_GRANT_TYPE", "missing or unknown grant type")
        if form.get("client_id") != meta["app.client_id"]:
            return _refused("BAD_CLIENT_ID", "missing or unknown client id")
        if not hmac.compare_digest(form.get("client_secret", ""), meta["app.client_secret"]):
            return _refused("BAD_CLIENT_SECRET", "missing or invalid client secret")
        if not hmac.compare_digest(form.get("refresh_token", ""), meta["app.refresh_token"]):
            return _refused("BAD_REFRESH_TOKEN", "missing or invalid refresh token")
        access_token = secrets.token_urlsafe(48)
        with self._store.transaction() as sql:
            row = (_hash(access_token), "oauth", self._now() + TOKEN_SECONDS)
            sql.execute("INSERT INTO tokens VALUES (?, ?, ?)", row)
        body = {
            "token_type": "bearer",
            "refresh_token": form["refresh_token"],
            "access_token": access_token,
            "expires_in": TOKEN_SECONDS,
            "hub_id": int(meta["portal.id"]),
            "scopes": self.scopes,
        }
        return Response.of(200, body, api_calls=0)

    def token_info(self, token: str) -> Response:
        """The answer of GET /oauth/v1/access-tokens/{token}."""
        expires = self._expires(token)
        if expires is None or expires < self._now():
            return _refused("BAD_ACCESS_TOKEN", "access token was not found or has expired", status=404)
        meta = self._store.meta
        body = {
            "token": token,
            "user": meta["app.user"],
            "hub_domain": meta["portal.domain"],
            "scopes": self.scopes,
            "hub_id": int(meta["portal.id"]),
            "app_id": int(meta["app.id"]),
            "expires_in": int(expires - self._now()),
            "user_id": int(meta["app.user_id"]),
            "token_type": "access",
        }
        return Response.of(200, body, api_calls=0)

    def private_info(self, request: Request) -> Response:
        """The answer of POST /oauth/v2/private-apps/get/access-token-info."""
        try:
            token = str(json.loads(request.body)["tokenKey"])
        except (ValueError, KeyError, TypeError):
            return _refused("BAD_ACCESS_TOKEN", "tokenKey is missing")
        if self._expires(token) is None:
            return _refused("BAD_ACCESS_TOKEN", "access token was not found", status=404)
        meta = self._store.meta
        body = {
            "userId": int(meta["app.user_id"]),
            "hubId": int(meta["portal.id"]),
            "appId": int(meta["app.id"]),
            "scopes": self.scopes,
        }
        return Response.of(200, body, api_calls=0)

    def check(self, request: Request) -> str:
        """The kind of token behind the request: oauth or private. Raises RefusalError 401."""
        token = _bearer(request)
        found = self._store.select("SELECT kind, expires FROM tokens WHERE hash = ?", (_hash(token),))
        if not token or not found:
            message = (
                "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can"
                " find more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview"
            )
            raise RefusalError(Problem(category="INVALID_AUTHENTICATION", message=message, status=401))
        kind, expires = found[0]
        if float(expires or 0) < self._now():
            ago = int((self._now() - float(expires or 0)) // 60)
            message = f"The OAuth token used to make this call expired {ago} minute(s) ago."
            raise RefusalError(Problem(category="EXPIRED_AUTHENTICATION", message=message, status=401))
        return str(kind)

    def require(self, scope: str | None) -> None:
        """Raise RefusalError 403 when the app lacks the scope."""
        if scope is None or scope in self.scopes:
            return
        message = (
            "This app hasn't been granted all required scopes to make this call. Read more about required"
            " scopes here: https://developers.hubspot.com/scopes."
        )
        detail = {
            "message": "One or more of the following scopes are required.",
            "context": {"requiredGranularScopes": [scope]},
        }
        raise RefusalError(Problem(category="MISSING_SCOPES", message=message, status=403, details=(detail,)))

    def expire(self, request: Request) -> None:
        """Make the request's token invalid for good: an access token expires, a private app's is rotated."""
        with self._store.transaction() as sql:
            key = _hash(_bearer(request))
            sql.execute("UPDATE tokens SET expires = 0 WHERE hash = ? AND kind = 'oauth'", (key,))
            sql.execute("DELETE FROM tokens WHERE hash = ? AND kind = 'private'", (key,))

    def keep_private(self, token: str) -> None:
        """Accept a private app's token, which does not expire."""
        with self._store.transaction() as sql:
            sql.execute("INSERT OR REPLACE INTO tokens VALUES (?, 'private', 9e15)", (_hash(token),))

    def _expires(self, token: str) -> float | None:
        found = self._store.select("SELECT expires FROM tokens WHERE hash = ?", (_hash(token),))
        return float(found[0][0] or 0) if found else None


def _refused(code: str, message: str, *, status: int = 400) -> Response:
    return Response.of(status, {"status": code, "message": message}, api_calls=0)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
