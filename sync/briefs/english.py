"""What the template brief says in English, by product type and play; `{slots}` are facts."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from sync.plays import Play

Objection = tuple[str, str]
"""What the customer says, and the answer."""

OPENERS: Final = (
    "You have {seats}, and {active_users} worked with the product in the month to {active_users.day}.",
    "{active_users} worked with the product in the month to {active_users.day}.",
    "Your contract covers {seats} as of {seats.day}.",
    "We last met on {last_meeting}; I would like to show you what has changed in your usage since.",
)

PROPOSALS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "seat": "Add seats ({product}) before people have to share or wait for access.",
        "tier": "Move to {product}, whose limits fit the way the teams work now.",
        "module": "Add {product}, for the work that the teams do outside the product today.",
        "addon": "Add {product} to what the teams use already.",
        "service": "Book {product}, so that what is paid for gets used.",
        "commit": "Agree on {product}: a longer commitment for a steadier price.",
        "": "Talk about {product}.",
    }
)

NO_BUDGET: Final[Objection] = (
    "There is no budget before renewal.",
    "Let's agree the scope now and align the start with your budget cycle.",
)
NOT_NOW: Final[Objection] = (
    "Now is not the time.",
    "Then let's agree what would have to be true, and when we look again.",
)
OBJECTIONS: Final[Mapping[str, tuple[Objection, ...]]] = MappingProxyType(
    {
        "seat": (
            (
                "We can free unused seats first.",
                "Yes, let's go through the inactive ones together, then size the rest.",
            ),
            NO_BUDGET,
        ),
        "tier": (
            (
                "We don't need everything in that plan.",
                "Let's look only at the limits that you touch, and what they cost you.",
            ),
            NO_BUDGET,
        ),
        "module": (
            (
                "We have another tool for that.",
                "Let's compare the steps that your team takes today, side by side.",
            ),
            (
                "Nobody has time to roll it out.",
                "We start with one team and a dated plan, and you decide after it.",
            ),
        ),
        "": (NOT_NOW, NO_BUDGET),
    }
)
CHECK_IN_OBJECTIONS: Final[tuple[Objection, ...]] = (
    NOT_NOW,
    ("We are busy.", "A short session is enough; I bring the agenda and the open points."),
)

ASKS: Final[Mapping[str, str]] = MappingProxyType(
    {
        Play.EXPAND: "Ask for one meeting with the budget owner to decide on {product}.",
        Play.NURTURE: "Ask for one working session on what holds the team back today.",
    }
)

DO_NOT: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        Play.EXPAND: (
            "Don't mention the score, or that usage is measured person by person.",
            "Don't open with a discount.",
        ),
        Play.NURTURE: (
            "Don't talk about price or more products: the account's health is yellow.",
            "Don't mention the score.",
        ),
    }
)
