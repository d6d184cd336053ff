"""The steps of the loop, in order: pull, exports, train, score, plan, apply, outcomes.

Every verb and every runner calls these same functions; none of them reads a clock or prints. What a step
found is a value of its own; that it ran, and how it ended, stands in the ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from connectors.crm import Crm
from connectors.errors import StateError, UpswellError, UsageError
from model.panel import Panel, Rows, build_panel, build_rows, data_hash, rows_on
from model.predict import predict
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
from sync.identity import IdentityReport, Resolved, resolve
from sync.lake import Lake
from sync.outcomes import OutcomeReport, collect, compare
from sync.plan import make_plan
from sync.plan_ledger import latest_plan_id, status_of
from sync.planned import Plan
from sync.pull import PullReport, pull
from sync.rollback import RollbackReport, rollback
from sync.run import Clock, Run
from sync.settings import Settings
from sync.store import Store
from sync.store.runs import bind_run, end_run, start_run
from sync.store.scores import latest_scoring, load_scores, save_scores
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreReport:
    """Scores as they were kept in the ledger, with the account's own columns beside them."""

    run_id: str
    as_of: date
    model_version: str
    scores: pa.Table
    rows: Rows
    identity: IdentityReport


@dataclass(slots=True, kw_only=True)
class Loop:
    """One company's loop over its CRM, its lake and its ledger. `crm` is asked for only when it is needed."""

    settings: Settings
    store: Store
    lake: Lake
    connect: Callable[[], Crm]
    clock: Clock
    tell: Tell
    _crm: Crm | None = None
    _resolved: Resolved | None = None
    _panel: Panel | None = None

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
        given = self.settings.target
        named = {"opportunity_types": given.opportunity_types} if given.opportunity_types else {}
        return Target(
            horizon_days=given.horizon_days,
            stages=given.stages,
            min_amount=given.min_amount,
            eligible=given.eligible,
            count_arr_changes=given.count_arr_changes,
            **named,
        )

    @property
    def products(self) -> tuple[Product, ...]:
        """The catalogue."""
        return tuple(
            Product(
                id=p.id,
                name=p.name,
                type=p.type,
                price=p.price,
                unit=p.unit,
                eligible=p.eligible,
                replaces=p.replaces,
            )
            for p in self.settings.products
        )

    @property
    def signals(self) -> Mapping[str, float]:
        """The team's thresholds."""
        return {name: float(value) for name, value in asdict(self.settings.signals).items()}

    @contextmanager
    def run(self, verb: str) -> Iterator[Run]:
        """A run of the ledger around the block; an error ends it as failed and goes on upwards."""
        run_id = start_run(self.store, verb, config_hash=config_hash(self.settings), now=self.clock())
        try:
            yield Run(self.store, run_id, self.clock)
        except BaseException as error:
            message = error.message if isinstance(error, UpswellError) else f"{type(error).__name__}: {error}"
            end_run(self.store, run_id, status="failed", now=self.clock(), error=message)
            raise
        end_run(self.store, run_id, status="done", now=self.clock())

    def today(self) -> date:
        """The as-of date: the CRM server's day in the company's zone."""
        return self.crm.server_time().astimezone(ZoneInfo(self.settings.company.timezone)).date()

    def pull(self, run: Run, *, full: bool = False) -> PullReport:
        """What is new in the CRM, brought into the lake."""
        self._resolved = self._panel = None
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
        self._resolved = self._panel = None
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
        """Every customer account scored with the current model, and kept in the ledger."""
        with run.step("score") as detail:
            current = self.registry.current
            if current is None:
                raise UsageError("there is no model yet.", fix="train one first: upswell train")
            resolved = self.tables()
            tables = resolved.tables
            self.tell("Score", 0, None)
            trained = self.registry.load(current)
            rows = self._rows(as_of)
            cutoffs = self.settings.tiers
            predictions = predict(
                trained,
                rows,
                tiers={"very_high": cutoffs.very_high, "high": cutoffs.high, "medium": cutoffs.medium},
                products=self.products,
            )
            scores = with_account_columns(predictions, tables["accounts"])
            save_scores(
                self.store,
                run.id,
                scores,
                as_of=as_of,
                model_version=current,
                data_hash=data_hash(rows.table),
                now=self.clock(),
            )
            bind_run(self.store, run.id, as_of=as_of)
            detail.update(accounts=scores.num_rows, model=current)
        return ScoreReport(
            run_id=run.id,
            as_of=as_of,
            model_version=current,
            scores=scores,
            rows=rows,
            identity=resolved.report,
        )

    def plan(self, run: Run, report: ScoreReport | None = None) -> Plan:
        """The difference between a scoring (the newest unless given) and the CRM, frozen in the ledger."""
        with run.step("plan") as detail:
            check_built(self.settings)
            self.tell("Plan", 0, None)
            scores = self._newest_scores() if report is None else report.scores
            now = self.crm.server_time()
            _refuse_old(scores, self.today())
            tables = self.tables().tables
            plan = make_plan(scores, self.crm, self.store, tables, self.settings, run_id=run.id, now=now)
            bind_run(self.store, run.id, org_id=plan.org_id, as_of=plan.as_of)
            detail.update(plan=plan.id, records=len(plan.changes), cells=plan.cells, tasks=len(plan.tasks))
        return plan

    def apply(self, run: Run, plan_id: str | None = None, *, override: Collection[str] = ()) -> ApplyReport:
        """A plan (the newest one unless named) carried out. Raises StateError when the ledger forbids it."""
        with run.step("apply") as detail:
            chosen = plan_id or latest_plan_id(self.store)
            if chosen is None:
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

    def _rows(self, as_of: date) -> Rows:
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


def with_account_columns(predictions: pa.Table, accounts: Any) -> pa.Table:
    """The predictions with crm_id, external_id, name and owner_id of each account, best priority first."""
    columns = ["account_id", "crm_id", "external_id", "name", "owner_id"]
    own = accounts.select(*columns).to_pyarrow()
    order = pc.index_in(predictions["account_id"], own["account_id"])
    for name in columns[1:]:
        predictions = predictions.append_column(name, own[name].take(order))
    return predictions.sort_by([("priority", "ascending"), ("account_id", "ascending")])
