"""Which kind of conversation fits an account: the built-in plays, from health, pipeline, timing and tier.

RevOps may add plays of their own (`[plays.NAME]`); `sync.play_rules` says which of all of them fit.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final


class Play(StrEnum):
    """A built-in kind of conversation; the values are the keys of the CRM's picklist."""

    EXPAND = "expand"  # ask for it
    PREPARE = "prepare"  # within 90 days: line up people and proof
    NURTURE = "nurture"  # health is yellow: help first, no price ask
    RETAIN = "retain"  # health is red: retention first, no task
    NONE = "none"


BUILT_IN: Final = (Play.EXPAND, Play.PREPARE, Play.NURTURE, Play.RETAIN)
READY_TIMINGS: Final = frozenset({"now", "d30"})
READY_TIERS: Final = frozenset({"very_high", "high", "medium"})


def play_of_score(score: Mapping[str, Any]) -> Play:
    """The play that fits a scored account."""
    return play_of(
        health=score["health"],
        timing=score["timing"],
        tier=score["tier"],
        is_pipeline=bool(score["is_pipeline"]),
    )


def play_of(*, health: str | None, timing: str | None, tier: str | None, is_pipeline: bool) -> Play:
    """The play that fits. An open expansion deal has its own owner and plan, so it gets none."""
    if health == "red":
        return Play.RETAIN
    if is_pipeline or tier not in READY_TIERS or timing in (None, "hold"):
        return Play.NONE
    if health == "yellow":
        return Play.NURTURE
    return Play.EXPAND if timing in READY_TIMINGS else Play.PREPARE
