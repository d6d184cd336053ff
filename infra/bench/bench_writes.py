"""What it costs to write 10,000 changed accounts: API calls of every kind, and our own CPU seconds.

A connection of its own applies a plan that another one made, so that logging in, describing, comparing, the
small first batch, writing and verifying are all counted, by the sandbox's audit log. The sandbox is a process
of its own: its CPU is not ours. Then a plan that would write the same again: nothing changed, nothing leaves.
Then one over a tenth of which people wrote after it was made: their words stay, and each is reported.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from connectors.sandbox.audit import Audit, AuditedRequest
from connectors.sandbox.store import Store as SandboxStore
from infra.bench.bench_crms import DEMO, served
from infra.chaos.company import EDIT, Org, make_org, make_plan
from infra.chaos.home import empty_ledger, set_crm
from infra.chaos.weather import REASON
from sync.apply import apply
from sync.connect import connect
from sync.planned import Plan
from sync.store import Store

ACCOUNTS: Final = 10_000
WORDS: Final = "A person knows better"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to write, with the calls that it may take for 10,000 accounts."""

    name: str
    kind: str
    settings: dict[str, Any]
    most: int


WAYS: Final = (
    Way(name="composite", kind="salesforce", settings={"salesforce__bulk_writes": "never"}, most=34),
    Way(name="bulk", kind="salesforce", settings={}, most=10),
    Way(name="hubspot", kind="hubspot", settings={}, most=220),
)


def measure(way: Way, made: Org, folder: Path, accounts: int) -> None:
    """Apply, apply the same again, and apply a plan over which people wrote; print the figures."""
    set_crm(made.folder / "upswell.toml", way.settings)
    ledger = empty_ledger(folder)
    with served(way.kind, made.folder, DEMO), Store.open(f"sqlite:///{ledger}") as store:
        planned(made, store, accounts, "changed", "nothing_changed", seed=1)
        expect(way, made, store, "changed", {"applied": accounts})
        expect(way, made, store, "nothing_changed", {"unchanged": accounts})
        (plan,) = planned(made, store, accounts, "edited", seed=2)
        field = REASON[way.kind]
        ours = [each.record_id for each in plan.changes if any(cell.name == field for cell in each.cells)]
        edited = ours[: accounts // 10]
        edit(made, edited)
        outcomes = {"applied": accounts - len(edited), "conflict": len(edited)}
        expect(way, made, store, "edited", outcomes)
        if kept(made, edited) != len(edited):
            raise SystemExit(f"{way.name}: what people wrote is gone")


def planned(made: Org, store: Store, accounts: int, *names: str, seed: int) -> list[Plan]:
    """Plans that would all write the same, by a connection of their own."""
    crm = connect(made.settings)
    now = crm.server_time()
    plans = [
        make_plan(made, crm, store, name=name, writes=accounts, tasks=0, seed=seed, now=now) for name in names
    ]
    crm.close()
    return plans


def expect(way: Way, made: Org, store: Store, name: str, outcomes: dict[str, int]) -> None:
    """Apply the plan by a new connection, and print what it cost; other outcomes end the bench."""
    before, cpu = latest(made), time.process_time()
    crm = connect(made.settings)
    report = apply(f"plan-{name}", crm, store, now=crm.server_time())
    crm.close()
    cpu = time.process_time() - cpu
    asked, writing = asked_since(made, before)
    if report.outcomes != outcomes or report.drifts or len(report.rejected) != outcomes.get("conflict", 0):
        raise SystemExit(f"{way.name}: {report.outcomes}, {len(report.drifts)} cells moved")
    accounts = sum(outcomes.values())
    calls = sum(each.api_calls for each in asked)
    told(
        f"writes_{way.name}_{name}_calls", calls, "calls", words(asked, writing) + limit(way, name, accounts)
    )
    told(f"writes_{way.name}_{name}_cpu", cpu, "CPU seconds", f"{accounts:,} accounts: {outcomes}")


def edit(made: Org, ids: Sequence[str]) -> None:
    """A person writes into our field of each, after the plan was made."""
    store = SandboxStore.open(made.database)
    with store.transaction():
        for record_id in ids:
            EDIT[made.kind](store, made.object, record_id, {REASON[made.kind]: WORDS})
    store.close()


def kept(made: Org, ids: Sequence[str]) -> int:
    """How many of them find their own words."""
    crm = connect(made.settings)
    field = REASON[made.kind]
    held = crm.read(made.object, ids, [field])
    crm.close()
    return sum(each.values[field] == WORDS for each in held.values())


@contextmanager
def audit_of(made: Org) -> Iterator[Audit]:
    """What the sandbox noted."""
    store = SandboxStore.open(made.database)
    try:
        yield Audit(store)
    finally:
        store.close()


def latest(made: Org) -> int:
    """The number of the last request so far."""
    with audit_of(made) as audit:
        return max(each.number for each in audit.requests())


def asked_since(made: Org, before: int) -> tuple[list[AuditedRequest], int]:
    """The calls since a request, and how many of them carried rows to be written."""
    with audit_of(made) as audit:
        asked = [each for each in audit.requests() if each.number > before and each.api_calls]
        return asked, len({row.request for row in audit.rows() if row.request > before})


def words(asked: list[AuditedRequest], writing: int) -> str:
    """The calls by kind."""
    kinds = Counter(each.endpoint for each in asked)
    return f"{writing} of them write; " + ", ".join(f"{n} {kind}" for kind, n in kinds.most_common())


def limit(way: Way, name: str, accounts: int) -> str:
    """What was asked for, at the size for which it was asked."""
    return f"; limit {way.most}" if name == "changed" and accounts == ACCOUNTS else ""


def told(name: str, value: float, unit: str, compared_with: str) -> None:
    """Print one figure."""
    line = {"name": name, "value": round(value, 3), "unit": unit, "compared_with": compared_with}
    print(json.dumps(line), flush=True)


def main() -> None:
    """Print one JSON object a line."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--accounts", type=int, default=ACCOUNTS)
    options.add_argument("--way", choices=[way.name for way in WAYS], help="only this one")
    given = options.parse_args()
    accounts = given.accounts
    for way in (each for each in WAYS if given.way in (None, each.name)):
        with tempfile.TemporaryDirectory(prefix="upswell-bench-") as name:
            folder = Path(name)
            made = make_org(folder / "org", way.kind, accounts=accounts, seed=1)
            measure(way, made, folder, accounts)


if __name__ == "__main__":
    main()
