"""The steps of the loop, in order: pull, exports, train, score, plan, apply, outcomes.

Every verb and every runner calls these same functions; none of them reads a clock or prints. What a step
found is a value of its own; that it ran, and how it ended, stands in the ledger.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from connectors.errors import StateError, UsageError
from sync.apply import apply
from sync.apply_report import ApplyReport
from sync.brief_desk import open_desk
from sync.briefs.styles import check_briefs
from sync.export_report import ExportReport
from sync.exports import ingest
from sync.forecast_book import quarter_amounts
from sync.guard import RULES
from sync.outcomes import OutcomeReport, collect, compare
from sync.plan import EVERYTHING, Narrow, make_plan
from sync.plan_ledger import latest_plan_id, status_of
from sync.planned import Plan
from sync.pull import PullReport, pull
from sync.ranges import ranges_left
from sync.rollback import RollbackReport, rollback
from sync.row_plan import RowPlanner
from sync.run import Run
from sync.scoring import (
    ScoreReport,
    close_scoring,
    open_scoring,
    score_range,
    score_report,
)
from sync.store.runs import bind_run
from sync.store.scores import latest_scoring, load_scores
from sync.task_book import read_book
from sync.training import TrainReport, train_model
from sync.workplace import Workplace

WORTH_TELLING: Final = 3.0  # seconds of waiting
SCORES_ARE_OLD: Final = timedelta(days=7)  # a weekly schedule's scores may still be planned


@dataclass(slots=True, kw_only=True)
class Loop(Workplace):
    """One company's loop over its CRM, its lake and its ledger."""

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

    def train(self, run: Run, as_of: date, *, seed: int = 0, promote: bool = False) -> TrainReport:
        """A model trained on every matured row up to `as_of`, kept, and made the current one by the policy of
        [model], or with `promote` in any case."""
        with run.step("train") as detail:
            report = train_model(self, as_of, seed=seed, promote=promote)
            self._panel = report.panel
            detail.update(
                version=report.version,
                data_hash=report.panel.data_hash,
                promoted=report.decision.promote,
                why=report.decision.why,
            )
        return report

    def promote(self, run: Run, version: str) -> str | None:
        """Make a saved version the current one, after every check of its files; the one that was.

        Raises ModelError when there is no such version, or it is damaged."""
        with run.step("promote") as detail:
            self.registry.load(version)
            before = self.registry.current
            self.registry.promote(version)
            detail.update(version=version, before=before, by=self.who())
        return before

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

    def plan(
        self,
        run: Run,
        scored: pa.Table | None = None,
        *,
        narrow: Narrow = EVERYTHING,
        override: Collection[str] = (),
        snapshot: bool = False,
    ) -> Plan:
        """The difference between scores (the newest unless given) and the CRM, frozen in the ledger.

        With it go rows of the forecast, where a snapshot is due or with `snapshot` asked for."""
        with run.step("plan") as detail:
            check_briefs(self.settings)
            self.tell("Plan", 0, None)
            scores = self._newest_scores() if scored is None else scored
            _refuse_old(scores, self.today())
            known, now = self.tables(), self.crm.server_time()
            with open_desk(
                self.settings.briefs,
                self.store,
                run_id=run.id,
                clock=self.clock,
                sleep=time.sleep,
                tell=lambda what: self.tell(what, 0, None),
                notice=self.notice,
            ) as desk:
                plan = make_plan(
                    scores,
                    self.crm,
                    self.store,
                    known.tables,
                    self.settings,
                    run_id=run.id,
                    now=now,
                    narrow=narrow,
                    override=override,
                    created_by=self.who(),
                    lineage=known.lineage,
                    desk=desk,
                    quarters=quarter_amounts(self),
                    rows=RowPlanner(loop=self, run_id=run.id, asked=snapshot),
                )
            bind_run(self.store, run.id, org_id=plan.org_id, as_of=plan.as_of)
            detail.update(plan=plan.id, records=len(plan.changes), cells=plan.cells)
            detail.update(tasks=len(plan.tasks), closings=len(plan.closings), rows=len(plan.rows))
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
                sleep=self._wait,
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
                sleep=self._wait,
            )
            detail.update(cells=report.restored_cells, left=len(report.left))
        return report

    def _wait(self, seconds: float) -> None:
        """Sleep, and say so where it takes long enough to wonder."""
        if seconds >= WORTH_TELLING:
            due = f"for {seconds:,.0f} s, until more is due"
            self.tell(f"Wait {due}: the CRM asked for it, or a worker died that may have sent", 0, None)
        time.sleep(seconds)

    def outcomes(self, run: Run) -> OutcomeReport:
        """What happened since, joined to what was said before."""
        with run.step("outcomes") as detail:
            self.tell("Outcomes", 0, None)
            target, known = self.target, self.tables()
            now = self.crm.server_time().astimezone(ZoneInfo(self.settings.company.timezone))
            tables, lineage = known.tables, known.lineage
            read_book(self.store, self.crm, now=now, lineage=lineage)  # what people did with their tasks
            found = collect(tables, self.store, target=target, now=now, lineage=lineage)
            detail.update(found=found)
            return compare(tables, self.store, target=target, now=now, lineage=lineage)

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


def _refuse_old(scores: pa.Table, today: date) -> None:
    """Raises StateError for scores of another time, which must not stand in the CRM as today's."""
    as_of = pc.max(scores["as_of"]).as_py()
    if as_of is not None and today - as_of > SCORES_ARE_OLD:
        raise StateError(
            f"the newest scores are as of {as_of}, {(today - as_of).days} days ago, too old to be written.",
            record=str(as_of),
            fix="score anew: upswell score",
        )
