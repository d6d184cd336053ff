"""A ledger and a served sandbox side by side: plans are made, applied, taken back, and judged."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from connectors.crm import Crm
from connectors.sandbox.clock import advance
from connectors.sandbox.server import Sandbox
from infra.chaos.checker import Violation, check
from infra.chaos.company import EDIT, Org, make_plan, reading_of
from infra.chaos.evidence import Evidence, gather
from sync.apply import apply
from sync.apply_report import ApplyReport
from sync.audit import verify
from sync.connect import connect
from sync.planned import Plan
from sync.rollback import RollbackReport, rollback
from sync.store import Store
from sync.store.locks import machine_clock
from worker.sandbox_folder import open_sandbox

LEDGER: Final = "ledger.sqlite"


@dataclass(slots=True)
class HurriedClock:
    """The machine's clock, in which to wait is to jump: `sleep` moves it on at once."""

    ahead: timedelta = timedelta(0)
    slept: Callable[[float], object] = lambda _seconds: None

    def __call__(self) -> datetime:
        return machine_clock() + self.ahead

    def sleep(self, seconds: float) -> None:
        """Let so many seconds pass."""
        self.ahead += timedelta(seconds=seconds)
        self.slept(seconds)


@dataclass(slots=True, kw_only=True)
class Home:
    """One org, one ledger, one connection in this process."""

    org: Org
    sandbox: Sandbox
    store: Store
    crm: Crm
    since: int  # changes in the audit before anything of ours
    clock: HurriedClock = field(default_factory=HurriedClock)
    approved: set[str] = field(default_factory=set)

    def plan(
        self, name: str = "a", *, writes: int = 45, tasks: int = 8, seed: int = 1, first: int = 0
    ) -> Plan:
        """A plan that somebody approved."""
        made = make_plan(
            self.org,
            self.crm,
            self.store,
            name=name,
            writes=writes,
            tasks=tasks,
            seed=seed,
            now=self.crm.server_time(),
            first=first,
        )
        self.approved.add(made.id)
        return made

    def apply(self, plan_id: str, *, crm: Crm | None = None, **options: Any) -> ApplyReport:
        """Apply in this process; what waits, jumps."""
        return apply(
            plan_id,
            crm or self.crm,
            self.store,
            now=self.crm.server_time(),
            sleep=self.clock.sleep,
            clock=self.clock,
            **options,
        )

    def rollback(self, target: str, **options: Any) -> RollbackReport:
        """Take back in this process."""
        return rollback(
            target,
            self.crm,
            self.store,
            now=self.crm.server_time(),
            sleep=self.clock.sleep,
            clock=self.clock,
            **options,
        )

    def let_pass(self, **span: float) -> None:
        """Move the org's time on, and hear of it."""
        advance(self.sandbox.store, timedelta(**span))
        self.crm.org()

    def edit_here(self, position: int, values: Mapping[str, Any]) -> None:
        """A person changes an account, by way of the sandbox's open store."""
        EDIT[self.org.kind](self.sandbox.store, self.org.object, self.org.ids[position], values)

    def evidence(self) -> Evidence:
        """Everything as it stands."""
        return gather(
            self.store,
            self.sandbox.store,
            reading_of(self.org, self.crm),
            approved=frozenset(self.approved),
            since=self.since,
            journal_faults=journal_faults(self.store),
        )

    def violations(self, *, rolled_back: tuple[str, ...] = ()) -> list[Violation]:
        """What the checker finds."""
        return check(self.evidence(), rolled_back=frozenset(rolled_back))


def journal_faults(store: Store) -> tuple[str, ...]:
    """What the ledger's own audit finds in its journal."""
    return tuple(f"{fault.code}: {fault.record}: {fault.message}" for fault in verify(store).faults)


@contextmanager
def at_home(folder: Path, made: Org, ledger: Path, **settings: Any) -> Iterator[Home]:
    """A copy of an org and of an empty ledger in `folder`, open; `settings` are put into its upswell.toml.

    Keys of [crm] are named as they are, those of a section below it as salesforce__conditional_writes."""
    org = Org(folder=folder / "org", kind=made.kind, ids=made.ids)
    shutil.copytree(made.folder, org.folder)
    shutil.copy(ledger, folder / LEDGER)
    set_crm(org.folder / "upswell.toml", settings)
    with open_sandbox(org.folder) as sandbox, Store.open(f"sqlite:///{folder / LEDGER}") as store:
        crm = connect(org.settings)
        since = len(sandbox.audit.changes())
        try:
            yield Home(org=org, sandbox=sandbox, store=store, crm=crm, since=since)
        finally:
            crm.close()


def empty_ledger(folder: Path) -> Path:
    """A migrated ledger without rows, to be copied."""
    file = folder / LEDGER
    Store.open(f"sqlite:///{file}").close()
    return file


def set_crm(file: Path, settings: Mapping[str, Any]) -> None:
    """Add settings to the [crm] sections of an upswell.toml."""
    text = file.read_text(encoding="utf-8")
    for name, value in settings.items():
        section, _, key = name.rpartition("__")
        head = f"[crm.{section}]\n" if section else "[crm]\n"
        shown = str(value).lower() if isinstance(value, bool) else repr(value)
        text = text.replace(head, f"{head}{key} = {shown}\n", 1)
    file.write_text(text, encoding="utf-8")
