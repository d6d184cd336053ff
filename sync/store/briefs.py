"""The ledger's tables of briefs by a model: drafts that are kept, money that is spent, batches under way."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from sync.store.base import Base


class BriefDraftRow(Base):
    """What a model answered to one question, kept so that it is not asked again.

    `key` is a digest of all that the question rests on. `draft` is the answer's JSON; none where no sound one
    came (`problems`: the rules that it broke), so that the template writes until the evidence changes."""

    __tablename__ = "brief_drafts"

    key: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(index=True)
    model: Mapped[str]
    draft: Mapped[str | None]
    problems: Mapped[str]
    tries: Mapped[int]
    made_at: Mapped[datetime]
    cost_micros: Mapped[int] = mapped_column(BigInteger)


class BriefSpendRow(Base):
    """Money and tokens of one call, in millionths of a US dollar.

    They are reserved in full before it is sent, and settled by what the vendor counted. A row that stays
    reserved belongs to a call whose reply was lost: it counts as spent."""

    __tablename__ = "brief_spend"

    id: Mapped[str] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(index=True)
    day: Mapped[date] = mapped_column(index=True)  # in UTC
    at: Mapped[datetime]
    micros: Mapped[int] = mapped_column(BigInteger)
    tokens: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str]  # reserved, settled


class BriefBatchRow(Base):
    """One batch that was sent, or is about to be: `vendor_id` is known once the vendor took it.

    `asked` holds the account and the reserved millionths of each question by its key."""

    __tablename__ = "brief_batches"

    id: Mapped[str] = mapped_column(primary_key=True)
    vendor_id: Mapped[str | None]
    run_id: Mapped[str]
    model: Mapped[str]
    sent_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(index=True)  # sending, sent, read, lost
    spend_id: Mapped[str]
    asked: Mapped[dict[str, Any]]
