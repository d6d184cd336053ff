"""What the panel on an account's record shows: its fields as the CRM holds them now, and its owner's best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from connectors.crm import Value
from connectors.errors import UsageError
from sync.find_account import NamedAccount, find_account, read_names
from sync.mapping import field_map, said_by
from sync.plays import READY_TIERS
from sync.rows import select
from sync.store.scores import latest_scoring, load_scores

if TYPE_CHECKING:
    from sync.loop import Loop

LISTED: Final = 10  # accounts on the home page


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One account's record: its name, its id, and our fields by key."""

    account: NamedAccount
    values: Mapping[str, Value]
    currency: str  # of its amounts

    @property
    def record_id(self) -> str:
        """The id of its record in the CRM."""
        return self.account.crm_id or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelRecord:
    """The account that was asked for, the best of the same owner's, and how many have a score at all."""

    held: Held
    best: tuple[Held, ...]
    scored: int
    today: date


def read_panel(loop: Loop, wanted: str) -> PanelRecord:
    """The record of the account that `wanted` names, as the CRM holds it now.

    Raises UsageError for an account that is unknown or without a CRM record, SetupError where our fields are
    missing."""
    names = read_names(loop.tables().tables)
    named = find_account(names, wanted)
    if named.crm_id is None:
        raise UsageError(
            "this account has no CRM record.", record=named.account_id, fix="name one that the CRM knows"
        )
    scoring = latest_scoring(loop.store)
    rows = [] if scoring is None else load_scores(loop.store, scoring.run_id).to_pylist()
    by_id = {account.account_id: account for account in names}
    mine = sorted(
        (row["priority"], row["account_id"])
        for row in rows
        if row["tier"] in READY_TIERS
        and row["priority"] is not None
        and (known := by_id.get(row["account_id"])) is not None
        and known.crm_id
        and known.owner_id == named.owner_id
    )
    best = [by_id[account_id] for _, account_id in mine[:LISTED]]
    held = _read(loop, [named, *best])
    return PanelRecord(
        held=held[0],
        best=tuple(held[1:]),
        scored=len(rows),
        today=loop.today(),
    )


def _read(loop: Loop, accounts: Sequence[NamedAccount]) -> list[Held]:
    fields = field_map(loop.crm, loop.settings.mapping.get("fields"))
    ids = list(dict.fromkeys(account.crm_id for account in accounts if account.crm_id))
    records = loop.crm.read(fields.object, ids, fields.names)
    if (first := accounts[0].crm_id or "") not in records:
        raise UsageError("the CRM has no such record any more.", record=first, fix="run: upswell pull")
    mapped = {**fields.written, **fields.read}
    currencies = _currencies(loop) if loop.crm.capabilities.money_per_record else {}
    own = loop.settings.company.currency
    return [
        Held(
            account=account,
            values={key: said_by(field, record.values.get(field.name)) for key, field in mapped.items()},
            currency=currencies.get(account.account_id) or own,
        )
        for account in accounts
        if (record := records.get(account.crm_id or "")) is not None
    ]


def _currencies(loop: Loop) -> dict[str, str | None]:
    """The currency of each account's record, where the CRM keeps amounts in it."""
    rows = select(loop.tables().tables, "accounts", ("account_id", "original_currency"))
    return {row["account_id"]: row["original_currency"] for row in rows}
