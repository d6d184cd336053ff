"""A saved model judged on the lake's outcomes, with the tables that a report shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import func, select

from connectors.errors import UsageError
from model.backtest import judge
from model.frame import numbers
from model.panel import build_panel
from model.reliability import Bin, Cohort, Gain, calibration, cohorts, gains
from sync.store.tables import BookmarkRow

if TYPE_CHECKING:
    from sync.loop import Loop

COHORTS: Final = {"segment": "segment", "plan_tier": "plan"}
"""Panel columns that rows are grouped by, with the name that people use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """How good a model is on later outcomes; `at_training` is what its manifest said, of another slice.

    `saved` says whether the saved model itself was judged, else its recipe on what was known before."""

    version: str
    basis: str
    horizon_days: int
    saved: bool
    first_day: date
    last_day: date
    rows: int
    expanded: int
    figures: Mapping[str, Mapping[str, float]]
    at_training: Mapping[str, Mapping[str, float]]
    calibration: tuple[Bin, ...]
    gains: tuple[Gain, ...]
    gains_seat_rule: tuple[Gain, ...]
    cohorts: Mapping[str, tuple[Cohort, ...]]
    data_changed: bool  # the lake says something else about the days that it was trained on

    def facts(self) -> dict[str, Any]:
        """The evaluation as plain values."""
        return asdict(self)


def evaluate_model(loop: Loop, version: str | None = None) -> Evaluation:
    """The evaluation of a version, else of the current one.

    Raises UsageError when there is no model, ModelError for a version that is gone or can't be judged yet."""
    from sync.versions import version_day

    chosen = version or loop.registry.current
    if chosen is None:
        raise UsageError("there is no model yet.", fix="train one first: upswell train")
    trained = loop.registry.load(chosen)
    trained_on = version_day(chosen)
    today = max(_read_until(loop, trained_on), trained_on)
    loop.tell("Build the panel", 0, None)
    panel = build_panel(
        loop.tables().tables,
        as_of=today,
        target=trained.target,
        products=loop.products,
        signals=trained.signals,
    )
    loop.tell("Judge on later outcomes", 0, None)
    found = judge(
        trained,
        panel,
        trained_on=trained_on,
        products=loop.products,
        seed=int(trained.facts.get("seed", 0)),
    )
    seats = np.nan_to_num(numbers(found.rows, "seat_utilisation"), nan=0.0)
    return Evaluation(
        version=chosen,
        basis=trained.basis,
        horizon_days=trained.target.horizon_days,
        saved=found.saved,
        first_day=found.first_day,
        last_day=found.last_day,
        rows=int(found.outcome.size),
        expanded=int(found.outcome.sum()),
        figures=found.figures,
        at_training=trained.metrics,
        calibration=tuple(calibration(found.outcome, found.probability)),
        gains=tuple(gains(found.outcome, found.probability)),
        gains_seat_rule=tuple(gains(found.outcome, seats)),
        cohorts={
            name: tuple(cohorts(found.outcome, found.probability, found.rows[column].to_pylist()))
            for column, name in COHORTS.items()
            if column in found.rows.column_names
        },
        data_changed=today == trained_on and panel.data_hash != trained.data_hash,
    )


def _read_until(loop: Loop, otherwise: date) -> date:
    """The day up to which the CRM was read, in the company's zone."""
    with loop.store.session() as session:
        until = session.scalar(select(func.max(BookmarkRow.until)))
    if until is None:
        return otherwise
    day: date = until.astimezone(ZoneInfo(loop.settings.company.timezone)).date()
    return day
