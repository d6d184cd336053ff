"""What a plan is narrowed to, what it costs, what it says in words, and the file it is written to."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.crm import Usage
from connectors.errors import InputError, UsageError
from connectors.fields import field_specs
from model.registry import Registry
from sync.cells import begins_like_formula
from sync.guard import RELEASES, RULES
from sync.plan import Narrow
from sync.plan_ledger import load
from sync.plan_sheet import COLUMNS, rows_of_plan
from sync.plan_summary import SECONDS_A_CALL, read_pace
from sync.plan_words import explain_account, explain_guard, explain_plan
from sync.planned import SkipReason
from sync.settings import GuardSettings, NoiseSettings, State
from sync.sheet import check_ending, neutral, write_sheet
from sync.store.runs import begin_step, finish_step, start_run
from sync.store.scores import save_scores
from sync.store.tables import RunRow
from worker.plan_report import plan_facts

Score = Callable[..., dict[str, Any]]


@pytest.mark.parametrize("name", ["a2", "0012", "Company C"])
def test_a_plan_for_one_account_is_about_nobody_else(world: Any, score: Score, name: str) -> None:
    """Found by any of its names; the guard still looks at the whole scoring."""
    plan = world.plan(*(score(n) for n in range(5)), narrow=Narrow(account=name))
    assert ([c.account_id for c in plan.changes], [t.account_id for t in plan.tasks]) == (["a2"], ["a2"])
    assert (plan.scored, plan.findings) == (1, ())


def test_a_plan_for_some_fields_writes_them_alone_and_makes_no_task(world: Any, score: Score) -> None:
    """By our name or the CRM's; what the plan is bound to are these fields."""
    plan = world.plan(score(1), narrow=Narrow(only=("score", "Expansion_Tier__c")))
    assert plan.cells_by_field() == {"score": 1, "tier": 1}
    assert not plan.tasks
    world.apply(plan)
    assert set(world.crm.records["0011"]) == {"Expansion_Score__c", "Expansion_Tier__c"}
    rest = world.plan(score(1))
    assert {"score", "tier"}.isdisjoint(rest.cells_by_field())


def test_a_narrowed_plan_is_bound_to_the_whole_mapping(world: Any, score: Score) -> None:
    """Apply compares the mapping with the one in force."""
    whole = world.plan(score(1))
    narrow = world.plan(score(1), narrow=Narrow(only=("tier",)))
    assert (narrow.mapping_hash, narrow.schema_hash) == (whole.mapping_hash, whole.schema_hash)


@pytest.mark.parametrize(
    "narrow", [Narrow(account="nobody"), Narrow(only=("tear",)), Narrow(only=("opt_out",))]
)
def test_what_a_plan_is_narrowed_to_must_exist(world: Any, score: Score, narrow: Narrow) -> None:
    """A field that people own is none of ours to write."""
    with pytest.raises(UsageError):
        world.plan(score(1), narrow=narrow)


def test_the_guard_is_not_dodged_by_narrowing(world: Any, score: Score) -> None:
    """One sound account among scores that are broken."""
    rows = [score(1), score(2, probability=float("nan"))]
    plan = world.plan(*rows, narrow=Narrow(account="a1"))
    assert [finding.rule for finding in plan.findings] == ["not_finite"]


def test_a_plan_knows_its_maker_and_its_model(world: Any, score: Score, tmp_path: Path) -> None:
    """The hash is that of the model's manifest."""
    (tmp_path / "2026.11.20-1").mkdir()
    (tmp_path / "2026.11.20-1" / "manifest.json").write_text("{}")
    world.settings = replace(world.settings, state=State(models=tmp_path))
    plan = world.plan(score(1), created_by="os:root")
    assert (plan.created_by, plan.score_run_id) == ("os:root", None)
    assert plan.model_hash == Registry(tmp_path).fingerprint("2026.11.20-1")
    assert len(plan.model_hash) == 64
    assert load(world.store, plan.id) == plan


def test_a_plan_names_the_scoring_behind_it_and_who_asked_for_its_run(world: Any, score: Score) -> None:
    """The run's own scoring, else the newest; a worker makes the plan for whoever asked."""
    for number in (1, 3):
        who, day = f"lee{number}", date(2026, 11, 20 + number)
        run = RunRow(id=f"run-{number}", verb="run", started_at=world.now, config_hash="", created_by=who)
        with world.store.begin() as session:
            session.add(run)
        save_scores(
            world.store, f"run-{number}", world.scores(score(1)), as_of=day, model_version="2026.11.20-1",
            data_hash="", now=world.now,
        )  # fmt: skip
    plans = [world.plan(score(1), created_by="os:worker") for _ in range(3)]
    assert [plan.score_run_id for plan in plans] == ["run-1", "run-3", "run-3"]
    assert [plan.created_by for plan in plans] == ["lee1", "os:worker", "lee3"]


def test_a_plan_counts_what_it_costs(world: Any, score: Score) -> None:
    """Its calls as a share of the org's day, and the time at the pace of the last plan."""
    world.crm.usage = lambda: Usage(calls=3, org_used=50, org_limit=1000, ours=7)
    plan = world.plan(*(score(n) for n in range(4)))
    assert plan.summary is not None
    assert plan.summary["quota_share"] == pytest.approx(plan.api_calls / 1000)
    assert plan.summary["seconds"] == pytest.approx(plan.api_calls * SECONDS_A_CALL)
    assert not plan.summary["seconds_measured"]
    assert (plan.summary["our_calls"], plan.summary["our_calls_limit"]) == (7, 200)

    world.apply(plan)
    run = start_run(world.store, "apply", config_hash="", now=world.now)
    begin_step(world.store, run, 1, "apply", now=world.now)
    ended = world.now + timedelta(seconds=2 * plan.api_calls)
    finish_step(world.store, run, 1, now=ended, detail={"plan": plan.id})
    assert read_pace(world.store).seconds == 2.0
    assert world.plan(score(1, tier="low")).summary["seconds_measured"]


def test_a_plan_counts_news_thing_by_thing(world: Any, score: Score) -> None:
    """Shares of the records that hold a score; the largest is the guard's figure."""
    world.apply(world.plan(*(score(n) for n in range(8))))
    plan = world.plan(
        score(0, tier="low"),
        score(1, tier="low"),
        score(2, probability=0.2),
        *(score(n) for n in range(3, 8)),
    )
    assert plan.summary["changed"] == {"play": 2, "tier": 2, "probability": 1}
    assert (plan.summary["held"], plan.summary["changed_share"]) == (8, 0.25)


def test_every_reason_and_rule_has_its_words(world: Any, score: Score) -> None:
    """A new one must be told in words too."""
    from sync.plan_words import GUARD, SKIPS

    assert set(SKIPS) == set(SkipReason)
    assert set(GUARD) == set(RULES) - set(RELEASES)


def test_a_plan_explains_itself_rule_by_rule(world: Any, score: Score) -> None:
    """Counts of the noise gate and each skip, and every guard rule, kept or not."""
    world.apply(world.plan(*(score(n) for n in range(4))))
    world.crm.person("0013", Expansion_Opt_Out__c=True)
    plan = world.plan(score(0, tier="low"), score(1, priority=9), score(2), score(3))
    told = {each.rule: each for each in explain_plan(plan, NoiseSettings())}
    assert {rule: told[rule].count for rule in ("news", "noise", "no_change")} == {
        "news": 1, "noise": 1, "no_change": 1,
    }  # fmt: skip
    assert "8 points" in told["noise"].words
    assert "none" not in told
    empty = world.plan()
    rules = {each.rule: each.words for each in explain_guard(empty, GuardSettings())}
    assert rules["empty_scores"].startswith("STOPS: no account was scored")
    assert rules["old_model"] == "kept: the model is at most 120 days old"


def test_an_account_is_told_why_it_is_in_or_out(world: Any, score: Score) -> None:
    """By its id or its record's: the move of each cell that is news, and each skip."""
    world.apply(world.plan(score(1)))
    world.crm.person("0011", Expansion_Product__c="Mine")
    plan = world.plan(score(1, tier="low"))
    for name in ("a1", "0011"):
        words = [each.words for each in explain_account(plan, name)]
        assert words[0].startswith("in: tier high → low, play expand → ")
        assert any(word.startswith("left alone: product") for word in words)
        assert any(word.startswith("no task: ") for word in words)
    assert explain_account(plan, "a2") == []


def test_a_sheet_holds_every_cell_task_and_skip(world: Any, score: Score) -> None:
    """Nothing of the plan is missing."""
    plan = world.plan(score(1), score(2, crm_id=None), score(3, tier="low"))
    rows = list(rows_of_plan(plan))
    assert [row["what"] for row in rows].count("write") == plan.cells
    assert [row["what"] for row in rows].count("task") == len(plan.tasks)
    assert len(rows) == plan.cells + len(plan.tasks) + len(plan.skips)
    assert all(set(row) <= set(COLUMNS) and row["plan"] == plan.id for row in rows)


@settings(derandomize=True, deadline=None)
@given(st.text())
def test_no_text_of_a_sheet_is_run_by_a_spreadsheet(text: str) -> None:
    """Whatever a person typed; what is harmless stays as it is."""
    made = neutral(text)
    assert not begins_like_formula(made)
    assert made in (text, f"'{text}")
    assert made == text or begins_like_formula(text.lstrip(" ")) or text.lstrip(" ")[0] in "\n＝＋－＠"


def test_a_csv_comes_back_as_it_was_written(tmp_path: Path) -> None:
    """Quotes, newlines and commas included; a number's minus sign is no formula."""
    rows = [{"a": '=1+1,"x"\nnext', "b": -0.5}, {"a": None, "b": "-0.5"}, {"a": ("p", "q"), "b": True}]
    assert write_sheet(tmp_path / "x.csv", ("a", "b"), rows, {}) == 3
    read = list(csv.reader(io.StringIO((tmp_path / "x.csv").read_text(encoding="utf-8"))))
    assert read == [["a", "b"], ['\'=1+1,"x"\nnext', "-0.5"], ["", "'-0.5"], ["p; q", "True"]]


def test_json_and_parquet_keep_texts_as_they_are(tmp_path: Path) -> None:
    """They are read by programs; both say what they are about."""
    rows = [{"a": "=1", "b": None}]
    for name in ("x.json", "x.PARQUET"):
        write_sheet(tmp_path / name, ("a", "b"), rows, {"plan": "p"})
    assert json.loads((tmp_path / "x.json").read_text()) == {"plan": "p", "rows": [{"a": "=1", "b": None}]}
    table = pq.read_table(tmp_path / "x.PARQUET")
    assert table.to_pylist() == rows
    assert json.loads(table.schema.metadata[b"upswell"]) == {"plan": "p"}


def test_a_file_of_another_kind_is_refused_before_any_work(tmp_path: Path) -> None:
    """With the kinds that there are."""
    with pytest.raises(InputError, match=r"\.csv, \.json or \.parquet"):
        check_ending(tmp_path / "plan.xlsx")


def test_facts_of_a_plan_are_plain_data(world: Any, score: Score) -> None:
    """What --json prints and a file holds; as many fields are named as are ours."""
    plan = world.plan(score(1))
    facts = plan_facts(plan)
    assert facts["causes"] == {"first_fill": 1}
    assert facts["created_by"] == plan.created_by
    assert set(facts["cells_by_field"]) <= {
        key for key, spec in field_specs().items() if spec.owner == "machine"
    }
