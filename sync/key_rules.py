"""Stated rules by which an export's key may name an account that bears it as no id: domain, name.

A rule compares one plain form of the key with the same form of each account, and only equality counts. What
two accounts share names neither of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sync.domains import company_domain
from sync.duplicates import Entry, plain_name

DOMAIN: Final = "domain"
NAME: Final = "name"

Bearers = Mapping[str, frozenset[str]]
"""Plain form -> the CRM ids of the accounts that bear it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRule:
    """One rule: `plain` gives the form that is compared, empty where the rule has nothing to say.

    `bearers` are asked one after the other: what accounts are today goes before what they were."""

    way: str
    plain: Callable[[str], str]
    bearers: Sequence[Bearers]

    def candidates(self, key: str) -> frozenset[str]:
        """The CRM ids of all accounts that the key may mean."""
        plain = self.plain(key)
        if not plain:
            return frozenset()
        return next((found for layer in self.bearers if (found := layer.get(plain))), frozenset())


def domain_rule(
    live: Iterable[Entry], merged: Iterable[tuple[str, str | None]], shared: Collection[str]
) -> KeyRule:
    """Keys that are a domain, a web or an e-mail address name the one account with that web site.

    `merged` are (CRM id, web site) of records merged away; `shared` are domains that name nobody here."""
    nobody = {company_domain(each) for each in shared}

    def plain(text: str) -> str:
        host = company_domain(text)
        return "" if host in nobody else host

    return KeyRule(
        way=DOMAIN,
        plain=plain,
        bearers=(
            _bearers((entry.crm_id, plain(entry.website or "")) for entry in live),
            _bearers((crm_id, plain(website or "")) for crm_id, website in merged),
        ),
    )


def name_rule(live: Sequence[Entry]) -> KeyRule:
    """Keys that are the name of exactly one account, without case, accents, punctuation and legal form."""
    return KeyRule(
        way=NAME,
        plain=plain_name,
        bearers=(
            _bearers((entry.crm_id, plain_name(entry.name)) for entry in live),
            _bearers((entry.crm_id, plain_name(name)) for entry in live for name in entry.former_names),
        ),
    )


def _bearers(pairs: Iterable[tuple[str, str]]) -> Bearers:
    found: dict[str, set[str]] = {}
    for crm_id, plain in pairs:
        if plain:
            found.setdefault(plain, set()).add(crm_id)
    return {plain: frozenset(ids) for plain, ids in found.items()}
