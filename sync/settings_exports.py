"""Settings of the exports: what each is and where it lies, the stores, and how its keys name accounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from sync.settings_checks import (
    STRICT,
    FileUrl,
    HttpUrl,
    OptionalFile,
    TextEncoding,
    WarehouseUrl,
    ZoneName,
    check_export_columns,
)


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class Export:
    """One export that a product-analytics, billing, support or survey system leaves for us."""

    kind: Literal[
        "events", "users", "usage", "billing", "entitlements", "tickets", "surveys", "triggers", "notes"
    ]
    format: Literal["auto", "amplitude", "mixpanel", "segment", "posthog", "pendo", "table"] = "auto"
    path: FileUrl = ""
    url: WarehouseUrl = Field(default="", repr=False)  # of a warehouse, instead of path; may hold a password
    table: str = ""  # there: name, schema.name or catalog.schema.name
    account_key: str = "account_key"
    columns: Mapping[str, str] = Field(default_factory=dict)  # canonical = theirs
    timezone: ZoneName | Literal[""] = ""  # of timestamps that name none; without it they are UTC
    encoding: TextEncoding = "utf-8"  # of text that is not UTF-8

    @model_validator(mode="after")
    def _columns_exist(self) -> Self:
        check_export_columns(self.kind, self.columns)
        return self

    @model_validator(mode="after")
    def _lies_somewhere(self) -> Self:
        if bool(self.path) == bool(self.url):
            raise ValueError("needs path (files), or url and table (a warehouse)")
        if bool(self.url) != bool(self.table):
            raise ValueError("url and table go together")
        if self.url and self.format not in {"auto", "table"}:
            raise ValueError(f"format is {self.format}, which is one of files; a warehouse has tables")
        return self


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class Identity:
    """How an export's account key may name an account beside its ids; equality only, and never a guess."""

    domain: bool = True  # a key that is a domain, web or e-mail address: the one account with that web site
    name: bool = False  # a key that is the name of exactly one account, without case and legal form
    shared_domains: tuple[str, ...] = ()  # domains that name nobody here, such as your own and a reseller's
    overrides: OptionalFile = None  # CSV of account_key and crm_id, which goes before every rule


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class Stores:
    """Object stores that exports are read from; credentials come from the environment alone."""

    s3_endpoint: HttpUrl = ""  # of a store that speaks S3; empty: AWS
    gcs_endpoint: HttpUrl = ""
    anonymous: bool = False  # the buckets are public
