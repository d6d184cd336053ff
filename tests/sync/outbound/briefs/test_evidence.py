"""What is known of an account, as of a day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.doubles.brief_requests import evidences, reason_row
from model.stakeholders import Contact, whom_to_reach
from sync.briefs.draft import Offer
from sync.briefs.evidence import read_evidence
from sync.briefs.facts import UNITS, Fact, evidence_hash
from sync.briefs.languages import speak
from sync.briefs.relations import people, quotable
from sync.briefs.relevance import relevant
from sync.briefs.said import say_reason

AS_OF = date(2026, 11, 22)


def at(day: date) -> datetime:
    """The morning of a day."""
    return datetime(day.year, day.month, day.day, 9, tzinfo=UTC)


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


def test_an_overage_of_a_few_dollars_is_nothing_to_talk_about(make_tables: Any, score: Any) -> None:
    """It counts from one percent of what the contract costs in these two months."""
    for overage, told in ((6.0, False), (60.0, True)):
        bill = {"account_id": "a1", "period_start": date(2026, 11, 1), "seats": 32.0, "arr": 12_000.0}
        tables = make_tables(billing=[{**bill, "overage": overage}])
        assert ("overage" in read_evidence(tables, [score(1)], AS_OF)["a1"]) is told


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


def test_a_change_of_active_users_is_told_with_its_direction(make_tables: Any, score: Any) -> None:
    """The month to the as-of day, against the month that ended a quarter before; small moves are none."""
    now, then = at(AS_OF), at(AS_OF - timedelta(days=100))
    few, many = range(10), range(12)
    events = [{"account_id": "a1", "user_id": f"u{n}", "at": then} for n in few]
    events += [{"account_id": "a1", "user_id": f"u{n}", "at": now} for n in many]
    events += [{"account_id": "a2", "user_id": f"u{n}", "at": day} for n in few for day in (then, now)]
    events += [{"account_id": "a3", "user_id": f"u{n}", "at": then} for n in few]
    events += [{"account_id": "a4", "user_id": f"u{n}", "at": day} for n in range(2) for day in (then, now)]
    events += [{"account_id": "a4", "user_id": "u9", "at": now}]
    found = read_evidence(make_tables(events=events), [score(n) for n in (1, 2, 3, 4)], AS_OF)
    grown = found["a1"]["users_growth_90"]
    assert (grown.value, grown.direction, grown.unit) == (pytest.approx(0.2), "up", "percent")
    assert "users_growth_90" not in found["a2"]
    assert "users_growth_90" not in found["a4"]  # one person more is no growth
    assert found["a3"]["users_growth_90"].direction == "down"
    assert "active_users" not in found["a3"]


def test_tickets_are_those_open_on_the_day(make_tables: Any, score: Any) -> None:
    """One that was closed later was open; a single one is named by its row."""
    before, after = at(date(2026, 11, 10)), at(date(2026, 11, 23))
    rows = (
        ("T1", {"priority": "Critical", "created_at": before, "is_closed": False}),
        ("T2", {"priority": "low", "created_at": before, "is_closed": True, "closed_at": after}),
        ("T3", {"priority": "critical", "created_at": before, "is_closed": True, "closed_at": before}),
        ("T4", {"priority": "critical", "created_at": after, "is_closed": False}),
        ("T5", {"priority": "low", "created_at": before, "is_closed": False, "is_escalated": True}),
    )
    tickets = [{"account_id": "a1", "crm_id": name} | cells for name, cells in rows]
    facts = read_evidence(make_tables(tickets=tickets), [score(1)], AS_OF)["a1"]
    assert facts["tickets_open"].value == 3
    assert (facts["critical_open"].value, facts["critical_open"].row) == (1, "T1")
    assert (facts["escalated_open"].value, facts["escalated_open"].row) == (1, "T5")


def test_deals_are_the_last_one_won_and_those_still_open(make_tables: Any, score: Any) -> None:
    """With the row that says so; a win that nobody knew of on the day is none."""
    made = at(date(2026, 1, 1))
    rows = (
        ("D1", True, True, date(2026, 5, 1), 900.0),
        ("D2", True, True, date(2026, 9, 1), 400.0),
        ("D3", True, True, date(2026, 12, 1), 100.0),
        ("D4", True, False, date(2026, 10, 1), 100.0),
        ("D5", False, False, date(2027, 1, 1), 100.0),
    )
    deals = [
        {
            "account_id": "a1",
            "crm_id": name,
            "is_closed": closed,
            "is_won": won,
            "close_date": day,
            "amount": amount,
            "created_at": made,
        }
        for name, closed, won, day, amount in rows
    ]
    facts = read_evidence(make_tables(opportunities=deals), [score(1)], AS_OF)["a1"]
    assert (facts["last_won"].value, facts["last_won"].row) == (date(2026, 9, 1), "D2")
    assert facts["last_won_amount"].value == 400.0
    assert facts["deals_open"].value == 1


def test_an_old_review_or_rating_is_known_but_nothing_to_act_on(make_tables: Any, score: Any) -> None:
    """A direction is news of the last half year; the newest answer counts."""
    answers = ((1, 3, 200), (2, 3, 20), (2, 9, 90), (3, 9, 20), (4, 7, 9))
    surveys = [
        {"account_id": f"a{n}", "kind": "nps", "score": mark, "responded_at": at(AS_OF - timedelta(days))}
        for n, mark, days in answers
    ]
    found = read_evidence(make_tables(surveys=surveys), [score(n) for n in (1, 2, 3, 4)], AS_OF)
    told = [found[f"a{n}"]["last_nps"] for n in (1, 2, 3, 4)]
    assert [fact.direction for fact in told] == ["", "down", "up", ""]


def test_a_renewal_is_soon_within_half_a_year(make_tables: Any, score: Any) -> None:
    """A later one is known too; one that has passed is no renewal to come."""
    days = {"a1": AS_OF + timedelta(days=90), "a2": AS_OF + timedelta(days=400), "a3": AS_OF}
    accounts = [{"account_id": account, "renewal_date": day} for account, day in days.items()]
    found = read_evidence(make_tables(accounts=accounts), [score(n) for n in (1, 2, 3)], AS_OF)
    told = [sorted(name for name in found[f"a{n}"] if "renewal" in name) for n in (1, 2, 3)]
    assert told == [["renewal", "renewal_soon"], ["renewal"], []]


def test_a_goal_of_years_ago_is_none(make_tables: Any, score: Any) -> None:
    """Nobody is to be told what they wanted then."""
    goals = [
        {"account_id": f"a{n}", "kind": "goal", "written_at": at(AS_OF - timedelta(days)), "text": "Grow"}
        for n, days in ((1, 400), (2, 500))
    ]
    found = read_evidence(make_tables(notes=goals), [score(1), score(2)], AS_OF)
    assert ("goal" in found["a1"], "goal" in found["a2"]) == (True, False)


def test_a_figure_of_nothing_is_no_fact_of_its_own(score: Any) -> None:
    """The reason has its own words for it."""
    reason = reason_row("seat_days_to_limit", "{seat_days_to_limit}", "SEAT_LIMIT_NEAR", [0.0])
    facts = read_evidence({}, [score(1, reasons=[reason], against=[])], AS_OF)["a1"]
    assert "seat_days_to_limit" not in facts
    assert say_reason(facts["reason_1"], speak("en"), "EUR") == "All the seats are in use"


def test_a_figure_that_speaks_against_is_told_in_its_reason_only(score: Any) -> None:
    """A limit that is hardly used is no reason to talk of limits; a fall is one to know of."""
    free = reason_row("limit_api", "{limit_api}", "LIMITS_FREE", [0.4])
    fell = reason_row("users_growth_90", "{users_growth_90}", "USERS_SHRINKING", [-0.2])
    facts = read_evidence({}, [score(1, reasons=[], against=[free, fell])], AS_OF)["a1"]
    assert "limit_api" not in facts
    assert facts["users_growth_90"].direction == "down"
    full = reason_row("limit_api", "{limit_api}", "LIMIT_NEAR", [0.9])
    assert "limit_api" in read_evidence({}, [score(1, reasons=[full], against=[])], AS_OF)["a1"]


@pytest.mark.parametrize("none", [float("inf"), float("-inf"), float("nan")])
def test_a_number_that_is_none_is_no_fact(make_tables: Any, score: Any, none: float) -> None:
    """Whether a score or an invoice holds it; the brief does without."""
    reason = reason_row("limit_api", "{limit_api}", "LIMIT_NEAR", [none])
    bill = {"account_id": "a1", "period_start": AS_OF, "seats": none, "arr": 5.0, "known_from": at(AS_OF)}
    rows = [score(1, arr_low=none, reasons=[reason], against=[])]
    facts = read_evidence(make_tables(billing=[bill]), rows, AS_OF)["a1"]
    assert not {"arr_low", "seats", "limit_api"} & set(facts)
    assert facts["arr"].value == 5.0
    assert (
        say_reason(facts["reason_1"], speak("ru"), "EUR")
        == "За это говорит и другое: использование лимитов тарифа"
    )


def test_people_who_left_and_seats_at_the_table_that_are_empty_are_facts() -> None:
    """A champion who left is no loss where another one is there."""
    gone = Contact(crm_id="C1", name="Ann", role="champion", left_at=date(2026, 10, 1))
    here = Contact(crm_id="C2", name="Bo", role="champion", last_contact=AS_OF)
    lost = {fact.id: fact for fact in people([gone], AS_OF)}
    assert (lost["champion_left"].value, lost["champion_left"].row) == (date(2026, 10, 1), "C1")
    assert lost["missing_economic_buyer"].value == "none known"
    assert "champion_left" not in {fact.id for fact in people([gone, here], AS_OF)}


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("Grow. See https://evil.example/x?a=1 now", "Grow. See … now"),
        ("Write to boss@evil.example", "Write to …"),
        ("They said \u201cgrow\u201d\n\n and \u00abmore\u00bb.", "They said 'grow' and 'more'"),
        ("   ", None),
        (None, None),
    ],
)
def test_words_of_a_customer_are_quoted_without_links_addresses_and_quotes(
    text: str | None, quoted: str | None
) -> None:
    """They stand inside our own quotes, on one line."""
    assert quotable(text) == quoted


@settings(derandomize=True, deadline=None, max_examples=60)
@given(evidences(), st.sampled_from(["seat", "module", "tier", ""]))
def test_what_matters_depends_on_the_offer_and_the_play(evidence: dict[str, Fact], kind: str) -> None:
    """A module is not sold by overage; where help comes first, neither money nor a reason with it is told."""
    offer = Offer(product="P", type=kind)
    selling = relevant(evidence, template="expand", offer=offer)
    helping = relevant(evidence, template="nurture", offer=offer)
    assert set(helping) <= set(selling) <= set(evidence)
    assert "overage" not in selling or kind != "module"
    assert all(fact.unit != "money" for fact in helping.values())
    assert not any(figure.unit == "money" for fact in helping.values() for figure in fact.figures)
    kept = {fact.id for fact in selling.values() if fact.unit == "sentence"}
    assert kept == {fact.id for fact in evidence.values() if fact.unit == "sentence"}


@settings(derandomize=True, deadline=None, max_examples=60)
@given(evidences())
def test_the_digest_of_the_evidence_moves_with_what_is_known(evidence: dict[str, Fact]) -> None:
    """Not with the order, nor with the day on which a figure was counted again."""
    digest = evidence_hash(evidence)
    again = {name: evidence[name] for name in reversed(evidence)}
    assert evidence_hash(again) == digest
    more = evidence | {"seats": Fact(id="seats", value=0.5, unit="seats", source="billing")}
    assert evidence_hash(more) != digest
    without = {name: fact for name, fact in more.items() if name != "seats"}
    assert evidence_hash(without) != evidence_hash(more)


def test_a_later_count_of_the_same_is_the_same_evidence() -> None:
    """Otherwise every day would be news."""
    first = Fact(id="seats", value=9, unit="seats", source="billing", day=date(2026, 11, 1))
    later = Fact(id="seats", value=9, unit="seats", source="billing", day=date(2026, 11, 8))
    assert evidence_hash({"seats": first}) == evidence_hash({"seats": later})


def test_a_fact_has_a_unit_and_direction_of_the_vocabulary() -> None:
    """Whoever renders it has to know how to say it."""
    make: Callable[..., Fact] = Fact
    with pytest.raises(ValueError, match="no unit"):
        make(id="x", value=1, unit="bananas", source="billing")
    with pytest.raises(ValueError, match="no direction"):
        make(id="x", value=1, unit="count", source="billing", direction="sideways")
    assert "percent" in UNITS
