"""What the built-in brief says, and that it says nothing else."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.doubles.brief_requests import ask_for, by_template, requests
from sync.briefs.draft import Offer
from sync.briefs.facts import Fact
from sync.briefs.languages import languages, speak
from sync.briefs.template import write_draft

GROWTH = Fact(
    id="users_growth_90", value=0.17, unit="percent", source="events", day=date(2026, 11, 20), direction="up"
)
OVERAGE = Fact(id="overage", value=1250.0, unit="money", source="billing", day=date(2026, 11, 22))


def titles(text: str) -> list[str]:
    """The headings of a brief, in order."""
    return [block.splitlines()[0].rstrip(":") for block in text.split("\n\n")]


def test_a_brief_opens_with_the_customers_numbers_and_has_one_ask() -> None:
    """What a CSM reads, in its order."""
    made = by_template(ask_for(do=("Bring the seat list",), do_not=("Don't name a price",)))
    assert titles(made.task) == [
        *("Open with", "What to propose", "Why now", "What it does for them", "If they object", "Your ask"),
        *("Steps of this play", "Better left unsaid"),
    ]
    opener = made.task.splitlines()[1]
    assert "100 seats" in opener
    assert "96 people" in opener
    assert "20 Nov 2026" in opener
    assert "“Onboard 3 plants”" in made.task
    assert "between $12,000 and $52,000 a year" in made.task
    assert "- Don't name a price" in made.task
    assert "- Bring the seat list" in made.task
    assert made.subject == "Expansion: Acme – Growth seats, 96% of seats used"


def test_a_brief_without_evidence_says_only_what_needs_none() -> None:
    """It is short, holds no placeholder, and sends the CSM to ask for a goal."""
    made = by_template(ask_for(evidence={}, offer=Offer(product=None)))
    assert made.subject == "Expansion: Acme"
    assert titles(made.full) == [
        *("What it does for them", "If they object", "Your ask", "Better left unsaid"),
    ]
    assert "Ask first what they want to reach this year" in made.full


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize(
    ("kind", "tight", "free"),
    [
        ("seat", replace(GROWTH, id="active_users", value=90, unit="users", direction=""), 60),
        ("tier", Fact(id="limit_api", value=0.97, unit="percent", source="usage"), 0.44),
        ("tier", OVERAGE, None),
    ],
)
def test_nobody_is_warned_of_what_is_not_running_out(
    language: str, kind: str, tight: Fact, free: float | None
) -> None:
    """Free seats and half-used limits are no reason to buy, and the customer knows them."""
    texts = speak(language).texts
    warnings = [
        text
        for part in (texts.proposal, texts.impact)
        for row in part[f"{kind}-tight"]
        for text in row
        if text not in {said for calmer in part.get(kind, ()) for said in calmer}
    ]
    offer = Offer(product="More", type=kind)
    full = ask_for(tight, GROWTH, language=language, offer=offer)
    evidence = {name: fact for name, fact in full.evidence.items() if name != tight.id}
    if free is not None:
        evidence[tight.id] = replace(tight, value=free)
    draft, calm = write_draft(full), write_draft(replace(full, evidence=evidence))
    assert any(warning in draft.proposal for warning in warnings)
    assert any(warning in draft.impact for warning in warnings)
    assert calm.proposal
    for each in texts.objections.get(f"{kind}-tight", ()):  # nor is there an answer to what nobody would say
        warnings += [text for row in each.answers for text in row]
    spared = {text for each in texts.objections[kind] for row in each.answers for text in row}
    warnings = [text for text in warnings if text not in spared]
    assert not any(warning in text for warning in warnings for text in calm.texts())


def test_objections_are_answered_with_the_customers_figures_where_they_are_known() -> None:
    """Two or three of them; doubts about growth come up only where something grows."""
    draft = write_draft(ask_for(GROWTH))
    assert 2 <= len(draft.objections) <= 3
    assert "{active_users}" in draft.objections[0].answer
    assert "{users_growth_90:up}" in draft.objections[1].answer
    assert len(write_draft(ask_for()).objections) == 2


def test_what_was_said_is_not_said_again() -> None:
    """The overage that opens the brief is not also what it is worth."""
    draft = write_draft(ask_for(OVERAGE, offer=Offer(product="Plus", type="tier")))
    assert "{overage}" in draft.opener
    assert "{overage}" not in draft.impact


@pytest.mark.parametrize(
    ("signal", "words"),
    [
        (("critical_open", 1, "count", "down"), "1 open critical ticket"),
        (("critical_open", 3, "count", "down"), "3 open critical tickets"),
        (("last_nps", 4, "points", "down"), "they answered 4 on"),
        (("users_growth_90", -0.2, "percent", "down"), "active users are down by 20%"),
    ],
)
def test_a_sign_of_trouble_is_told_among_what_not_to_say(
    signal: tuple[str, float, str, str], words: str
) -> None:
    """The more so in an expansion: it is what makes the customer angry."""
    name, value, unit, direction = signal
    trouble = Fact(
        id=name,
        value=value,
        unit=unit,  # type: ignore[arg-type]  # of the vocabulary, as Fact itself checks
        source="tickets",
        day=date(2026, 11, 2),
        direction=direction,
    )
    full = by_template(ask_for(trouble)).full
    assert words in full.split("Better left unsaid:")[1]
    quiet = by_template(ask_for()).full
    assert words not in quiet


def test_where_help_comes_first_trouble_is_told_even_if_the_model_names_none() -> None:
    """A reason against says it better, where there is one."""
    trouble = Fact(
        id="critical_open", value=2, unit="count", source="tickets", day=date(2026, 11, 2), direction="down"
    )
    doubt = Fact(id="against_1", value="Usage fell", unit="sentence", source="events", direction="down")
    told = by_template(ask_for(trouble, template="nurture")).task
    assert "What weighs on them:\n- 2 open critical tickets" in told
    told = by_template(ask_for(trouble, doubt, template="nurture")).task
    assert "What weighs on them:\n- Usage fell\n" in told


def test_an_account_always_gets_the_same_brief_and_accounts_differ() -> None:
    """Chance is a matter of the account's id alone."""
    briefs = [by_template(ask_for(GROWTH, account_id=f"a{n}")).full for n in range(20)]
    again = [by_template(ask_for(GROWTH, account_id=f"a{n}")).full for n in range(20)]
    assert briefs == again
    assert len(set(briefs)) > 4


def test_a_question_led_brief_opens_and_asks_with_a_question() -> None:
    """In every language; the plain one states."""
    for language in languages():
        led = write_draft(ask_for(style="question-led", language=language))
        plain = write_draft(ask_for(language=language))
        assert led.opener.rstrip().endswith("?"), language
        assert "?" in led.ask
        assert "?" not in plain.opener + plain.ask


@settings(derandomize=True, deadline=None, max_examples=40)
@given(st.data(), st.sampled_from(languages()))
def test_where_help_comes_first_nobody_speaks_of_money(data: st.DataObject, language: str) -> None:
    """In the plays nurture and retain, neither price nor product, whatever the evidence holds."""
    request = data.draw(requests(language))
    if request.template not in ("nurture", "retain"):
        return
    draft = write_draft(request)
    told = " ".join(draft.texts())
    assert not re.search(r"\{(product|overage|arr\w*|last_won\w*|renewal\w*)[.:}]", told)
    assert all(fact.unit != "money" for fact in request.evidence.values())
