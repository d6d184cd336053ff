"""Tables that come along with another one.

HubSpot tells a deal's stages of the past together with the deal, 50 a page, and a line item tells its deal.
Read apart, each of them is listed twice; read together, once.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

HISTORIES: Final = MappingProxyType(
    {
        "accounts": ("account_history",),
        "opportunities": ("opportunity_history", "opportunity_field_history"),
    }
)
"""Tables that tell the past of another table's records."""

ROLES: Final = "contact_roles"
LINES: Final = "opportunity_lines"
