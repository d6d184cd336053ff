"""A back-filled field that RevOps has mapped: left out, said, and no harm to the scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from model.registry import Registry
from sync.config import load
from sync.store import Store
from sync.store.scores import latest_scoring, load_scores
from worker.referee import judge


def map_segment(folder: Path, old: str, new: str) -> None:
    """Let the segment come from another field of the CRM."""
    settings = folder / "upswell.toml"
    text = settings.read_text(encoding="utf-8")
    assert f'segment = "{old}"' in text
    settings.write_text(text.replace(f'segment = "{old}"', f'segment = "{new}"'), encoding="utf-8")


def test_a_back_filled_field_that_is_mapped_is_left_out_and_said(served: Any) -> None:
    """In either CRM: the warning names it and says what to do; the model knows nothing made of it."""
    words = served.words
    map_segment(served.folder, words.segment, words.back_filled)
    served.upswell("pull", "--full", "--no-exports")
    answer = served.upswell("train")
    assert answer["data"]["suspects"] == ["segment"]
    (warning,) = answer["warnings"]
    assert warning.startswith("segment is left out of the model: ")
    assert "[mapping.accounts]" in warning
    with served.loop() as loop:
        trained = loop.registry.load(answer["data"]["model_version"])
    assert not {name for name in trained.features if "segment" in name or "alike" in name}


@pytest.mark.soak
def test_scores_are_as_good_as_without_it(home: Any) -> None:
    """By the truth, which the referee alone knows; what it looks like on past rows is no better either."""
    shown, true = quality(home.folder)
    map_segment(home.folder, "Segment__c", "Upsell_Stage__c")
    home.upswell("pull", "--full", "--no-exports")
    home.upswell("train")
    home.upswell("score")
    shown_now, true_now = quality(home.folder)
    assert true_now >= true - 0.005
    assert shown_now <= shown + 0.005


def quality(folder: Path) -> tuple[float, float]:
    """The current model's AUC as it is shown to people, and that of the newest scores by the truth."""
    settings = load(folder / "upswell.toml", {})
    registry = Registry(settings.state.models)
    assert registry.current is not None
    with Store.open(settings.state.url) as store:
        scoring = latest_scoring(store)
        assert scoring is not None
        scores = load_scores(store, scoring.run_id)
    verdict = judge(folder, scores.append_column("external_id", scores["account_id"]), {})
    assert verdict is not None
    return registry.load(registry.current).metrics["served"]["auc"], verdict.auc
