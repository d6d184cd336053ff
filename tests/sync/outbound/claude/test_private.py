"""What must not leave does not: neither in a prompt, nor a log, an error or the ledger."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from infra.doubles.anthropic.server import KEY
from infra.doubles.planted import PLANTED
from sync.briefs.draft import BriefRequest
from sync.briefs.private import scrub
from sync.briefs.writing import write_briefs
from sync.store.base import Base

Make = Callable[..., BriefRequest]


@pytest.mark.parametrize("kind", PLANTED)
def test_what_must_not_leave_is_taken_out(kind: str) -> None:
    """By its shape, whatever stands around it."""
    said, secret = PLANTED[kind]
    assert secret in said
    assert secret not in scrub(said)
    assert secret not in scrub(f"The rollout goes well. {said}, and they are happy.")


def test_ordinary_words_and_figures_stay() -> None:
    """A note keeps what it is for."""
    note = (
        "Went through usage together: 96 of 100 seats, 12 teams, CSAT 4.5; the sponsor wants it by Q3 2027."
    )
    assert scrub(note) == note


def test_nothing_planted_is_found_anywhere_but_in_the_crm(
    office: Any, make_request: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """Prompts as the server read them, logs down to debug, errors, and the whole ledger."""
    caplog.set_level(logging.DEBUG)
    notes = tuple(said for said, _ in PLANTED.values())
    asked = [make_request(n, notes=notes, goal=notes[n]) for n in range(len(notes))]
    office.fake.fault = lambda _: ("too_long", "", "error")[len(office.fake.requests) % 3]
    desk = office.desk()
    written = write_briefs(asked, desk)
    assert len(office.fake.bodies) > 20
    with office.store.session() as session:
        kept = [
            str(row) for table in Base.metadata.sorted_tables for row in session.execute(select(table)).all()
        ]
    everywhere = "\n".join(
        (
            *office.fake.bodies,
            json.dumps([json.loads(body) for body in office.fake.bodies], ensure_ascii=False),
            caplog.text,
            *office.notices,
            *kept,
            repr(desk),
            json.dumps(desk.report.as_json()),
        )
    )
    found = [kind for kind, (_, secret) in PLANTED.items() if secret in everywhere]
    assert found == []
    briefs = "\n".join(each.brief.full for each in written.values())  # a name is no secret in the CRM
    assert [kind for kind, (_, secret) in PLANTED.items() if secret in briefs and kind != "name"] == []
    assert KEY not in everywhere
    for body in office.fake.bodies:  # the account and its people go by alias
        assert "Northwind" not in body
        assert "Dana" not in body
        assert "Ortiz" not in body


def test_known_people_appear_by_alias(office: Any, make_request: Make) -> None:
    """In notes, in the rules of the company, in lower case."""
    asked = make_request(
        notes=("dana likes the reports, and so does Northwind Traders",),
        do=("Greet Dana Ortiz",),
    )
    write_briefs([asked], office.desk())
    (body,) = office.fake.bodies
    told = json.loads(json.loads(body)["messages"][0]["content"])
    assert (
        told["untrusted_customer_text"][-1]["text"] == "person_1 likes the reports, and so does the account"
    )
    assert told["rules_of_the_company"]["do"] == ["Greet person_1"]


def test_a_key_of_ours_is_not_in_the_errors_of_the_sdk(office: Any, make_request: Make) -> None:
    """Nor does the vendor's message, which repeats what it was sent, get any further than the fault."""
    office.fake.fault = lambda _: "too_long"
    desk = office.desk()
    write_briefs([make_request()], desk)
    assert desk.report.by_template == {"rejected": 1}
    assert "vendor says" not in json.dumps(desk.report.as_json())


@given(st.text(max_size=120))
def test_scrubbing_takes_any_text(words: str) -> None:
    """And taking out twice takes out no more."""
    assert "\n" not in scrub(words)
    assert scrub(scrub(words)).count("[e-mail]") >= scrub(words).count("[e-mail]")
