"""Guard rules about the last scoring, the lake, the model, the org and the quota."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Any

import pytest

from connectors.crm import Usage
from connectors.errors import StateError
from sync.guard import RELEASES, RULES, check
from sync.guard_surroundings import Surroundings
from sync.lake_facts import LakeFacts, read_lake_facts
from sync.last_plan import LastPlan, read_last_plan
from sync.planned import Finding
from sync.settings import BudgetSettings, GuardSettings
from sync.store.scores import save_scores
from sync.store.tables import BookmarkRow, OrgRow, QuarantineRow, RunRow, SegmentRow

Score = Callable[..., dict[str, Any]]
TODAY = date(2026, 11, 23)
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
FIELD = {"name": "Expansion_Tier__c", "type": "picklist", "options": ["high", "low"]}
NOTHING_BEFORE = LastPlan(fields={}, inputs=None, probabilities={}, record_ids=frozenset())


def lake(**rows: int) -> LakeFacts:
    """A lake that was filled today, with so many rows by table."""
    return LakeFacts(rows=rows, newest=dict.fromkeys(rows, NOON), pulled_until=NOON)


def around(**facts: Any) -> Surroundings:
    """Surroundings in which no rule is broken, but for these facts."""
    plain: dict[str, Any] = {
        "today": TODAY, "timezone": "UTC", "model_version": "2026.11.20-1", "last": NOTHING_BEFORE,
        "inputs": lake(events=10, billing=5), "fields": {"tier": FIELD}, "api_calls": 10,
        "usage": Usage(calls=0, org_used=None, org_limit=None), "budget": BudgetSettings(), "first_fill": {},
    }  # fmt: skip
    return Surroundings(**(plain | facts))


def findings(
    rows: list[dict[str, Any]], limits: GuardSettings | None = None, **facts: Any
) -> dict[str, Finding]:
    """The rules broken in these surroundings."""
    found = check(
        rows,
        [],
        limits or GuardSettings(),
        held_scores={},
        scored_last=frozenset(),
        surroundings=around(**facts),
    )
    assert all(finding.override == finding.rule in RULES for finding in found)
    return {finding.rule: finding for finding in found}


def last(probabilities: Mapping[str, float] | None = None, **facts: Any) -> LastPlan:
    """The last plan, of these probabilities."""
    return replace(NOTHING_BEFORE, probabilities=probabilities or {}, **facts)


def test_ordinary_surroundings_break_no_rule(score: Score) -> None:
    """The scores of last week a little moved, all fresh."""
    rows = [score(n) for n in range(40)]
    before = {row["account_id"]: row["probability"] + 0.01 for row in rows}
    facts = {"last": last(before, fields={"tier": FIELD}, inputs=lake(events=9, billing=5))}
    assert findings(rows, **facts) == {}


@pytest.mark.parametrize("shift", [0.06, -0.06])
def test_a_mean_probability_that_moves_stops_the_run(score: Score, shift: float) -> None:
    """Everybody up or down by six points is no week; half of them is."""
    rows = [score(n, probability=0.5) for n in range(40)]
    moved = {row["account_id"]: 0.5 - shift for row in rows}
    found = findings(rows, last=last(moved))["probability_shift"]
    assert found.figure == pytest.approx(shift)
    assert f"{100 * shift:+.1f} points" in found.message
    half = {row["account_id"]: 0.5 - shift * (n % 2) for n, row in enumerate(rows)}
    assert "probability_shift" not in findings(rows, last=last(half))


def test_a_shift_is_taken_over_the_accounts_scored_both_times(score: Score) -> None:
    """New customers with high scores move nobody's."""
    rows = [score(n, probability=0.2) for n in range(30)] + [score(n, probability=0.9) for n in range(30, 60)]
    assert findings(rows, last=last({f"a{n}": 0.2 for n in range(30)})) == {}
    assert findings(rows, last=last({f"a{n}": 0.9 for n in range(19)})) == {}, "too few to say"


def test_scores_that_are_spread_otherwise_stop_the_run(score: Score) -> None:
    """The same mean, and all in the middle: the model has lost its signal."""
    rows = [score(n, probability=0.5) for n in range(120)]
    spread = {f"a{n}": 0.2 + 0.6 * n / 119 for n in range(120)}
    found = findings(rows, last=last(spread))
    assert set(found) == {"score_drift"}
    assert found["score_drift"].figure > found["score_drift"].limit == 0.25
    few = dict(list(spread.items())[:99])
    assert "score_drift" not in findings(rows, last=last(few)), "too few to say"


@pytest.mark.parametrize("table", ["events", "usage"])
def test_usage_that_ends_too_long_ago_stops_the_run(score: Score, table: str) -> None:
    """An export that was not delivered for 15 days; 14 are within the limit."""
    for days, broken in ((14, set()), (15, {"stale_inputs"})):
        inputs = replace(lake(billing=3), newest={table: NOON - timedelta(days=days), "billing": NOON})
        assert set(findings([score(1)], inputs=inputs)) == broken


def test_a_company_that_delivers_events_or_usage_is_asked_for_one_of_them(score: Score) -> None:
    """Billing comes once a month, and either stream is enough."""
    old = NOON - timedelta(days=40)
    fresh_events = replace(lake(), newest={"events": NOON, "usage": old, "billing": old})
    none_at_all = replace(lake(), newest={"billing": old})
    assert findings([score(1)], inputs=fresh_events) == findings([score(1)], inputs=none_at_all) == {}


def test_a_crm_that_was_not_read_for_long_stops_the_run(score: Score) -> None:
    """Scores of an old picture of the CRM."""
    inputs = replace(lake(events=1), pulled_until=NOON - timedelta(days=15))
    found = findings([score(1)], inputs=inputs)
    assert found["stale_inputs"].message == "the CRM was last read 15 days ago (limit 14)"


def test_a_table_that_lost_all_its_rows_stops_the_run(score: Score) -> None:
    """Billing held rows at the last plan and holds none now; one that was empty before may be empty."""
    before = last(inputs=lake(events=9, billing=700, notes=0))
    found = findings([score(1)], last=before, inputs=lake(events=12))
    assert found["empty_inputs"].figure == 1
    assert "billing (700 rows then)" in found["empty_inputs"].message
    assert findings([score(1)], last=before, inputs=lake(events=1, billing=1)) == {}


def test_a_model_that_is_too_old_stops_the_run(score: Score) -> None:
    """Training fails for months and nobody looks."""
    limits = GuardSettings(max_model_age_days=30)
    assert set(findings([score(1)], limits, model_version="2026.10.23-1")) == {"old_model"}
    assert findings([score(1)], limits, model_version="2026.10.24-1") == {}
    assert findings([score(1)], limits, model_version="handmade") == {}


def test_a_field_that_the_org_defines_otherwise_stops_the_run(score: Score) -> None:
    """A value was taken from the picklist since the last plan; another field under our name is no drift."""
    narrower = FIELD | {"options": ["high"]}
    found = findings([score(1)], last=last(fields={"tier": FIELD}), fields={"tier": narrower})
    assert found["schema_drift"].message.endswith("Expansion_Tier__c (options)")
    other = narrower | {"name": "Our_Tier__c"}
    assert findings([score(1)], last=last(fields={"tier": FIELD}), fields={"tier": other}) == {}
    assert findings([score(1)], last=last(fields={"tier": {"name": FIELD["name"]}})) == {}


@pytest.mark.parametrize(
    ("usage", "left"),
    [
        (Usage(calls=0, org_used=100, org_limit=1000), 200),  # our share: 20 % of a day
        (Usage(calls=150, org_used=150, org_limit=1000), 50),  # less what we used ourselves
        (Usage(calls=0, org_used=790, org_limit=1000), 10),  # others have used nearly all
        (Usage(calls=0, org_used=990, org_limit=1000), 0),
    ],
)
def test_a_plan_that_the_quota_does_not_hold_stops_the_run(score: Score, usage: Usage, left: int) -> None:
    """Exactly what is left is enough; one call more is not."""
    assert findings([score(1)], usage=usage, api_calls=left) == {}
    found = findings([score(1)], usage=usage, api_calls=left + 1)["quota"]
    assert (found.figure, found.limit) == (left + 1, left)


def test_a_crm_that_tells_no_quota_stops_nothing(score: Score) -> None:
    """HubSpot tells some logins no daily limit."""
    assert findings([score(1)], api_calls=10**6) == {}


def test_fields_that_wait_for_their_first_fill_stop_the_run(score: Score) -> None:
    """Named, with how many of their cells hold something that would be replaced."""
    found = findings([score(1)], first_fill={"Our_Score__c": 12, "Our_Tier__c": 0})["first_fill"]
    assert found.figure == 2
    assert "Our_Score__c, Our_Tier__c; 12 of their cells hold something already" in found.message


def test_closing_most_of_the_open_tasks_stops_the_run(score: Score) -> None:
    """From twenty open tasks on; half of them are no landslide yet."""
    assert findings([score(1)], open_tasks=20, closings=10) == {}
    assert findings([score(1)], open_tasks=19, closings=19) == {}
    found = findings([score(1)], open_tasks=20, closings=11)["closed_share"]
    assert (found.figure, found.limit) == (0.55, 0.5)


def test_every_rule_has_a_test_here_or_beside(request: pytest.FixtureRequest) -> None:
    """A new rule must be told here: these are all there are."""
    in_test_guard = {"empty_scores", "not_finite", "changed_share", "score_jump", "vanished_share"}
    here = {
        "probability_shift", "score_drift", "stale_inputs", "empty_inputs", "old_model", "schema_drift",
        "quota", "first_fill", "closed_share",
    }  # fmt: skip
    assert in_test_guard | here | set(RELEASES) == set(RULES)


def test_the_lake_s_figures_are_those_of_its_segments(world: Any) -> None:
    """Active segments only, summed by table, and how far the CRM's accounts were read."""
    org = world.crm.org()
    common = {
        "bytes": 1,
        "sha256": "",
        "source": "file:x",
        "run_id": None,
        "added_at": NOON,
        "first_at": None,
    }
    with world.store.begin() as session:
        for number, (table, rows, active, at) in enumerate(
            (
                ("events", 5, True, NOON),
                ("events", 7, True, NOON - timedelta(days=2)),
                ("notes", 3, False, NOON),
            )
        ):
            session.add(
                SegmentRow(table_name=table, path=str(number), rows=rows, active=active, last_at=at, **common)
            )
        session.add(
            OrgRow(
                id=org.id, kind="salesforce", name="", url="", currency="USD", timezone="UTC", api_version="",
                first_seen=NOON,
            )
        )  # fmt: skip
        session.flush()
        session.add(BookmarkRow(org_id=org.id, table_name="accounts", until=NOON))
        session.add(
            QuarantineRow(
                kind="tickets", path="t.csv", size=1, sha256="", reason="", place="", fix="", found_at=NOON
            )
        )
    facts = read_lake_facts(world.store, org.id)
    assert facts == LakeFacts(
        rows={"events": 12}, newest={"events": NOON}, pulled_until=NOON, quarantined={"helpdesk_tickets": 1}
    )
    assert LakeFacts.from_json(facts.as_json()) == facts
    assert read_lake_facts(world.store, "another").pulled_until is None


def test_the_guard_says_which_inputs_are_old_or_gone_as_their_files_are_bad(score: Score) -> None:
    """A quarantined file stops nothing by itself; that usage ends with it does."""
    bad = {"events": 2, "notes": 1}
    assert findings([score(1)], inputs=replace(lake(events=10), quarantined=bad)) == {}
    old = LakeFacts(
        rows={"events": 1}, newest={"events": NOON - timedelta(days=20)}, pulled_until=NOON, quarantined=bad
    )
    told = findings([score(1)], inputs=old)["stale_inputs"].message
    assert told.endswith("; files are quarantined: 2 of events (see: upswell exports status)")
    before = replace(NOTHING_BEFORE, inputs=lake(notes=7))
    told = findings([score(1)], inputs=replace(lake(events=10), quarantined=bad), last=before)
    assert "quarantined: 1 of notes" in told["empty_inputs"].message


def keep_scores(world: Any, run_id: str, day: date, *rows: Mapping[str, Any]) -> None:
    """A scoring in the ledger."""
    with world.store.begin() as session:
        session.add(RunRow(id=run_id, verb="run", started_at=world.now, config_hash=""))
    save_scores(
        world.store, run_id, world.scores(*rows), as_of=day, model_version="2026.11.20-1", data_hash="",
        now=world.now,
    )  # fmt: skip


def test_a_plan_is_held_against_the_last_one_that_was_applied(world: Any, score: Score) -> None:
    """A scoring that the guard stopped is passed over: the next good one must not be stopped for its sake."""
    for number, probability in enumerate((0.7, 0.1), start=1):
        rows = [score(n, probability=probability, tier="high") for n in range(8)]
        keep_scores(world, f"run-{number}", date(2026, 11, 8 + 7 * number), *rows)
        plan = world.plan(*rows)
        if number == 1:
            world.apply(plan)
        world.now += timedelta(days=7)

    found = read_last_plan(world.store, world.crm.org_id, as_of=date(2026, 11, 29))
    assert set(found.probabilities.values()) == {0.7}
    assert found.record_ids == {f"001{n}" for n in range(8)}
    assert found.fields["tier"]["name"] == "Expansion_Tier__c"
    assert found.inputs == LakeFacts(rows={}, newest={})


def test_where_nothing_was_applied_the_scoring_of_an_earlier_day_counts(world: Any, score: Score) -> None:
    """And where there is none, nothing is known."""
    assert read_last_plan(world.store, world.crm.org_id, as_of=TODAY) == NOTHING_BEFORE
    keep_scores(world, "run-0", date(2026, 11, 15), score(1, probability=0.3))
    found = read_last_plan(world.store, world.crm.org_id, as_of=TODAY)
    assert found == replace(NOTHING_BEFORE, probabilities={"a1": 0.3}, record_ids=frozenset({"0011"}))
    assert read_last_plan(world.store, world.crm.org_id, as_of=date(2026, 11, 15)) == NOTHING_BEFORE


def test_a_plan_says_what_its_surroundings_break(world: Any, score: Score) -> None:
    """Schema drift end to end: planned against a narrower field, stopped, and passed over by name."""
    world.apply(world.plan(score(1)))
    fields = dict(world.crm.schema.fields)
    fields["Expansion_Product__c"] = replace(fields["Expansion_Product__c"], length=60)
    world.crm.schema = replace(world.crm.schema, fields=MappingProxyType(fields))
    world.now += timedelta(hours=1)
    plan = world.plan(score(1, tier="low"), score(2))
    assert [finding.rule for finding in plan.findings] == ["schema_drift"]
    with pytest.raises(StateError, match=r"Expansion_Product__c \(length\).*--override schema_drift"):
        world.apply(plan)
    assert world.apply(plan, override={"schema_drift"}).status == "applied"
    assert not world.plan(score(1, tier="medium")).findings
