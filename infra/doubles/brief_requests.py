"""Requests for briefs with whatever evidence: what property-based tests of briefs draw from."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from hypothesis import strategies as st

from model.features.families import CATALOGUE
from model.reason_codes import spoken
from model.stakeholders import Contact, Reach
from model.wordsmith import figures_of
from sync.briefs.draft import Brief, BriefRequest, Offer
from sync.briefs.facts import Fact
from sync.briefs.relevance import relevant
from sync.briefs.rendering import render
from sync.briefs.scored import scored
from sync.briefs.template import write_draft

AS_OF = date(2026, 11, 22)
KINDS = ("seat", "tier", "module", "addon", "service", "commit", "", "something new")
TEMPLATES = ("expand", "prepare", "nurture", "retain")
# no digits, so that every number of a brief can be looked for in the evidence; quotes, braces and marks
NAMES = st.text(st.characters(exclude_categories=("Cs", "Nd", "Nl", "No")), min_size=1, max_size=300)

DAYS = st.dates(date(2024, 1, 1), AS_OF)
COUNTS = st.integers(1, 9999)
SIGNS = st.sampled_from(["up", "down", ""])
PLAIN_FACTS: tuple[tuple[str, st.SearchStrategy[Any], str], ...] = (
    ("seats", COUNTS, "seats"),
    ("active_users", COUNTS, "users"),
    ("users_growth_90", st.floats(-0.9, 5), "percent"),
    ("arr", st.floats(1, 1e7), "money"),
    ("overage", st.floats(1, 1e7), "money"),
    ("arr_low", st.floats(1, 1e7), "money"),
    ("arr_high", st.floats(1, 1e7), "money"),
    ("goal", NAMES, "text"),
    ("renewal", st.dates(AS_OF, date(2029, 1, 1)), "date"),
    ("renewal_soon", st.dates(AS_OF, date(2027, 5, 1)), "date"),
    ("last_meeting", DAYS, "date"),
    ("last_qbr", DAYS, "date"),
    ("last_nps", st.integers(0, 10), "points"),
    ("last_won", DAYS, "date"),
    ("tickets_open", COUNTS, "count"),
    ("critical_open", COUNTS, "count"),
    ("escalated_open", COUNTS, "count"),
    ("champion_left", DAYS, "date"),
    ("missing_economic_buyer", st.just("none known"), "text"),
)


def reason_row(feature: str, text: str, code: str, values: list[float]) -> dict[str, Any]:
    """A reason as a score holds it."""
    named = figures_of(text)
    units = [CATALOGUE[name].unit for name in named]
    return {
        "code": code,
        "family": "seats",
        "share": 0.3,
        "sentence": f"In English (usage, 20 Nov) {code}",
        "feature": feature,
        "source": CATALOGUE[feature].source,
        "day": "2026-11-20",
        "values": [
            {"name": name, "value": value, "unit": unit}
            for name, value, unit in zip(named, values, units, strict=False)
        ],
    }


VALUES = st.lists(st.one_of(st.floats(-50, 5000), st.just(0.0)), min_size=3, max_size=3)
REASONS = st.builds(
    lambda said, values: reason_row(said[0].name, said[1].text, said[1].code, values),
    st.sampled_from(spoken()),
    VALUES,
)
SCORES = st.fixed_dictionaries(
    {
        "arr_low": st.none(),
        "arr_high": st.none(),
        "reasons": st.lists(REASONS, max_size=3),
        "against": st.lists(REASONS, max_size=2),
    }
)


@st.composite
def evidences(draw: st.DrawFn) -> dict[str, Fact]:
    """Whatever may be known about an account."""
    facts = {}
    for name, values, unit in PLAIN_FACTS:
        if draw(st.booleans()):
            made: dict[str, Any] = {"id": name, "value": draw(values), "unit": unit, "source": "billing"}
            facts[name] = Fact(**made, day=draw(DAYS), direction=draw(SIGNS))
    return facts | {fact.id: fact for fact in scored(draw(SCORES), AS_OF)}


PEOPLE = st.builds(
    lambda name, title, role, last, days: Reach(
        contact=Contact(crm_id="C1", name=name, title=title, role=role, last_contact=last, active_days=days),
        reason="",
    ),
    NAMES,
    st.one_of(st.none(), NAMES),
    st.sampled_from([None, "champion", "economic_buyer", "their own word"]),
    st.one_of(st.none(), DAYS),
    st.one_of(st.none(), st.integers(0, 30)),
)


@st.composite
def requests(draw: st.DrawFn, language: str, style: str = "plain") -> BriefRequest:
    """A request for a brief on whatever is known, in any play."""
    template = draw(st.sampled_from(TEMPLATES))
    offer = Offer(product=draw(st.one_of(st.none(), NAMES)), type=draw(st.sampled_from(KINDS)))
    return BriefRequest(
        account_id=draw(st.text(min_size=1, max_size=8)),
        account_name=draw(NAMES),
        play=template,
        template=template,
        offer=offer,
        evidence=relevant(draw(evidences()), template=template, offer=offer),
        reach=draw(st.one_of(st.none(), PEOPLE)),
        currency=draw(st.sampled_from(["EUR", "USD", "RUB", "JPY"])),
        language=language,
        style=style,
        do=tuple(draw(st.lists(NAMES, max_size=2))),
        do_not=tuple(draw(st.lists(NAMES, max_size=2))),
    )


KNOWN = (
    Fact(id="seats", value=100.0, unit="seats", source="billing", day=date(2026, 11, 1)),
    Fact(id="active_users", value=96, unit="users", source="events", day=date(2026, 11, 20)),
    Fact(id="goal", value="Onboard 3 plants", unit="text", source="notes", day=date(2026, 9, 2)),
    Fact(id="arr_low", value=12_345.0, unit="money", source="model", day=date(2026, 11, 22)),
    Fact(id="arr_high", value=51_900.0, unit="money", source="model", day=date(2026, 11, 22)),
    Fact(
        id="reason_1",
        value="Seats 96 % used (usage, 20 Nov)",
        unit="sentence",
        source="usage",
        day=date(2026, 11, 20),
        direction="up",
        code="SEAT_PRESSURE",
        feature="seat_utilisation",
        figures=(Fact(id="seat_utilisation", value=0.96, unit="percent", source="usage"),),
    ),
)
PLAIN = BriefRequest(
    account_id="a1",
    account_name="Acme",
    play="expand",
    offer=Offer(product="Growth seats", type="seat"),
    evidence={fact.id: fact for fact in KNOWN},
    currency="USD",
)


def ask_for(*more: Fact, **given: Any) -> BriefRequest:
    """A request about Acme, whose seats are nearly full, with more facts and any part of it given."""
    request = replace(PLAIN, **given)
    return replace(request, evidence={**request.evidence, **{fact.id: fact for fact in more}})


def by_template(request: BriefRequest) -> Brief:
    """The built-in brief of a request, its free text as given."""
    return render(write_draft(request), request)
