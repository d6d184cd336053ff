"""What changed from one model to the next is read from their manifests."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from model.challenge import Verdict
from model.registry import Registry
from model.target import Target
from sync.model_changes import changes_of

Make = Callable[..., None]


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """An empty folder of models."""
    return Registry(tmp_path)


@pytest.fixture
def make(registry: Registry) -> Make:
    """Lays down a version's manifest."""

    def lay(version: str, *features: str, auc: float = 0.8, **target: Any) -> None:
        folder = registry.folder / version
        folder.mkdir()
        manifest = {
            "format": 2,
            "features": list(features),
            "target": Target(**target).as_json(),
            "metrics": {"served": {"auc": auc, "log_loss": 0.25}},
            "facts": {"rows": 1000, "expansions": 100, "history_days": 500},
        }
        (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")

    return lay


def test_the_first_model_has_nothing_before_it(registry: Registry, make: Make) -> None:
    """Nor has one whose only neighbour is newer."""
    make("2026.08.03-1", "seats")
    make("2026.11.02-1", "seats")
    assert changes_of(registry, "2026.08.03-1") is None


def test_features_that_came_and_went_and_both_figures_are_told(registry: Registry, make: Make) -> None:
    """Against the newest older one, with what both measured at training."""
    make("2026.07.06-1", "seats", "arr")
    make("2026.08.03-1", "seats", "nps", auc=0.8)
    make("2026.11.02-1", "seats", "qbr", auc=0.85)
    found = changes_of(registry, "2026.11.02-1")
    assert found is not None
    assert (found.since, found.added, found.removed) == ("2026.08.03-1", ("qbr",), ("nps",))
    assert found.figures == {"auc": (0.8, 0.85), "log_loss": (0.25, 0.25)}
    assert found.facts["features"] == (2, 2)
    assert found.verdict is None
    assert found.target is None


def test_a_model_that_was_compared_is_held_against_the_one_it_was_compared_with(
    registry: Registry, make: Make
) -> None:
    """The one in use then, not the newest; the verdict is told in its sentence."""
    make("2026.07.06-1", "seats")
    make("2026.08.03-1", "seats")
    make("2026.11.02-1", "seats")
    verdict = Verdict(
        champion="2026.07.06-1",
        challenger="2026.11.02-1",
        outcome="better",
        gain=0.01,
        low=0.004,
        high=0.02,
        champion_saved=True,
        first_day=date(2026, 5, 18),
        last_day=date(2026, 7, 13),
        rows=900,
        accounts=300,
        expanded=70,
        figures={},
    )
    registry.keep_verdict("2026.11.02-1", verdict)
    found = changes_of(registry, "2026.11.02-1")
    assert found is not None
    assert found.since == "2026.07.06-1"
    assert found.verdict == verdict.sentence()
    assert "2026-05-18 to 2026-07-13" in found.verdict
    assert "better than 2026.07.06-1" in found.verdict


def test_another_target_is_told_and_a_damaged_manifest_is_no_model(registry: Registry, make: Make) -> None:
    """The one before's in a sentence; what can't be read can't be compared."""
    make("2026.08.03-1", "seats", horizon_days=60)
    make("2026.11.02-1", "seats")
    found = changes_of(registry, "2026.11.02-1")
    assert found is not None
    assert found.target is not None
    assert "within 60 days" in found.target
    (registry.folder / "2026.08.03-1" / "manifest.json").write_text("{", encoding="utf-8")
    assert changes_of(registry, "2026.11.02-1") is None
