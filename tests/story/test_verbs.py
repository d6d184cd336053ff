"""Every verb has a `--json` answer, and the ones that only look change nothing."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

from connectors.sandbox.salesforce.schema import Schema
from worker.cli import VERBS

ANSWERS: dict[str, tuple[str, ...]] = {
    "doctor": ("doctor",),
    "exports": ("exports", "check", "--kind", "billing"),
    "features": ("features", "ACCOUNT"),
    "history": ("history",),
    "audit": ("audit", "verify"),
    "status": ("status",),
    "install": ("install",),
    "outcomes": ("outcomes",),
    "pull": ("pull", "--no-exports"),
    "plan": ("plan",),
    "rollback": ("rollback", "--dry-run"),
}
"""How each verb that writes nothing to the CRM is called; ACCOUNT is one that has a task."""
BELOW = {"evaluate", "explain", "brief", "forecast", "panel"}
"""Verbs with a story of their own in this file."""
ELSEWHERE = {
    "demo", "init", "sandbox", "target", "train", "models", "promote", "score", "apply", "run", "approve",
    "operator", "worker", "schedule", "pipeline",
}  # fmt: skip
"""Verbs whose answers other stories read."""


def first_task(home: Any) -> dict[str, Any]:
    """The first write of a task in the ledger."""
    run = home.upswell("history").data["runs"][0]["run_id"]
    writes = home.upswell("history", run, "--limit", "10000").data["writes"]
    return next(write for write in writes if write["kind"] == "task")


def test_every_verb_is_called_with_json_in_some_story() -> None:
    """A new verb must be added here, or its story named."""
    assert set(VERBS) == set(ANSWERS) | BELOW | ELSEWHERE


@pytest.mark.slow
def test_verbs_that_look_answer_in_json_and_change_nothing(home: Any) -> None:
    """Each one in turn: an answer with data, no error, and not one changed cell in the audit log."""
    account, changes = first_task(home)["account_id"], len(home.audit.changes())
    for verb, arguments in ANSWERS.items():
        answer = home.upswell(*(account if each == "ACCOUNT" else each for each in arguments))
        assert (verb, answer.exit_code, answer.errors) == (verb, 0, [])
        assert answer.data
    assert len(home.audit.changes()) == changes


def test_explain_names_reasons_families_and_the_score_that_was_written(home: Any) -> None:
    """Found by each of its names, an account is told the score that the CRM holds, by all families."""
    task = first_task(home)
    told = home.upswell("explain", task["record_id"], "--no-moves").data
    held = home.accounts()[task["record_id"]]
    assert told["account"]["account_id"] == task["account_id"]
    assert round(100 * told["score"]["probability"]) == held["Expansion_Score__c"]
    assert told["score"]["reasons"][0]["sentence"] == held["Expansion_Reason_1__c"]
    parts = sum(part["log_odds"] for part in told["families"])
    assert parts + told["base_log_odds"] == pytest.approx(told["log_odds"])
    assert sum(abs(part["share"]) for part in told["families"]) == pytest.approx(1)
    again = home.upswell("brief", told["account"]["name"].upper()).data
    assert again["account"] == told["account"]


@pytest.mark.slow
def test_what_moved_adds_up_to_the_change_of_the_score(home: Any) -> None:
    """A score of an earlier day and today's: the points of all causes sum to the difference.

    The ledger keeps six digits of a probability; the log-odds are what they were rounded from."""
    account = first_task(home)["account_id"]
    home.upswell("score", "--as-of", "2026-09-28")
    home.upswell("score")
    moved = home.upswell("explain", account).data
    assert moved["before"]["as_of"] == "2026-09-28"
    before, now = (
        1 / (1 + math.exp(-log_odds)) for log_odds in (moved["before"]["log_odds"], moved["log_odds"])
    )
    assert moved["before"]["probability"] == pytest.approx(before, abs=0.6e-6)
    assert moved["score"]["probability"] == pytest.approx(now, abs=0.6e-6)
    assert sum(step["points"] for step in moved["moved"]) == pytest.approx(100 * (now - before), abs=1e-6)
    assert "what became known later" not in {step["cause"] for step in moved["moved"]}
    kept = moved["score"]["moved"]
    assert (kept["since"], kept["sentence"]) == ("2026-09-28", moved["moved_in_words"])
    assert sum(step["points"] for step in kept["steps"]) == pytest.approx(kept["points"])
    assert kept["points"] == pytest.approx(100 * (now - before), abs=0.006)
    against = home.upswell("explain", account, "--against", "2026-10-01").data
    assert against["moved"] == moved["moved"]
    refused = home.upswell("explain", account, "--against", "2026-08-01")
    assert (refused.exit_code, refused.errors[0]["record"]) == (2, "--against")
    assert refused.errors[0]["fix"] == "Name 2026-09-28 or a later day."


def test_a_what_if_stands_beside_the_score_and_is_kept_nowhere(home: Any) -> None:
    """Scored again with its reasons, and marked; neither the ledger nor the CRM has anything of it."""
    task, changes, runs = first_task(home), len(home.audit.changes()), home.upswell("history").data
    held = home.accounts()[task["record_id"]]
    assumed = "seats_used=-50%,champion=gone,escalation=open"
    found = home.upswell("explain", task["account_id"], "--assume", assumed).data
    assert found["what_if"] is True
    now, then = found["actual"]["probability"], found["assumed"]["probability"]
    assert round(100 * now) == held["Expansion_Score__c"] != round(100 * then)
    assert found["actual"]["reasons"][0]["sentence"] == held["Expansion_Reason_1__c"]
    assert sum(step["points"] for step in found["moved"]) == pytest.approx(100 * (then - now), abs=2e-4)
    by_rule = {each["feature"] for each in found["changes"] if not each["assumed"]}
    assert {"seat_utilisation", "seat_headroom"} <= by_rule
    assert home.upswell("history").data == runs
    assert len(home.audit.changes()) == changes
    slip = home.upswell("explain", task["account_id"], "--assume", "seats_usd=+10")
    assert (slip.exit_code, "seats_used" in slip.errors[0]["fix"]) == (2, True)


def test_an_unknown_account_is_answered_with_the_nearest_names(home: Any) -> None:
    """A slip in a name is the user's to fix, and the fix names who was meant."""
    name = home.accounts()[first_task(home)["record_id"]]["Name"]
    for verb in ("explain", "brief", "features"):
        answer = home.upswell(verb, name[:-1])
        assert answer.exit_code == 2
        assert name in answer.errors[0]["fix"]


def test_the_match_report_shows_both_sides_and_what_is_left(home: Any, tmp_path: Path) -> None:
    """Keys by the way to their account, and those of none as a file that a person can fill in."""
    review = tmp_path / "review.csv"
    told = home.upswell("exports", "match", "--sample", "2", "--out", str(review)).data
    assert sum(told["ways"].values()) + told["lone_keys"] == told["export_keys"]
    assert told["ways"]["own id"] > 0
    assert len(told["lone"]) == min(2, told["lone_keys"])
    lines = review.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("account_key,crm_id,")
    assert len(lines) == told["lone_keys"] + 1


def test_features_are_shown_with_the_rows_that_made_them_and_what_moved(home: Any) -> None:
    """Values on a day with their newest source rows, and between two days the largest move first."""
    account = first_task(home)["account_id"]
    told = home.upswell("features", account, "--rows", "2").data
    of = {feature["name"]: feature for family in told["families"] for feature in family["features"]}
    assert 0 < told["data_completeness"] <= 1
    (invoice,) = of["arr"]["made_of"]
    assert (invoice["table"], invoice["total"]) == ("billing", 1)
    assert invoice["newest"][0]["arr"] == pytest.approx(of["arr"]["value"], rel=1e-5)
    assert len(of["arr_growth_180"]["made_of"][0]["newest"]) == 2
    assert told["limits"][0]["use"] == pytest.approx(of["limit_utilisation"]["value"], rel=1e-5)
    assert max(each["above_85"] for each in told["limits"]) == of["limit_weeks_above_85"]["value"]
    taken = [each for each in told["products_of_peers"] if not each["owns"] and each["peers_taken_180"]]
    assert len(taken) == of["peer_products_180"]["value"]
    moved = home.upswell("features", account, "--compare", "2026-08-03").data
    sizes = [move["size"] for move in moved["moves"] if move["size"] is not None]
    assert sizes == sorted(sizes, reverse=True)
    assert moved["compared_with"] == "2026-08-03"
    assert all(move["before"] != move["after"] for move in moved["moves"])
    refused = home.upswell("features", "--compare", "2026-08-03")
    assert (refused.exit_code, refused.errors[0]["record"]) == (2, "--compare")


def test_a_brief_on_request_is_the_brief_of_the_task(home: Any) -> None:
    """The task's body and the brief are the same words, and each number stands in the evidence."""
    task = first_task(home)
    told = home.upswell("brief", task["account_id"], "--length", "task").data
    body = home.sandbox.store.select("SELECT Description FROM Task WHERE Subject = ?", (task["subject"],))
    assert body == [(told["brief"],)]
    assert told["no_task"] is None
    assert {fact["id"] for fact in told["evidence"]} >= {"arr_low", "arr_high", "reason_1"}
    assert len(home.upswell("brief", task["account_id"], "--length", "field").data["brief"]) <= 255
    asked = ("--language", "ru", "--style", "question-led")
    russian = home.upswell("brief", task["account_id"], *asked).data
    assert (russian["language"], russian["style"], russian["writer"]) == ("ru", "question-led", "template")
    assert russian["brief"].startswith("С чего начать:")
    refused = home.upswell("brief", task["account_id"], "--language", "it")
    assert (refused.exit_code, refused.errors[0]["record"]) == (2, "briefs.language")


def test_the_forecast_counts_nothing_twice(home: Any) -> None:
    """Lines sum to the totals however they are grouped; accounts with an open deal have no model line."""
    changes = len(home.audit.changes())
    plain = home.upswell("forecast").data
    assert len(plain["quarters"]) == 4
    for by in ("product", "owner"):
        grouped = home.upswell("forecast", "--by", by).data
        assert grouped["total"] == pytest.approx(plain["total"], abs=1)
        assert sum(line["arr"] for line in grouped["lines"]) == pytest.approx(grouped["total"])
    bases = {line["basis"] for line in plain["lines"]}
    assert bases <= {"Model only", "Open opportunity", "Closed won"}
    pipeline = sum(row["is_pipeline"] for row in scored(home))
    model = [line for line in plain["lines"] if line["basis"] == "Model only"]
    assert {line["count"] for line in model} <= {len(scored(home)) - pipeline}
    assert len(home.audit.changes()) == changes


def scored(home: Any) -> list[dict[str, Any]]:
    """The newest scores in the ledger."""
    from sync.store import Store
    from sync.store.scores import latest_scoring, load_scores

    with Store.open(f"sqlite:///{home.folder / 'upswell' / 'ledger.sqlite'}") as store:
        scoring = latest_scoring(store)
        assert scoring is not None
        rows: list[dict[str, Any]] = load_scores(store, scoring.run_id).to_pylist()
    return rows


@pytest.mark.slow
def test_evaluate_writes_reports_that_hold_the_same_figures(home: Any, tmp_path: Path) -> None:
    """JSON and the page come from one evaluation, load nothing, and the page is kept beside the model."""
    requests = len(home.audit.requests())
    files = ("--out", str(tmp_path / "r.json"), "--html", str(tmp_path / "r.html"))
    data = home.upswell("evaluate", *files, "--cohort", "industry", "--cohort", "owner_id").data
    page = (tmp_path / "r.html").read_text(encoding="utf-8").replace("\N{NO-BREAK SPACE}", " ")
    for figures in data["figures"].values():
        assert f"{figures['auc']:.3f}" in page
    assert data["summary"]["verdict"]["title"] in page
    assert "http" not in page
    assert data["saved"] is False
    assert sum(each["rows"] for each in data["calibration"]) == data["rows"]
    assert {"segment", "plan", "product", "month", "industry", "owner_id"} == set(data["cohorts"])
    for cohorts in data["cohorts"].values():
        assert sum(each["expanded"] for each in cohorts) == data["expanded"]
    assert sum(each["rows"] for each in data["timing"]) == data["rows"]
    told = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert told["data"] == data
    kept = Path(home.upswell("models", data["version"]).data["report"])
    assert kept.read_bytes() == (tmp_path / "r.html").read_bytes()
    assert len(home.audit.requests()) == requests


def test_evaluate_names_the_nearest_column_for_one_that_there_is_not(home: Any) -> None:
    """A group by a column that nobody has is the user's to fix."""
    answer = home.upswell("evaluate", "--cohort", "owner")
    assert answer.exit_code == 2
    assert "owner_id" in answer.errors[0]["message"]


def test_doctor_names_each_fault_with_its_fix_and_exits_2(home: Any) -> None:
    """A field deleted, a mapped one hidden and an export gone: three faults, nothing changed."""
    assert home.upswell("doctor").exit_code == 0
    Schema(home.sandbox.store).remove_field("Account", "Expansion_Tier__c")
    with home.sandbox.store.transaction() as sql:
        sql.execute("DELETE FROM FieldPermissions WHERE Field = 'Account.Seats__c'")
    changes = len(home.audit.changes())
    answer = home.upswell("doctor")
    assert answer.exit_code == 2
    told = {error["record"]: error for error in answer.errors}
    assert set(told) == {"Fields: tier", "Mapping: accounts.seats"}
    assert "upswell install" in told["Fields: tier"]["fix"]
    assert all(error["fix"] for error in answer.errors)
    assert len(home.audit.changes()) == changes


def test_doctor_goes_on_when_the_login_is_refused(home: Any) -> None:
    """A wrong secret is one fault; lake and model are looked at all the same."""
    env = {"UPSWELL_CRM__SALESFORCE__CLIENT_SECRET": "not-the-secret"}
    answer = home.upswell("doctor", env=env)
    assert answer.exit_code == 2
    assert [error["record"] for error in answer.errors] == ["CRM: login"]
    assert {"Lake", "Exports", "Model"} <= {check["area"] for check in answer.data["checks"]}


def test_a_bad_export_is_named_with_row_and_fix_and_the_rest_is_checked(home: Any) -> None:
    """`exports check` reads every file to its end, and leaves the lake as it is."""
    file = sorted((home.folder / "exports" / "billing").glob("*.csv"))[0]
    head, first, *rest = file.read_text(encoding="utf-8").splitlines()
    broken = re.sub(r"\d{4}-\d{2}-\d{2}", "someday", first)
    assert broken != first
    file.write_text("\n".join([head, broken, *rest]) + "\n", encoding="utf-8")
    before = home.upswell("status").data["lake"]
    answer = home.upswell("exports", "check", "--kind", "billing")
    assert answer.exit_code == 2
    assert len(answer.errors) == 1
    assert answer.errors[0]["record"] == f"{file}, line 2 (row 1)"
    assert answer.errors[0]["fix"]
    assert len(answer.data["files"]) > 1
    assert home.upswell("status").data["lake"] == before


def test_an_export_cut_to_its_header_is_warned_of(home: Any) -> None:
    """It can be read, so neither the check nor the pull fails; both name it and say what to do."""
    home.upswell("pull")
    file = sorted((home.folder / "exports" / "billing").glob("*.csv"))[-1]
    file.write_text(file.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    for verb in (("exports", "check", "--kind", "billing"), ("pull",)):
        answer = home.upswell(*verb)
        assert answer.exit_code == 0
        (warning,) = answer.warnings
        assert str(file) in warning
        assert "export it again" in warning


def test_history_shows_what_a_cell_held_before_and_after(home: Any) -> None:
    """A write and its rollback, newest first, with both values of each cell."""
    record = first_task(home)["record_id"]
    home.upswell("rollback")
    writes = home.upswell("history", "--record", record).data["writes"]
    restore, write = (next(w for w in writes if w["kind"] == kind) for kind in ("restore", "write"))
    score = {w["kind"]: next(c for c in w["cells"] if c["key"] == "score") for w in (restore, write)}
    assert score["restore"]["before"] == score["write"]["after"]
    assert score["restore"]["after"] is score["write"]["before"] is None
    runs = home.upswell("history").data["runs"]
    assert [(run["verb"], run["rejected"]) for run in runs] == [("rollback", 0), ("run", 0)]
    assert home.upswell("history", "--rejected").data["writes"] == []
    assert home.upswell("history", "no-such-run").exit_code == 2


def test_a_contact_is_forgotten_and_the_journal_is_still_whole(home: Any) -> None:
    """By id, known from the lake: the brief goes, and what is left can be taken back."""
    task = first_task(home)
    reach = next(
        cell["after"]
        for write in home.upswell("history", "--record", task["record_id"]).data["writes"]
        for cell in write["cells"]
        if cell["key"] == "whom_to_reach"
    )
    with home.sandbox.store.transaction() as sql:
        contacts = sql.execute(
            "SELECT Id, Name FROM Contact WHERE AccountId = ?", (task["record_id"],)
        ).fetchall()
    (contact, name), *_ = [(key, name) for key, name in contacts if f"Talk to {name}" in reach]
    erased = home.upswell("audit", "erase", contact, "--reason", "request 17")
    assert erased.data["entries"] >= 2
    assert erased.data["in_crm"] == 1
    writes = home.upswell("history", "--record", task["record_id"]).data["writes"]
    assert {write["is_erased"] for write in writes} == {True}
    assert name not in json.dumps(writes)
    head = home.upswell("audit", "verify").data["head"]
    home.upswell("rollback")
    verified = home.upswell("audit", "verify", "--head", head)
    assert (verified.exit_code, verified.data["faults"]) == (0, [])


@pytest.mark.slow
def test_the_panels_are_drawn_from_what_the_crm_holds_and_nothing_is_written(
    home: Any, tmp_path: Path
) -> None:
    """Both vendors' panels, with one account's values and the best accounts of its owner."""
    task, changes, file = first_task(home), len(home.audit.changes()), tmp_path / "panel.html"
    answer = home.upswell("panel", task["account_id"], "--out", str(file), "--seen-by", "no-reasons")
    assert (answer.exit_code, answer.data["panels"], answer.data["file"]) == (
        0,
        ["salesforce", "hubspot"],
        str(file),
    )
    assert len(home.audit.changes()) == changes
    held = answer.data["fields"]
    assert {"score", "tier", "reason_1", "reason_codes", "brief", "arr_quarter_1"} <= held.keys()
    (page,) = re.findall(
        r'type="application/json">(.*?)</script>', file.read_text(encoding="utf-8"), re.DOTALL
    )
    previews = json.loads(page)["previews"]
    assert previews["salesforce"]["csm"]["fields"]["Expansion_Reason_1__c"] == held["reason_1"]
    assert previews["hubspot"]["csm"]["fields"]["expansion_score"] == str(held["score"])
    best = previews["salesforce"]["csm"]["accounts"]
    assert best
    assert all(each["fields"]["Expansion_Tier__c"] in ("very_high", "high", "medium") for each in best)


@pytest.mark.slow
def test_a_panel_of_an_unknown_account_names_the_nearest(home: Any, tmp_path: Path) -> None:
    """And writes no page."""
    answer = home.upswell("panel", "Nobody At All", "--out", str(tmp_path / "panel.html"))
    assert answer.exit_code == 2
    assert not (tmp_path / "panel.html").exists()
