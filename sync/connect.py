"""A connection to the CRM that the settings name, and the secrets that go with one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr
from sqlalchemy.engine import make_url

from connectors.crm import Crm
from connectors.errors import SettingError
from sync.settings import Settings, State
from sync.store.journal_key import SUFFIX, JournalKey

if TYPE_CHECKING:
    from connectors.exports.spec import ExportSpec
    from connectors.hubspot.settings import HubspotSettings
    from connectors.salesforce.settings import SalesforceSettings


def connect(settings: Settings) -> Crm:
    """A live Crm, logged in. Raises SettingError, LoginError, or TransientError when it can't be reached."""
    from connectors.budget import DailyBudget
    from connectors.transport import Timeouts

    timeouts = Timeouts(read=settings.crm.timeout_seconds)
    budget = DailyBudget(share=settings.budget.daily_share, ceiling=settings.budget.org_ceiling)
    if settings.crm.kind == "hubspot":
        from connectors.hubspot.crm import Hubspot

        return Hubspot.connect(
            hubspot_settings(settings),
            mapping=settings.mapping,
            account_external_id=settings.crm.account_external_id,
            budget=budget,
            timeouts=timeouts,
            write_batch=settings.crm.write_batch,
        )
    from connectors.salesforce.crm import Salesforce

    return Salesforce.connect(
        salesforce_settings(settings),
        mapping=settings.mapping,
        account_external_id=settings.crm.account_external_id,
        budget=budget,
        timeouts=timeouts,
        write_batch=settings.crm.write_batch,
    )


def hubspot_settings(settings: Settings) -> HubspotSettings:
    """The connector's own settings, secrets read from their files. Raises SettingError for a missing one."""
    from connectors.hubspot.settings import HubspotSettings

    login = settings.crm.hubspot
    return HubspotSettings(
        base_url=login.base_url,
        token=_secret(login.token, login.token_file, "crm.hubspot.token"),
        client_id=login.client_id or None,
        client_secret=_secret(login.client_secret, login.client_secret_file, "crm.hubspot.client_secret")
        or None,
        refresh_token=_secret(login.refresh_token, login.refresh_token_file, "crm.hubspot.refresh_token")
        or None,
        api_version=login.api_version,
        ca_file=None if login.ca_file is None else str(login.ca_file),
        customer_types=login.customer_types,
    )


def salesforce_settings(settings: Settings) -> SalesforceSettings:
    """The connector's own settings, secrets read from their files. Raises SettingError for a missing one."""
    from connectors.salesforce.settings import SalesforceSettings

    login = settings.crm.salesforce
    return SalesforceSettings(
        login_url=login.login_url,
        instance_url=login.instance_url or None,
        auth=login.auth,
        client_id=login.client_id,
        username=login.username or None,
        private_key_file=None if login.private_key_file is None else str(login.private_key_file),
        client_secret=_secret(login.client_secret, login.client_secret_file, "crm.salesforce.client_secret"),
        refresh_token=_secret(login.refresh_token, login.refresh_token_file, "crm.salesforce.refresh_token"),
        api_version=login.api_version,
        ca_file=None if login.ca_file is None else str(login.ca_file),
        currency=settings.company.currency,
        customer_types=login.customer_types,
        conditional_writes=login.conditional_writes,
        bulk_reads=login.bulk_reads,
    )


def export_specs(settings: Settings) -> tuple[ExportSpec, ...]:
    """What the export reader needs to know, in the order of the configuration."""
    from connectors.exports.spec import ExportSpec

    return tuple(
        ExportSpec(
            kind=export.kind,
            format=export.format,
            path=export.path,
            account_key=export.account_key,
            columns=export.columns,
            timezone=export.timezone,
        )
        for export in settings.exports
    )


def journal_key(state: State) -> JournalKey:
    """The key of the journal: given, or in its file: beside a ledger file, else in the models' folder."""
    if secret := state.journal_key.get_secret_value():
        return JournalKey(secret=secret)
    if state.journal_key_file is not None:
        return JournalKey(file=state.journal_key_file)
    url = make_url(state.url)
    is_file = url.get_backend_name() == "sqlite"
    return JournalKey.beside(url) if is_file else JournalKey(file=state.models / f"ledger{SUFFIX}")


def _secret(value: SecretStr, file: Path | None, name: str) -> str | None:
    """The secret itself, else what its file holds, else None."""
    if value.get_secret_value() or file is None:
        return value.get_secret_value() or None
    try:
        return file.read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(
            f"the file can't be read: {type(error).__name__}.",
            setting=f"{name}_file",
            searched=(str(file),),
            fix="correct the path or the file's permissions",
        ) from None
