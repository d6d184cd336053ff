"""Second records of one customer: which accounts of the CRM are the same company twice.

Only what is as good as certain counts, because two customers taken for one would share their scores:
the same own id, or no own id at all, always with the same name and the same web site.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sync.account_index import own_id, short_id
from sync.aliases import Alias
from sync.domains import domain

LEGAL_FORMS: Final = frozenset(
    (
        *("ab", "ag", "aps", "as", "bv", "co", "company", "corp", "corporation", "gmbh", "inc"),
        *("incorporated", "kk", "limited", "llc", "llp", "ltd", "nv", "oy", "oyj", "plc", "pty"),
        *("sa", "sarl", "sas", "se", "sl", "spa", "srl", "the"),
    )
)
"""Words that tell nothing about which company it is."""

_WORDS: Final = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What tells whether two accounts are one customer."""

    crm_id: str
    external_id: str | None
    name: str | None
    website: str | None
    parent_crm_id: str | None
    created_at: datetime | None
    former_names: tuple[str, ...] = ()


def find_duplicates(entries: Iterable[Entry]) -> tuple[Alias, ...]:
    """Each second record with the first one of its customer, in the order of their ids.

    Records with one name and one web site are one customer when they bear one own id, or bear none
    beside exactly one that does; a renamed account still answers to its former names. The first is the
    one with the own id, then the oldest. A parent and its subsidiary are two customers, however alike."""
    found = []
    for group in _alike(entries):
        owners: dict[str, list[Entry]] = {}
        nameless = []
        for entry in group:
            own = own_id(entry.external_id)
            if own is None:
                nameless.append(entry)
            else:
                owners.setdefault(short_id(own), []).append(entry)
        for bearers in owners.values():
            first, *others = sorted(bearers, key=_age)
            found += _pairs(first, [*others, *(nameless if len(owners) == 1 else ())])
    return tuple(sorted(found, key=lambda alias: alias.loser))


def _alike(entries: Iterable[Entry]) -> list[list[Entry]]:
    """The entries by web site, and there by names that they share, now or formerly."""
    sites: dict[str, list[tuple[set[str], list[Entry]]]] = {}
    for entry in entries:
        site, name = domain(entry.website), plain_name(entry.name)
        if not site or not name:
            continue
        names = {name, *filter(None, map(plain_name, entry.former_names))}
        groups = sites.setdefault(site, [])
        same = [group for group in groups if group[0] & names]
        joined = (names.union(*(group[0] for group in same)), [e for group in same for e in group[1]])
        joined[1].append(entry)
        sites[site] = [*(group for group in groups if group not in same), joined]
    return [group for groups in sites.values() for _, group in groups]


def plain_name(name: str | None) -> str:
    """The name without case, accents, punctuation and legal form; empty when nothing is left."""
    folded = unicodedata.normalize("NFKD", name or "").casefold()
    letters = "".join(c for c in folded if not unicodedata.combining(c))
    return " ".join(word for word in _WORDS.findall(letters) if word not in LEGAL_FORMS)


def _pairs(first: Entry, others: Iterable[Entry]) -> list[Alias]:
    return [
        Alias(loser=other.crm_id, survivor=first.crm_id, external_id=None)
        for other in others
        if other.parent_crm_id != first.crm_id and first.parent_crm_id != other.crm_id
    ]


def _age(entry: Entry) -> tuple[bool, str, str]:
    created = entry.created_at
    return created is None, "" if created is None else created.isoformat(), entry.crm_id
