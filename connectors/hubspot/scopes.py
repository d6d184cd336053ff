"""What our app must be allowed to do in the account, and what it was granted.

HubSpot Developer documentation, "Scopes". Tasks, meetings, calls, emails and notes have none of their own:
they come with contacts. A refresh tells the granted scopes with its token ("Manage OAuth access tokens"); for
a static token they are asked ("Private apps", access token information).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """One scope, what we need it for, and whether nothing works without it."""

    name: str
    purpose: str
    required: bool = True
    custom: bool = False  # asked for only where the account's tier has custom objects


_READ: Final = (("companies", "accounts"), ("contacts", "contacts, activities and tasks"), ("deals", "deals"))
SCOPES: Final = (
    *(Scope(name=f"crm.objects.{each}.read", purpose=f"read {what}") for each, what in _READ),
    *(Scope(name=f"crm.schemas.{each}.read", purpose=f"see the fields of {what}") for each, what in _READ),
    Scope(name="crm.objects.owners.read", purpose="know whom accounts belong to"),
    Scope(name="crm.objects.companies.write", purpose="write scores"),
    Scope(name="crm.objects.contacts.write", purpose="create and close tasks"),
    Scope(name="crm.schemas.companies.write", purpose="install our company properties", required=False),
    Scope(name="crm.schemas.contacts.write", purpose="install the task's key", required=False),
    Scope(name="crm.objects.line_items.read", purpose="know which products were sold", required=False),
    Scope(name="crm.objects.products.read", purpose="know list prices", required=False),
    Scope(name="settings.currencies.read", purpose="know exchange rates", required=False),
    Scope(name="tickets", purpose="read support tickets", required=False),
    Scope(name="crm.lists.read", purpose="see which lists of ours are there", required=False),
    Scope(name="crm.lists.write", purpose="install lists of accounts to work from", required=False),
    *(
        Scope(name=f"crm.{part}.custom.{right}", purpose=purpose, required=False, custom=True)
        for part, right, purpose in (
            ("schemas", "read", "see our own objects"),
            ("schemas", "write", "install our own objects"),
            ("objects", "read", "verify forecast rows"),
            ("objects", "write", "write forecast rows"),
        )
    ),
)
"""In the order in which they matter."""


def missing(granted: frozenset[str], *, custom: bool = True) -> tuple[Scope, ...]:
    """The scopes that were not granted; those of custom objects only where there are any."""
    return tuple(scope for scope in SCOPES if scope.name not in granted and (custom or not scope.custom))
