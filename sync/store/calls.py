"""The ledger's tables of API calls: how many were made, and whose turn it is; shared by all processes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from sync.store.base import Base


class CallOrgRow(Base):
    """What a CRM said last about everybody's API calls. `org` is its kind and address."""

    __tablename__ = "call_orgs"

    org: Mapped[str] = mapped_column(primary_key=True)
    used: Mapped[int] = mapped_column(BigInteger)
    allowed: Mapped[int] = mapped_column(BigInteger)
    told_at: Mapped[datetime]  # the machine's clock


class CallCountRow(Base):
    """Our calls of ten minutes and one run; those of no run stand under an empty id."""

    __tablename__ = "call_counts"

    org: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(primary_key=True)
    calls: Mapped[int] = mapped_column(BigInteger)


class CallRateRow(Base):
    """How many calls of a rate the CRM allows, where it told another number than we began with."""

    __tablename__ = "call_rates"

    org: Mapped[str] = mapped_column(primary_key=True)
    rate: Mapped[str] = mapped_column(primary_key=True)
    calls: Mapped[int] = mapped_column(BigInteger)


class CallTurnRow(Base):
    """One turn of a rate: the call that has it, or had it last. `free_at` is in seconds since 1970.

    On PostgreSQL that is the server's clock, on SQLite the machine's, which all its processes share."""

    __tablename__ = "call_turns"

    org: Mapped[str] = mapped_column(primary_key=True)
    rate: Mapped[str] = mapped_column(primary_key=True)
    turn: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    free_at: Mapped[float]
