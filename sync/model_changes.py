"""What changed from one saved model to the next: features, figures, target, and how they compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from model.challenge import Verdict
from model.errors import ModelError
from model.registry import Registry
from model.target import Target

FIGURES: Final = ("auc", "pr_auc", "log_loss", "ece", "lift_20")


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """One model against the one before it: the one in use then, else the newest that is older.

    `verdict` says which was better on the same rows, where they were compared at training. `figures` has each
    metric of the one before and of this one, each on its own latest slice; `facts` rows, expansions and
    features. `target` tells the one before's in a sentence where it was another."""

    since: str
    verdict: str | None
    target: str | None
    added: tuple[str, ...]
    removed: tuple[str, ...]
    figures: Mapping[str, tuple[float, float]]
    facts: Mapping[str, tuple[int, int]]


def changes_of(registry: Registry, version: str) -> Changes | None:
    """What is different in a version; None for the first one, or where the one before can't be read."""
    kept = registry.verdict(version)
    older = registry.versions()[: registry.versions().index(version)]
    since = kept["champion"] if kept is not None else older[-1] if older else None
    if since is None:
        return None
    try:
        before, now = registry.manifest(since), registry.manifest(version)
    except ModelError:
        return None
    past, present = (Target.from_json(dict(each["target"])) for each in (before, now))
    return Changes(
        since=since,
        verdict=None if kept is None else Verdict(**kept).sentence(),
        target=None if past.fingerprint == present.fingerprint else past.sentence(),
        added=tuple(name for name in now["features"] if name not in before["features"]),
        removed=tuple(name for name in before["features"] if name not in now["features"]),
        figures=_both(before["metrics"].get("served", {}), now["metrics"].get("served", {}), FIGURES),
        facts={
            **_both(before["facts"], now["facts"], ("rows", "expansions", "history_days")),
            "features": (len(before["features"]), len(now["features"])),
        },
    )


def _both(before: Mapping[str, Any], now: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: (before[name], now[name]) for name in names if name in before and name in now}
