"""A connection to the CRM that the settings name, and the secrets that go with one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import SecretStr
from sqlalchemy.engine import make_url

from connectors.budget import Budget, Shares
from connectors.crm import Crm
from connectors.errors import SettingError
from connectors.pace import Pace
from sync.settings import BudgetSettings, Settings, State
from sync.settings_exports import Export
from sync.store import Store
from sync.store.journal_key import SUFFIX, JournalKey

if TYPE_CHECKING:
    from connectors.exports.depot import StoreSettings
    from connectors.exports.spec import ExportSpec
    from connectors.exports.warehouse import WarehouseTable
    from connectors.hubspot.settings import HubspotSettings
    from connectors.salesforce.settings import SalesforceSettings


def connect(settings: Settings, store: Store | None = None, *, run_of: Callable[[], str] = str) -> Crm:
    """A live Crm, logged in. Raises SettingError, LoginError, or TransientError when it can't be reached.

    With a ledger, its calls are counted and paced together with those of all processes that work on it;
    `run_of` says for which run they are made."""
    from connectors.budget import DailyBudget
    from connectors.transport import Timeouts

    timeouts = Timeouts(read=settings.crm.timeout_seconds)
    shares = shares_of(settings.budget)
    budget: Budget = DailyBudget(share=shares.ours, ceiling=shares.ceiling)
    pace: Pace | None = None
    if store is not None:
        from sync.budget import SharedBudget
        from sync.pacing import SharedPace

        org = address_of(settings)
        budget = SharedBudget(store, org, shares=shares, run_of=run_of)
        pace = SharedPace(store, org, longest_call=timeouts.longest)
        if settings.redis.url:
            from sync.pacing_redis import RedisPace

            pace = RedisPace(settings.redis.url, org, longest_call=timeouts.longest, fallback=pace)
    if settings.crm.kind == "hubspot":
        from connectors.hubspot.crm import Hubspot

        return Hubspot.connect(
            hubspot_settings(settings),
            mapping=settings.mapping,
            account_external_id=settings.crm.account_external_id,
            budget=budget,
            pace=pace,
            timeouts=timeouts,
            write_batch=settings.crm.write_batch,
        )
    from connectors.salesforce.crm import Salesforce

    return Salesforce.connect(
        salesforce_settings(settings),
        mapping=settings.mapping,
        account_external_id=settings.crm.account_external_id,
        budget=budget,
        pace=pace,
        timeouts=timeouts,
        write_batch=settings.crm.write_batch,
    )


def address_of(settings: Settings) -> str:
    """The CRM by its kind and address, as calls to it are counted: hubspot api.hubapi.com."""
    login = settings.crm
    url = login.hubspot.base_url if login.kind == "hubspot" else login.salesforce.login_url
    return f"{login.kind} {urlsplit(url).netloc.lower()}"


def shares_of(budget: BudgetSettings) -> Shares:
    """What [budget] says, as the budget takes it."""
    return Shares(ours=budget.daily_share, ceiling=budget.org_ceiling, run=budget.run_share)


def hubspot_settings(settings: Settings) -> HubspotSettings:
    """The connector's own settings, secrets read from their files. Raises SettingError for a missing one."""
    from connectors.hubspot.settings import HubspotSettings

    login = settings.crm.hubspot
    return HubspotSettings(
        base_url=login.base_url,
        token=secret_of(login.token, login.token_file, "crm.hubspot.token"),
        client_id=login.client_id or None,
        client_secret=secret_of(login.client_secret, login.client_secret_file, "crm.hubspot.client_secret")
        or None,
        refresh_token=secret_of(login.refresh_token, login.refresh_token_file, "crm.hubspot.refresh_token")
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
        client_secret=secret_of(
            login.client_secret, login.client_secret_file, "crm.salesforce.client_secret"
        ),
        refresh_token=secret_of(
            login.refresh_token, login.refresh_token_file, "crm.salesforce.refresh_token"
        ),
        api_version=login.api_version,
        ca_file=None if login.ca_file is None else str(login.ca_file),
        currency=settings.company.currency,
        customer_types=login.customer_types,
        conditional_writes=login.conditional_writes,
        bulk_writes=login.bulk_writes,
        bulk_reads=login.bulk_reads,
        calls_at_once=settings.budget.calls_at_once,
    )


def export_specs(settings: Settings) -> tuple[ExportSpec, ...]:
    """What the export reader needs to know, in the order of the configuration."""
    from connectors.exports.spec import ExportSpec

    return tuple(
        ExportSpec(
            kind=export.kind,
            format="table" if export.url else export.format,
            path=export.path or _table(export).pattern,
            account_key=export.account_key,
            columns=export.columns,
            timezone=export.timezone,
            encoding=export.encoding,
        )
        for export in settings.exports
    )


def store_settings(settings: Settings) -> StoreSettings:
    """What the readers of object stores need to know."""
    from connectors.exports.depot import StoreSettings

    stores = settings.stores
    return StoreSettings(
        s3_endpoint=stores.s3_endpoint, gcs_endpoint=stores.gcs_endpoint, anonymous=stores.anonymous
    )


def warehouse_tables(settings: Settings) -> list[WarehouseTable]:
    """The tables of warehouses that are exports."""
    return [_table(export) for export in settings.exports if export.url]


def _table(export: Export) -> WarehouseTable:
    from connectors.exports.warehouse import WarehouseTable

    return WarehouseTable(url=export.url, table=export.table)


def journal_key(state: State) -> JournalKey:
    """The key of the journal: given, or in its file: beside a ledger file, else in the models' folder."""
    if secret := state.journal_key.get_secret_value():
        return JournalKey(secret=secret)
    if state.journal_key_file is not None:
        return JournalKey(file=state.journal_key_file)
    url = make_url(state.url)
    is_file = url.get_backend_name() == "sqlite"
    return JournalKey.beside(url) if is_file else JournalKey(file=state.models / f"ledger{SUFFIX}")


def secret_of(value: SecretStr, file: Path | None, name: str) -> str | None:
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
