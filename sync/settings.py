"""Every setting of `upswell.toml` as frozen values: one class a section, defaults and bounds beside the name.

`sync.config.load` fills them; nothing here reads a file or the environment. Names are those of the
configuration contract. Paths come out absolute (relative to the configuration file), secrets hide from repr.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic.dataclasses import dataclass

from sync.settings_briefs import BriefSettings
from sync.settings_checks import (
    STRICT,
    ApiVersion,
    CronLine,
    CurrencyCode,
    DatabaseUrl,
    FilePath,
    HttpUrl,
    Interval,
    LanguageTag,
    OptionalFile,
    QuietHours,
    RedisUrl,
    ZoneName,
    check_mapping,
)
from sync.settings_exports import Export, Identity, Stores
from sync.settings_forecast import ForecastSettings
from sync.settings_tasks import Owners, PlaySettings, Trigger, check_plays

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
OwnObject = Literal["forecasts", "feedback", "sync_runs"]
NO_SECRET = SecretStr("")
SHORTEST_KEY = 32  # 16 random bytes in hex


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class Company:
    """The company that sells: money, calendar and language of everything shown to people."""

    name: str = ""
    currency: CurrencyCode = "USD"
    rates: Mapping[CurrencyCode, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)
    # what one unit of another currency is worth in `currency`, at the rates that the company plans with
    fiscal_year_start: Annotated[int, Field(ge=1, le=12)] = 1  # month
    timezone: ZoneName = "UTC"
    language: LanguageTag = "en"


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class SalesforceLogin:
    """How to reach and log in to a Salesforce org; each secret may come from a file instead."""

    login_url: HttpUrl = ""
    instance_url: HttpUrl = ""
    auth: Literal["jwt", "client_credentials", "refresh_token"] = "jwt"
    client_id: str = ""
    username: str = ""
    private_key_file: OptionalFile = None
    client_secret: SecretStr = NO_SECRET
    client_secret_file: OptionalFile = None
    refresh_token: SecretStr = NO_SECRET
    refresh_token_file: OptionalFile = None
    api_version: ApiVersion = "68.0"
    customer_types: Annotated[tuple[str, ...], Field(min_length=1)] = (  # values of Account.Type
        "Customer",
        "Customer - Direct",
        "Customer - Channel",
    )
    ca_file: OptionalFile = None
    # Salesforce itself refuses a record that a person changed since we read it: 25 a call, not 1,000
    conditional_writes: bool = False
    bulk_writes: Literal["auto", "never"] = "auto"  # auto: by a Bulk job where that takes fewer API calls
    bulk_reads: Literal["auto", "never"] = "auto"  # more than a page of records by Bulk API 2.0


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class HubspotLogin:
    """How to reach and log in to a HubSpot account; each secret may come from a file instead."""

    base_url: HttpUrl = "https://api.hubapi.com"
    token: SecretStr = NO_SECRET
    token_file: OptionalFile = None
    client_id: str = ""
    client_secret: SecretStr = NO_SECRET
    client_secret_file: OptionalFile = None
    refresh_token: SecretStr = NO_SECRET
    refresh_token_file: OptionalFile = None
    api_version: Literal["v3", "2026-03", "2026-09"] = "2026-09"
    ca_file: OptionalFile = None
    customer_types: Annotated[tuple[str, ...], Field(min_length=1)] = (  # account_type values of a customer
        "customer",
        "evangelist",
    )


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class CrmLogin:
    """Which CRM, and which of its account fields holds the company's own account id."""

    kind: Literal["salesforce", "hubspot"]
    account_external_id: str = ""
    # records in a write call; 0: as many as the vendor takes
    write_batch: Annotated[int, Field(ge=0, le=1000)] = 0
    timeout_seconds: Annotated[float, Field(ge=1, le=600)] = 60.0  # of a call; leases are longer
    # those of our own that `upswell install` makes
    objects: tuple[OwnObject, ...] = ("forecasts", "feedback", "sync_runs")
    salesforce: SalesforceLogin = SalesforceLogin()
    hubspot: HubspotLogin = HubspotLogin()


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class State:
    """The ledger's database, the folder of trained models, and what keeps the journal from being changed."""

    url: DatabaseUrl = Field(default="sqlite:///upswell.sqlite", repr=False)  # may hold a password
    models: FilePath = Path("models")
    # the secret of the journal's chain; without one a file is made beside the ledger, or among the models
    journal_key: SecretStr = NO_SECRET
    journal_key_file: OptionalFile = None
    journal_days: Count = 0  # `audit retain` erases older content; 0 keeps it

    @model_validator(mode="after")
    def _key_is_long(self) -> Self:
        secret = self.journal_key.get_secret_value()
        if secret and len(secret) < SHORTEST_KEY:
            raise ValueError(f"journal_key is short: give at least {SHORTEST_KEY} characters of chance")
        return self


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class LakeHome:
    """The engine that computes, and the folder of the lake's Parquet segments."""

    url: DatabaseUrl = Field(default="duckdb://", repr=False)  # may hold a password
    folder: FilePath = Path("lake")


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class Redis:
    """Where Celery's bells ring; an empty URL means one process and no Redis."""

    url: RedisUrl = Field(default="", repr=False)  # may hold a password


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class WorkerSettings:
    """How work is shared out among processes. The defaults suit everybody; shorter times make tests quick."""

    tick_seconds: Annotated[float, Field(gt=0, le=60)] = 15.0  # between looks for slots and work that are due
    lease_seconds: Annotated[float, Field(ge=1, le=3600)] = 60.0  # what a killed process held waits this long
    range_size: Annotated[int, Field(ge=1)] = 2000  # accounts that one process scores in one go
    longest_step_minutes: Annotated[int, Field(ge=1)] = 240  # a step that takes longer is taken for hung
    slot_grace_minutes: Annotated[int, Field(ge=1)] = 60  # a slot found later than this is not run any more


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class TargetSettings:
    """What counts as an expansion, within which horizon (days), and for which accounts."""

    horizon_days: Annotated[int, Field(ge=7, le=730)] = 90
    opportunity_types: tuple[str, ...] = ()
    pipelines: tuple[str, ...] = ()  # empty: any
    stages: tuple[str, ...] = ()  # won stages; empty: whatever the CRM marks as won
    min_amount: Annotated[float, Field(ge=0)] = 0.0
    eligible: str = ""
    count_arr_changes: bool = True
    count_seat_changes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class ModelSettings:
    """What training may use, when to train anew, and who decides which model is in use.

    Features that look written after the fact are left out until they are named in `allow_suspects`."""

    allow_suspects: tuple[str, ...] = ()
    retrain_days: Annotated[int, Field(ge=1)] = 28  # one more panel row an account: less is no new knowledge
    promotion: Literal["auto", "person"] = "auto"  # auto: docs/models.md
    refresh_days: Annotated[int, Field(ge=1)] = 28  # a model so old gives way to a newer one that is no worse


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class ProductSettings:
    """One thing that a customer can add; price per unit and year in the company's currency."""

    id: Annotated[str, Field(min_length=1)]
    name: Annotated[str, Field(min_length=1)]
    type: Literal["seat", "tier", "module", "addon", "service", "commit"]
    price: Annotated[float, Field(ge=0)] = 0.0
    unit: str = ""
    eligible: str = ""
    replaces: str = ""
    keywords: tuple[str, ...] = ()  # words in a ticket that ask for it, beside those of its name


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class Tiers:
    """Cut-offs on the probability, from the top down."""

    very_high: Share = 0.6
    high: Share = 0.35
    medium: Share = 0.15

    @model_validator(mode="after")
    def _descending(self) -> Self:
        if not self.very_high > self.high > self.medium:
            raise ValueError(
                f"very_high ({self.very_high}), high ({self.high}) and medium ({self.medium}) must descend"
            )
        return self


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class Signals:
    """Thresholds at which a signal is called out. Defaults follow the requirements S1 to S9."""

    seat_utilisation: Annotated[float, Field(gt=0, le=2)] = 0.85  # share of the seats in use
    limit_utilisation: Annotated[float, Field(gt=0, le=2)] = 0.85  # share of any other entitlement
    overage_days: Annotated[int, Field(ge=1)] = 60
    new_department_days: Annotated[int, Field(ge=1)] = 90
    finance_page_views: Annotated[int, Field(ge=1)] = 4  # by a finance admin, within 30 days
    low_csat: Annotated[float, Field(ge=1, le=5)] = 3.0
    low_nps: Annotated[float, Field(ge=0, le=10)] = 5.0
    nps_promoter: Annotated[float, Field(ge=0, le=10)] = 9.0
    users_growth: float = 0.10  # active users against 90 days earlier
    usage_decline: float = -0.15  # events of 90 days against the 90 before
    gap_tickets: Annotated[float, Field(ge=0)] = 2.0  # requests for what the plan lacks in 180 days
    min_completeness: Share = 0.35  # below this share of families with data: not enough data


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class NoiseSettings:
    """When a score is rewritten although nothing that people act on has changed.

    Defaults by measurement: docs/adr/0007-noise-gate-and-approvals.md."""

    probability_delta: Annotated[float, Field(gt=0, le=1)] = 0.08
    refresh_days: Annotated[int, Field(ge=1, le=365)] = 28  # nothing stands longer than that
    spread_days: Annotated[int, Field(ge=1, le=365)] = 14  # over this many days before, by record

    @model_validator(mode="after")
    def _spread_fits(self) -> Self:
        if self.spread_days > self.refresh_days:
            raise ValueError(
                f"spread_days ({self.spread_days}) must not be above refresh_days ({self.refresh_days})"
            )
        return self


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class GuardSettings:
    """What stops a bad run before it writes: for each rule, the figure from which on it does."""

    max_changed_share: Share = 0.2  # of the records that hold a score, in any one thing
    max_vanished_share: Share = 0.1  # of the accounts scored last
    max_score_jump: Annotated[float, Field(ge=0, le=100)] = 40.0  # mean move of the score, in points
    max_probability_shift: Share = 0.05  # of the mean over the accounts scored both times
    max_score_drift: Annotated[float, Field(ge=0)] = 0.25  # population stability index
    max_closed_share: Share = 0.5  # of our open tasks, closed because what they were made for is gone
    max_input_age_days: Annotated[int, Field(ge=1)] = 14  # of the newest usage, and of the last pull
    max_model_age_days: Annotated[int, Field(ge=1)] = 120


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class BudgetSettings:
    """How much of the org's daily API calls we may use, and when we stop for everybody's sake.

    `run_share` is the part of our share that one run may use, so that some is left for other runs of the day;
    `calls_at_once` is for Salesforce, which counts long calls."""

    daily_share: Annotated[float, Field(gt=0, le=1)] = 0.2
    org_ceiling: Annotated[float, Field(gt=0, le=1)] = 0.8
    run_share: Annotated[float, Field(gt=0, le=1)] = 1.0
    calls_at_once: Annotated[int, Field(ge=1, le=25)] = 10


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class AlertSettings:
    """Where alerts go, from which probability on, and how many a person gets in a day."""

    slack_webhook: SecretStr = NO_SECRET
    slack_webhook_file: OptionalFile = None
    email: tuple[str, ...] = ()
    probability: Share = 0.75
    per_person_per_day: Count = 5


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class Schedule:
    """When a job runs: five cron fields in a zone (empty: the company's) or an interval; when it rests."""

    cron: CronLine = ""
    every: Interval = ""  # such as 15m, 6h or 1d
    job: str = ""  # the verb that it starts; empty: the schedule's own name
    timezone: ZoneName | Literal[""] = ""
    quiet: tuple[QuietHours, ...] = ()
    enabled: bool = True

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if bool(self.cron) == bool(self.every):
            raise ValueError("needs either cron or every")
        return self


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class Settings:
    """Everything that the configuration says."""

    crm: CrmLogin
    company: Company = Company()
    mapping: Annotated[Mapping[str, Mapping[str, str]], AfterValidator(check_mapping)] = Field(
        default_factory=dict
    )  # canonical column = CRM field, by table; under `fields`: our field = theirs
    exports: tuple[Export, ...] = ()
    stores: Stores = Stores()
    identity: Identity = Identity()
    state: State = Field(default_factory=State)
    lake: LakeHome = Field(default_factory=LakeHome)
    redis: Redis = Field(default_factory=Redis)
    worker: WorkerSettings = WorkerSettings()
    target: TargetSettings = TargetSettings()
    model: ModelSettings = ModelSettings()
    products: tuple[ProductSettings, ...] = ()
    tiers: Tiers = Tiers()
    signals: Signals = Signals()
    owners: Owners = Owners()
    noise: NoiseSettings = NoiseSettings()
    forecast: ForecastSettings = ForecastSettings()
    guard: GuardSettings = GuardSettings()
    budget: BudgetSettings = BudgetSettings()
    plays: Mapping[str, PlaySettings] = Field(default_factory=dict)
    triggers: tuple[Trigger, ...] = ()
    briefs: BriefSettings = BriefSettings()
    alerts: AlertSettings = AlertSettings()
    schedules: Mapping[str, Schedule] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _product_ids_differ(self) -> Self:
        ids = [product.id for product in self.products]
        twice = sorted({one for one in ids if ids.count(one) > 1})
        if twice:
            raise ValueError(f"products: the id {twice[0]} stands twice")
        return self

    @model_validator(mode="after")
    def _plays_are_known(self) -> Self:
        check_plays(self.plays, self.triggers)
        return self
