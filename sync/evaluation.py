"""A saved model judged on the lake's outcomes, with all that a report shows of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from connectors.errors import UsageError
from model.aftermath import TimingFigures, ValueFigures, timing_figures, value_figures
from model.backtest import Judgement, judge
from model.features.families import FAMILIES
from model.frame import numbers
from model.influence import FamilyShare, Signal, Swarm, influence
from model.leads import Lead, leads
from model.panel import Panel, build_panel
from model.predict import predict_range
from model.product import product_scores
from model.reliability import Bin, Cohort, Gain, Precision, calibration, gains, precision_recall
from model.trained import TrainedModel
from model.watch import calibrated
from sync.evaluation_cohorts import check_columns, cohorts_by
from sync.model_changes import Changes, changes_of
from sync.model_settings import tiers_of
from sync.store.tables import BookmarkRow

if TYPE_CHECKING:
    from sync.loop import Loop


@dataclass(frozen=True, slots=True, kw_only=True)
class DataGaps:
    """What the data lack: `absent` names by family (its title) the columns that nobody delivers.

    `completeness` is the mean over the judged rows (0–1), `too_little` the share below what a score needs."""

    absent: Mapping[str, tuple[str, ...]]
    families: int
    completeness: float
    too_little: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """How good a model is on later outcomes; `at_training` is what its manifest said, of another slice.

    `saved` says whether the saved model itself was judged, else its recipe on what was known before, which
    may have been enough for another `judged_basis` than the model's own. Figures,
    gains and precision are by who told: upswell, scorecard, seat_rule, blog_recipe, last_quarter, base_rate.
    `leads` say by how much upswell's log loss is lower. Value, product and timing are None or empty where
    nothing can be told of them. ARR is in `currency` a year."""

    version: str
    basis: str
    currency: str
    horizon_days: int
    target: str
    saved: bool
    judged_basis: str
    first_day: date
    last_day: date
    rows: int
    accounts: int
    expanded: int
    figures: Mapping[str, Mapping[str, float]]
    leads: Mapping[str, Lead]
    at_training: Mapping[str, Mapping[str, float]]
    facts_at_training: Mapping[str, Any]
    said: float  # the mean probability
    calibrated: bool | None  # whether probabilities are off by no more than noise; None: too little to tell
    calibration: tuple[Bin, ...]
    gains: Mapping[str, tuple[Gain, ...]]
    precision_recall: Mapping[str, tuple[Precision, ...]]
    top_quarter: float  # the share that expanded of the best-scored quarter
    cohorts: Mapping[str, tuple[Cohort, ...]]
    value: ValueFigures | None
    product: Mapping[str, float]
    timing: tuple[TimingFigures, ...]
    signals: tuple[Signal, ...]
    families: tuple[FamilyShare, ...]
    changes: Changes | None
    gaps: DataGaps
    data_changed: bool  # the lake says something else about the days that it was trained on
    swarm: Swarm | None = field(default=None, repr=False)

    def facts(self) -> dict[str, Any]:
        """The evaluation as plain values, without the rows that a beeswarm is drawn from."""
        return {name: value for name, value in asdict(replace(self, swarm=None)).items() if name != "swarm"}


def evaluate_model(loop: Loop, version: str | None = None, by: Sequence[str] = ()) -> Evaluation:
    """The evaluation of a version, else of the current one; cohorts also `by` these columns.

    Raises UsageError when there is no model, or no such column, ModelError for a version that is gone or
    can't be judged yet."""
    from sync.versions import version_day

    chosen = version or loop.registry.current
    if chosen is None:
        raise UsageError("there is no model yet.", fix="train one first: upswell train")
    accounts = loop.tables().tables["accounts"]
    check_columns(by, accounts)  # before the long work
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
    said = predict_range(
        found.used,
        replace(panel, table=found.rows),
        tiers=tiers_of(loop.settings),
        products=loop.products,
    )
    loop.tell("See what moves the scores", 0, None)
    moved = influence(found.used, found.rows)
    names = {product.id: product.name for product in loop.products}
    return Evaluation(
        version=chosen,
        basis=trained.basis,
        currency=loop.settings.company.currency,
        horizon_days=trained.target.horizon_days,
        target=trained.target.sentence(loop.settings.company.currency),
        saved=found.saved,
        judged_basis=found.used.basis,
        first_day=found.first_day,
        last_day=found.last_day,
        rows=int(found.outcome.size),
        accounts=len(set(found.rows["account_id"].to_pylist())),
        expanded=int(found.outcome.sum()),
        figures=found.figures,
        leads=leads(found),
        at_training=trained.metrics,
        facts_at_training=_training(trained),
        said=float(found.probability.mean()),
        calibrated=calibrated(found.outcome, found.probability),
        calibration=tuple(calibration(found.outcome, found.probability)),
        gains={name: tuple(gains(found.outcome, each.ranking)) for name, each in found.said.items()},
        precision_recall={
            name: tuple(precision_recall(found.outcome, each.ranking)) for name, each in found.said.items()
        },
        top_quarter=gains(found.outcome, found.probability, steps=4)[0].lift * float(found.outcome.mean()),
        cohorts=cohorts_by(
            found,
            by,
            offered=[names.get(pid) for pid in said["product"].to_pylist()],
            accounts=accounts,
        ),
        value=value_figures(
            numbers(found.rows, "added_arr"),
            *(numbers(said, name) for name in ("arr_if_expands", "arr_low", "arr_high")),
        ),
        product=product_scores(
            _grown(found, said["product"].to_pylist()),
            _grown(found, said["product_2"].to_pylist()),
            [pid if pid in names else None for pid in _grown(found, found.rows["bought"].to_pylist())],
        ),
        timing=tuple(
            timing_figures(
                said["timing"].to_pylist(),
                found.probability,
                found.outcome,
                numbers(found.rows, "days_to"),
                trained.target.horizon_days,
            )
        ),
        signals=() if moved is None else moved.signals,
        families=() if moved is None else moved.families,
        changes=changes_of(loop.registry, chosen),
        gaps=_gaps(panel, found),
        data_changed=today == trained_on and panel.data_hash != trained.data_hash,
        swarm=None if moved is None else moved.swarm,
    )


def _training(trained: TrainedModel) -> Mapping[str, Any]:
    """What is told of the training: rows, dates, features, and who was left out or vouched for, with why."""
    names = ("rows", "expansions", "history_days", "first_as_of", "last_as_of", "has_signal", "suspicions")
    told = {name: trained.facts[name] for name in names}
    return told | {"allowed": trained.facts.get("allowed", {}), "features": len(trained.features)}


def _gaps(panel: Panel, found: Judgement) -> DataGaps:
    titles = {family.name: family.title for family in FAMILIES}
    complete = numbers(found.rows, "data_completeness")
    return DataGaps(
        absent={titles[name]: tuple(columns) for name, columns in panel.absent.items()},
        families=len(FAMILIES),
        completeness=float(complete.mean()),
        too_little=float((complete < panel.signals["min_completeness"]).mean()),
    )


def _grown(found: Judgement, values: list[Any]) -> list[Any]:
    """The values of the rows that expanded."""
    return [value for value, hit in zip(values, found.outcome, strict=True) if hit > 0]


def _read_until(loop: Loop, otherwise: date) -> date:
    """The day up to which the CRM was read, in the company's zone."""
    with loop.store.session() as session:
        until = session.scalar(select(func.max(BookmarkRow.until)))
    if until is None:
        return otherwise
    day: date = until.astimezone(ZoneInfo(loop.settings.company.timezone)).date()
    return day
