"""One company's installation, opened: its settings, ledger, lake and CRM, and what was read of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from connectors.crm import Crm
from connectors.errors import UpswellError, UsageError
from model.panel import Panel, Rows, build_rows, rows_on
from model.product import Product
from model.registry import Registry
from model.target import Target
from sync.aliases import load_aliases
from sync.config import config_hash
from sync.heartbeat import Heartbeat, process_owner
from sync.identity import Resolved, resolve
from sync.jobs import steps_of
from sync.lake import Lake
from sync.model_settings import products_of, signals_of, target_of
from sync.rates import money_of
from sync.run import Clock, NotedRun, Run
from sync.scoring import Scoring, load_scoring
from sync.settings import Settings
from sync.store import Store
from sync.store.locks import machine_clock
from sync.store.queue import queue_run
from sync.store.runs import end_run, start_run

Tell = Callable[[str, float, float | None], None]
"""Progress: (what is going on, done, total or None)."""


@dataclass(slots=True, kw_only=True)
class Workplace:
    """What every step works with. `crm` is asked for only when it is needed; `owner` names this process."""

    settings: Settings
    store: Store
    lake: Lake
    connect: Callable[[], Crm]
    clock: Clock
    tell: Tell
    who: Callable[[], str] = str  # who acts here: an operator, or os:<login>
    machine_clock: Clock = machine_clock
    owner: str = field(default_factory=process_owner)  # of the leases that this process takes
    notice: Callable[[str], None] = field(default=lambda _: None)  # what people are told before it is done
    works_for: str = ""  # the run for which this process works just now, or did last
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
        self.works_for = run_id
        try:
            yield NotedRun(self.store, run_id, self.clock)
        except BaseException as error:
            message = error.message if isinstance(error, UpswellError) else f"{type(error).__name__}: {error}"
            end_run(self.store, run_id, status="failed", now=self.clock(), error=message)
            raise
        end_run(self.store, run_id, status="done", now=self.clock())

    def queue(self, verb: str, asked: Mapping[str, Any], *, hold: bool = False) -> str:
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
                created_by=self.who(),
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

    def tables(self) -> Resolved:
        """The lake's tables with one account id, and how well the sources fit; kept until the next pull.

        Raises UsageError while the lake is empty."""
        if self._resolved is None:
            sources = [segment.source for segment in self.lake.segments("accounts")]
            if not sources:
                raise UsageError("the lake holds no accounts yet.", fix="fetch them first: upswell pull")
            org_id = sources[-1].removeprefix("crm:")
            money = money_of(self.settings.company, self.lake.table("exchange_rates"))
            aliases = load_aliases(self.store, org_id)
            self._resolved = resolve(self.lake, aliases, money, self.settings.identity)
        return self._resolved

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

    def scoring(self, run_id: str, facts: Mapping[str, Any]) -> Scoring:
        """The scoring of a run that `open_scoring` made ready; kept until the next one."""
        if self._scoring is None or self._scoring[0] != facts["rows"]:
            self._scoring = (facts["rows"], load_scoring(self, run_id, facts))
        return self._scoring[1]

    def close(self) -> None:
        """Give back the connections."""
        if self._crm is not None:
            self._crm.close()
        self.lake.close()
        self.store.close()
