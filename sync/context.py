"""What choosing tasks needs to know about each account: owner, people, escalations. One query a table."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from model.stakeholders import Contact
from sync.briefs.evidence import Tables, select
from sync.people import read_contacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account as its people see it."""

    account_id: str
    name: str
    owner_id: str | None = None
    owner_is_active: bool = True
    has_escalation: bool = False
    contacts: tuple[Contact, ...] = field(default=())


def read_accounts(tables: Tables, as_of: date) -> dict[str, Account]:
    """Every account of the canonical tables by account_id; missing tables leave their part empty."""
    inactive = {
        row["crm_id"]
        for row in select(tables, "owners", ("crm_id", "is_active"))
        if row["is_active"] is False
    }
    tickets = select(tables, "tickets", ("account_id", "is_closed", "is_escalated"))
    escalated = {row["account_id"] for row in tickets if row["is_escalated"] and not row["is_closed"]}
    contacts = read_contacts(tables, as_of)
    return {
        row["account_id"]: Account(
            account_id=row["account_id"],
            name=row["name"] or row["account_id"],
            owner_id=row["owner_id"],
            owner_is_active=row["owner_id"] not in inactive,
            has_escalation=row["account_id"] in escalated,
            contacts=tuple(contacts.get(row["account_id"], ())),
        )
        for row in select(tables, "accounts", ("account_id", "name", "owner_id"))
    }
