"""What happened after we spoke: expansions joined to the score and the task that came before them.

What counts as an expansion is the model's own label logic (`model.expansions`), so outcomes and training
labels can't differ. An expansion belongs to the newest score as of a day before it, within the horizon.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from statistics import median
from typing import Final

import numpy as np
from sqlalchemy import Select, case, delete, func, insert, or_, select

from model.days import calendar_date, day_number
from model.evaluate import scores as quality_of
from model.expansions import expansion_events, won_expansions
from model.sources import read_sources
from model.target import Target
from model.workspace import Workspace
from sync.briefs.evidence import Tables
from sync.lineage import Lineage, one_an_account
from sync.outcome_report import OutcomeReport, TierOutcome
from sync.store import Store
from sync.store.scores import target_of_scoring
from sync.store.tables import ModelRunRow, ScoreRow
from sync.store.writeback import OutcomeRow, TaskRow
from sync.versions import looks_back

__all__ = ["OutcomeReport", "collect", "compare"]

TIERS: Final = ("very_high", "high", "medium", "low", "not_enough_data")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expansion:
    """One expansion that happened; ARR per year, None where only the fact is known."""

    account_id: str
    day: date
    arr: float | None
    source: str  # opportunity, billing
    product_id: str | None = None


def collect(
    tables: Tables, store: Store, *, target: Target, now: datetime, lineage: Lineage | None = None
) -> int:
    """Expansions known by now, all kept in the ledger with the score and task before each; their number.
    `now` is in the company's zone, as days are.

    What the sources no longer say (a deal reopened, an invoice corrected) leaves the ledger too."""
    found = expansions(tables, target, through=now.date())
    horizon = timedelta(days=target.horizon_days)
    with store.begin() as session:
        kept = select(OutcomeRow.id, OutcomeRow.collected_at)
        first_kept = {row.id: row.collected_at for row in session.execute(kept)}
        # most expansions are older than the first score and task; nobody need look for one of theirs
        scored = session.scalar(select(func.min(ModelRunRow.as_of))) or date.max
        tasked = session.scalar(select(func.min(TaskRow.created_at))) or datetime.max.replace(tzinfo=UTC)
        rows = {}
        for event in found:
            key = _identity(event)
            records = () if lineage is None else lineage.records(event.account_id)
            score = (
                session.execute(_score_before(event, horizon, records)).first()
                if scored < event.day
                else None
            )
            rows[key] = {
                "id": key,
                "account_id": event.account_id,
                "source": event.source,
                "happened_on": event.day,
                "arr_added": event.arr,
                "score_run_id": score and score.run_id,
                "score_as_of": score and score.as_of,
                "probability": score and score.probability,
                "tier": score and score.tier,
                "expected_arr": score and score.expected_arr,
                "task_key": session.scalars(_task_before(event, horizon, records)).first()
                if tasked.date() <= event.day
                else None,
                "collected_at": first_kept.get(key, now),
            }
        session.execute(delete(OutcomeRow))
        if rows:
            session.execute(insert(OutcomeRow), list(rows.values()))
    return len(rows)


def compare(
    tables: Tables,
    store: Store,
    *,
    target: Target,
    now: datetime,
    as_of: date | None = None,
    lineage: Lineage | None = None,
) -> OutcomeReport:
    """A scoring against what happened: that of `as_of`, else the newest whose horizon has ended, else the
    oldest, since most has happened after it. `now` is in the company's zone, as days are; a scoring is judged
    by the target that its model was trained for. Accounts that were merged since count once."""
    lineage = lineage or Lineage()
    through = now.date()
    with store.session() as session:
        earlier = select(ModelRunRow).where(ModelRunRow.as_of < through)
        ordered = session.scalars(earlier.order_by(ModelRunRow.as_of, ModelRunRow.scored_at)).all()
        runs = [run for run in ordered if not looks_back(run.model_version, run.as_of)]
        run = _chosen(runs, as_of, through, target)
        if run is None:
            return _nothing(through, target)
        target = target_of_scoring(run, target)
        said: dict[str, ScoreRow] = one_an_account(
            session.scalars(select(ScoreRow).where(ScoreRow.run_id == run.run_id)), lineage
        )
        made = session.scalars(select(TaskRow).where(TaskRow.run_id == run.run_id))
        tasks = {lineage.account_now(task.account_id, task.account_crm_id) for task in made}
    last = run.as_of + timedelta(days=target.horizon_days)
    happened: dict[str, float | None] = {}
    for event in expansions(tables, target, through=min(through, last)):
        if event.day > run.as_of:
            arr, before = event.arr, happened.get(event.account_id)
            happened[event.account_id] = arr if before is None else before + (arr or 0.0)
    counted = {
        account: row for account, row in said.items() if not row.is_pipeline and row.probability is not None
    }
    ids = counted.keys()
    quality = _quality(counted, happened, matured=last <= through)
    return OutcomeReport(
        run_id=run.run_id,
        model_version=run.model_version,
        as_of=run.as_of,
        through=min(through, last),
        horizon_days=target.horizon_days,
        matured=last <= through,
        tiers=_by_tier(counted, happened),
        pipeline=sum(row.is_pipeline for row in said.values()),
        tasks=len(tasks & ids),
        tasks_expanded=len(tasks & ids & happened.keys()),
        auc=quality.get("auc"),
        brier=quality.get("brier"),
        log_loss=quality.get("log_loss"),
        ece=quality.get("ece"),
        expected_arr=sum(row.expected_arr or 0.0 for row in counted.values()),
        realised_arr=sum(happened.get(account_id) or 0.0 for account_id in ids),
        value_error=_value_error(counted, happened),
        unscored=len(happened.keys() - said.keys()),
    )


def expansions(tables: Tables, target: Target, *, through: date) -> list[Expansion]:
    """Every expansion up to and with a day, by the label logic, oldest first."""
    if not tables:
        return []
    with Workspace(next(iter(tables.values())).get_backend()) as space:
        sources = read_sources(tables, space, only=("opportunities", "billing"))
        events = expansion_events(sources, target)
        rows = events.filter(events.day <= day_number(through)).to_pyarrow().to_pylist()
        won = won_expansions(sources, target).select("account_id", "day").to_pyarrow().to_pylist()
    deals = {(row["account_id"], row["day"]) for row in won}
    found = [
        Expansion(
            account_id=row["account_id"],
            day=calendar_date(row["day"]),
            arr=row["arr"],
            source="opportunity" if (row["account_id"], row["day"]) in deals else "billing",
            product_id=row["product_id"],
        )
        for row in rows
    ]
    return sorted(found, key=lambda event: (event.day, event.account_id, event.arr or 0.0))


def _identity(event: Expansion) -> str:
    text = f"{event.account_id}\0{event.source}\0{event.day.isoformat()}\0{event.arr}"
    return hashlib.sha256(text.encode()).hexdigest()


def _score_before(
    event: Expansion, horizon: timedelta, records: Sequence[str]
) -> Select[str, date, float | None, str, float | None]:
    """The newest score as of a day before the expansion, within the horizon."""
    return (
        select(ScoreRow.run_id, ScoreRow.as_of, ScoreRow.probability, ScoreRow.tier, ScoreRow.expected_arr)
        .join(ModelRunRow, ModelRunRow.run_id == ScoreRow.run_id)
        .where(
            or_(ScoreRow.account_id == event.account_id, ScoreRow.crm_id.in_(records)),
            ScoreRow.as_of < event.day,
            ScoreRow.as_of >= event.day - horizon,
        )
        .order_by(
            ScoreRow.as_of.desc(),
            ModelRunRow.scored_at.desc(),
            case((ScoreRow.account_id == event.account_id, 0), else_=1),
            ScoreRow.probability.desc(),
        )
        .limit(1)
    )


def _task_before(event: Expansion, horizon: timedelta, records: Sequence[str]) -> Select[str]:
    """The newest task made before the expansion's day ended, within the horizon."""
    ended = datetime.combine(event.day + timedelta(days=1), time.min, tzinfo=UTC)
    return (
        select(TaskRow.key)
        .where(
            or_(TaskRow.account_id == event.account_id, TaskRow.account_crm_id.in_(records)),
            TaskRow.created_at < ended,
            TaskRow.created_at >= ended - horizon,
        )
        .order_by(TaskRow.created_at.desc(), TaskRow.key)
        .limit(1)
    )


def _chosen(
    runs: Sequence[ModelRunRow], as_of: date | None, through: date, stated: Target
) -> ModelRunRow | None:
    """The scoring to report on, of several as of one day the last."""
    if as_of is not None:
        return next((run for run in reversed(runs) if run.as_of == as_of), None)
    matured = [
        run
        for run in runs
        if run.as_of + timedelta(days=target_of_scoring(run, stated).horizon_days) <= through
    ]
    if matured or not runs:
        return matured[-1] if matured else None
    return next(run for run in reversed(runs) if run.as_of == runs[0].as_of)


def _by_tier(said: Mapping[str, ScoreRow], happened: Mapping[str, float | None]) -> tuple[TierOutcome, ...]:
    tiers = []
    for tier in TIERS:
        rows = {account: row for account, row in said.items() if row.tier == tier}
        if rows:
            predicted = sum(row.probability or 0.0 for row in rows.values())
            expanded = sum(account in happened for account in rows)
            tiers.append(TierOutcome(tier=tier, accounts=len(rows), predicted=predicted, expanded=expanded))
    return tuple(tiers)


def _quality(
    said: Mapping[str, ScoreRow], happened: Mapping[str, float | None], *, matured: bool
) -> dict[str, float]:
    """AUC as soon as both outcomes occur; calibration only once the horizon has ended."""
    if not said:
        return {}
    expanded = np.array([account in happened for account in said], float)
    figures = quality_of(expanded, np.array([row.probability for row in said.values()], float))
    wanted = ("auc", "brier", "log_loss", "ece") if matured else ("auc",)
    return {name: figures[name] for name in wanted if math.isfinite(figures[name])}


def _value_error(said: Mapping[str, ScoreRow], happened: Mapping[str, float | None]) -> float | None:
    """The median of |said − realised| / realised over accounts that expanded by a known amount."""
    errors = [
        abs(row.arr_if_expands - realised) / realised
        for account, row in said.items()
        if row.arr_if_expands is not None and (realised := happened.get(account) or 0.0) > 0
    ]
    return median(errors) if errors else None


def _nothing(through: date, target: Target) -> OutcomeReport:
    return OutcomeReport(
        run_id=None, model_version=None, as_of=None, through=through, horizon_days=target.horizon_days,
        matured=False, tiers=(), pipeline=0, tasks=0, tasks_expanded=0, auc=None, brier=None, log_loss=None,
        ece=None, expected_arr=0.0, realised_arr=0.0, value_error=None, unscored=0,
    )  # fmt: skip
