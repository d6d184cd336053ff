"""Records in windows, against a plain reference: 500 random accounts in one build.

Usage has a reference of its own (`test_timeline.py`), as have limits and peers."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from model.features.ticket_text import describe, text_rules
from model.features.wording import GROWTH_GOAL, TOPICS
from model.panel import build_rows
from model.product import Product
from model.target import Target

AS_OF = date(2026, 6, 1)
EVE = AS_OF - timedelta(days=1)
ACCOUNTS = 500
TEXTS = (
    *(
        "We export to CSV by hand",
        "Great, thank you",
        "It is slow and broken",
        "Is there a way to audit this?",
    ),
    *("Please add a workflow", "hello", "we would like a dashboard, missing since May"),
)
NOTES = ("They want to roll out to Oslo", "Unhappy with it", "Very pleased", "Nothing new")
Record = dict[str, Any]
World = dict[str, list[Record]]


def day(rng: random.Random) -> date:
    """A day up to a month after the as-of day, or long before; often one at the edge of a window."""
    edge = rng.choice((30, 90, 180, 270, 360, 365)) - rng.choice((0, 1))
    return EVE - timedelta(days=edge if rng.random() < 0.5 else rng.randint(-30, 420))


def later(at: date, rng: random.Random) -> date | None:
    """When something that began then ended, if it did; often at the edge of a window too."""
    edge = day(rng)
    if rng.random() < 0.2:
        return None
    return edge if edge >= at and rng.random() < 0.5 else at + timedelta(days=rng.randint(0, 60))


def stamp(at: date, rng: random.Random) -> dict[str, datetime]:
    """When a record that happened then became known: at once, mostly."""
    late = timedelta(days=rng.choice((0, 0, 0, 0, 25, 200)))
    return {"known_from": moment(at + late)}


def moment(at: date) -> datetime:
    """Noon of that day."""
    return datetime(at.year, at.month, at.day, 12, tzinfo=UTC)


def random_world(rng: random.Random) -> World:
    """Tickets, activities, notes, answers, triggers, contacts, deals and invoices of one account."""

    def some(most: int, make: Callable[[date], Record]) -> list[Record]:
        return [make(day(rng)) for _ in range(rng.choice((0, rng.randint(0, most))))]

    def ticket(at: date) -> Record:
        closed = later(at, rng)
        return stamp(at, rng) | {
            "created_at": moment(at),
            "subject": rng.choice((None, "Report")),
            "body": rng.choice(TEXTS),
            "priority": rng.choice(("low", "Urgent", "critical", None)),
            "is_escalated": rng.choice((True, False, None)),
            "closed_at": None if closed is None else moment(closed),
            "csat": rng.choice((None, 1.0, 3.0, 5.0)),
        }

    def activity(at: date) -> Record:
        late = moment(at + timedelta(days=rng.choice((0, 0, 0, 50))))
        return stamp(at, rng) | {
            "occurred_at": moment(at),
            "created_at": late,
            "kind": rng.choice(("meeting", "email", "call", "note")),
            "contact_crm_id": rng.choice((None, "c0", "c1")),
        }

    def deal(at: date) -> Record:
        closed = later(at, rng)
        return stamp(at, rng) | {
            "crm_id": f"d{rng.random()}",
            "created_at": moment(at),
            "opportunity_type": rng.choice(("Expansion", "upsell ", "Renewal", None)),
            "is_won": None if closed is None else rng.random() < 0.6,
            "closed_at": None if closed is None else moment(closed),
            "amount": float(rng.randint(1, 90)),
        }

    def contact(at: date) -> Record:
        return stamp(at, rng) | {
            "crm_id": f"c{rng.randint(0, 9)}",
            "created_at": moment(at),
            "title": rng.choice((None, "VP Sales", "Clerk", "Head of IT")),
            "role": rng.choice((None, "Champion", "executive sponsor", "user")),
            "left_at": later(at, rng) if rng.random() < 0.4 else None,
        }

    return {
        "tickets": some(9, ticket),
        "activities": some(9, activity),
        "notes": some(
            5,
            lambda at: {
                "written_at": moment(at),
                "kind": rng.choice(("qbr", "goal", "onboarding", "call")),
                "outcome": rng.choice(("positive", "neutral", "negative")),
                "text": rng.choice(NOTES),
            },
        ),
        "surveys": some(
            5,
            lambda at: {
                "responded_at": moment(at),
                "kind": rng.choice(("nps", "NPS", "csat")),
                "score": rng.choice((None, 2.0, 7.0, 9.0)),
            },
        ),
        "triggers": some(
            4,
            lambda at: stamp(at, rng) | {"occurred_on": at, "kind": rng.choice(("funding", "hiring", "odd"))},
        ),
        "contacts": list({each["crm_id"]: each for each in some(5, contact)}.values()),
        "opportunities": some(5, deal),
        "events": some(
            9,
            lambda at: (
                {"user_id": "u", "event": "use", "feature": f"f{rng.randint(0, 7)}", "at": moment(at)}
                | stamp(at, rng)
            ),
        ),
    }


def seen(records: Iterable[Record], at: str, *stamps: str) -> list[tuple[int, Record]]:
    """(age in days, record) of those that were known on the eve."""
    found = []
    for record in records:
        when = _date(record[at])
        if max([when, *(_date(record[name]) for name in stamps)]) <= EVE:
            found.append(((EVE - when).days, record))
    return found


def _date(value: date | datetime) -> date:
    return value.date() if isinstance(value, datetime) else value


def _since(value: date | datetime | None) -> int | None:
    """Days since, None for what has not happened by the eve."""
    return None if value is None or _date(value) > EVE else (EVE - _date(value)).days


def _mean(values: Iterable[float | None]) -> float:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else float("nan")


def _least(values: Iterable[int]) -> float:
    return min(values, default=float("nan"))


def support(world: World) -> dict[str, float]:
    """The support features, counted."""
    tickets = seen(world["tickets"], "created_at", "known_from")
    if not tickets:
        return {}
    ages = [age for age, _ in tickets]
    closed = [(since, each) for _, each in tickets if (since := _since(each["closed_at"])) is not None]
    half = [each for age, each in tickets if age < 180]
    said = [describe(each["subject"], each["body"], text_rules(())) for each in half]
    mood = [("positive (" in each) - ("negative (" in each) for each in said]
    gaps = [each for each in said if "workaround (" in each or "request (" in each]
    return {
        "tickets_30": sum(age < 30 for age in ages),
        "tickets_90": sum(age < 90 for age in ages),
        "tickets_change_90": sum(age < 90 for age in ages) - sum(90 <= age < 180 for age in ages),
        "tickets_critical_90": sum(
            age < 90 and (each["priority"] or "").lower() in ("critical", "urgent") for age, each in tickets
        ),
        "escalations_open": sum(
            each["is_escalated"] is True and _since(each["closed_at"]) is None for _, each in tickets
        ),
        "tickets_open": len(tickets) - len(closed),
        "csat_180": _mean(each["csat"] for since, each in closed if since < 180),
        "csat_change": _mean(each["csat"] for since, each in closed if since < 90)
        - _mean(each["csat"] for since, each in closed if 90 <= since < 270),
        "resolution_days": _mean(
            (_date(each["closed_at"]) - _date(each["created_at"])).days
            for since, each in closed
            if since < 180
        ),
        "ticket_sentiment": _mean(mood),
        "gap_tickets_180": len(gaps),
        "workaround_tickets_180": sum("workaround (" in each for each in said),
        "request_tickets_180": sum("request (" in each for each in said),
        **{f"tickets_{topic}_180": sum(f"{topic} (" in each for each in said) for topic in TOPICS},
        **{f"gap_{topic}_180": sum(f"{topic} (" in each for each in gaps) for topic in TOPICS},
    }


def relationship(world: World) -> dict[str, float]:
    """The relationship features, counted; each of its three sources is unknown or known by itself."""
    found: dict[str, float] = {}
    acts = [
        (age, each)
        for age, each in seen(world["activities"], "occurred_at", "created_at", "known_from")
        if each["kind"] != "note"
    ]
    if acts:
        of = {
            kind: [age for age, each in acts if each["kind"] == kind] for kind in ("meeting", "email", "call")
        }
        found |= {
            "meetings_90": sum(age < 90 for age in of["meeting"]),
            "meetings_change": sum(age < 90 for age in of["meeting"])
            - sum(90 <= age < 180 for age in of["meeting"]),
            "emails_90": sum(age < 90 for age in of["email"]),
            "calls_90": sum(age < 90 for age in of["call"]),
            "touches_30": sum(age < 30 for age, _ in acts),
            "days_since_meeting": _least(of["meeting"]),
            "days_since_touch": _least(age for age, _ in acts),
        }
    notes = seen(world["notes"], "written_at")
    if notes:
        mood = {"positive": 1.0, "neutral": 0.0, "negative": -1.0}
        qbrs = [(age, mood[each["outcome"]]) for age, each in notes if each["kind"] == "qbr"]
        growth = [age for age, each in notes if each["kind"] != "call" and "roll out" in each["text"].lower()]
        assert "roll ?out" in GROWTH_GOAL
        found |= {
            "days_since_qbr": _least(age for age, _ in qbrs),
            "qbr_outcome_mean": _mean(value for age, value in qbrs if age < 365),
            "goals_180": sum(age < 180 and each["kind"] == "goal" for age, each in notes),
            "growth_goals_365": sum(age < 365 for age in growth),
            "days_since_goal": _least(age for age, each in notes if each["kind"] == "goal"),
        }
    answers = [
        (age, each) for age, each in seen(world["surveys"], "responded_at") if each["score"] is not None
    ]
    if answers:
        nps = [(age, each["score"]) for age, each in answers if each["kind"].lower() == "nps"]
        found |= {
            "nps": _mean(score for age, score in nps if age < 180),
            "nps_change": _mean(score for age, score in nps if age < 180)
            - _mean(score for age, score in nps if 180 <= age < 360),
            "nps_last": max(((-age, score) for age, score in nps), default=(0, float("nan")))[1],
            "csat_survey": _mean(e["score"] for age, e in answers if age < 180 and e["kind"] == "csat"),
        }
    return found


def people(world: World) -> dict[str, float]:
    """The features of contacts, counted."""
    contacts = seen(world["contacts"], "created_at", "known_from")
    if not contacts:
        return {}
    here = [(age, each) for age, each in contacts if _since(each["left_at"]) is None]
    leads = [each for _, each in contacts if each["role"] in ("Champion", "executive sponsor")]
    left = [since for each in leads if (since := _since(each["left_at"])) is not None]
    senior = [(age, each) for age, each in here if each["title"] in ("VP Sales", "Head of IT")]
    touched = {
        each["contact_crm_id"]
        for age, each in seen(world["activities"], "occurred_at", "created_at", "known_from")
        if age < 90
    }
    influential = {e["crm_id"] for _, e in senior} | {
        e["crm_id"] for _, e in here if e["role"] == "executive sponsor"
    }
    return {
        "champions": sum(each["role"] == "Champion" for _, each in here),
        "sponsors": sum(each["role"] == "executive sponsor" for _, each in here),
        "senior_contacts": len(senior),
        "senior_new_90": sum(age < 90 for age, _ in senior),
        "contacts_new_90": sum(age < 90 for age, _ in contacts),
        "contacts_known": len(here),
        "champion_left_180": sum(since < 180 for since in left),
        "days_since_champion_left": _least(left),
        "influential_dormant": len(influential - touched),
    }


def rest(world: World) -> dict[str, float]:
    """Triggers and deals, counted."""
    found: dict[str, float] = {}
    events = seen(world["triggers"], "occurred_on", "known_from")
    if events:
        found |= {
            "triggers_90": sum(age < 90 for age, _ in events),
            "triggers_365": sum(age < 365 for age, _ in events),
            "days_since_trigger": _least(age for age, _ in events),
            "days_since_funding": _least(age for age, each in events if each["kind"] == "funding"),
        }
    closed = [each for each in world["opportunities"] if each["closed_at"] is not None]
    known = seen(closed, "closed_at", "created_at", "known_from")
    kinds = ("expansion", "upsell")
    won = [
        (age, e["amount"]) for age, e in known
        if e["is_won"] and (e["opportunity_type"] or "").strip().lower() in kinds
    ]  # fmt: skip
    lost = [age for age, each in known if not each["is_won"]]
    return found | {
        "expansions_past": len(won),
        "expansions_365": sum(age < 365 for age, _ in won),
        "days_since_expansion": _least(age for age, _ in won),
        "expansion_mean_amount": _mean(amount for _, amount in won),
        "expansions_lost_365": sum(age < 365 for age in lost),
        "days_since_lost": _least(lost),
    }


def adoption(worlds: dict[str, World]) -> dict[str, dict[str, float]]:
    """Which features an account skipped on the usual way, by account; those without any use are left out."""
    first: dict[str, dict[str, int]] = {}
    for account, world in worlds.items():
        # what came to be known first is the first use that anybody could count from
        events = sorted(seen(world["events"], "at", "known_from"), key=lambda e: (_known(e[1]), -e[0]))
        for age, each in events:
            first.setdefault(account, {}).setdefault(each["feature"], age)
    delays: dict[str, list[int]] = {}
    for uses in first.values():
        for feature, age in uses.items():
            delays.setdefault(feature, []).append(max(uses.values()) - age)
    usual = {feature: round(_mean(found), 6) for feature, found in delays.items()}
    found = {}
    for account, uses in first.items():
        latest = usual[min(uses, key=lambda feature: (uses[feature], -usual[feature]))]
        skipped = [each for each, place in usual.items() if place < latest and each not in uses]
        found[account] = {"features_skipped": float(len(skipped)), "features_ever": float(len(uses))}
    return found


def _known(event: Record) -> date:
    return max(_date(event["at"]), _date(event["known_from"]))


def test_windows_of_records_are_what_counting_says(tiny: Any, catalogue: tuple[Product, ...]) -> None:
    """Tickets, activities, notes, answers, contacts, triggers, deals, features; late and future ones too."""
    rng = random.Random(11)
    worlds = {f"Z{number:03d}": random_world(rng) for number in range(ACCOUNTS)}
    made = tiny.without(*tiny.records)
    bills = [{"account_id": name, "period_start": date(2026, 5, 20), "arr": 100.0} for name in worlds]
    made = made.plus("billing", *bills)
    for table in next(iter(worlds.values())):
        rows = [{"account_id": name, **row} for name, world in worlds.items() for row in world[table]]
        made = made.plus(table, *rows)
    table = build_rows(made.tables(), as_of=AS_OF, target=Target(), products=catalogue).table
    found = {row["account_id"]: row for row in table.to_pylist()}
    assert len(found) == ACCOUNTS
    skipped = adoption(worlds)
    assert any(each["features_skipped"] for each in skipped.values())
    for account, expected in skipped.items():
        assert {name: found[account][name] for name in expected} == expected, account
    for part in (support, relationship, people, rest):
        names = {name for world in worlds.values() for name in part(world)}
        assert names
        for account, world in worlds.items():
            expected = dict.fromkeys(names, float("nan")) | part(world)
            values = {name: found[account][name] for name in names}
            assert values == pytest.approx(expected, rel=1e-4, abs=1e-6, nan_ok=True), account
