"""`upswell schedule`, `run --detach` and `worker --once` as a user calls them, without a CRM."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from worker.cli import upswell

Call = Callable[..., dict[str, Any]]


@pytest.fixture
def call(tmp_path: Path) -> Call:
    """Call a verb with --json on an installation whose settings know one schedule."""
    config = tmp_path / "upswell.toml"
    config.write_text(
        '[crm]\nkind = "salesforce"\n[company]\ntimezone = "America/New_York"\n'
        '[schedules]\nrun = { cron = "0 6 * * 1-5" }\n'
    )

    def invoke(*arguments: str) -> dict[str, Any]:
        result = CliRunner().invoke(
            upswell, ["--config", str(config), *arguments, "--json"], catch_exceptions=False
        )
        answer: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
        assert answer["exit_code"] == result.exit_code
        return answer

    return invoke


def listed(call: Call) -> dict[str, dict[str, Any]]:
    """The schedules by name."""
    return {each["name"]: each for each in call("schedule", "list")["data"]["schedules"]}


def test_the_settings_schedule_is_there_in_the_company_s_zone(call: Call) -> None:
    """Without a worker ever having run."""
    run = listed(call)["run"]
    assert (run["job"], run["cron"], run["source"]) == ("run", "0 6 * * 1-5", "settings")
    assert run["timezone"] == "America/New_York"
    assert run["next"] is not None


def test_a_schedule_is_added_shown_paused_resumed_and_removed(call: Call) -> None:
    """By cron or by interval, with the verb's options; each step shows in the list."""
    added = call("schedule", "add", "dry", "--job", "run", "--every", "15m", "--no-apply")
    assert added["exit_code"] == 0, added["errors"]
    dry = listed(call)["dry"]
    assert (dry["job"], dry["every_seconds"], dry["asked"]) == ("run", 900, {"apply": False})
    assert dry["source"].startswith("os:")
    call("schedule", "pause", "dry")
    assert (listed(call)["dry"]["enabled"], listed(call)["dry"]["next"]) == (False, None)
    call("schedule", "resume", "dry")
    assert listed(call)["dry"]["enabled"] is True
    assert call("schedule", "remove", "dry")["data"] == {"removed": True}
    assert list(listed(call)) == ["run"]


def test_the_coming_slots_are_shown(call: Call) -> None:
    """In order, on weekdays at six in New York."""
    shown = call("schedule", "next", "run", "--count", "10")["data"]["next"]
    slots = [datetime.fromisoformat(slot) for slot in shown]
    assert slots == sorted(set(slots))
    assert len(slots) == 10
    assert {slot.hour for slot in slots} <= {10, 11}  # UTC, in summer and winter
    assert {slot.weekday() for slot in slots} == {0, 1, 2, 3, 4}


def test_a_wrong_schedule_is_refused_with_what_to_give(call: Call) -> None:
    """Exit code 2, and nothing is added."""
    for arguments in (
        ("it", "--job", "run"),
        ("it", "--job", "run", "--cron", "0 25 * * *"),
        ("it", "--job", "trian", "--every", "1h"),
        ("it", "--job", "run", "--every", "1h", "--timezone", "Mars/Base"),
    ):
        answer = call("schedule", "add", *arguments)
        assert answer["exit_code"] == 2
        assert answer["errors"][0]["fix"]
    assert list(listed(call)) == ["run"]
    assert "Did you mean run" in call("schedule", "pause", "rnu")["errors"][0]["message"]


def test_a_run_that_is_queued_is_done_by_a_worker_and_fails_for_what_is_missing(call: Call) -> None:
    """Here there is no login; the reason stands in the status, and the worker goes on."""
    queued = call("run", "--detach", "--no-apply")
    assert queued["data"] == {"queued": queued["run_id"], "rang": False}
    started = call("schedule", "run", "run")
    assert call("worker", "--once")["data"]["worked"] == [queued["run_id"], started["run_id"]]
    status = call("status")["data"]
    assert {run["id"]: run["status"] for run in status["runs"]} == {
        queued["run_id"]: "failed",
        started["run_id"]: "failed",
    }
    assert all("client_id" in run["error"] for run in status["runs"])
    (worker,) = status["workers"]
    assert worker["health"] == "ended"
