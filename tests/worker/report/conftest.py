"""An evaluation made of small arrays, which says whatever a test wants it to say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest

from model.aftermath import timing_figures, value_figures
from model.baselines import Said
from model.influence import Dependence, FamilyShare, Signal, Swarm
from model.leads import Lead
from model.reliability import calibration, cohorts, gains, precision_recall
from sync.evaluation import DataGaps, Evaluation
from sync.model_changes import Changes

ROWS = 600
HOSTILE = "<script>alert(1)</script> A|B"
OTHERS = ("scorecard", "seat_rule", "blog_recipe", "last_quarter", "base_rate")


def said_of(rng: np.random.Generator, truth: np.ndarray) -> Mapping[str, Said]:
    """What each says: Upswell the truth, the others something between it and nothing."""
    told = {"upswell": Said(probability=truth, ranking=truth)}
    for place, name in enumerate(OTHERS):
        part = 0.6 - 0.15 * place
        dim = np.clip(part * truth + (1 - part) * truth.mean(), 0.01, 0.99)
        told[name] = Said(probability=dim, ranking=dim + rng.normal(0, 0.1, truth.size))
    return told


def signal(name: str, share: float) -> Signal:
    """A signal whose probability rises with it."""
    curve = tuple(Dependence(at=float(at), label=f"{at}", probability=0.1 + at / 20) for at in range(5))
    return Signal(
        feature=name,
        about="Share of <b>seats</b> used",
        family="seats",
        share=share,
        mean=share / 2,
        direction="up",
        curve=curve,
    )


@pytest.fixture
def evaluation() -> Evaluation:
    """600 rows, of which 120 expanded as was said; a segment's name is hostile to every format."""
    rng = np.random.default_rng(4)
    truth = np.tile(np.linspace(0.02, 0.38, 20), ROWS // 20)
    outcome = np.zeros(ROWS)
    # as many of each probability as it says, so that nothing is left to chance
    for share in np.unique(truth):
        rows = np.flatnonzero(truth == share)
        outcome[rows[: round(share * rows.size)]] = 1.0
    told = said_of(rng, truth)
    names = ["SMB" if place % 3 else HOSTILE for place in range(ROWS)]
    timing = np.where(truth > 0.3, "now", np.where(truth > 0.2, "d30", "hold"))
    days = np.where(outcome > 0, 20.0 + 60 * (truth < 0.3), float("nan"))
    added = np.where(outcome > 0, 1000.0, float("nan"))
    return Evaluation(
        version="2026.11.02-1",
        basis="model",
        currency="USD",
        horizon_days=90,
        target="An account expands when a deal is won.",
        saved=True,
        judged_basis="model",
        first_day=date(2026, 6, 1),
        last_day=date(2026, 6, 1),
        rows=ROWS,
        accounts=ROWS,
        expanded=int(outcome.sum()),
        figures={name: each.figures(outcome) for name, each in told.items()},
        leads={name: Lead(gain=0.02, low=0.01, high=0.03) for name in OTHERS},
        at_training={},
        facts_at_training={
            "rows": 5000,
            "expansions": 400,
            "history_days": 700,
            "first_as_of": "2024-12-02",
            "last_as_of": "2026-03-02",
            "features": 200,
            "has_signal": True,
            "suspicions": {"nps": "it is filled almost only where <i>an expansion</i> followed"},
            "allowed": {},
        },
        said=float(truth.mean()),
        calibrated=True,
        calibration=tuple(calibration(outcome, truth)),
        gains={name: tuple(gains(outcome, each.ranking)) for name, each in told.items()},
        precision_recall={
            name: tuple(precision_recall(outcome, each.ranking)) for name, each in told.items()
        },
        top_quarter=gains(outcome, truth, steps=4)[0].lift * float(outcome.mean()),
        cohorts={"segment": tuple(cohorts(outcome, truth, names))},
        value=value_figures(
            added, added * 1.1, added * 0.8, np.where(np.arange(ROWS) % 5, added * 2, added * 0.9)
        ),
        product={"rows": 100.0, "first_right": 0.55, "two_right": 0.85, "commonest": 0.45},
        timing=tuple(timing_figures([str(each) for each in timing], truth, outcome, days, 90)),
        signals=(signal("seat_utilisation", 0.4), signal("qbr_outcome", 0.2)),
        families=(FamilyShare(family="seats", title="Seat utilisation", share=1.0),),
        changes=Changes(
            since="2026.08.03-1",
            verdict="It is better.",
            target=None,
            added=("<b>new</b>",),
            removed=(),
            figures={"auc": (0.8, 0.81)},
            facts={"rows": (4000, 5000)},
        ),
        gaps=DataGaps(absent={"Support": ("tickets.body",)}, families=15, completeness=0.9, too_little=0.0),
        data_changed=False,
        swarm=Swarm(
            features=("seat_utilisation", "qbr_outcome"),
            contributions=rng.normal(0, 0.2, (80, 2)),
            values=np.column_stack([rng.random(80), np.full(80, np.nan)]),
        ),
    )


@pytest.fixture
def told(evaluation: Evaluation) -> Callable[..., Evaluation]:
    """The evaluation with some of its parts replaced."""

    def change(**parts: Any) -> Evaluation:
        return replace(evaluation, **parts)

    return change
