"""Which facts matter for a conversation: what speaks for seats says little about a module.

Where help comes first, money stays out altogether, and so do the reasons that name it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from sync.briefs.draft import Offer
from sync.briefs.facts import Evidence, Fact
from sync.briefs.template import NURTURE, RETAIN

ALWAYS: Final = frozenset(
    {
        *("active_users", "users_growth_90", "goal", "last_qbr", "last_meeting", "last_nps"),
        *("renewal", "renewal_soon"),
        *("tickets_open", "critical_open", "escalated_open", "champion_left"),
        *("missing_champion", "missing_economic_buyer", "missing_executive_sponsor"),
    }
)
MONEY: Final = frozenset({"arr_low", "arr_high", "arr", "last_won", "last_won_amount", "deals_open"})
BY_TYPE: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "seat": MONEY | {"seats"},
        "tier": MONEY | {"seats", "overage"},
        "module": MONEY,
        "addon": MONEY,
        "service": MONEY | {"seats"},
        "commit": MONEY | {"seats", "overage"},
    }
)
ANY_TYPE: Final = MONEY | {"seats", "overage"}


def relevant(evidence: Evidence, *, template: str, offer: Offer) -> dict[str, Fact]:
    """The facts that a brief with this text and offer may use; reasons stay with the figures they name."""
    helps = template in (NURTURE, RETAIN)
    wanted = ALWAYS - {"renewal", "renewal_soon"} if helps else ALWAYS | BY_TYPE.get(offer.type, ANY_TYPE)
    reasons = [fact for fact in evidence.values() if fact.unit == "sentence"]
    kept = [fact for fact in reasons if not (helps and _names_money(fact))]
    wanted |= {figure.id for fact in kept for figure in fact.figures}
    told = {fact.id: fact for fact in evidence.values() if fact.id in wanted}
    return told | {fact.id: fact for fact in kept}


def _names_money(fact: Fact) -> bool:
    return any(figure.unit == "money" for figure in fact.figures)
