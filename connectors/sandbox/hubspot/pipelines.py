"""The account's pipelines and their stages, as an administrator set them up.

Source: "Pipelines", HubSpot API reference: a deal stage has a probability, a ticket stage is open or closed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage; `probability` is 0–1 and only deals have it."""

    id: str
    label: str
    closed: bool = False
    won: bool = False
    probability: float | None = None

    @property
    def metadata(self) -> dict[str, str]:
        """What the pipelines API says about it besides its name."""
        if self.probability is None:
            return {"ticketState": "CLOSED" if self.closed else "OPEN", "isClosed": str(self.closed).lower()}
        return {
            "isClosed": str(self.closed).lower(),
            "probability": f"{self.probability:.2f}".rstrip("0").rstrip("."),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """One pipeline with its stages in order."""

    id: str
    label: str
    stages: tuple[Stage, ...]

    def stage(self, stage_id: str) -> Stage | None:
        """The stage of this id, or None."""
        return next((stage for stage in self.stages if stage.id == stage_id), None)


_DEALS: Final = Pipeline(
    id="default",
    label="Sales Pipeline",
    stages=(
        Stage(id="prospecting", label="Prospecting", probability=0.1),
        Stage(id="qualification", label="Qualification", probability=0.1),
        Stage(id="needsanalysis", label="Needs Analysis", probability=0.2),
        Stage(id="proposalpricequote", label="Proposal/Price Quote", probability=0.75),
        Stage(id="negotiationreview", label="Negotiation/Review", probability=0.9),
        Stage(id="closedwon", label="Closed Won", probability=1.0, closed=True, won=True),
        Stage(id="closedlost", label="Closed Lost", probability=0.0, closed=True),
    ),
)
_TICKETS: Final = Pipeline(
    id="0",
    label="Support Pipeline",
    stages=(
        Stage(id="1", label="New"),
        Stage(id="2", label="Working"),
        Stage(id="3", label="Escalated"),
        Stage(id="4", label="Closed", closed=True),
    ),
)

PIPELINES: Final[Mapping[str, tuple[Pipeline, ...]]] = MappingProxyType(
    {"deals": (_DEALS,), "tickets": (_TICKETS,)}
)
"""Pipelines by object type."""


def pipeline_of(object_name: str, pipeline_id: str) -> Pipeline | None:
    """The pipeline of this id, or None."""
    return next((pipeline for pipeline in PIPELINES.get(object_name, ()) if pipeline.id == pipeline_id), None)
