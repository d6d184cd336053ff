"""Which account an id means: the CRM's id, the company's own id, an export's key, or a merged loser's.

A key is looked up in a fixed order, and the first way that speaks decides: what a person said in the override
file, the company's own id, a CRM id, either of a record merged away, then the stated rules (domain, name).
What fits several accounts is given to none of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from sync.aliases import Alias, final_survivors

if TYPE_CHECKING:
    from sync.key_rules import KeyRule

SALESFORCE_ACCOUNT = "001"  # key prefix of Account ids

OVERRIDE: Final = "override"
OWN_ID: Final = "own id"
CRM_ID: Final = "CRM id"
MERGED: Final = "merged record"
AMBIGUOUS: Final = "ambiguous"
UNMATCHED: Final = "unmatched"
LEFT_OUT: Final = "left out"  # an override says that the key is nobody's
DEAD_OVERRIDE: Final = "override of no account"


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What became of a key: its account and the way to it, or None and why, with whom it may have meant."""

    account_id: str | None
    way: str
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountIndex:
    """Ways to the canonical account_id; `ambiguous` holds the own ids of several accounts, and theirs."""

    by_crm_id: Mapping[str, str]
    by_key: Mapping[str, str]
    ambiguous: Mapping[str, tuple[str, ...]]
    ways: Mapping[str, str] = field(default_factory=dict)  # of the keys in by_key
    rules: Sequence[KeyRule] = ()
    overrides: Mapping[str, str | None] = field(default_factory=dict)  # key -> account_id, "" for a dead one

    def match(self, key: str | None) -> Match:
        """The account that an export's key means, and the way to it."""
        own = own_id(key)
        if own is None:
            return Match(account_id=None, way=UNMATCHED)
        if own in self.overrides:
            return _said(self.overrides[own])
        short = short_id(own)
        if short in self.ambiguous:
            return Match(account_id=None, way=AMBIGUOUS, candidates=self.ambiguous[short])
        if short in self.by_key:
            return Match(account_id=self.by_key[short], way=self.ways.get(short, OWN_ID))
        return self._by_rule(own)

    def of_key(self, key: str | None) -> str | None:
        """The account that an export's key means; None when it is nobody's, or more than one's."""
        return self.match(key).account_id

    def is_ambiguous(self, key: str) -> bool:
        """Whether the key may mean more than one account."""
        return self.match(key).way == AMBIGUOUS

    def _by_rule(self, own: str) -> Match:
        """What the first rule says that knows anybody of this key."""
        for rule in self.rules:
            candidates = self._accounts(rule.candidates(own))
            if len(candidates) == 1:
                return Match(account_id=candidates[0], way=rule.way)
            if candidates:
                return Match(account_id=None, way=AMBIGUOUS, candidates=candidates)
        return Match(account_id=None, way=UNMATCHED)

    def _accounts(self, crm_ids: Collection[str]) -> tuple[str, ...]:
        """The accounts of these records; two records of one customer are one account."""
        return tuple(sorted({self.by_crm_id[each] for each in crm_ids if each in self.by_crm_id}))


def build_index(
    accounts: Iterable[tuple[str, str | None]],
    aliases: Iterable[Alias],
    *,
    rules: Sequence[KeyRule] = (),
    overrides: Mapping[str, str | None] = MappingProxyType({}),
) -> AccountIndex:
    """The index of the live accounts, given as (crm_id, external_id), and of those merged into them.

    The canonical id is the company's own id where it is present and one account's alone, else the CRM's: it
    stays the same when the company moves to another CRM. A key means an own id first, then a CRM id, then
    either of an account that was merged away. `overrides` give a key's CRM id, or None for nobody's; one
    that names a record merged away leads to its survivor."""
    live = {crm_id: own_id(external_id) for crm_id, external_id in accounts}
    bearers = Counter(short_id(own) for own in live.values() if own is not None)
    crm_keys = {short_id(crm_id) for crm_id in live}

    def canonical(crm_id: str, own: str | None) -> str:
        # an own id that reads like some record's CRM id could make two accounts one
        return crm_id if own is None or bearers[short_id(own)] > 1 or short_id(own) in crm_keys else own

    by_crm_id = {crm_id: canonical(crm_id, own) for crm_id, own in live.items()}
    by_key: dict[str, tuple[str, str]] = {
        short_id(own): (by_crm_id[crm_id], OWN_ID)
        for crm_id, own in live.items()
        if own is not None and bearers[short_id(own)] == 1
    }
    for crm_id in live:
        by_key.setdefault(short_id(crm_id), (by_crm_id[crm_id], CRM_ID))
    losers = tuple(aliases)
    survivor_of = final_survivors(losers)
    for alias in losers:
        account_id = by_crm_id.get(survivor_of.get(alias.loser, ""))
        if account_id is None or alias.loser in live:
            continue
        by_crm_id[alias.loser] = account_id
        for key in (alias.loser, own_id(alias.external_id)):
            if key is not None and short_id(key) not in bearers:
                by_key.setdefault(short_id(key), (account_id, MERGED))
    shared: dict[str, list[str]] = {own: [] for own, count in bearers.items() if count > 1}
    for crm_id, own in live.items():
        if own is not None and short_id(own) in shared:
            shared[short_id(own)].append(by_crm_id[crm_id])
    record_of = {short_id(crm_id): account_id for crm_id, account_id in by_crm_id.items()}
    return AccountIndex(
        by_crm_id=MappingProxyType(by_crm_id),
        by_key=MappingProxyType({key: account_id for key, (account_id, _) in by_key.items()}),
        ambiguous=MappingProxyType({own: tuple(sorted(ids)) for own, ids in shared.items()}),
        ways=MappingProxyType({key: way for key, (_, way) in by_key.items()}),
        rules=tuple(rules),
        overrides=MappingProxyType(
            {
                key: None if said is None else record_of.get(short_id(said), "")
                for key, said in overrides.items()
            }
        ),
    )


def _said(account_id: str | None) -> Match:
    """What an override says: an account, that the key is nobody's, or an account that is not there."""
    if account_id is None:
        return Match(account_id=None, way=LEFT_OUT)
    if not account_id:
        return Match(account_id=None, way=DEAD_OVERRIDE)
    return Match(account_id=account_id, way=OVERRIDE)


def own_id(text: str | None) -> str | None:
    """A company's own id without the blanks around it; None when nothing is left."""
    return (text or "").strip() or None


def short_id(text: str) -> str:
    """The 15 characters that tell a Salesforce account, so that its 15- and 18-character ids are equal.

    The last three only guard against a lost case (Salesforce, "ID Field Type"). Other ids stay whole."""
    is_salesforce = len(text) == 18 and text.startswith(SALESFORCE_ACCOUNT) and text.isalnum()
    return text[:15] if is_salesforce else text
