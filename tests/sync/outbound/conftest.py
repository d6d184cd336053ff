"""A strict CRM in memory, scores, canonical tables, and settings for the way out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import ibis
import pyarrow as pa
import pytest

from connectors.canonical import schema_of
from connectors.errors import AmbiguousError, TransientError
from connectors.fields import field_specs
from infra.doubles.strict_crm import StrictCrm
from sync.apply import ApplyReport, apply
from sync.approvals import approve_created
from sync.lineage import Lineage
from sync.plan import make_plan
from sync.planned import Plan
from sync.rollback import RollbackReport, rollback
from sync.settings import CrmLogin, ProductSettings, Settings
from sync.settings_tasks import Owners
from sync.store import Store
from sync.store.scores import SCORES

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)  # a Monday
AS_OF = date(2026, 11, 22)


def lose_reply() -> None:
    """The reply to a write is lost."""
    raise AmbiguousError("the connection was reset")


def be_away() -> None:
    """The CRM answers 503."""
    raise TransientError("the server is not available", status=503)


def crash() -> None:
    """The worker is killed."""
    raise KeyboardInterrupt


@pytest.fixture(scope="session")
def faults() -> Mapping[str, Callable[[], None]]:
    """Faults to hang before or after a write: `lost`, `away`, `crash`."""
    return {"lost": lose_reply, "away": be_away, "crash": crash}


def score_row(number: int, **cells: Any) -> dict[str, Any]:
    """A score of account `a<number>` with CRM id `001<number>`; later numbers rank lower."""
    reason = {
        "code": "seats_high", "family": "seats", "share": 41.0,
        "sentence": f"Seats {99 - number} % used, above 90 % for 6 weeks (usage, 20 Nov)",
    }  # fmt: skip
    against = {
        "code": "no_meeting", "family": "relationship", "share": 9.0,
        "sentence": "No meeting for 74 days (CRM, 20 Nov)",
    }  # fmt: skip
    row: dict[str, Any] = {
        "account_id": f"a{number}", "crm_id": f"001{number}", "as_of": AS_OF,
        "probability": 0.7123456 - number / 100,
        "tier": "high", "arr_if_expands": 30000.0, "arr_low": 12000.004, "arr_high": 51000.0,
        "expected_arr": 21000.555, "product": "seats", "product_2": None, "timing": "now", "health": "green",
        "health_reasons": [], "priority": number, "reasons": [reason], "against": [against],
        "reason_codes": ["seats_high"], "data_completeness": 0.9, "basis": "model", "is_pipeline": False,
        "model_version": "2026.11.20-1",
    }  # fmt: skip
    return row | cells


@pytest.fixture(scope="session")
def score() -> Callable[..., dict[str, Any]]:
    """Make one score row; cells by name."""
    return score_row


def scores_of(*rows: Mapping[str, Any]) -> pa.Table:
    """Scores as the model delivers them."""
    return pa.Table.from_pylist([dict(row) for row in rows], schema=SCORES)


def canonical(**tables: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Canonical tables after identity resolution, on DuckDB."""
    found = {}
    for name, rows in tables.items():
        schema = schema_of(name)
        types = {
            f.name.replace("account_crm_id", "account_id").replace("account_key", "account_id"): f.type
            for f in schema
        }
        full = pa.schema(
            [("account_id", pa.string()), *((n, t) for n, t in types.items() if n != "account_id")]
        )
        blank = dict.fromkeys(full.names)
        found[name] = ibis.memtable(pa.Table.from_pylist([blank | dict(row) for row in rows], schema=full))
    return found


def company_tables(count: int) -> dict[str, Any]:
    """Accounts a0, a1 … with an owner, a champion, a contract, events and a goal each."""
    numbers = range(count)
    at = datetime(2026, 11, 10, 9, 0, tzinfo=UTC)
    return canonical(
        accounts=[
            {
                "account_id": f"a{n}",
                "crm_id": f"001{n}",
                "name": f"Company {chr(65 + n % 26)}",
                "owner_id": f"U{n % 2}",
                "renewal_date": date(2027, 3, 31),
            }
            for n in numbers
        ],
        owners=[{"crm_id": "U0", "is_active": True}, {"crm_id": "U1", "is_active": True}],
        contacts=[
            {
                "account_id": f"a{n}",
                "crm_id": f"C{n}",
                "name": "Dana Ortiz",
                "title": "VP Operations",
                "role": "champion",
            }
            for n in numbers
        ],
        activities=[
            {"account_id": f"a{n}", "contact_crm_id": f"C{n}", "kind": "meeting", "occurred_at": at}
            for n in numbers
        ],
        billing=[
            {
                "account_id": f"a{n}",
                "period_start": date(2026, 11, 1),
                "seats": 100.0,
                "arr": 84000.0,
                "overage": 1250.0,
                "known_from": at,
            }
            for n in numbers
        ],
        events=[
            {"account_id": f"a{n}", "user_id": f"u{u}", "at": at + timedelta(hours=u)}
            for n in numbers
            for u in range(7)
        ],
        notes=[
            {
                "account_id": f"a{n}",
                "kind": "goal",
                "written_at": at,
                "text": "Onboard 3 plants before the summer",
            }
            for n in numbers
        ],
    )


@dataclass
class Machine:
    """The clock of the machine, which may be set back, and true time, which only sleeping moves."""

    now: datetime = NOW
    true: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def tick(self) -> datetime:
        """A moment of true time that is later than every one before."""
        self.true += timedelta(microseconds=1)
        return self.true

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.true += timedelta(seconds=seconds)
        self.now += timedelta(seconds=seconds)

    def set_back(self, seconds: float) -> None:
        """The clock is corrected; no time passes."""
        self.now -= timedelta(seconds=seconds)


@dataclass
class World:
    """A company with its CRM and ledger, and the three verbs of the way out at clocks that tests move."""

    crm: Any
    store: Store
    settings: Settings
    tables: Mapping[str, Any]
    now: datetime = NOW  # the CRM server's
    plans: int = 0
    lineage: Lineage = field(default_factory=Lineage)
    machine: Machine = field(default_factory=Machine)
    installed: bool = (
        True  # whether `upswell install` created our fields, and so had their first fill approved
    )

    def plan(self, *rows: Mapping[str, Any], **options: Any) -> Plan:
        self.plans += 1
        if self.installed:
            names = [spec.salesforce for spec in field_specs().values() if spec.object == "accounts"]
            approve_created(self.store, self.crm.org().id, names, operator="os:revops", now=self.now)
        return make_plan(
            scores_of(*rows), self.crm, self.store, self.tables, self.settings,
            run_id=f"run-{self.plans}", now=self.now, lineage=self.lineage, **options,
        )  # fmt: skip

    def scores(self, *rows: Mapping[str, Any]) -> pa.Table:
        return scores_of(*rows)

    def apply(self, plan: Plan, **options: Any) -> ApplyReport:
        options = self.clocks() | {"settings": self.settings} | options
        return apply(plan.id, self.crm, self.store, **options)

    def rollback(self, target: str, **options: Any) -> RollbackReport:
        return rollback(target, self.crm, self.store, **(self.clocks() | options))

    def clocks(self) -> dict[str, Any]:
        """What apply and rollback are given to tell the time, and to let it pass."""
        return {"now": self.now, "clock": self.machine, "sleep": self.machine.sleep}


def company_settings(**sections: Any) -> Settings:
    """Settings with two products and room for many tasks."""
    products = (
        ProductSettings(id="seats", name="More seats", type="seat", price=840.0, unit="seat"),
        ProductSettings(id="analytics", name="Analytics module", type="module", price=12000.0),
    )
    plain: dict[str, Any] = {
        "crm": CrmLogin(kind="salesforce"),
        "products": products,
        "owners": Owners(slots_per_week=5),
    }
    return Settings(**(plain | sections))


@pytest.fixture(scope="session")
def make_settings() -> Callable[..., Settings]:
    """Make settings; sections by name replace the plain ones."""
    return company_settings


@pytest.fixture(scope="session")
def make_tables() -> Callable[..., dict[str, Any]]:
    """Make canonical tables from rows by table name."""
    return canonical


@pytest.fixture(scope="session")
def make_company() -> Callable[[int], dict[str, Any]]:
    """Make canonical tables of so many accounts."""
    return company_tables


@pytest.fixture(scope="session")
def tables_of_eight() -> Mapping[str, Any]:
    """Canonical tables of eight accounts; nothing changes them."""
    return company_tables(8)


@pytest.fixture(scope="session")
def make_world() -> Callable[..., World]:
    """Make a world around any CRM."""
    return World


@pytest.fixture
def world(ledger: Store, tables_of_eight: Mapping[str, Any]) -> World:
    """Eight accounts in a CRM where nothing of ours was written yet."""
    return World(
        crm=StrictCrm(records={f"001{n}": {} for n in range(8)}),
        store=ledger,
        settings=company_settings(),
        tables=tables_of_eight,
    )
