"""A large plan applied through faults, while people go on working; in the end the checker reads the audit.

Beside the storm of `make chaos` (locks, 429, 503, resets before and after the write, writes that come late, a
quota that runs out): sessions that end, records deleted and merged before their turn, edits, and a right to
write that is taken away in mid-run and given back.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from connectors.errors import SetupError, UpswellError
from connectors.sandbox.hubspot.errors import RefusalError as HubspotRefusal
from connectors.sandbox.salesforce.rows import RowRefusedError as SalesforceRefusal
from connectors.sandbox.server import Sandbox
from connectors.sandbox.storm import storm
from connectors.transport import RetryPolicy
from infra.chaos.company import Org as Company
from infra.chaos.company import make_org
from infra.chaos.home import Home, at_home
from infra.chaos.weather import REASON
from infra.contract.hubspot import HubspotOrg
from infra.contract.org import AT_ONCE, Org
from infra.contract.salesforce import SalesforceOrg
from sync.plan_ledger import status_of
from worker.sandbox_folder import open_sandbox

BATCH: Final = 25
LARGE: Final = 5_000
DELETES: Final = 0.3  # the chance of a deletion after each answer to a reading
TRIES: Final = 60
STOPS: Final = 40  # tries after which the faults stop
SHARE: Final = 0.25  # of the writes that meet a fault


@dataclass(slots=True, kw_only=True)
class ApplyResult:
    """What an apply met, what became of its operations, and which promises were broken."""

    writes: int
    tries: int = 0
    stopped: int = 0  # by a right that was taken away
    faults: int = 0
    requests: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    violations: tuple[str, ...] = ()


def company_of(folder: Path, kind: str, *, accounts: int) -> Company:
    """A company with our fields and so many accounts, never scored before."""
    made = make_org(folder, kind, accounts=0, seed=1)
    with open_sandbox(folder) as sandbox:
        org = _harness(kind, folder, sandbox)
        ids = org.many("accounts", accounts, at=org.now)
    return replace(made, ids=tuple(ids))


def applied_through_faults(
    folder: Path, company: Company, ledger: Path, *, writes: int, seed: int
) -> ApplyResult:
    """Apply a plan of so many writes to a copy of the company in `folder`, and judge."""
    began, chance = time.monotonic(), random.Random(seed)
    result = ApplyResult(writes=writes)
    batch = max(BATCH, writes // 200)  # so that there are calls enough for faults to meet
    with at_home(folder, company, ledger, write_batch=batch) as home:
        org = _harness(home.org.kind, home.org.folder, home.sandbox)
        # a large plan meets the account's burst limit, which only real waiting keeps
        retry = RetryPolicy(first_wait=0.01, longest_wait=0.1) if writes > LARGE else AT_ONCE
        home.crm = org.connect("renewable", write_batch=batch, retry=retry)
        home.let_pass(hours=2)
        plan = home.plan(writes=writes, tasks=0, seed=seed)
        _people(home, org, chance, writes)
        rules = storm(home.org.kind, seed=seed, share=SHARE, quota=9, wait=0.0, seconds=3600.0)
        home.sandbox.faults.replace(rules)
        org.break_("any", "expire_session", request=list(range(11, 100_000, 61)))
        midway = _Midway(org, list(home.org.ids[:writes]), chance)
        org.after_each("read", midway.after_a_read)
        org.after_each("write", midway.after_a_write)
        for attempt in range(TRIES):
            if status_of(home.store, plan.id) == "applied":
                break
            result.tries += 1
            try:
                home.apply(plan.id, resume=attempt > 0, holder=f"apply {attempt}")
            except SetupError:
                result.stopped += 1
                org.allow_writing()
            except UpswellError:
                pass
            if attempt >= STOPS:
                org.mend()
            home.clock.sleep(chance.choice((60.0, 3700.0)))
            home.sandbox.settle_late()
        seen = home.evidence()
        result.outcomes = dict(Counter(str(each.outcome) for each in seen.operations))
        result.faults = sum(each.fault is not None for each in org.requests())
        result.requests = len(org.requests())
        result.violations = tuple(map(str, home.violations()))
        with suppress(UpswellError):
            home.crm.close()
    result.seconds = round(time.monotonic() - began, 1)
    return result


class _Midway:
    """What happens while the apply runs: deletions between its reading and its writing, and a right that is
    taken away once."""

    def __init__(self, org: Org, ids: list[str], chance: random.Random) -> None:
        self._org = org
        self._ids = ids
        self._chance = chance
        self._writes_left = chance.randint(6, 12)

    def after_a_read(self) -> None:
        """Perhaps delete a record, which may be one that was just read: its row alone is then refused."""
        if self._chance.random() < DELETES:
            record = self._ids.pop(self._chance.randrange(len(self._ids)))
            with suppress(SalesforceRefusal, HubspotRefusal):  # it was deleted or merged before
                self._org.delete("accounts", record)

    def after_a_write(self) -> None:
        """Count it; after some, an administrator takes the right to write away."""
        self._writes_left -= 1
        if self._writes_left == 0:
            self._org.forbid_writing()


def _harness(kind: str, folder: Path, sandbox: Sandbox) -> Org:
    if kind == "salesforce":
        return SalesforceOrg(folder, sandbox=sandbox)
    return HubspotOrg(folder, dialect="2026-09", sandbox=sandbox)


def _people(home: Home, org: Org, chance: random.Random, writes: int) -> None:
    """Between plan and apply: one record in forty is deleted, merged away, or edited by a person."""
    positions = chance.sample(range(writes), max(3, writes // 40))
    for number, position in enumerate(positions):
        record = home.org.ids[position]
        if number % 3 == 0:
            org.delete("accounts", record)
        elif number % 3 == 1:
            org.merge("accounts", org.create("accounts", name="Survivor"), record)
        else:
            home.edit_here(position, {REASON[home.org.kind]: f"A person's word {position}"})
