"""Which account each CRM record is today, so that what was said of a merged one stays its survivor's.

The ledger keeps scores and tasks under the account's id of their day. A merge, or an own id that somebody
types in, gives the customer another id, and in HubSpot each merge makes a new record too; the records that it
has been are what ties its history together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """`account_of`: CRM record id -> account_id, for records merged away and second ones too."""

    account_of: Mapping[str, str] = field(default_factory=dict)
    records_of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, account_of: Mapping[str, str]) -> Lineage:
        """The lineage, told both ways."""
        records: dict[str, list[str]] = {}
        for record, account in account_of.items():
            records.setdefault(account, []).append(record)
        told = {account: tuple(sorted(found)) for account, found in records.items()}
        return cls(account_of=account_of, records_of=told)

    def account_now(self, account_id: str, record_id: str | None) -> str:
        """The account that a row of the ledger, written under this account and record, is about today."""
        return self.account_of.get(record_id or "", account_id)

    def records(self, account_id: str) -> tuple[str, ...]:
        """Every CRM record that the account is or has been."""
        return self.records_of.get(account_id, ())


def one_an_account(rows: Iterable[Any], lineage: Lineage) -> dict[str, Any]:
    """Scored rows of one scoring (account_id, crm_id, probability …) by what their account is now.

    Of several, its own row, else the one with the highest probability."""
    found: dict[str, Any] = {}
    for row in sorted(rows, key=lambda row: (row.probability or 0.0, row.account_id)):
        account = lineage.account_now(row.account_id, row.crm_id)
        if account not in found or found[account].account_id != account:
            found[account] = row
    return found
