"""What a brief says, and that it says nothing else."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.stakeholders import Contact, whom_to_reach
from sync.briefs.draft import Brief, BriefRequest, Offer
from sync.briefs.evidence import read_evidence
from sync.briefs.facts import Fact
from sync.briefs.rendering import headline
from sync.briefs.slots import Slots, numbers, render
from sync.briefs.writing import write_by_template
from sync.plays import Play

AS_OF = date(2026, 11, 22)
DAYS = st.dates(date(2024, 1, 1), AS_OF)
AMOUNTS = st.floats(1, 1e7)
COUNTS = st.integers(1, 9999)
SENTENCES = st.sampled_from(
    ["Seats 96 % used (usage, 20 Nov)", "3 new departments in 90 days (usage, 20 Nov)"]
)


def fact(name: str, value: st.SearchStrategy[Any], unit: str) -> st.SearchStrategy[Fact]:
    """Facts of one id, as of any day."""
    return st.builds(
        Fact, id=st.just(name), value=value, unit=st.just(unit), source=st.just("billing"), day=DAYS
    )


FACTS = st.fixed_dictionaries(
    {},
    optional={
        name: fact(name, value, unit)
        for name, value, unit in (
            ("seats", COUNTS, "seats"),
            ("active_users", COUNTS, "users"),
            ("overage", AMOUNTS, "money"),
            ("arr_low", AMOUNTS, "money"),
            ("arr_high", AMOUNTS, "money"),
            ("goal", st.just("Onboard 3 plants"), "text"),
            ("renewal", st.dates(AS_OF, date(2029, 1, 1)), "date"),
            ("last_meeting", DAYS, "date"),
            ("reason_1", SENTENCES, "sentence"),
            ("against_1", SENTENCES, "sentence"),
        )
    },
)
TYPES = st.sampled_from(["seat", "tier", "module", "addon", "service", "commit", "", "something new"])


def brief(evidence: dict[str, Fact], play: Play = Play.EXPAND, offer: Offer | None = None) -> Brief:
    """A brief for Acme."""
    chosen = offer or Offer(product="Analytics module", type="module")
    request = BriefRequest(
        account_id="a1",
        account_name="Acme",
        play=play.value,
        template=play.value,
        offer=chosen,
        evidence=evidence,
        currency="USD",
    )
    return write_by_template(request).brief


@settings(derandomize=True, deadline=None)
@given(
    FACTS, st.sampled_from([Play.EXPAND, Play.NURTURE]), TYPES, st.sampled_from([None, "Analytics module"])
)
def test_every_number_comes_from_the_evidence(
    evidence: dict[str, Fact], play: Play, kind: str, product: str | None
) -> None:
    """In every length, with whatever facts are known, and no slot is left open."""
    known = {n for fact in evidence.values() for n in numbers(render(fact, "USD"))}
    known |= {n for fact in evidence.values() if fact.day for n in numbers(f"{fact.day.day} {fact.day.year}")}
    made = brief(evidence, play, Offer(product=product, type=kind))
    for text in (made.subject, made.field, made.task, made.full):
        assert numbers(text) <= known
        assert "{" not in text
        assert "None" not in text
    assert len(made.field) <= 255
    assert len(made.subject) <= 255


def test_a_brief_opens_with_the_customers_numbers_and_has_one_ask() -> None:
    """What a CSM reads, in its order."""
    day = date(2026, 11, 20)
    evidence = {
        "seats": Fact(id="seats", value=100.0, unit="seats", source="billing", day=date(2026, 11, 1)),
        "active_users": Fact(id="active_users", value=96, unit="users", source="usage", day=day),
        "goal": Fact(id="goal", value="Onboard 3 plants", unit="text", source="notes", day=date(2026, 9, 2)),
        "reason_1": Fact(
            id="reason_1", value="Seats 96 % used (usage, 20 Nov)", unit="sentence", source="model", day=day
        ),
    }
    made = brief(evidence)
    titles = [part.split(":", 1)[0] for part in made.task.split("\n\n")]
    assert titles == [
        "Open with",
        "Propose",
        "Why it matters to them",
        "Why now",
        "If they say",
        "Ask",
        "Don't",
    ]
    assert made.task.startswith(
        "Open with: You have 100 seats, and 96 active users worked with the product "
        "in the month to 20 Nov 2026."
    )
    assert 'They said on 2 Sep 2026: "Onboard 3 plants".' in made.task
    assert made.task.count("Ask:") == 1
    assert made.task.count(" – ") == 2
    assert made.subject == "Expansion: Acme – Analytics module, seats 96 % used"


def test_a_brief_without_evidence_holds_no_placeholder() -> None:
    """It is short, and says only what does not depend on facts."""
    made = brief({}, offer=Offer(product=None))
    assert made.subject == "Expansion: Acme"
    assert [part.split(":", 1)[0] for part in made.full.split("\n\n")] == ["If they say", "Ask", "Don't"]


def test_a_digit_in_our_own_prose_is_refused() -> None:
    """A number that no fact holds would be invented."""
    with pytest.raises(ValueError, match="a digit outside a slot"):
        Slots(evidence={}, currency="USD").fill("about 90 % of {seats}")


@pytest.mark.parametrize(
    ("sentence", "head"),
    [
        ("Seats 96 % used, above 90 % for 6 weeks (usage, 20 Nov)", "seats 96 % used"),
        ("NPS rose to 9 (surveys, 3 Oct)", "NPS rose to 9"),
    ],
)
def test_a_subject_has_the_first_statement_of_the_reason(sentence: str, head: str) -> None:
    """Without date and source, which the body has."""
    assert headline(sentence) == head


def test_evidence_is_what_was_known_on_the_day(make_tables: Any, score: Any) -> None:
    """Later invoices, notes and events are not facts yet."""
    before, after = datetime(2026, 11, 10, 9, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)
    bills = ((date(2026, 10, 1), 80.0, 10.0, before), (date(2026, 11, 1), 90.0, 5.0, before),
             (date(2026, 11, 20), 99.0, 2.0, after))  # fmt: skip
    goals = ((before, 'Say "yes" ' + "word " * 60), (after, "A later goal"))
    tables = make_tables(
        billing=[
            {"account_id": "a1", "period_start": start, "seats": seats, "overage": over, "known_from": known}
            for start, seats, over, known in bills
        ],
        events=[{"account_id": "a1", "user_id": f"u{n}", "at": (before, after)[n % 2]} for n in range(6)],
        notes=[{"account_id": "a1", "kind": "goal", "written_at": at, "text": text} for at, text in goals],
    )
    facts = read_evidence(tables, [score(1)], AS_OF)["a1"]
    assert facts["seats"].value == 90.0
    assert facts["overage"].value == 15.0
    assert facts["active_users"].value == 3
    goal = str(facts["goal"].value)
    assert goal.startswith("Say 'yes' word")
    assert goal.endswith("word…")
    assert len(goal) <= 161


def test_missing_tables_give_fewer_facts_and_no_error(score: Any) -> None:
    """A company that delivers no exports still gets what the model said."""
    facts = read_evidence({}, [score(1)], AS_OF)["a1"]
    assert set(facts) == {"arr_low", "arr_high", "reason_1", "against_1"}


def test_whom_to_reach_is_the_champion_with_standing_who_is_still_there() -> None:
    """Role, seniority and recency decide; people who left are never named."""
    left = Contact(crm_id="1", name="Ann Gone", title="CEO", role="champion", left_at=date(2026, 11, 1))
    champion = Contact(crm_id="2", name="Bo Yes", title="VP Data", role="champion", last_contact=AS_OF)
    chief = Contact(crm_id="3", name="Cy Chief", title="Chief Data Officer")
    user = Contact(crm_id="4", name="Di User", title="Analyst")
    found = whom_to_reach([left, chief, user, champion], AS_OF)
    assert str(found) == "Talk to Bo Yes, VP Data: champion, last in touch 22 Nov 2026."
    assert str(whom_to_reach([left, chief, user], AS_OF)) == (
        "Talk to Cy Chief, Chief Data Officer: senior contact."
    )
    assert whom_to_reach([left, user], AS_OF) is None
