"""Stages of deal and ticket pipelines: what an internal stage id means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage. `probability` is 0–1, None where the pipeline has none (tickets)."""

    label: str
    pipeline: str
    probability: float | None
    is_closed: bool

    @property
    def is_won(self) -> bool:
        """A closed deal stage at 100 %, which is how HubSpot itself tells."""
        return self.is_closed and self.probability == 1.0


class Pipelines:
    """Stages by id, read once for each object; `get` calls the pipelines API."""

    def __init__(self, get: Callable[[str], Any], path: Callable[[str], str]) -> None:
        self._get = get
        self._path = path
        self._known: dict[str, Mapping[str, Stage]] = {}

    def __getitem__(self, object_name: str) -> Mapping[str, Stage]:
        """The stages of deals or tickets by id."""
        if object_name not in self._known:
            found = self._get(self._path(object_name))["results"]
            self._known[object_name] = {
                str(stage["id"]): _stage(stage, pipeline)
                for pipeline in found
                for stage in pipeline.get("stages") or ()
            }
        return self._known[object_name]


def _stage(stage: Mapping[str, Any], pipeline: Mapping[str, Any]) -> Stage:
    about = stage.get("metadata") or {}
    closed = str(about.get("isClosed") or "").lower() == "true" or about.get("ticketState") == "CLOSED"
    chance = about.get("probability")
    return Stage(
        label=str(stage.get("label") or stage["id"]),
        pipeline=str(pipeline.get("label") or pipeline["id"]),
        probability=float(chance) if chance not in {None, ""} else None,
        is_closed=closed,
    )
