"""The steps of the loop, in order: pull, exports, train, score, plan, apply, outcomes.

Every verb and every runner calls these same functions; none of them reads a clock or prints. What a step
found is a value of its own; that it ran, and how it ended, stands in the ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from connectors.crm import Crm
from connectors.errors import StateError, UpswellError, UsageError
from model.panel import Panel, Rows, build_panel, build_rows, rows_on
from model.product import Product
from model.registry import Registry
from model.target import Target
from model.train import train
from model.trained import TrainedModel
from sync.aliases import load_aliases
from sync.apply import apply
from sync.apply_report import ApplyReport
from sync.built import check_built
from sync.config import config_hash
from sync.currencies import Money
from sync.exports import ExportReport, ingest
from sync.guard import RULES
from sync.heartbeat import Heartbeat, process_owner
from sync.identity import Resolved, resolve
from sync.jobs import steps_of
from sync.lake import Lake
from sync.model_settings import products_of, signals_of, target_of
from sync.outcomes import OutcomeReport, collect, compare
from sync.plan import make_plan
from sync.plan_ledger import latest_plan_id, status_of
from sync.planned import Plan
from sync.pull import PullReport, pull
from sync.ranges import ranges_left
from sync.rollback import RollbackReport, rollback
from sync.run import Clock, NotedRun, Run
from sync.scoring import (
    ScoreReport,
    Scoring,
    close_scoring,
    load_scoring,
    open_scoring,
    score_range,
    score_report,
)
from sync.settings import Settings
from sync.store import Store
from sync.store.locks import machine_clock
from sync.store.queue import queue_run
from sync.store.runs import bind_run, end_run, start_run
from sync.store.scores import latest_scoring, load_scores
from sync.versions import version_day

RETRAIN_AFTER: Final = timedelta(days=28)  # one more panel row an account: less is no new knowledge
SCORES_ARE_OLD: Final = timedelta(days=7)  # a weekly schedule's scores may still be planned

Tell = Callable[[str, float, float | None], None]
"""Progress: (what is going on, done, total or None)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainReport:
    """A model that was trained: its version, what it was trained on, and how good it is out of time."""

    version: str
    panel: Panel
    trained: TrainedModel


@dataclass(slots=True, kw_only=True)
class Loop:
    """One company's loop over its CRM, its lake and its ledger. `crm` is asked for only when it is needed."""

    settings: Settings
    store: Store
    lake: Lake
    connect: Callable[[], Crm]
    clock: Clock
    tell: Tell
    machine_clock: Clock = machine_clock
    owner: str = field(default_factory=process_owner)  # of the leases that this process takes
    _crm: Crm | None = None
    _resolved: Resolved | None = None
    _panel: Panel | None = None
    _scoring: tuple[str, Scoring] | None = None

    @property
    def crm(self) -> Crm:
        """The CRM, connected on first use."""
        if self._crm is None:
            self._crm = self.connect()
        return self._crm

    @property
    def registry(self) -> Registry:
        """The models of this installation."""
        return Registry(self.settings.state.models)

    @property
    def target(self) -> Target:
        """What counts as an expansion."""
        return target_of(self.settings)

    @property
    def products(self) -> tuple[Product, ...]:
        """The catalogue."""
        return products_of(self.settings)

    @property
    def signals(self) -> Mapping[str, float]:
        """The team's thresholds."""
        return signals_of(self.settings)

    @contextmanager
    def run(self, verb: str) -> Iterator[Run]:
        """A run of the ledger around the block; an error ends it as failed and goes on upwards."""
        run_id = start_run(self.store, verb, config_hash=config_hash(self.settings), now=self.clock())
        try:
            yield NotedRun(self.store, run_id, self.clock)
        except BaseException as error:
            message = error.message if isinstance(error, UpswellError) else f"{type(error).__name__}: {error}"
            end_run(self.store, run_id, status="failed", now=self.clock(), error=message)
            raise
        end_run(self.store, run_id, status="done", now=self.clock())

    def queue(self, verb: str, asked: Mapping[str, Any], *, created_by: str = "", hold: bool = False) -> str:
        """The id of a new run with its steps planned, for any process; with `hold` for this one only."""
        now = self.clock()
        lease = timedelta(seconds=self.settings.worker.lease_seconds)
        with self.store.begin() as session:
            return queue_run(
                session,
                verb,
                steps_of(verb, asked),
                config_hash=config_hash(self.settings),
                asked=asked,
                created_by=created_by,
                now=now,
                hold_until=self.machine_clock() + lease if hold else None,
            )

    @contextmanager
    def heartbeat(self) -> Iterator[Heartbeat]:
        """What keeps leases alive while the block runs, by the times of [worker]."""
        times = self.settings.worker
        beat = Heartbeat(
            timedelta(seconds=times.lease_seconds),
            self.machine_clock,
            longest=timedelta(minutes=times.longest_step_minutes),
        )
        try:
            yield beat
        finally:
            beat.stop()

    def forget(self) -> None:
        """Let go of what was read of the lake: another process may have brought something new."""
        self._resolved = self._panel = self._scoring = None

    def today(self) -> date:
        """The as-of date: the CRM server's day in the company's zone."""
        return self.crm.server_time().astimezone(ZoneInfo(self.settings.company.timezone)).date()

    def pull(self, run: Run, *, full: bool = False) -> PullReport:
        """What is new in the CRM, brought into the lake."""
        self.forget()
        with run.step("pull") as detail:
            report = pull(
                self.crm,
                self.store,
                self.lake,
                run_id=run.id,
                now=self.clock(),
                full=full,
                progress=lambda table, rows: self.tell(f"Pull {table}", rows, None),
            )
            bind_run(self.store, run.id, org_id=report.org.id)
            detail.update(rows=report.rows, api_calls=report.api_calls)
        return report

    def exports(self, run: Run) -> ExportReport:
        """What is new in the exports, brought into the lake."""
        self.forget()
        with run.step("exports") as detail:
            report = ingest(
                self.settings,
                self.store,
                self.lake,
                run_id=run.id,
                now=self.clock(),
                progress=lambda name, done: self.tell(f"Read {name}", done, None),
            )
            detail.update(files=len(report.files))
        return report

    def tables(self) -> Resolved:
        """The lake's tables with one account id, and how well the sources fit; kept until the next pull.

        Raises UsageError while the lake is empty."""
        if self._resolved is None:
            sources = [segment.source for segment in self.lake.segments("accounts")]
            if not sources:
                raise UsageError("the lake holds no accounts yet.", fix="fetch them first: upswell pull")
            org_id = sources[-1].removeprefix("crm:")
            company = self.settings.company
            money = Money(home=company.currency, rates=company.rates)
            self._resolved = resolve(self.lake, load_aliases(self.store, org_id), money)
        return self._resolved

    def train(self, run: Run, as_of: date, *, seed: int = 0) -> TrainReport:
        """A model trained on every matured row up to `as_of`, kept and made the current one."""
        with run.step("train") as detail:
            tables = self.tables().tables
            self.tell("Build the panel", 0, None)
            panel = build_panel(
                tables, as_of=as_of, target=self.target, products=self.products, signals=self.signals
            )
            self._panel = panel
            self.tell("Train", 0, None)
            trained = train(panel, target=self.target, products=self.products, seed=seed)
            version = self.registry.save(trained, as_of)
            self.registry.promote(version)
            detail.update(version=version, data_hash=panel.data_hash)
        return TrainReport(version=version, panel=panel, trained=trained)

    def training_is_due(self, as_of: date) -> bool:
        """Whether there is no model yet, or the current one is four weeks older than `as_of`."""
        current = self.registry.current
        return current is None or as_of - version_day(current) >= RETRAIN_AFTER

    def score(self, run: Run, as_of: date) -> ScoreReport:
        """Every customer account scored with the current model, and kept in the ledger: range by range, as
        any number of processes would."""
        with run.step("score") as detail, self.heartbeat() as beat:
            self.tell("Score", 0, None)
            facts = open_scoring(self, run.id, as_of)
            scoring = self.scoring(run.id, facts)
            while score_range(self, scoring, beat):
                self.tell("Score", facts["ranges"] - ranges_left(self.store, run.id), facts["ranges"])
            scores = close_scoring(self, scoring)
            if scores is None:
                raise StateError(
                    "the predictions of this run were removed while it scored.",
                    record=run.id,
                    fix="score again, and leave the lake's folder alone meanwhile",
                )
            bind_run(self.store, run.id, as_of=as_of)
            detail.update(facts)
        return score_report(scoring, scores)

    def scoring(self, run_id: str, facts: Mapping[str, Any]) -> Scoring:
        """The scoring of a run that `open_scoring` made ready; kept until the next one."""
        if self._scoring is None or self._scoring[0] != facts["rows"]:
            self._scoring = (facts["rows"], load_scoring(self, run_id, facts))
        return self._scoring[1]

    def plan(self, run: Run, scored: pa.Table | None = None) -> Plan:
        """The difference between scores (the newest unless given) and the CRM, frozen in the ledger."""
        with run.step("plan") as detail:
            check_built(self.settings)
            self.tell("Plan", 0, None)
            scores = self._newest_scores() if scored is None else scored
            now = self.crm.server_time()
            _refuse_old(scores, self.today())
            tables = self.tables().tables
            plan = make_plan(scores, self.crm, self.store, tables, self.settings, run_id=run.id, now=now)
            bind_run(self.store, run.id, org_id=plan.org_id, as_of=plan.as_of)
            detail.update(plan=plan.id, records=len(plan.changes), cells=plan.cells, tasks=len(plan.tasks))
        return plan

    def apply(
        self,
        run: Run,
        plan_id: str | None = None,
        *,
        override: Collection[str] = (),
        resume: bool = False,
    ) -> ApplyReport:
        """A plan (the newest one unless named) carried out. Raises StateError when the ledger forbids it.

        `resume` goes on with one that was stopped, paused or cut short, the newest of these unless named."""
        with run.step("apply") as detail:
            chosen = plan_id or latest_plan_id(self.store, begun=resume)
            if chosen is None:
                if resume:
                    raise UsageError("no plan was cut short.", fix="begin one with: upswell apply")
                raise UsageError("there is no plan yet.", fix="make one first: upswell plan")
            unknown = sorted(set(override) - set(RULES))
            if unknown:
                raise UsageError(
                    f"there is no guard rule {', '.join(unknown)} to pass over.",
                    fix=f"use one of {', '.join(RULES)}",
                )
            report = apply(
                chosen,
                self.crm,
                self.store,
                settings=self.settings,
                now=self.crm.server_time(),
                holder=run.id,
                override=override,
                resume=resume,
                timezone=self.settings.company.timezone,
                progress=lambda done, total: self.tell("Apply", done, total),
            )
            detail.update(plan=chosen, cells=report.written_cells, tasks=report.tasks_made)
        return report

    def rollback(
        self,
        run: Run,
        target: str | None = None,
        *,
        account: str | None = None,
        field: str | None = None,
        dry_run: bool = False,
    ) -> RollbackReport:
        """What a run or plan wrote (the newest plan unless named), taken back."""
        with run.step("rollback") as detail:
            chosen = target or self._newest_written_plan()
            report = rollback(
                chosen,
                self.crm,
                self.store,
                account=account,
                field=field,
                dry_run=dry_run,
                now=self.crm.server_time(),
                holder=run.id,
            )
            detail.update(cells=report.restored_cells, left=len(report.left))
        return report

    def outcomes(self, run: Run) -> OutcomeReport:
        """What happened since, joined to what was said before."""
        with run.step("outcomes") as detail:
            self.tell("Outcomes", 0, None)
            now = self.crm.server_time()
            tables = self.tables().tables
            found = collect(tables, self.store, target=self.target, now=now)
            detail.update(found=found)
            return compare(tables, self.store, target=self.target, now=now)

    def rows(self, as_of: date) -> Rows:
        """The features of every active customer on `as_of`; a panel that was just built has them already."""
        if self._panel is not None and (rows := rows_on(self._panel, as_of)).table.num_rows:
            return rows
        return build_rows(
            self.tables().tables,
            as_of=as_of,
            target=self.target,
            products=self.products,
            signals=self.signals,
        )

    def _newest_written_plan(self) -> str:
        """The newest plan that wrote something. Raises StateError when it was taken back already."""
        newest = latest_plan_id(self.store, written=True)
        if newest is None:
            raise UsageError(
                "no plan was applied yet, so there is nothing to take back.", fix="see: upswell status"
            )
        if status_of(self.store, newest) == "rolled_back":
            raise StateError(
                "the newest plan that wrote something was rolled back already.",
                record=newest,
                fix="name an older run to go further back: upswell rollback RUN",
            )
        return newest

    def _newest_scores(self) -> pa.Table:
        scoring = latest_scoring(self.store)
        if scoring is None:
            raise UsageError("nothing is scored yet.", fix="score first: upswell score")
        return load_scores(self.store, scoring.run_id)

    def close(self) -> None:
        """Give back the connections."""
        if self._crm is not None:
            self._crm.close()
        self.lake.close()
        self.store.close()


def _refuse_old(scores: pa.Table, today: date) -> None:
    """Raises StateError for scores of another time, which must not stand in the CRM as today's."""
    as_of = pc.max(scores["as_of"]).as_py()
    if as_of is not None and today - as_of > SCORES_ARE_OLD:
        raise StateError(
            f"the newest scores are as of {as_of}, {(today - as_of).days} days ago, too old to be written.",
            record=str(as_of),
            fix="score anew: upswell score",
        )
