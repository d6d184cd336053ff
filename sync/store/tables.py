"""The ledger's tables of the way in: orgs, runs and their steps, lake segments, bookmarks, scores, locks."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from sync.store.base import Base


class OrgRow(Base):
    """A CRM org that we have talked to; plans, bookmarks and aliases are bound to it."""

    __tablename__ = "orgs"

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    url: Mapped[str]
    currency: Mapped[str]
    timezone: Mapped[str]
    api_version: Mapped[str]
    first_seen: Mapped[datetime]


class InstalledRow(Base):
    """Something that an install made in a CRM, so that it can be taken away again: object.name."""

    __tablename__ = "installed"

    org_id: Mapped[str] = mapped_column(ForeignKey("orgs.id"), primary_key=True)
    part: Mapped[str] = mapped_column(primary_key=True)
    operator: Mapped[str]
    at: Mapped[datetime]


class RunRow(Base):
    """One verb that ran, or is running.

    `status` is queued, running, paused, done, partial (rows rejected) or failed."""

    __tablename__ = "runs"

    id: Mapped[str] = mapped_column(primary_key=True)
    verb: Mapped[str]
    org_id: Mapped[str | None] = mapped_column(ForeignKey("orgs.id"))
    started_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]
    status: Mapped[str] = mapped_column(default="running")
    as_of: Mapped[date | None]
    config_hash: Mapped[str]
    error: Mapped[str | None]
    # the options that it was started with
    asked: Mapped[dict[str, Any] | None]
    created_by: Mapped[str] = mapped_column(default="", server_default=text("''"))
    due_at: Mapped[datetime | None]  # a queued or paused run goes on then; machine's clock


class StepRow(Base):
    """One step of a run, in order; a resumed run skips those that are done."""

    __tablename__ = "run_steps"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str]
    status: Mapped[str]  # planned, running, done, failed
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
    owner: Mapped[str | None]  # the process that works on it, until `lease_until`
    lease_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")


class SegmentRow(Base):
    """One immutable Parquet file of the lake. Only active ones are read; `id` is the order of arrival."""

    __tablename__ = "segments"
    __table_args__ = (Index(None, "table_name", "active"),)

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    table_name: Mapped[str]
    path: Mapped[str] = mapped_column(unique=True)  # below the lake's folder
    rows: Mapped[int] = mapped_column(BigInteger)
    bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str]
    source: Mapped[str]  # crm:<org id> or file:<path>
    first_at: Mapped[datetime | None]  # earliest and latest modified or event time inside
    last_at: Mapped[datetime | None]
    run_id: Mapped[str | None] = mapped_column(ForeignKey("runs.id"))
    added_at: Mapped[datetime]
    active: Mapped[bool] = mapped_column(default=True)
    retired_at: Mapped[datetime | None]  # when it went out of use; its file stays a day for running readers


class BookmarkRow(Base):
    """How far a canonical table of an org has been read: everything modified before `until`."""

    __tablename__ = "bookmarks"

    org_id: Mapped[str] = mapped_column(ForeignKey("orgs.id"), primary_key=True)
    table_name: Mapped[str] = mapped_column(primary_key=True)
    until: Mapped[datetime]


class MappedColumnRow(Base):
    """The CRM's field from which a mapped column was read, for all rows; no column stands for the table."""

    __tablename__ = "mapped_columns"

    org_id: Mapped[str] = mapped_column(ForeignKey("orgs.id"), primary_key=True)
    table_name: Mapped[str] = mapped_column(primary_key=True)
    column_name: Mapped[str] = mapped_column(primary_key=True)
    field: Mapped[str]


class ExportFileRow(Base):
    """One export file that counts: what it held when it was read. `status` is read or missing."""

    __tablename__ = "export_files"

    kind: Mapped[str] = mapped_column(primary_key=True)
    path: Mapped[str] = mapped_column(primary_key=True)
    format: Mapped[str]
    spec_hash: Mapped[str]  # another reading of the same bytes is read again
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str]
    rows: Mapped[int] = mapped_column(BigInteger)
    first_at: Mapped[datetime | None]
    last_at: Mapped[datetime | None]
    status: Mapped[str]
    run_id: Mapped[str | None] = mapped_column(ForeignKey("runs.id"))
    read_at: Mapped[datetime]
    days: Mapped[dict[str, Any] | None]  # rows by day, in the company's zone
    # what the store calls this version of the object; empty on a disk
    tag: Mapped[str] = mapped_column(default="", server_default=text("''"))
    # hashes of some of its events, to find them again in another file
    sample: Mapped[bytes | None] = mapped_column(LargeBinary)
    sample_bits: Mapped[int] = mapped_column(default=0, server_default="0")


class QuarantineRow(Base):
    """One export file that can't be used as it now is, and why. What it said before is an ExportFileRow."""

    __tablename__ = "quarantined_files"

    kind: Mapped[str] = mapped_column(primary_key=True)
    path: Mapped[str] = mapped_column(primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str]
    reason: Mapped[str]
    place: Mapped[str]  # file and line
    fix: Mapped[str]
    run_id: Mapped[str | None] = mapped_column(ForeignKey("runs.id"))
    found_at: Mapped[datetime]  # when these bytes were first found to be bad


class AliasRow(Base):
    """A record that was merged away, and the survivor; kept for good, since the CRM forgets losers."""

    __tablename__ = "aliases"

    org_id: Mapped[str] = mapped_column(ForeignKey("orgs.id"), primary_key=True)
    table_name: Mapped[str] = mapped_column(primary_key=True)
    loser: Mapped[str] = mapped_column(primary_key=True)
    survivor: Mapped[str]
    external_id: Mapped[str | None]  # the loser's own account id, accounts only


class ModelRunRow(Base):
    """One scoring: which model scored how many accounts, as of which day."""

    __tablename__ = "model_runs"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    as_of: Mapped[date] = mapped_column(index=True)
    model_version: Mapped[str]
    data_hash: Mapped[str]
    accounts: Mapped[int]
    scored_at: Mapped[datetime]
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)


class ScoreRow(Base):
    """One account's prediction in one scoring; ARR in the account's currency per year."""

    __tablename__ = "scores"
    __table_args__ = (Index(None, "account_id", "as_of"), Index(None, "crm_id"))

    run_id: Mapped[str] = mapped_column(ForeignKey("model_runs.run_id"), primary_key=True)
    account_id: Mapped[str] = mapped_column(primary_key=True)
    crm_id: Mapped[str | None]
    as_of: Mapped[date]
    probability: Mapped[float | None]
    tier: Mapped[str]
    arr_if_expands: Mapped[float | None]
    arr_low: Mapped[float | None]
    arr_high: Mapped[float | None]
    expected_arr: Mapped[float | None]
    product: Mapped[str | None]
    product_2: Mapped[str | None]
    timing: Mapped[str | None]
    health: Mapped[str | None]
    health_reasons: Mapped[list[Any]] = mapped_column(default=list)
    churn: Mapped[float | None]  # within the horizon, as is contraction; 0–1
    contraction: Mapped[float | None]
    priority: Mapped[int | None]
    reasons: Mapped[list[Any]] = mapped_column(default=list)
    against: Mapped[list[Any]] = mapped_column(default=list)
    reason_codes: Mapped[list[Any]] = mapped_column(default=list)
    products: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))
    parts: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    moved: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    like_this: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    milestones: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))
    whom: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    data_completeness: Mapped[float | None]
    basis: Mapped[str | None]
    is_pipeline: Mapped[bool] = mapped_column(default=False)
    model_version: Mapped[str]


class LockRow(Base):
    """A lease on a name. It ends by itself, so that a killed worker blocks nobody for long."""

    __tablename__ = "locks"

    name: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str]
    expires_at: Mapped[datetime]
