"""Whom to reach at an account: its contacts ranked by authority, role and recent contact, with the reason.

A contact who has left is never proposed. Weights are stated below; of two alike the one last in touch,
then the name, decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final

ROLE_WEIGHTS: Final[Mapping[str, int]] = MappingProxyType(
    {"champion": 5, "decision_maker": 4, "executive_sponsor": 4, "finance_admin": 1}
)
ROLE_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "champion": "champion",
        "decision_maker": "decision maker",
        "executive_sponsor": "executive sponsor",
        "finance_admin": "finance admin",
    }
)
SENIORITY: Final = (
    (re.compile(r"\b(chief|c[a-z]o|founder|president|owner|managing director)\b", re.I), 4),
    (re.compile(r"\b(vp|svp|evp|vice president)\b", re.I), 3),
    (re.compile(r"\b(head|director)\b", re.I), 3),
    (re.compile(r"\b(manager|lead)\b", re.I), 1),
)
RECENCY: Final = ((30, 3), (90, 2), (180, 1))
"""Points for the last contact being at most so many days ago."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A person at the account, with the day of the last meeting, call or e-mail."""

    crm_id: str
    name: str
    title: str | None = None
    role: str | None = None
    left_at: date | None = None
    last_contact: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """The contact to talk to, and why in words."""

    contact: Contact
    reason: str

    def __str__(self) -> str:
        title = f", {self.contact.title}" if self.contact.title else ""
        return f"Talk to {self.contact.name}{title}: {self.reason}."


def whom_to_reach(contacts: Iterable[Contact], as_of: date) -> Reach | None:
    """The contact to talk to, or None when nobody with a name or standing is left."""
    here = [c for c in contacts if c.name.strip() and (c.left_at is None or c.left_at > as_of)]
    ranked = sorted(here, key=lambda contact: _rank(contact, as_of))
    if not ranked or _points(ranked[0], as_of) == 0:
        return None
    return Reach(contact=ranked[0], reason=_reason(ranked[0], as_of))


def seniority(title: str | None) -> int:
    """0–4 from the words of a job title."""
    return next((points for pattern, points in SENIORITY if pattern.search(title or "")), 0)


def _points(contact: Contact, as_of: date) -> int:
    points = ROLE_WEIGHTS.get(contact.role or "", 0) + seniority(contact.title)
    if contact.last_contact is not None:
        days = (as_of - contact.last_contact).days
        points += next((worth for limit, worth in RECENCY if 0 <= days <= limit), 0)
    return points


def _rank(contact: Contact, as_of: date) -> tuple[int, int, str, str]:
    last = contact.last_contact or date.min
    return (-_points(contact, as_of), -last.toordinal(), contact.name, contact.crm_id)


def _reason(contact: Contact, as_of: date) -> str:
    standing = "senior contact" if seniority(contact.title) >= 3 else "active contact"
    role = ROLE_NAMES.get(contact.role or "", standing)
    last = contact.last_contact
    if last is None or last > as_of:
        return role
    return f"{role}, last in touch {last.day} {last:%b %Y}"
