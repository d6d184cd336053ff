"""What a connection to HubSpot needs to know, checked before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from connectors.errors import SettingError
from connectors.hubspot.paths import paths_of
from connectors.transport import check_credential, check_url

_OAUTH: Final = ("client_id", "client_secret", "refresh_token")


@dataclass(frozen=True, slots=True, kw_only=True)
class HubspotSettings:
    """One account's address and credentials; raises SettingError when they can't work.

    Either `token` (static, of a project app or Service Key), or `client_id`, `client_secret` and
    `refresh_token` (OAuth).
    """

    base_url: str = "https://api.hubapi.com"
    token: str | None = None
    client_id: str | None = None
    client_secret: str | None = None
    refresh_token: str | None = None
    api_version: str = "2026-09"
    ca_file: str | None = None
    customer_types: tuple[str, ...] = ("customer", "evangelist")
    """Values of the account type (lifecyclestage by default) that make a company a customer; any case."""

    def __post_init__(self) -> None:
        """Refuse what can't work, naming the setting and the fix."""
        given = [name for name in _OAUTH if getattr(self, name)]
        if not self.token and len(given) < len(_OAUTH):
            missing = "token" if not given else next(name for name in _OAUTH if name not in given)
            raise SettingError(
                "HubSpot needs a static token, or client_id, client_secret and refresh_token together.",
                setting=f"crm.hubspot.{missing}",
                searched=("upswell.toml", f"UPSWELL_CRM__HUBSPOT__{missing.upper()}"),
                fix="Set the token of a project app or Service Key, or all three of OAuth.",
            )
        if self.token and given:
            raise SettingError(
                f"There is a static token and {given[0]}: one login only.",
                setting="crm.hubspot.token",
                searched=(),
                fix="Leave out either token or client_id, client_secret and refresh_token.",
            )
        for name in ("token", *_OAUTH):
            check_credential(getattr(self, name), setting=f"crm.hubspot.{name}")
        paths_of(self.api_version)
        check_url(self.base_url, setting="crm.hubspot.base_url")

    @property
    def uses_oauth(self) -> bool:
        """Whether access tokens come from a refresh token."""
        return not self.token

    def __repr__(self) -> str:
        """Address and dialect only: a secret in a traceback is a secret lost."""
        return (
            f"HubspotSettings({self.base_url}, {'oauth' if self.uses_oauth else 'token'}, {self.api_version})"
        )
