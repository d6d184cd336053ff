"""Which account an id means: the CRM's id, the company's own id, an export's key, or a merged loser's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sync.aliases import Alias, final_survivors

SALESFORCE_ACCOUNT = "001"  # key prefix of Account ids


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountIndex:
    """Ways to the canonical account_id; `ambiguous` holds the own ids that several accounts bear."""

    by_crm_id: Mapping[str, str]
    by_key: Mapping[str, str]
    ambiguous: frozenset[str]

    def of_key(self, key: str | None) -> str | None:
        """The account that an export's key means; None when it is nobody's, or more than one's."""
        key = own_id(key)
        if key is None or short_id(key) in self.ambiguous:
            return None
        return self.by_key.get(short_id(key))

    def is_ambiguous(self, key: str) -> bool:
        """Whether the key is the own id of more than one account."""
        return short_id(key.strip()) in self.ambiguous


def build_index(accounts: Iterable[tuple[str, str | None]], aliases: Iterable[Alias]) -> AccountIndex:
    """The index of the live accounts, given as (crm_id, external_id), and of those merged into them.

    The canonical id is the company's own id where it is present and one account's alone, else the CRM's: it
    stays the same when the company moves to another CRM. A key means an own id first, then a CRM id, then
    either of an account that was merged away."""
    live = {crm_id: own_id(external_id) for crm_id, external_id in accounts}
    bearers = Counter(short_id(own) for own in live.values() if own is not None)
    crm_keys = {short_id(crm_id) for crm_id in live}

    def canonical(crm_id: str, own: str | None) -> str:
        # an own id that reads like some record's CRM id could make two accounts one
        return crm_id if own is None or bearers[short_id(own)] > 1 or short_id(own) in crm_keys else own

    by_crm_id = {crm_id: canonical(crm_id, own) for crm_id, own in live.items()}
    by_key = {
        short_id(own): by_crm_id[crm_id]
        for crm_id, own in live.items()
        if own is not None and bearers[short_id(own)] == 1
    }
    for crm_id in live:
        by_key.setdefault(short_id(crm_id), by_crm_id[crm_id])
    losers = tuple(aliases)
    survivor_of = final_survivors(losers)
    for alias in losers:
        account_id = by_crm_id.get(survivor_of.get(alias.loser, ""))
        if account_id is None or alias.loser in live:
            continue
        by_crm_id[alias.loser] = account_id
        for key in (alias.loser, own_id(alias.external_id)):
            if key is not None and short_id(key) not in bearers:
                by_key.setdefault(short_id(key), account_id)
    return AccountIndex(
        by_crm_id=MappingProxyType(by_crm_id),
        by_key=MappingProxyType(by_key),
        ambiguous=frozenset(own for own, count in bearers.items() if count > 1),
    )


def own_id(text: str | None) -> str | None:
    """A company's own id without the blanks around it; None when nothing is left."""
    return (text or "").strip() or None


def short_id(text: str) -> str:
    """The 15 characters that tell a Salesforce account, so that its 15- and 18-character ids are equal.

    The last three only guard against a lost case (Salesforce, "ID Field Type"). Other ids stay whole."""
    is_salesforce = len(text) == 18 and text.startswith(SALESFORCE_ACCOUNT) and text.isalnum()
    return text[:15] if is_salesforce else text
