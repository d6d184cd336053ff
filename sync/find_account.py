"""The one account that a person means: by account id, CRM record id, the company's own id, or exact name."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from connectors.errors import UsageError
from sync.account_index import short_id
from sync.briefs.evidence import Tables, select

COLUMNS: Final = ("account_id", "crm_id", "external_id", "name", "owner_id", "segment")
SHOWN: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedAccount:
    """One account of the lake, with the names that people know it by."""

    account_id: str
    crm_id: str | None
    external_id: str | None
    name: str
    owner_id: str | None
    segment: str | None


def read_names(tables: Tables) -> list[NamedAccount]:
    """Every account of the canonical tables."""
    return [NamedAccount(**_named(row)) for row in select(tables, "accounts", COLUMNS)]


def find_account(accounts: Sequence[NamedAccount], wanted: str) -> NamedAccount:
    """The account that `wanted` names; an id goes before a name, and a name may be written in any case.

    Raises UsageError when it is nobody's, with the nearest names, or when several accounts bear it."""
    text = wanted.strip()
    ways = (
        lambda account: account.account_id == text,
        lambda account: account.crm_id is not None and short_id(account.crm_id) == short_id(text),
        lambda account: account.external_id == text,
        lambda account: account.name == text,
        lambda account: account.name.casefold() == text.casefold(),
    )
    for way in ways:
        found = [account for account in accounts if way(account)]
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(sorted(account.account_id for account in found)[:SHOWN])
            raise UsageError(
                f"{len(found)} accounts bear this name.", record=wanted, fix=f"Name one by its id: {ids}."
            )
    raise UsageError("there is no such account in the lake.", record=wanted, fix=_nearest(accounts, text))


def _nearest(accounts: Sequence[NamedAccount], text: str) -> str:
    """What may have been meant: names that hold the text, else those written most alike."""
    names = {account.name.casefold(): account for account in accounts}
    wanted = text.casefold()
    near = sorted(name for name in names if wanted and wanted in name)[:SHOWN]
    near = near or difflib.get_close_matches(wanted, names, n=3, cutoff=0.6)
    if not near:
        return "Give its account id, CRM record id, own id or exact name; if it is new: upswell pull."
    shown = ", ".join(f"{names[name].name} ({names[name].account_id})" for name in near)
    return f"Did you mean {shown}?"


def _named(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"name": row["name"] or row["account_id"]}
