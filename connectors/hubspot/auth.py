"""An access token for the account: the static one of the settings, or a fresh one by refresh token.

Flow: HubSpot Developer documentation, "Manage OAuth access tokens": a form in the body, never in the
address, where it would be logged.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from connectors.errors import AmbiguousError, LoginError, TransientError
from connectors.hubspot.errors import problem_of
from connectors.hubspot.paths import paths_of
from connectors.hubspot.settings import HubspotSettings
from connectors.transport import HttpDoor, RetryPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A login's fruit; `scopes` are those that it told, None where it told none, `lives` its seconds."""

    access_token: str
    scopes: frozenset[str] | None = None
    lives: float = math.inf

    def __repr__(self) -> str:
        """Scopes only."""
        return f"Token(scopes={self.scopes})"


def log_in(settings: HubspotSettings, door: HttpDoor, *, retry: RetryPolicy) -> Token:
    """An access token. Raises LoginError when HubSpot refuses."""
    door.redact.learn(settings.token, settings.client_secret, settings.refresh_token)
    if settings.token:
        return Token(access_token=settings.token)
    form = {
        "grant_type": "refresh_token",
        "client_id": settings.client_id,
        "client_secret": settings.client_secret,
        "refresh_token": settings.refresh_token,
    }
    url = settings.base_url.rstrip("/") + paths_of(settings.api_version).token

    def post() -> Any:
        reply = door.request("POST", url, data=form, headers={"Accept": "application/json"})
        if reply.status_code >= 500 or reply.status_code == 429:
            raise TransientError(f"The login at {settings.base_url} failed.", status=reply.status_code)
        if reply.status_code != 200:
            problem = problem_of(reply)
            raise LoginError(
                door.redact(f"HubSpot refuses the refresh token ({problem.code}: {problem.message})."),
                record=settings.base_url,
                status=reply.status_code,
                vendor_code=problem.code,
                fix="Check client_id, client_secret and refresh_token, and that the app is still installed.",
            )
        try:
            return reply.json()
        except ValueError:
            raise AmbiguousError(f"{settings.base_url} answers the login with no JSON.") from None

    body = retry.run(post, resend_lost=True)  # a second token does no harm
    token = body.get("access_token") if isinstance(body, dict) else None
    if not token:
        raise LoginError(
            "What answers there is no HubSpot login.", record=settings.base_url, fix="Correct base_url."
        )
    door.redact.learn(str(token))
    return Token(access_token=str(token), scopes=scopes_in(body), lives=_lives(body.get("expires_in")))


def _lives(told: Any) -> float:
    """Seconds for which a token is good; endless where nobody tells."""
    is_number = isinstance(told, (int, float)) and not isinstance(told, bool)
    return float(told) if is_number and told > 0 else math.inf


def scopes_in(body: Any) -> frozenset[str] | None:
    """The scopes that a reply tells; None where it tells none."""
    told = body.get("scopes") if isinstance(body, dict) else None
    return frozenset(str(each) for each in told) if isinstance(told, list) else None
