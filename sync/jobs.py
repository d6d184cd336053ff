"""The verbs that can be queued, with the steps of each, and those that a schedule may start."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

WHOLE: Final = ("pull", "exports", "train", "score", "plan", "apply", "outcomes")

VERBS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "run": WHOLE,
        "pull": ("pull", "exports"),
        "train": ("train",),
        "score": ("score",),
        "plan": ("plan",),
        "apply": ("apply",),
        "outcomes": ("outcomes",),
        "demo": WHOLE,
    }
)
JOBS: Final = tuple(verb for verb in VERBS if verb != "demo")


def steps_of(verb: str, asked: Mapping[str, Any]) -> tuple[str, ...]:
    """The steps of a verb under its options: without "apply" where nothing is to be written."""
    return tuple(step for step in VERBS[verb] if step != "apply" or asked.get("apply", True))
