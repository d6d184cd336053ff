"""An access token for the org by one of three OAuth flows; passwords are not offered.

Flows: Salesforce Help, "OAuth 2.0 JWT Bearer Flow", "OAuth 2.0 Client Credentials Flow",
"OAuth 2.0 Refresh Token Flow".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import jwt

from connectors.errors import AmbiguousError, LoginError, SettingError, TransientError
from connectors.salesforce.errors import entries_of
from connectors.salesforce.settings import SalesforceSettings
from connectors.transport import HttpDoor, RetryPolicy, check_url

_JWT_LIFE: Final = timedelta(seconds=150)  # Salesforce accepts three minutes at most

_FIXES: Final[Mapping[str, str]] = {
    "invalid_grant": (
        "Check that the user has approved the app (or that an admin pre-authorised it), that login_url is "
        "the org's My Domain, that this machine's clock is right, and that no refresh token was revoked."
    ),
    "invalid_client_id": "Check client_id: it is the consumer key of the External Client App.",
    "invalid_client": "Check client_secret: it is the consumer secret of the External Client App.",
    "unsupported_grant_type": "Enable this OAuth flow in the External Client App.",
    "unauthorized_client": "Enable this OAuth flow in the External Client App.",
    "inactive_user": "Activate the integration user.",
    "inactive_org": "The org is locked or closed: ask Salesforce support.",
    "invalid_scope": "Give the External Client App the scopes api and refresh_token.",
    "rate_limit_exceeded": "Too many logins for this user: wait an hour.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A login's fruit. `user_id` is the integration user, from the reply's identity URL; `scopes` are those
    that it told, None where it told none."""

    access_token: str
    instance_url: str
    user_id: str | None
    scopes: frozenset[str] | None = None

    def __repr__(self) -> str:
        """Address and user only."""
        return f"Token({self.instance_url}, user_id={self.user_id})"


def log_in(
    settings: SalesforceSettings, door: HttpDoor, *, retry: RetryPolicy, now: Callable[[], datetime]
) -> Token:
    """A fresh token. Raises LoginError when Salesforce refuses, SettingError for an unreadable key file."""
    door.redact.learn(settings.client_secret, settings.refresh_token)
    form = _form(settings, now())
    door.redact.learn(form.get("assertion"))
    url = check_url(settings.login_url, setting="crm.salesforce.login_url") + "/services/oauth2/token"

    def post() -> Any:
        reply = door.request("POST", url, data=form, headers={"Accept": "application/json"})
        if reply.status_code >= 500 or reply.status_code == 429:
            raise TransientError(f"The login at {settings.login_url} failed.", status=reply.status_code)
        body = _json(reply.text, reply.json, settings)
        if reply.status_code != 200:
            error = next(iter(entries_of(body)), None)
            code = error.code if error is not None else f"HTTP_{reply.status_code}"
            said = f": {error.message}" if error is not None and error.message else ""
            raise LoginError(
                door.redact(f"Salesforce refuses the login by {settings.auth} ({code}{said})."),
                record=settings.login_url,
                status=reply.status_code,
                vendor_code=code,
                fix=_FIXES.get(code, "Check auth, client_id and login_url in [crm.salesforce]."),
            )
        return body

    body = retry.run(post, resend_lost=True)  # a second token does no harm
    token = body.get("access_token") if isinstance(body, dict) else None
    instance = settings.instance_url or (body.get("instance_url") if isinstance(body, dict) else None)
    if not token or not instance:
        raise _no_login_page(settings)
    door.redact.learn(str(token))
    identity = str(body.get("id") or "")
    return Token(
        access_token=str(token),
        instance_url=check_url(str(instance), setting="crm.salesforce.instance_url"),
        user_id=identity.rpartition("/")[2] or None,
        scopes=frozenset(str(body["scope"]).split()) if "scope" in body else None,
    )


def utc_now() -> datetime:
    """The machine's clock, on which tokens are dated."""
    return datetime.now(UTC)


def _form(settings: SalesforceSettings, now: datetime) -> dict[str, str]:
    """The token request of the chosen flow."""
    if settings.auth == "jwt":
        return {
            "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "assertion": _assertion(settings, now),
        }
    form = {"grant_type": settings.auth, "client_id": settings.client_id}
    if settings.client_secret:
        form["client_secret"] = settings.client_secret
    if settings.auth == "refresh_token":
        form["refresh_token"] = str(settings.refresh_token)
    return form


def _assertion(settings: SalesforceSettings, now: datetime) -> str:
    """The signed statement that we are the app and act for the user."""
    path = Path(str(settings.private_key_file))
    try:
        key = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(
            f"The private key {path} can't be read ({type(error).__name__}).",
            setting="crm.salesforce.private_key_file",
            searched=(str(path),),
            fix="Name the PEM file whose certificate was uploaded to the External Client App.",
        ) from None
    claims = {
        "iss": settings.client_id,
        "sub": settings.username,
        "aud": settings.login_url.rstrip("/"),
        "exp": int((now + _JWT_LIFE).timestamp()),
    }
    try:
        return jwt.encode(claims, key, algorithm="RS256")
    except (jwt.exceptions.PyJWTError, ValueError, TypeError):
        raise SettingError(
            f"{path} holds no RSA private key in PEM form.",
            setting="crm.salesforce.private_key_file",
            searched=(str(path),),
            fix="Make one with `openssl genrsa -out key.pem 2048` and upload its certificate to the app.",
        ) from None


def _json(text: str, parse: Callable[[], Any], settings: SalesforceSettings) -> Any:
    """The reply's JSON, half of which is a lost one; a page of HTML means that there is no Salesforce org."""
    if not text.lstrip().startswith("{"):
        raise _no_login_page(settings)
    try:
        return parse()
    except ValueError:
        raise AmbiguousError(f"The login's reply from {settings.login_url} is cut off.") from None


def _no_login_page(settings: SalesforceSettings) -> LoginError:
    """What answered is something else than Salesforce's token endpoint."""
    return LoginError(
        "What answers there is no Salesforce login.",
        record=settings.login_url,
        fix="Set login_url to the org's My Domain, for example https://mycompany.my.salesforce.com.",
    )
