"""How good a saved model is on outcomes that it was not trained on, row by row.

Where outcomes have matured since it was trained, the saved model itself is judged on them. Else its recipe
is: the same training, on what was known one horizon before the latest matured dates, judged on those.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from model.baselines import Said, baselines
from model.errors import ModelError
from model.frame import numbers
from model.panel import Panel
from model.product import Product
from model.train import train
from model.trained import TrainedModel, probabilities

TEST_DATES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Judged rows: outcome (0 or 1) and probability of each, with the panel's own columns in `rows`.

    `saved` says whether the saved model itself was judged, else its recipe; `used` is the one that was.
    `said` is what upswell, scorecard, seat_rule, blog_recipe, last_quarter and base_rate say of these rows,
    and `figures` the metrics of each."""

    saved: bool
    used: TrainedModel
    rows: pa.Table
    outcome: np.ndarray
    probability: np.ndarray
    said: Mapping[str, Said]
    figures: Mapping[str, Mapping[str, float]]

    @property
    def first_day(self) -> date:
        """The earliest as-of date judged."""
        day: date = pc.min(self.rows["as_of"]).as_py()
        return day

    @property
    def last_day(self) -> date:
        """The latest as-of date judged."""
        day: date = pc.max(self.rows["as_of"]).as_py()
        return day


def judge(
    trained: TrainedModel, panel: Panel, *, trained_on: date, products: tuple[Product, ...], seed: int = 0
) -> Judgement:
    """The judgement of a model that was trained on what was known on the day `trained_on`.

    Raises ModelError when too few dates have matured, or all outcomes there are the same."""
    matured = matured_rows(panel.table)
    dates = sorted(set(matured["as_of"].to_pylist()))
    later = [day for day in dates if day >= trained_on]
    tested = later or dates[-TEST_DATES:]
    horizon = timedelta(days=trained.target.horizon_days)
    past = rows_on_dates(matured, [day for day in dates if tested and day <= tested[0] - horizon])
    rows = rows_on_dates(matured, tested)
    outcome = numbers(rows, "label")
    if past.num_rows == 0 or not 0 < outcome.sum() < outcome.size:
        raise ModelError(
            f"There are {len(dates)} as-of dates whose outcomes are known, too few to judge on a later one.",
            fix="Evaluate again when a horizon has passed; until then see the model's card in its folder.",
        )
    used = trained
    if not later:
        known = replace(panel, table=past, data_hash=f"{panel.data_hash}:before:{tested[0]}")
        vouched = trained.facts.get("allowed", ())
        used = train(known, target=trained.target, products=products, seed=seed, allow=vouched)
    probability = probabilities(used.margins(rows))
    rules = probabilities(replace(used, basis="scorecard", booster=None, weight=0.0).margins(rows))
    said = {
        "upswell": Said(probability=probability, ranking=probability),
        "scorecard": Said(probability=rules, ranking=rules),
        **baselines(matured, rows, horizon_days=trained.target.horizon_days, seed=seed),
    }
    return Judgement(
        saved=bool(later),
        used=used,
        rows=rows,
        outcome=outcome,
        probability=probability,
        said=said,
        figures={name: each.figures(outcome) for name, each in said.items()},
    )


def matured_rows(table: pa.Table) -> pa.Table:
    """Rows whose outcome is known, without those whose expansion was already being negotiated."""
    usable = pc.and_(pc.invert(pc.is_nan(table["label"])), pc.invert(table["is_pipeline"]))
    return table.filter(usable)


def rows_on_dates(table: pa.Table, dates: list[date]) -> pa.Table:
    """The rows of these as-of dates."""
    wanted = pa.array(dates, pa.date32())
    return table.filter(pc.is_in(table["as_of"].cast(pa.date32()), value_set=wanted)).combine_chunks()
