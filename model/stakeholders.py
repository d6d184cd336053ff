"""Whom to reach at an account and who is missing, judged by authority, role, contact and use of the product.

People are ranked by points: their role in the decision, the words of their title, how lately somebody met,
called or wrote to them, and on how many days they used the product. Whoever has left is never proposed. Of
two alike the one last in touch, then the name, decides. The weights are rules of thumb of customer-success
practice; their order is what counts: a champion goes before a title, a title before a habit.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final

ROLE_WEIGHTS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "champion": 5,
        "decision_maker": 4,
        "executive_sponsor": 4,
        "economic_buyer": 4,
        "finance_admin": 1,
    }
)
ROLE_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "champion": "champion",
        "decision_maker": "decision maker",
        "executive_sponsor": "executive sponsor",
        "economic_buyer": "economic buyer",
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
USE: Final = ((8, 2), (1, 1))
"""Points for using the product on at least so many of the last 30 days; 8 as for CHAMPION_ACTIVE."""
ACTIVE_DAYS: Final = 90  # without contact for longer, and without use, a person is quiet
WANTED: Final[Mapping[str, tuple[tuple[str, ...], int | None]]] = MappingProxyType(
    {
        "champion": (("champion",), None),
        "economic buyer": (("decision_maker", "economic_buyer", "finance_admin"), None),
        "executive sponsor": (("executive_sponsor",), 4),
    }
)
"""Who has to be on board for an expansion: the roles that fill the seat, and the seniority that does too."""
MOST: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A person at the account, with the day of the last meeting, call or e-mail.

    `active_days` are those of the last 30 on which the person used the product; None where nobody knows."""

    crm_id: str
    name: str
    title: str | None = None
    role: str | None = None
    department: str | None = None
    left_at: date | None = None
    last_contact: date | None = None
    active_days: int | None = None


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
    return next(iter(rank_contacts(contacts, as_of)), None)


def rank_contacts(contacts: Iterable[Contact], as_of: date) -> tuple[Reach, ...]:
    """Up to three contacts to talk to, the first one first; none without a name or standing."""
    here = [contact for contact in contacts if contact.name.strip() and _is_here(contact, as_of)]
    ranked = sorted(here, key=lambda contact: _rank(contact, as_of))
    worth = [contact for contact in ranked if _points(contact, as_of) > 0]
    return tuple(Reach(contact=contact, reason=_reason(contact, as_of)) for contact in worth[:MOST])


def who_is_missing(contacts: Sequence[Contact], as_of: date) -> tuple[str, ...]:
    """Which seat at the table is empty, and how: nobody known, somebody who left, or who has gone quiet.

    Nothing is missing where no contact at all is known: that is a gap in the data."""
    if not contacts:
        return ()
    found = []
    for seat, (roles, senior) in WANTED.items():
        holders = [contact for contact in contacts if _fills(contact, roles, senior)]
        here = [contact for contact in holders if _is_here(contact, as_of)]
        if any(_is_active(contact, as_of) for contact in here):
            continue
        if here:
            found.append(f"{seat}: {_quiet(here, as_of)}")
        elif gone := [contact.left_at for contact in holders if contact.left_at is not None]:
            found.append(f"{seat}: left {_day(max(gone))}")
        else:
            found.append(f"{seat}: none known")
    return tuple(found)


def seniority(title: str | None) -> int:
    """0–4 from the words of a job title."""
    return next((points for pattern, points in SENIORITY if pattern.search(title or "")), 0)


def _fills(contact: Contact, roles: Collection[str], senior: int | None) -> bool:
    return contact.role in roles or (senior is not None and seniority(contact.title) >= senior)


def _is_here(contact: Contact, as_of: date) -> bool:
    return contact.left_at is None or contact.left_at > as_of


def _is_active(contact: Contact, as_of: date) -> bool:
    last = contact.last_contact
    in_touch = last is not None and 0 <= (as_of - last).days <= ACTIVE_DAYS
    return in_touch or bool(contact.active_days)


def _quiet(contacts: Sequence[Contact], as_of: date) -> str:
    last = [c.last_contact for c in contacts if c.last_contact is not None and c.last_contact <= as_of]
    return f"quiet since {_day(max(last))}" if last else "never in touch"


def _points(contact: Contact, as_of: date) -> int:
    points = ROLE_WEIGHTS.get(contact.role or "", 0) + seniority(contact.title)
    if contact.last_contact is not None:
        days = (as_of - contact.last_contact).days
        points += next((worth for limit, worth in RECENCY if 0 <= days <= limit), 0)
    return points + next((worth for least, worth in USE if (contact.active_days or 0) >= least), 0)


def _rank(contact: Contact, as_of: date) -> tuple[int, int, str, str]:
    last = contact.last_contact or date.min
    return (-_points(contact, as_of), -last.toordinal(), contact.name, contact.crm_id)


def _reason(contact: Contact, as_of: date) -> str:
    standing = "senior contact" if seniority(contact.title) >= 3 else "active contact"
    parts = [ROLE_NAMES.get(contact.role or "", standing)]
    if contact.department:
        parts[0] += f" in {contact.department}"
    if contact.last_contact is not None and contact.last_contact <= as_of:
        parts.append(f"last in touch {_day(contact.last_contact)}")
    if contact.active_days:
        parts.append(f"used the product on {contact.active_days} of the last 30 days")
    return ", ".join(parts)


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
