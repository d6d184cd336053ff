"""How well CRM and exports meet, both ways: which keys found an account and how, and who stayed alone.

An account without usage data, or usage without an account, is the first thing that RevOps has to know.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from sync.account_index import AMBIGUOUS, DEAD_OVERRIDE, LEFT_OUT, AccountIndex, Match

FEW: Final = 0.5  # of the accounts known to any export; below, the ids most likely don't mean the same
EXAMPLES: Final = 5  # ids shown for each kind of mismatch


@dataclass(frozen=True, slots=True, kw_only=True)
class LoneKey:
    """A key that belongs to no account: the rows that bear it by table, why, and whom it may have meant."""

    key: str
    rows: Mapping[str, int]
    why: str
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityReport:
    """How well the CRM's accounts and the exports' keys meet; each kind of mismatch with a few examples."""

    accounts: int
    export_keys: int
    accounts_without_export: int
    keys_without_account: int  # those that an override leaves out are none of them
    ambiguous_keys: int  # they may mean more than one account
    rows_dropped: Mapping[str, int] = field(default_factory=dict)  # export table -> rows of no account
    second_records: int = 0  # accounts that are another account's customer over again
    unpriced: Mapping[str, int] = field(default_factory=dict)  # currency without a rate -> rows with money
    example_accounts: tuple[str, ...] = ()
    example_keys: tuple[str, ...] = ()
    example_second_records: tuple[str, ...] = ()  # their CRM ids
    ways: Mapping[str, int] = field(default_factory=dict)  # way -> keys that found their account by it
    silent: tuple[str, ...] = ()  # every account that no export knows
    lone: tuple[LoneKey, ...] = ()  # every key of no account, the most rows first
    dead_overrides: tuple[str, ...] = ()  # keys whose override names no account

    @property
    def matched_share(self) -> float:
        """The share of the accounts that some export knows, 0–1; 0 when there are no accounts."""
        return 1 - self.accounts_without_export / self.accounts if self.accounts else 0.0

    @property
    def warnings(self) -> tuple[str, ...]:
        """What makes scores worse than they could be, each with what to do about it."""
        found = [
            f"{rows:,} rows hold money in {currency}, which has no rate; their amounts count as unknown. "
            "Add it to [company] rates."
            for currency, rows in sorted(self.unpriced.items())
        ]
        if self.export_keys and self.matched_share < FEW:
            found.append(
                f"only {self.matched_share:.0%} of the accounts are known to any export; check [crm] "
                "account_external_id and each export's account_key."
            )
        if self.ambiguous_keys:
            found.append(
                f"{self.ambiguous_keys:,} of the exports' account keys fit more than one account, so their "
                "rows belong to none; correct the CRM or decide yourself: upswell exports match."
            )
        if self.dead_overrides:
            shown = ", ".join(self.dead_overrides[:EXAMPLES])
            found.append(
                f"{len(self.dead_overrides):,} line(s) of [identity] overrides name no account of the CRM "
                f"({shown}); correct their crm_id."
            )
        return tuple(found)


def report_of(
    accounts: Mapping[str, str],
    found: Mapping[str, Match],
    rows_of_key: Mapping[str, Mapping[str, int]],
    *,
    index: AccountIndex,
    seconds: tuple[str, ...],
    unpriced: Mapping[str, int],
) -> IdentityReport:
    """The report on `accounts` (account_id -> CRM id) and on what became of each key of the exports."""
    silent = sorted(set(accounts) - {match.account_id for match in found.values()})
    lone = [
        LoneKey(key=key, rows=rows_of_key[key], why=match.way, candidates=match.candidates)
        for key, match in found.items()
        if match.account_id is None
    ]
    strange = [each for each in lone if each.why != LEFT_OUT]
    dropped: dict[str, int] = {}
    for each in strange:
        for table, rows in each.rows.items():
            dropped[table] = dropped.get(table, 0) + rows
    return IdentityReport(
        accounts=len(accounts),
        export_keys=len(rows_of_key),
        accounts_without_export=len(silent),
        keys_without_account=len(strange),
        ambiguous_keys=sum(each.why == AMBIGUOUS for each in strange),
        rows_dropped=dropped,
        second_records=len(seconds),
        unpriced=unpriced,
        example_accounts=tuple(silent[:EXAMPLES]),
        example_keys=tuple(sorted(each.key for each in strange)[:EXAMPLES]),
        example_second_records=seconds[:EXAMPLES],
        ways=dict(Counter(match.way for match in found.values() if match.account_id is not None)),
        silent=tuple(silent),
        lone=tuple(sorted(lone, key=lambda each: (-sum(each.rows.values()), each.key))),
        dead_overrides=tuple(sorted(key for key in index.overrides if index.match(key).way == DEAD_OVERRIDE)),
    )
