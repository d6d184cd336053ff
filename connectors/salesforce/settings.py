"""What a connection to Salesforce needs to know, checked before anything is sent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from connectors.errors import SettingError
from connectors.transport import check_credential, check_url

AUTH_KINDS: Final = ("jwt", "client_credentials", "refresh_token")

_NEEDED: Final = {
    "jwt": ("client_id", "username", "private_key_file"),
    "client_credentials": ("client_id", "client_secret"),
    "refresh_token": ("client_id", "refresh_token"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesforceSettings:
    """One org's address and credentials; raises SettingError when they can't work.

    `login_url` is the org's My Domain (https://mycompany.my.salesforce.com); it is also the audience
    of a JWT. `instance_url` is taken from the login's reply where it is left out. `currency` is used
    where the org holds a single currency, which Salesforce's API does not tell.
    """

    login_url: str
    auth: str
    client_id: str
    instance_url: str | None = None
    username: str | None = None
    private_key_file: str | None = None
    client_secret: str | None = None
    refresh_token: str | None = None
    api_version: str = "68.0"
    ca_file: str | None = None
    currency: str = "USD"
    customer_types: tuple[str, ...] = ("Customer", "Customer - Direct", "Customer - Channel")
    """Values of Account.Type that make an account a customer."""
    conditional_writes: bool = False
    """Whether Salesforce itself refuses to write a record that moved since it was read: 25 records a call."""
    bulk_writes: str = "auto"
    """auto: by a Bulk 2.0 job where that takes fewer API calls; never: by Collections only."""
    bulk_reads: str = "auto"
    """auto: more records than a REST page holds are read by Bulk API 2.0; never: page by page."""
    calls_at_once: int = 10
    """Calls of all our processes at a time; an org takes 25 long ones, a Developer org five."""

    def __post_init__(self) -> None:
        """Refuse what can't work, naming the setting and the fix."""
        if self.auth not in AUTH_KINDS:
            raise SettingError(
                f"'{self.auth}' is no way to log in to Salesforce.",
                setting="crm.salesforce.auth",
                searched=(),
                fix=f"Use one of: {', '.join(AUTH_KINDS)}.",
            )
        for name in _NEEDED[self.auth]:
            if not getattr(self, name):
                raise SettingError(
                    f"Login by {self.auth} needs {name}, which is empty.",
                    setting=f"crm.salesforce.{name}",
                    searched=("upswell.toml", f"UPSWELL_CRM__SALESFORCE__{name.upper()}"),
                    fix=f"Set {name}, or choose another auth.",
                )
        if re.fullmatch(r"[0-9]{2,3}\.0", self.api_version) is None:
            raise SettingError(
                f"'{self.api_version}' is no API version.",
                setting="crm.salesforce.api_version",
                searched=(),
                fix="Give it as 68.0.",
            )
        for name in ("client_id", "username", "client_secret", "refresh_token"):
            check_credential(getattr(self, name), setting=f"crm.salesforce.{name}")
        check_url(self.login_url, setting="crm.salesforce.login_url")
        if self.instance_url:
            check_url(self.instance_url, setting="crm.salesforce.instance_url")

    def __repr__(self) -> str:
        """Address and user only: a secret in a traceback is a secret lost."""
        return f"SalesforceSettings({self.login_url}, {self.auth}, username={self.username})"
