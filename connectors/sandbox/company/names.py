"""Invented names: companies, their web domains, and people from many places. None is meant to be real."""

from __future__ import annotations

import unicodedata
from typing import Final

import numpy as np

from connectors.sandbox.company.population import Population, WorldPlan
from connectors.sandbox.company.randomness import stream

_STARTS: Final = (
    *("Vel", "Bry", "Kor", "Zan", "Ost", "Mer", "Tal", "Nov", "Quil", "Fen", "Hal", "Ryn", "Sol", "Dra"),
    *("Lum", "Per", "Cas", "Ard", "Win", "Gal", "Tor", "Bel", "Nim", "Pol", "Sar", "Jun", "Ek", "Ulv"),
    *("Mar", "Ivo", "Cel", "Wes", "Hol", "Lys", "Kes", "Ond", "Rav", "Tyr", "Yar", "Pax"),
)
_MIDDLES: Final = ("a", "e", "i", "o", "u", "ari", "eno", "ila", "ora", "umi")
_ENDS: Final = (
    *("dine", "kora", "mont", "vane", "lith", "stad", "wick", "field", "berg", "quist", "nova", "lund"),
    *("tera", "fjord", "holm", "port", "grove", "dell"),
)
_TRADES: Final = ("Group", "Systems", "Works", "Labs", "Partners", "Collective", "Industries", "Services")
_BRANCHES: Final = ("Nordics", "Iberia", "Americas", "Benelux", "Digital", "Logistics", "Retail", "Ventures")

_FIRST: Final = (
    *("Amara", "Anaïs", "Björn", "Chloé", "Daniel", "Eszter", "Fatima", "Grace", "Håkan", "Inés", "Jürgen"),
    *("Kateřina", "Liam", "Mei", "Nadia", "Oluwaseun", "Paweł", "Quentin", "Renée", "Søren", "Tomás"),
    *("Ulrike", "Valentina", "Wanjiru", "Xavier", "Yuki", "Zoë", "Ahmed", "Beatriz", "Cem", "Divya"),
    *("Émile", "Freja", "Giulia", "Hiroshi", "Ivana", "José", "Kwame", "Leïla", "Małgorzata", "Noah"),
    *("Owen", "Priya", "Rafael", "Siobhán", "Thuy", "Uma", "Viktor", "Wei", "Yasmin"),
)
_LAST: Final = (
    *("Ångström", "Bauer", "Castañeda", "Dąbrowski", "Eriksen", "Fernández", "García", "Haddad", "Ionescu"),
    *("Jørgensen", "Kowalczyk", "Lefèvre", "Müller", "Nguyễn", "O’Brien", "Petrović", "Quispe", "Rossi"),
    *("Šimek", "Tanaka", "Ueda", "Väisänen", "Weiß", "Xu", "Yılmaz", "Zhang", "Adeyemi", "Bergström"),
    *(
        "Chandra",
        "Duarte",
        "El-Amin",
        "Fischer",
        "Gupta",
        "Horváth",
        "Iversen",
        "Jansen",
        "Kamau",
        "Lindqvist",
    ),
    *("Mbeki", "Nowak", "Okafor", "Park", "Reyes", "Sørensen", "Taylor", "Vargas", "Walsh", "Zieliński"),
)
_FOLDED: Final = str.maketrans(
    {"ø": "o", "ł": "l", "ß": "ss", "ı": "i", "đ": "d", "’": "", "æ": "ae", "Ø": "O"}
)


def ascii_slug(text: str) -> str:
    """The text in lower-case ASCII letters and digits, words joined by hyphens: for domains and addresses."""
    plain = unicodedata.normalize("NFKD", text.translate(_FOLDED)).encode("ascii", "ignore").decode("ascii")
    return "-".join("".join(c if c.isalnum() else " " for c in plain).lower().split())


_FIRST_SLUG: Final = [ascii_slug(name) for name in _FIRST]
_LAST_SLUG: Final = [ascii_slug(name) for name in _LAST]


def account_names(plan: WorldPlan, population: Population) -> list[str]:
    """A name for each account, all different; a subsidiary bears its parent's first word."""
    rng = stream(plan.seed, "account names")
    stems = [start + middle + end for start in _STARTS for middle in _MIDDLES for end in _ENDS]
    order = rng.permutation(len(stems))
    trades = rng.integers(0, len(_TRADES), plan.accounts)
    branches = rng.permuted(np.tile(np.arange(len(_BRANCHES)), (plan.accounts, 1)), axis=1)
    names: list[str] = []
    seen: set[str] = set()
    children: dict[int, int] = {}
    for account in range(plan.accounts):
        head = int(population.family[account])
        stem = stems[order[head % len(stems)]]
        if head == account:
            name = f"{stem} {_TRADES[trades[account]]}"
        else:
            child = children[head] = children.get(head, -1) + 1
            name = f"{stem} {_BRANCHES[branches[head, child % len(_BRANCHES)]]}"
        if name in seen:  # more accounts than stems: the second of a name says so
            name = f"{name} {account + 1}"
        seen.add(name)
        names.append(name)
    return names


def person_names(rng: np.random.Generator, n: int) -> tuple[list[str], list[str]]:
    """Full names and the local parts of their e-mail addresses, n each."""
    first, last = rng.integers(0, len(_FIRST), n), rng.integers(0, len(_LAST), n)
    pairs = list(zip(first.tolist(), last.tolist(), strict=True))
    return [f"{_FIRST[f]} {_LAST[s]}" for f, s in pairs], [
        f"{_FIRST_SLUG[f]}.{_LAST_SLUG[s]}" for f, s in pairs
    ]
