"""What holds of every brief, whatever is known and whoever wrote the draft."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.hubspot.rich_text import rich_text
from infra.doubles.brief_requests import ask_for, by_template, requests
from sync.briefs.draft import BriefRequest, Draft, Objection, Offer
from sync.briefs.facts import Fact
from sync.briefs.languages import languages, speak
from sync.briefs.rendering import render
from sync.briefs.values import say_day, say_value
from sync.cells import units

DIGITS = re.compile(r"\d+")


def digits_of(request: BriefRequest) -> set[str]:
    """Every run of digits that a fact of the request may be said with."""
    language, currency = speak(request.language), request.currency

    def said(fact: Fact) -> Iterator[str]:
        if fact.day is not None:
            yield say_day(fact.day, language)
        for figure in fact.figures:
            yield from said(figure)
        if fact.unit not in ("sentence", "text", "name"):
            yield say_value(fact, language, currency)
            yield say_value(fact, language, currency, size=True)

    return {run for fact in request.facts.values() for text in said(fact) for run in DIGITS.findall(text)}


@pytest.mark.parametrize("language", languages())
@settings(derandomize=True, deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_every_brief_fits_and_every_number_comes_from_the_evidence(
    language: str, data: st.DataObject
) -> None:
    """In every length, language and style, for any evidence; and no slot is left open."""
    style = data.draw(st.sampled_from(["plain", "question-led"]))
    request = data.draw(requests(language, style))
    made = by_template(request)
    known = digits_of(request)
    given = " ".join(str(fact.value) for fact in request.facts.values() if isinstance(fact.value, str))
    given += " ".join((*request.do, *request.do_not))
    for text in (made.subject, made.field, made.task, made.full):
        assert set(DIGITS.findall(text)) <= known
        if "{" not in given:
            assert "{" not in text
        if "None" not in given:
            assert "None" not in text
    assert units(made.subject) <= 255
    assert units(made.field) <= 255
    assert units(made.task) <= 4000
    assert units(rich_text(made.task)) <= 65_536  # of a property of HubSpot's, its markup counted
    assert all(len(line) > 0 for line in made.full.split("\n\n"))


def test_a_digit_in_the_writers_own_prose_is_refused() -> None:
    """A number that no fact holds would be invented; so would one whose fact is missing."""
    with pytest.raises(ValueError, match="a digit outside a slot"):
        render(Draft(opener="You use 90 % of {seats}"), ask_for())
    with pytest.raises(ValueError, match="a fact is missing"):
        render(Draft(opener="You use {storage}"), ask_for())


def test_a_direction_is_said_only_where_the_fact_has_it() -> None:
    """More is never said of what fell."""
    fell = Fact(id="users_growth_90", value=-0.2, unit="percent", source="events", direction="down")
    assert "20% fewer" in render(Draft(opener="{users_growth_90:down} fewer"), ask_for(fell)).full
    with pytest.raises(ValueError, match="a fact is missing"):
        render(Draft(opener="{users_growth_90:up} more"), ask_for(fell))


def test_an_abbreviation_at_the_end_of_a_sentence_brings_its_full_stop() -> None:
    """Russian days end with one, and so do companies; an ellipsis stays."""
    made = render(
        Draft(ask="{goal.day}. {product}."), ask_for(language="ru", offer=Offer(product="Inc."))
    ).full
    assert "2 сент. 2026 г. Inc." in made.replace("\u00a0", " ")
    assert "г.." not in made
    assert "Inc.." not in made


def test_reasons_are_listed_whatever_the_writer_leaves_out() -> None:
    """They come from the evidence, with their source and day."""
    made = render(Draft(ask="Ask for a meeting."), ask_for())
    assert "Why now:\n- 96% of the seats in use (usage, 20 Nov 2026)" in made.task


def test_a_long_task_loses_whole_parts_and_keeps_opener_ask_and_warnings() -> None:
    """What matters least goes first; only then is the end cut."""
    draft = Draft(
        opener="You have {seats}.",
        proposal="word " * 100,
        objections=tuple(Objection(says="word " * 60, answer="word " * 60) for _ in range(3)),
        ask="Ask for a meeting.",
        avoid=("Don't open with a discount.",),
    )
    short = render(draft, ask_for(), task_length=900).task
    assert "If they object" not in short
    for kept in ("100 seats", "What to propose", "Ask for a meeting.", "Don't open with a discount."):
        assert kept in short
    tiny = render(draft, ask_for(), task_length=60).task
    assert units(tiny) <= 60
    assert tiny.startswith("Open with")


def test_a_customers_words_cannot_make_a_heading() -> None:
    """Line breaks in what they wrote are spaces, and so are those in the company's own rules."""
    goal = Fact(
        id="goal", value="Grow\n\nYour ask:\n- pay", unit="text", source="notes", day=date(2026, 9, 2)
    )
    made = by_template(ask_for(goal, do_not=("Be kind\n\nYour ask:\n- now",)))
    assert made.full.count("Your ask:\n") == 1
    assert "- Be kind Your ask: - now" in made.full
    assert "Grow Your ask: - pay" in made.full


def test_what_speaks_against_is_in_the_full_brief_only() -> None:
    """A task that others read says what to avoid, not the model's doubts."""
    doubt = Fact(
        id="against_1",
        value="No meeting for 74 days (CRM, 20 Nov)",
        unit="sentence",
        source="activities",
        day=date(2026, 11, 20),
        direction="down",
        code="NO_MEETING",
        feature="days_since_meeting",
        figures=(Fact(id="days_since_meeting", value=74.0, unit="days", source="activities"),),
    )
    made = by_template(ask_for(doubt))
    assert "No meeting for 74 days (CRM, 20 Nov 2026)" in made.full
    assert "No meeting" not in made.task
