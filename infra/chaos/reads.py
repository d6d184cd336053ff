"""Pulls of deals and tasks through faults, by Bulk jobs or page by page, while people go on selling.

First everything, then hours of what changed, in one of which every deal was touched at one moment. Jobs fail
and are forgotten, sets of results are cut, cursors are lost, sessions end, the server is busy or hangs up.
Then the lake is held against the org: each deal with its closing moment and its product, each task, once.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from connectors.errors import TransientError
from connectors.salesforce.crm import Salesforce
from connectors.salesforce.settings import SalesforceSettings
from connectors.sandbox.clock import advance
from connectors.sandbox.faults import FaultRule
from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.person import person_create, person_delete, person_edit
from connectors.sandbox.server import Sandbox
from connectors.sandbox.store import Cell, moment, stamp
from connectors.transport import RetryPolicy
from sync.lake import Lake
from sync.pull import pull
from sync.store import Store

WAYS: Final = ("auto", "never")  # of [crm.salesforce] bulk_reads
TABLES: Final = ("opportunities", "activities")
STAGES: Final = ("Prospecting", "Negotiation/Review", "Closed Won", "Closed Lost")
HOURS: Final = 6
TRIES: Final = 100
LATE: Final = 480  # seconds by which a deal may be committed late; the windows overlap by 600

_HISTORY: Final = "SELECT OpportunityId, CreatedDate, StageName FROM OpportunityHistory"
_LINES: Final = "SELECT OpportunityId, TotalPrice, Product2Id FROM OpportunityLineItem WHERE IsDeleted = 0"
_DEALS: Final = "SELECT Id, StageName, Amount, IsClosed FROM Opportunity WHERE IsDeleted = 0"
_ASKED: Final = "composite|query|queryAll|query.more|bulk.query.*"
_CUT: Final = {"kind": "status", "status": 200, "body": '"Id","Name"\n"006'}
_FAULTS: Final[tuple[tuple[str, Mapping[str, Any]], ...]] = (
    (_ASKED, {"kind": "status", "status": 503}),
    (_ASKED, {"kind": "reset_before"}),
    (_ASKED, {"kind": "reset_after"}),
    ("query.more", {"kind": "status", "status": 400, "code": "INVALID_QUERY_LOCATOR"}),
    ("bulk.query.results", _CUT),
    ("bulk.query.info", {"kind": "status", "status": 404, "code": "NOT_FOUND"}),
    ("bulk.query.info", {"kind": "status", "status": 200, "body": '{"state": "Failed"}'}),
)


@dataclass(slots=True, kw_only=True)
class ReadResult:
    """What a run met, and in what the lake differs from the org."""

    way: str
    rows: int
    pulls: int = 0
    broken: int = 0  # pulls that ended in an error that passes
    faults: int = 0
    jobs: int = 0
    deeds: int = 0
    differences: list[str] = field(default_factory=list)


class Sales:
    """People at work on deals, and the org as it stands."""

    def __init__(self, sandbox: Sandbox, rows: int, seed: int) -> None:
        self.deeds = 0
        self.at_work = False
        self._sandbox = sandbox
        self._store = sandbox.store
        self._chance = random.Random(seed)
        products = [
            person_create(self._store, "Product2", {"Name": code, "ProductCode": code, "IsActive": True})
            for code in ("A", "B", "C")
        ]
        self._products = dict(zip(products, "ABC", strict=True))
        self._account = person_create(self._store, "Account", {"Name": "Acme"})
        self._deals = [self._deal(number) for number in range(rows * 3 // 5)]
        self._tasks(rows - len(self._deals))

    def act(self) -> None:
        """Perhaps do something."""
        while self.at_work and self._chance.random() < 0.8:
            self.deeds += 1
            self._chance.choice((self._stage, self._stage, self._line, self._late, self._delete))()

    def touch_all(self) -> None:
        """A data loader writes every deal at one moment."""
        now = stamp(self._sandbox.clock.now().replace(microsecond=0))
        rows = [
            {"Id": deal, "Amount": float(place), "SystemModstamp": now}
            for place, deal in enumerate(self._deals)
        ]
        self._store.bulk_update("Opportunity", rows)

    def deals(self) -> dict[str, tuple[Any, ...]]:
        """Each live deal: stage, amount, when it was closed, main product."""
        history: dict[Cell, list[tuple[Cell, Cell]]] = {}
        for deal, at, stage in self._store.select(_HISTORY):
            history.setdefault(deal, []).append((at, stage))
        lines: dict[Cell, list[tuple[float, str]]] = {}
        for deal, price, product in self._store.select(_LINES):
            lines.setdefault(deal, []).append((-float(price or 0), self._products[str(product)]))
        rows = self._store.select(
            "SELECT Id, StageName, Amount, IsClosed FROM Opportunity WHERE IsDeleted = 0"
        )
        return {
            str(deal): (
                stage,
                amount,
                _began(history[deal], stage) if closed else None,
                min(lines[deal])[1] if deal in lines else None,
            )
            for deal, stage, amount, closed in rows
        }

    def tasks(self) -> set[str]:
        """The live tasks."""
        return {str(each) for (each,) in self._store.select("SELECT Id FROM Task WHERE IsDeleted = 0")}

    def _deal(self, number: int) -> str:
        deal = salesforce_id("006", 50_000 + number)
        at = self._sandbox.clock.now() - timedelta(days=300) + timedelta(minutes=number % 5_000)
        stamps = {"CreatedDate": at, "LastModifiedDate": at, "SystemModstamp": at}
        stage = STAGES[number % len(STAGES)]
        closed = {"IsClosed": stage.startswith("Closed"), "IsWon": stage == "Closed Won"}
        row = {
            "Id": deal,
            "Name": f"D {number}",
            "AccountId": self._account,
            "StageName": stage,
            "Amount": number / 2,
            "CloseDate": "2026-12-01",
            **closed,
            **stamps,
        }
        self._store.bulk_insert("Opportunity", [row])
        past = [
            {
                "Id": salesforce_id("008", 3 * (50_000 + number) + step),
                "OpportunityId": deal,
                "StageName": name,
                "CreatedDate": at + timedelta(hours=step),
                "SystemModstamp": at + timedelta(hours=step),
            }
            for step, name in enumerate((STAGES[0], stage))
        ]
        self._store.bulk_insert("OpportunityHistory", past)
        return deal

    def _tasks(self, number: int) -> None:
        at = self._sandbox.clock.now() - timedelta(days=200)  # one moment for all
        stamps = {"CreatedDate": at, "LastModifiedDate": at, "SystemModstamp": at}
        facts = {"WhatId": self._account, "Status": "Completed", **stamps}
        rows = [
            {"Id": salesforce_id("00T", 50_000 + each), "Subject": f"T {each}", **facts}
            for each in range(number)
        ]
        self._store.bulk_insert("Task", rows)

    def _stage(self) -> None:
        advance(self._store, timedelta(seconds=1))  # two changes in one second have no order
        stage = self._chance.choice(STAGES)
        person_edit(self._store, "Opportunity", self._chance.choice(self._deals), {"StageName": stage})

    def _line(self) -> None:
        deal, price = self._chance.choice(self._deals), round(self._chance.random() * 100, 2)
        now = self._sandbox.clock.now()
        row = {
            "Id": salesforce_id("00k", 50_000 + self.deeds),
            "OpportunityId": deal,
            "Product2Id": self._chance.choice(list(self._products)),
            "Quantity": 1.0,
            "TotalPrice": price,
            "CreatedDate": now,
            "LastModifiedDate": now,
            "SystemModstamp": now,
        }
        self._store.bulk_insert("OpportunityLineItem", [row])
        person_edit(self._store, "Opportunity", deal, {"Amount": price})

    def _late(self) -> None:
        values = {"Name": f"Late {self.deeds}", "StageName": "Closed Won", "CloseDate": "2026-12-01"}
        deal = person_create(self._store, "Opportunity", {"AccountId": self._account, **values})
        late = self._sandbox.clock.now() - timedelta(seconds=self._chance.randint(1, LATE))
        at = stamp(late.replace(microsecond=0))
        self._store.bulk_update("Opportunity", [{"Id": deal, "SystemModstamp": at}])
        self._deals.append(deal)

    def _delete(self) -> None:
        person_delete(self._store, "Opportunity", self._deals.pop(self._chance.randrange(len(self._deals))))


def read_through_faults(org: Path, home: Path, *, way: str, rows: int, seed: int) -> ReadResult:
    """Pull an org of so many deals and tasks, made in the folder, into a lake; compare."""
    result = ReadResult(way=way, rows=rows)
    with (
        Sandbox(org) as sandbox,
        Store.open(f"sqlite:///{home / 'ledger.sqlite'}") as store,
        Lake(home / "lake", store) as lake,
    ):
        sales = Sales(sandbox, rows, seed)
        connect = _connector(org, way, lambda _: sales.act())
        sandbox.faults.replace(_rules(seed))
        sales.at_work = True
        for hour in range(HOURS):
            _pull(connect, store, lake, result)
            sandbox.advance(timedelta(minutes=20 + hour))
            if hour == HOURS // 2:
                sales.touch_all()
                sandbox.advance(timedelta(minutes=2))
        sales.at_work = False
        result.faults = sum(each.fault is not None for each in sandbox.audit.requests())
        sandbox.faults.clear()
        _pull(connect, store, lake, result)
        sandbox.advance(timedelta(minutes=20))
        _pull(connect, store, lake, result)
        result.jobs = sum(each.endpoint == "bulk.query.create" for each in sandbox.audit.requests())
        result.deeds = sales.deeds
        result.differences = list(_differences(sales, lake))
    return result


def _rules(seed: int) -> list[FaultRule]:
    """One request in three meets a fault, and a session ends at every eleventh."""
    rules = [
        FaultRule(endpoint=endpoint, seed=seed + place, probability=0.1, **fault)
        for place, (endpoint, fault) in enumerate(_FAULTS)
    ]
    ends = FaultRule(kind="expire_session", endpoint=_ASKED, request=tuple(range(5, 10_000, 11)))
    return [*rules, ends]


def _connector(folder: Path, way: str, seen: Callable[[Any], None]) -> Callable[[], Salesforce]:
    facts = json.loads((folder / "sandbox.json").read_text(encoding="utf-8"))
    settings = SalesforceSettings(
        login_url=facts["url"],
        auth="client_credentials",
        client_id=facts["client_id"],
        client_secret=(folder / "secrets" / "client_secret").read_text(encoding="utf-8").strip(),
        bulk_reads=way,
    )
    retry = RetryPolicy(sleep=lambda _: None)
    return lambda: Salesforce.connect(settings, retry=retry, on_request=seen)


def _pull(connect: Callable[[], Salesforce], store: Store, lake: Lake, result: ReadResult) -> None:
    """Pull until a pull comes to its end, each on a connection of its own."""
    for _ in range(TRIES):
        result.pulls += 1
        crm = connect()
        try:
            pull(crm, store, lake, run_id=None, now=crm.server_time(), tables=TABLES)
        except TransientError:
            result.broken += 1
        else:
            return
        finally:
            crm.close()
    raise RuntimeError(f"no pull came to its end in {TRIES} tries")


def _began(history: list[tuple[Cell, Cell]], stage: Cell) -> datetime:
    """When the stay in the present stage began."""
    began = ""
    for at, name in sorted(history, key=str, reverse=True):
        if name != stage:
            break
        began = str(at)
    return moment(began)


def _differences(sales: Sales, lake: Lake) -> list[str]:
    names = ("crm_id", "stage", "amount", "closed_at", "product_id")
    held = lake.tables()["opportunities"]
    rows = held.filter(~held.is_deleted).select(*names).to_pyarrow().to_pylist()
    live = {row["crm_id"]: tuple(row[name] for name in names[1:]) for row in rows}
    truth = sales.deals()
    found = [f"deal {each} is in one place only" for each in truth.keys() ^ live.keys()]
    found += [
        f"deal {each}: {live[each]} in the lake, {cells} in the org"
        for each, cells in truth.items()
        if each in live and live[each] != cells
    ]
    tasks = lake.tables()["activities"].crm_id.to_pyarrow().to_pylist()
    found += [f"task {each} is in one place only" for each in set(tasks) ^ sales.tasks()]
    if len(rows) != len(live) or len(tasks) != len(set(tasks)):
        found.append("a row comes twice")
    return found


def main() -> int:
    """20,000 rows by each way; a JSON line each, and exit code 1 when anything differs."""
    worst = 0
    for seed, way in enumerate(WAYS, start=1):
        with tempfile.TemporaryDirectory(prefix="upswell-chaos-") as name:
            folder = Path(name)
            (folder / "home").mkdir()
            told = read_through_faults(folder / "org", folder / "home", way=way, rows=20_000, seed=seed)
        shown = {each: getattr(told, each) for each in told.__slots__ if each != "differences"}
        print(json.dumps({**shown, "differences": told.differences[:10]}), flush=True)
        worst = max(worst, bool(told.differences))
    return worst


if __name__ == "__main__":
    sys.exit(main())
