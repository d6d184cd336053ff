"""Facts about saved models."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.errors import ModelError
from model.panel import Rows
from model.registry import Registry
from model.trained import TrainedModel

DAY = date(2026, 6, 1)


@pytest.fixture
def saved(tmp_path: Path, trained: TrainedModel) -> Registry:
    """A registry with one version."""
    registry = Registry(tmp_path / "models")
    registry.save(trained, DAY)
    return registry


def _edit_manifest(registry: Registry, change: Callable[[dict[str, Any]], None]) -> None:
    path = registry.folder / "2026.06.01-1" / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    change(manifest)
    path.write_text(json.dumps(manifest), encoding="utf-8")


def test_a_loaded_model_scores_as_the_saved_one(saved: Registry, trained: TrainedModel, rows: Rows) -> None:
    """Log-odds are identical after saving and loading, and the version is known."""
    loaded = saved.load()
    assert np.array_equal(loaded.margins(rows.table), trained.margins(rows.table))
    assert loaded.version == "2026.06.01-1"
    assert loaded.target == trained.target


def test_versions_count_up_and_only_promotion_changes_the_current_one(
    saved: Registry, trained: TrainedModel
) -> None:
    """The second model of a day is -2; the first stays current until the second is promoted."""
    assert saved.save(trained, DAY) == "2026.06.01-2"
    assert (saved.current, saved.versions()) == ("2026.06.01-1", ("2026.06.01-1", "2026.06.01-2"))
    saved.promote("2026.06.01-2")
    assert saved.current == "2026.06.01-2"


def test_a_flipped_bit_is_caught(saved: Registry) -> None:
    """One changed byte in a model file is refused, with the fix."""
    path = saved.folder / "2026.06.01-1" / "probability.cbm"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(ModelError, match=r"sha256 differs.*Fix:"):
        saved.load()


def test_golden_predictions_catch_a_damaged_model_with_a_forged_hash(
    saved: Registry, trained: TrainedModel
) -> None:
    """A model that is not the judged one is refused even when its hash was written anew."""
    path = saved.folder / "2026.06.01-1" / "probability.cbm"
    other = trained.booster.copy()
    other.shrink(ntree_end=max(1, other.tree_count_ // 2))
    other.save_model(str(path))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    _edit_manifest(saved, lambda manifest: manifest["files"].update({"probability.cbm": digest}))
    with pytest.raises(ModelError, match="no longer gives"):
        saved.load()


def test_reordered_features_are_caught(saved: Registry) -> None:
    """CatBoost would score swapped columns without a word; the registry does not load them."""

    def swap(manifest: dict[str, Any]) -> None:
        names = manifest["features"]
        names[0], names[1] = names[1], names[0]

    _edit_manifest(saved, swap)
    with pytest.raises(ModelError, match="in that order"):
        saved.load()


def test_a_scorecard_is_saved_without_model_files(tmp_path: Path, trained: TrainedModel, rows: Rows) -> None:
    """A scorecard has a manifest and a card, and scores the same after loading."""
    rules = dataclasses.replace(trained, booster=None, basis="scorecard", weight=0.0)
    registry = Registry(tmp_path)
    version = registry.save(rules, DAY)
    assert "rule scorecard" in registry.card(version)
    assert np.array_equal(registry.load().margins(rows.table), rules.margins(rows.table))


def test_an_empty_registry_says_to_train(tmp_path: Path) -> None:
    """Loading from nowhere names the command to run."""
    with pytest.raises(ModelError, match="upswell train"):
        Registry(tmp_path).load()


def test_the_card_shows_every_baseline(saved: Registry) -> None:
    """The card has the figures of the model, the scorecard, the seat rule and the base rate."""
    card = saved.card("2026.06.01-1")
    for name in ("CatBoost and curves", "Rule scorecard", "Seat rule", "Base rate"):
        assert name in card


def test_the_card_tells_use_making_limits_and_versions(saved: Registry, trained: TrainedModel) -> None:
    """All headings of a model card, the target in its sentence, and the libraries that it was made with."""
    card, manifest = saved.card("2026.06.01-1"), saved.manifest("2026.06.01-1")
    titles = [line.removeprefix("## ") for line in card.splitlines() if line.startswith("## ")]
    assert titles == [
        "Intended use",
        "Target",
        "Data",
        "How it is made",
        "Quality",
        "Signals left out, or vouched for",
        "Limits",
        "Made with",
    ]
    assert trained.target.sentence() in card
    assert ("Risk on" in card) == ("risk" in trained.metrics)
    assert {"upswell", "python", "catboost"} <= set(manifest["made_with"])
    assert all(f"{name} {version}" in card for name, version in manifest["made_with"].items())


def test_a_report_is_kept_beside_its_model_in_place_of_an_older_one(saved: Registry) -> None:
    """Without one there is none; the model loads as before."""
    version = "2026.06.01-1"
    assert saved.report(version) is None
    for page in ("<p>old</p>", "<p>new</p>"):
        saved.keep_report(version, page)
    kept = saved.report(version)
    assert kept is not None
    assert kept.read_text(encoding="utf-8") == "<p>new</p>"
    assert saved.load(version).version == version


@pytest.mark.parametrize(
    "foreign",
    [
        [],
        {"format": 2},
        {"format": 2, "version": "2026.06.01-1", "files": ["probability.cbm"]},
        {"format": 2, "version": "2026.06.01-1", "files": {"../../secrets": "0" * 64}},
        {"format": 2, "version": "2026.06.01-1", "files": {}, "features": None},
        {"format": 2, "version": "2027.01.01-1", "files": {}},
    ],
)
def test_a_foreign_manifest_is_refused_with_what_to_do(saved: Registry, foreign: object) -> None:
    """Whatever it says: a list, half a manifest, another version's, files that are no model's."""
    path = saved.folder / "2026.06.01-1" / "manifest.json"
    path.write_text(json.dumps(foreign), encoding="utf-8")
    with pytest.raises(ModelError, match=r"2026\.06\.01-1") as refused:
        saved.load()
    assert "train again" in refused.value.fix


def test_golden_predictions_of_another_shape_are_refused(saved: Registry) -> None:
    """As those that differ are."""
    _edit_manifest(saved, lambda manifest: manifest["golden"].update({"log-odds": [0.0, 1.0]}))
    with pytest.raises(ModelError, match="its manifest is not one"):
        saved.load()


def test_a_model_of_an_older_format_says_so_and_what_to_do(saved: Registry) -> None:
    """After an upgrade: nothing is guessed of what it meant."""
    _edit_manifest(saved, lambda manifest: manifest.update(format=1))
    with pytest.raises(
        ModelError, match=r"^Model 2026\.06\.01-1 has format 1; this Upswell reads 2"
    ) as refused:
        saved.load()
    assert "train again" in refused.value.fix
