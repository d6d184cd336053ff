"""What choosing tasks needs to know about each account: owner, people, escalations. One query a table."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from model.stakeholders import Contact
from sync.briefs.evidence import Tables, day_of, select
from sync.names import plain_name
from sync.people import read_contacts

COLUMNS: Final = ("account_id", "name", "owner_id", "csm_id", "segment", "renewal_date")
DEALS: Final = (
    "account_id", "crm_id", "opportunity_type", "is_closed", "closed_at", "close_date", "owner_id",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account as its people see it."""

    account_id: str
    name: str
    owner_id: str | None = None
    csm_id: str | None = None
    seller_id: str | None = None  # who owned the newest closed expansion opportunity
    segment: str | None = None
    renewal_date: date | None = None
    has_escalation: bool = False
    contacts: tuple[Contact, ...] = field(default=())


def read_accounts(tables: Tables, as_of: date, *, sold_as: Collection[str] = ()) -> dict[str, Account]:
    """Every account of the canonical tables by account_id; missing tables leave their part empty.

    `sold_as` are the types of opportunity that count as an expansion, in small letters; without them nobody
    is taken for an account's seller."""
    tickets = select(tables, "tickets", ("account_id", "is_closed", "is_escalated"))
    escalated = {row["account_id"] for row in tickets if row["is_escalated"] and not row["is_closed"]}
    contacts = read_contacts(tables, as_of)
    sellers = _sellers(tables, sold_as, as_of) if sold_as else {}
    return {
        row["account_id"]: Account(
            account_id=row["account_id"],
            name=plain_name(row["name"]) or row["account_id"],
            owner_id=row["owner_id"],
            csm_id=row["csm_id"],
            seller_id=sellers.get(row["account_id"]),
            segment=row["segment"],
            renewal_date=row["renewal_date"],
            has_escalation=row["account_id"] in escalated,
            contacts=tuple(contacts.get(row["account_id"], ())),
        )
        for row in select(tables, "accounts", COLUMNS)
    }


def _sellers(tables: Tables, sold_as: Collection[str], as_of: date) -> dict[str, str]:
    """Who owned each account's newest closed expansion opportunity, won or lost."""
    newest: dict[str, tuple[date, str, str]] = {}
    for row in select(tables, "opportunities", DEALS):
        closed = day_of(row["closed_at"]) or row["close_date"]
        kind = (row["opportunity_type"] or "").strip().lower()
        if (
            row["is_closed"]
            and row["owner_id"]
            and kind in sold_as
            and closed is not None
            and closed <= as_of
        ):
            deal = (closed, row["crm_id"] or "", row["owner_id"])
            newest[row["account_id"]] = max(deal, newest.get(row["account_id"], deal))
    return {account_id: owner for account_id, (_, _, owner) in newest.items()}
