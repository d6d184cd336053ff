"""Runs, steps, scores and leases in the ledger."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from connectors.errors import StateError
from sync.store import Store
from sync.store.locks import Lease, lease
from sync.store.runs import (
    begin_step,
    bind_run,
    end_run,
    finish_step,
    latest_run,
    start_run,
    steps_done,
)
from sync.store.scores import SCORES, latest_scoring, load_scores, save_scores
from sync.store.tables import RunRow


def test_a_resumed_run_knows_what_is_done(ledger: Store, noon: datetime) -> None:
    """A step that began and never ended is not done."""
    run = start_run(ledger, "run", config_hash="c", now=noon)
    begin_step(ledger, run, 1, "pull", now=noon)
    finish_step(ledger, run, 1, now=noon, detail={"rows": 7})
    begin_step(ledger, run, 2, "train", now=noon)
    assert steps_done(ledger, run) == {"pull": {"rows": 7}}
    begin_step(ledger, run, 2, "train", now=noon)
    finish_step(ledger, run, 2, now=noon)
    assert list(steps_done(ledger, run)) == ["pull", "train"]


def test_the_latest_run_is_the_one_that_started_last(ledger: Store, noon: datetime) -> None:
    """Of the verb and status asked for."""
    first = start_run(ledger, "run", config_hash="c", now=noon)
    second = start_run(ledger, "score", config_hash="c", now=noon + timedelta(minutes=1))
    end_run(ledger, first, status="done", now=noon)
    bind_run(ledger, first, as_of=date(2026, 11, 23))

    def latest(verb: str | None = None, *, status: str | None = None) -> str | None:
        row = latest_run(ledger, verb, status=status)
        return row.id if isinstance(row, RunRow) else None

    assert latest() == second
    assert latest("run") == latest(status="done") == first
    assert latest("apply") is None
    found = latest_run(ledger, "run")
    assert found is not None
    assert found.as_of == date(2026, 11, 23)


def test_an_unknown_run_is_told(ledger: Store, noon: datetime) -> None:
    """With what lists the known ones."""
    with pytest.raises(StateError, match="upswell status"):
        end_run(ledger, "nobody", status="done", now=noon)
    with pytest.raises(StateError, match="begin_step"):
        finish_step(ledger, "nobody", 1, now=noon)


def _scores(*rows: dict[str, Any]) -> pa.Table:
    plain = dict.fromkeys(SCORES.names) | {"as_of": date(2026, 11, 23), "tier": "high", "model_version": "v1"}
    return pa.Table.from_pylist([plain | {"is_pipeline": False} | row for row in rows], schema=SCORES)


def test_scores_come_back_as_they_were_kept(ledger: Store, noon: datetime) -> None:
    """Reasons with their shares included; by priority, those without one last."""
    reason = {"code": "SEATS", "family": "seats", "share": 0.4, "sentence": "Seats 96 % used"}
    scores = _scores(
        {"account_id": "b", "crm_id": "B", "probability": 0.5, "priority": 2, "reasons": [reason],
         "against": [], "health_reasons": ["fine"], "reason_codes": ["SEATS"]},
        {"account_id": "c", "reasons": [], "against": [], "health_reasons": [], "reason_codes": []},
        {"account_id": "a", "priority": 1, "reasons": [], "against": [], "health_reasons": [],
         "reason_codes": []},
    )  # fmt: skip
    run = start_run(ledger, "score", config_hash="c", now=noon)
    save_scores(ledger, run, scores, as_of=date(2026, 11, 23), model_version="v1", data_hash="d", now=noon)
    assert load_scores(ledger, run) == scores.take([2, 0, 1])
    latest = latest_scoring(ledger)
    assert latest is not None
    assert (latest.run_id, latest.accounts) == (run, 3)
    assert latest_scoring(ledger, before=date(2026, 11, 23)) is None


def test_a_run_scores_once(ledger: Store, noon: datetime) -> None:
    """A second set of scores for a run would leave two truths."""
    run = start_run(ledger, "score", config_hash="c", now=noon)
    facts: dict[str, Any] = {
        "as_of": date(2026, 11, 23),
        "model_version": "v1",
        "data_hash": "d",
        "now": noon,
    }
    save_scores(ledger, run, _scores(), **facts)
    with pytest.raises(StateError, match="already"):
        save_scores(ledger, run, _scores(), **facts)
    with pytest.raises(StateError, match="no column tier"):
        save_scores(ledger, "other", _scores().drop(["tier"]), **facts)
    with pytest.raises(StateError, match="no scores"):
        load_scores(ledger, "other")


def test_a_lease_is_held_by_one(ledger: Store, noon: datetime) -> None:
    """The other is told until when, and gets it once it is given back."""
    with lease(ledger, "apply:org", clock=lambda: noon):
        with pytest.raises(StateError, match="12:05:00 UTC"), lease(ledger, "apply:org", clock=lambda: noon):
            pass
        with lease(ledger, "apply:other", clock=lambda: noon):
            pass
    with lease(ledger, "apply:org", clock=lambda: noon):
        pass


def test_a_lease_that_ran_out_goes_to_the_next_and_the_first_is_told(ledger: Store, noon: datetime) -> None:
    """A killed worker blocks nobody for long; one that was only slow must stop."""
    slow = Lease(ledger, "apply", clock=lambda: noon)
    slow.take()
    quick = Lease(ledger, "apply", clock=lambda: noon + timedelta(minutes=5))
    quick.take()
    with pytest.raises(StateError, match="lost it"):
        slow.renew()
    slow.release()  # gives nothing back that is not its own
    quick.renew()
    with pytest.raises(StateError, match="another run holds it"):
        slow.take()


def test_a_look_back_is_not_the_newest_scoring(ledger: Store, noon: datetime) -> None:
    """What is scored today as of an earlier day does not replace the scoring of the latest day."""
    today = start_run(ledger, "score", config_hash="c", now=noon)
    save_scores(
        ledger, today, _scores(), as_of=date(2026, 11, 23), model_version="v1", data_hash="d", now=noon
    )
    back = start_run(ledger, "score", config_hash="c", now=noon)
    later = noon + timedelta(hours=1)
    save_scores(
        ledger, back, _scores(), as_of=date(2026, 6, 30), model_version="v1", data_hash="d", now=later
    )
    latest = latest_scoring(ledger)
    assert latest is not None
    assert latest.run_id == today
