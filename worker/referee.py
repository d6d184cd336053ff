"""How good the sandbox's scores are, judged by the truth; called by the demo's last step only."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from model.evaluate import scores as figures

if TYPE_CHECKING:
    from sync.scoring import ScoreReport

SEAT_RULE: Final = 0.80  # "more than 80 % of the seats are used", the rule most teams start with
BANDS: Final = (0.0, 0.1, 0.2, 0.35, 0.6, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Accounts scored within a band: how many, what was said, how many expanded within the horizon."""

    low: float
    high: float
    accounts: int
    predicted: float
    expanded: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The scores against the truth, on eligible accounts without an open expansion opportunity."""

    accounts: int
    expanded: int
    auc: float
    auc_truth: float
    auc_seat_rule: float
    log_loss: float
    log_loss_truth: float
    log_loss_base_rate: float
    picked: int  # accounts that the seat rule picks
    hits_seat_rule: int  # of those, how many expanded
    hits_upswell: int  # of as many accounts with the highest scores
    bands: tuple[Band, ...]


def judge(folder: Path, scores: pa.Table, utilisation: dict[str, float]) -> Verdict | None:
    """The verdict on `scores` (external_id, probability, is_pipeline); None where nothing can be judged.

    `utilisation` is the share of seats in use by external id, for the seat rule. Needs an expansion and an
    account without one."""
    from connectors.sandbox.company.referee import read_truth

    truth = {row["account_key"]: row for row in read_truth(folder).to_pylist()}
    rows = [
        (row, truth[row["external_id"]])
        for row in scores.select(["external_id", "probability", "is_pipeline"]).to_pylist()
        if not row["is_pipeline"] and truth.get(row["external_id"], {}).get("eligible")
    ]
    outcome = np.array([told["expanded"] for _, told in rows], dtype=bool)
    if outcome.size == 0 or outcome.all() or not outcome.any():
        return None
    said = np.array([row["probability"] for row, _ in rows])
    true = np.array([told["probability"] for _, told in rows])
    seats = np.array([utilisation.get(row["external_id"], np.nan) for row, _ in rows])
    seats = np.nan_to_num(seats, nan=0.0)
    base = np.full(outcome.size, outcome.mean())
    picked = seats > SEAT_RULE
    best = np.argsort(-said, kind="stable")[: int(picked.sum())]
    ours, best_possible = figures(outcome, said), figures(outcome, true)
    return Verdict(
        accounts=int(outcome.size),
        expanded=int(outcome.sum()),
        auc=ours["auc"],
        auc_truth=best_possible["auc"],
        auc_seat_rule=figures(outcome, np.clip(seats, 0, 1))["auc"],
        log_loss=ours["log_loss"],
        log_loss_truth=best_possible["log_loss"],
        log_loss_base_rate=figures(outcome, base)["log_loss"],
        picked=int(picked.sum()),
        hits_seat_rule=int(outcome[picked].sum()),
        hits_upswell=int(outcome[best].sum()),
        bands=_bands(said, outcome, BANDS),
    )


def seats_used(scored: ScoreReport) -> dict[str, float]:
    """The share of seats in use by external id, as the features have it; an account without it is missing."""
    external = dict(
        zip(*(scored.scores[name].to_pylist() for name in ("account_id", "external_id")), strict=True)
    )
    rows = scored.rows.table.select(["account_id", "seat_utilisation"]).to_pylist()
    return {
        external[row["account_id"]]: row["seat_utilisation"]
        for row in rows
        if row["seat_utilisation"] is not None and external.get(row["account_id"])
    }


def _bands(said: np.ndarray, outcome: np.ndarray, edges: Sequence[float]) -> tuple[Band, ...]:
    bands = []
    for low, high in itertools.pairwise(edges):
        inside = (said >= low) & ((said < high) | (high == edges[-1]))
        if inside.any():
            bands.append(
                Band(
                    low=low,
                    high=high,
                    accounts=int(inside.sum()),
                    predicted=float(said[inside].mean()),
                    expanded=int(outcome[inside].sum()),
                )
            )
    return tuple(bands)
