"""A quarter after a first run: what came of the scores, and when a model is trained anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from sync.config import load
from sync.store import Store
from sync.store.tables import ScoreRow
from sync.training import why_train
from worker.loop_home import make_loop


def why_now(config: Path) -> str | None:
    """Why `upswell run` would train a model now."""
    loop = make_loop(load(config, {}))
    try:
        return why_train(loop, loop.today())
    finally:
        loop.close()


def say(config: Path, probability: float) -> None:
    """Let every score of the ledger have promised that much."""
    store = Store.open(load(config, {}).state.url)
    try:
        with store.begin() as session:
            assert session.scalars(select(ScoreRow.run_id)).first() is not None
            session.execute(update(ScoreRow).values(probability=probability))
    finally:
        store.close()


@pytest.mark.slow
def test_a_quarter_later_the_month_is_told_and_a_model_that_slipped_is_trained_anew(home: Any) -> None:
    """The first scoring's month with what was said and what came; scores that promised too much ask for a new
    model, as one of yesterday's format does, which a run replaces and goes on."""
    version = home.first_run["data"]["train"]["model_version"]
    text = home.config.read_text("utf-8")
    home.config.write_text(text + "\n[model]\nretrain_days = 400\n", encoding="utf-8")
    assert why_now(home.config) is None
    home.upswell("sandbox", "advance", "--data", str(home.folder), "--weeks", "13")
    assert home.upswell("pull").exit_code == 0

    told = home.upswell("outcomes").data["learning"]
    (month,) = told["months"]
    assert (month["month"], month["as_of"], month["model_version"]) == ("2026-11", "2026-11-02", version)
    assert 0 < month["expanded"] < month["accounts"]
    assert 0 <= month["high_expanded"] <= month["high"]
    assert month["realised_arr"] > 0
    assert sum(each["rows"] for each in told["bins"]) == month["accounts"]
    assert sum(each["expanded"] for each in told["bins"]) == month["expanded"]
    assert told["waiting"] is None

    assert why_now(home.config) is None
    say(home.config, 0.9)
    why = why_now(home.config)
    assert why is not None
    assert why.startswith("calibration has slipped: 90.0% were said to expand")

    manifest = Path(load(home.config, {}).state.models) / version / "manifest.json"
    held = json.loads(manifest.read_text("utf-8"))
    manifest.write_text(json.dumps(held | {"format": 1}), encoding="utf-8")
    refused = home.upswell("score")
    assert refused.exit_code == 2
    assert "has format 1" in refused.errors[0]["message"]
    assert "train again" in refused.errors[0]["fix"]
    run = home.upswell("run", "--no-apply")
    assert run.exit_code == 0
    assert run.data["train"]["promoted"]
    assert run.data["train"]["why"].startswith("the one in use can't score")
    assert run.data["score"]["model_version"] == run.data["train"]["model_version"] != version
