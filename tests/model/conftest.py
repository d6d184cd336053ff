"""A small seeded company as canonical tables, and models trained on it once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from model.engine import Engine
from model.panel import Panel, Rows, build_panel, build_rows
from model.predict import predict
from model.product import Product
from model.target import Target
from model.train import train
from model.trained import TrainedModel

AS_OF = date(2026, 6, 1)
FIRST = date(2025, 1, 1)
TEXT, REAL, TIME, DAY, FLAG, WHOLE = (
    pa.string(),
    pa.float64(),
    pa.timestamp("us", tz="UTC"),
    pa.date32(),
    pa.bool_(),
    pa.int64(),
)
SCHEMAS = {
    "accounts": {
        "account_id": TEXT,
        "parent_id": TEXT,
        "industry": TEXT,
        "segment": TEXT,
        "country": TEXT,
        "employees": WHOLE,
        "is_customer": FLAG,
        "customer_since": DAY,
        "contract_start": DAY,
        "contract_term_months": REAL,
        "fiscal_year_start": WHOLE,
    },
    "events": {
        "account_id": TEXT,
        "user_id": TEXT,
        "event": TEXT,
        "feature": TEXT,
        "session_id": TEXT,
        "at": TIME,
        "known_from": TIME,
    },
    "users": {"account_id": TEXT, "user_id": TEXT, "department": TEXT, "role": TEXT, "title": TEXT},
    "billing": {
        "account_id": TEXT,
        "period_start": DAY,
        "period_end": DAY,
        "plan_tier": TEXT,
        "seats": REAL,
        "arr": REAL,
        "list_arr": REAL,
        "overage": REAL,
        "known_from": TIME,
    },
    "opportunities": {
        "account_id": TEXT,
        "crm_id": TEXT,
        "created_at": TIME,
        "known_from": TIME,
        "opportunity_type": TEXT,
        "pipeline": TEXT,
        "stage": TEXT,
        "amount": REAL,
        "is_closed": FLAG,
        "is_won": FLAG,
        "closed_at": TIME,
        "product_id": TEXT,
    },
    "tickets": {
        "account_id": TEXT,
        "created_at": TIME,
        "known_from": TIME,
        "subject": TEXT,
        "body": TEXT,
        "priority": TEXT,
        "is_escalated": FLAG,
        "closed_at": TIME,
        "csat": REAL,
    },
    "contacts": {
        "account_id": TEXT,
        "crm_id": TEXT,
        "created_at": TIME,
        "known_from": TIME,
        "title": TEXT,
        "role": TEXT,
        "left_at": DAY,
    },
    "activities": {
        "account_id": TEXT,
        "contact_crm_id": TEXT,
        "kind": TEXT,
        "subject": TEXT,
        "occurred_at": TIME,
        "created_at": TIME,
        "known_from": TIME,
    },
    "usage": {
        "account_id": TEXT,
        "metric": TEXT,
        "period_start": DAY,
        "period_days": WHOLE,
        "value": REAL,
        "known_from": TIME,
    },
    "entitlements": {
        "account_id": TEXT,
        "item": TEXT,
        "kind": TEXT,
        "quantity": REAL,
        "valid_from": DAY,
        "valid_to": DAY,
        "known_from": TIME,
    },
    "surveys": {"account_id": TEXT, "kind": TEXT, "score": REAL, "responded_at": TIME},
    "triggers": {"account_id": TEXT, "kind": TEXT, "occurred_on": DAY, "known_from": TIME},
    "notes": {"account_id": TEXT, "kind": TEXT, "outcome": TEXT, "text": TEXT, "written_at": TIME},
}
Records = dict[str, list[dict[str, Any]]]


def moment(day: date, hour: int = 9) -> datetime:
    """That hour of the day, UTC."""
    return datetime.combine(day, time(hour), UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """Records by table, and how to make Ibis tables of them."""

    records: Mapping[str, tuple[dict[str, Any], ...]]

    def plus(self, table: str, *rows: dict[str, Any]) -> Company:
        """The company with more records in one table."""
        return Company(records={**self.records, table: (*self.records.get(table, ()), *rows)})

    def without(self, *tables: str) -> Company:
        """The company with these tables missing."""
        return Company(records={name: rows for name, rows in self.records.items() if name not in tables})

    def tables(self) -> dict[str, Any]:
        """Its tables on a fresh DuckDB connection."""
        backend = Engine().connect()
        tables = {}
        for name, rows in self.records.items():
            schema = pa.schema(list(SCHEMAS[name].items()))
            backend.con.register(f"given_{name}", pa.Table.from_pylist(list(rows), schema=schema))
            tables[name] = backend.table(f"given_{name}")
        return tables


def simulate(accounts: int, seed: int) -> Company:
    """Accounts whose latent demand fills seats and then brings expansions."""
    rng = np.random.default_rng(seed)
    records: Records = {name: [] for name in SCHEMAS}
    months = [date(2025 + (m // 12), m % 12 + 1, 1) for m in range((AS_OF - FIRST).days // 30 + 1)]
    for index in range(accounts):
        account = f"A{index:03d}"
        seats, price = float(rng.integers(6, 14)), float(rng.choice([300, 600]))
        records["accounts"].append(
            {
                "account_id": account,
                "parent_id": "A000" if index % 7 == 1 else None,
                "industry": ["Retail", "Energy", "Media"][index % 3],
                "segment": ["SMB", "Mid"][index % 2],
                "country": "SE",
                "employees": int(rng.integers(20, 500)),
                "is_customer": True,
                "customer_since": date(2023, 1, 1) + timedelta(days=int(rng.integers(0, 600))),
                "contract_start": date(2024, 5, 1),
                "contract_term_months": 12.0,
                "fiscal_year_start": int(rng.integers(1, 13)),
            }
        )
        people = [f"{account}-u{i}" for i in range(16)]
        for i, user in enumerate(people):
            role = ["champion", "finance_admin", "user"][min(i, 2)]
            records["users"].append(
                {
                    "account_id": account,
                    "user_id": user,
                    "department": "ABCD"[i % 4],
                    "role": role,
                    "title": "Head of Ops",
                }
            )
        records["contacts"].append(
            {
                "account_id": account,
                "crm_id": f"{account}-c",
                "created_at": moment(FIRST),
                "known_from": moment(FIRST),
                "title": "VP Operations",
                "role": "champion",
                "left_at": None,
            }
        )
        records["entitlements"].append(
            {
                "account_id": account,
                "item": "api_calls",
                "kind": "limit",
                "quantity": 1000.0,
                "valid_from": FIRST,
                "valid_to": None,
                "known_from": moment(FIRST),
            }
        )
        demand = rng.uniform(0.3, 0.9)
        deal = 0
        for month in months:
            known = moment(month)
            demand = float(np.clip(demand + rng.normal(0.01, 0.08), 0.1, 1.3))
            records["billing"].append(
                {
                    "account_id": account,
                    "period_start": month,
                    "period_end": month + timedelta(days=30),
                    "plan_tier": "Growth",
                    "seats": seats,
                    "arr": seats * price,
                    "list_arr": seats * price * 1.1,
                    "overage": 10.0 if demand > 1 else 0.0,
                    "known_from": known,
                }
            )
            records["usage"].append(
                {
                    "account_id": account,
                    "metric": "api_calls",
                    "period_start": month,
                    "period_days": 28,
                    "value": 900 * demand,
                    "known_from": moment(month + timedelta(days=28)),
                }
            )
            active = min(round(demand * seats), len(people))
            for user in people[:active]:
                for _ in range(2):
                    at = moment(month + timedelta(days=int(rng.integers(0, 28))), int(rng.integers(8, 18)))
                    records["events"].append(
                        {
                            "account_id": account,
                            "user_id": user,
                            "event": "use",
                            "feature": f"f{rng.integers(0, 6)}",
                            "session_id": str(rng.integers(0, 10**9)),
                            "at": at,
                            "known_from": at,
                        }
                    )
            if rng.random() < 0.4:
                opened = moment(month + timedelta(days=3))
                records["tickets"].append(
                    {
                        "account_id": account,
                        "created_at": opened,
                        "known_from": opened,
                        "subject": "Report by hand",
                        "body": "We export to CSV and rebuild the report by hand",
                        "priority": "low",
                        "is_escalated": False,
                        "closed_at": opened + timedelta(days=4),
                        "csat": float(rng.integers(2, 6)),
                    }
                )
                records["activities"].append(
                    {
                        "account_id": account,
                        "contact_crm_id": f"{account}-c",
                        "kind": "meeting",
                        "subject": "Sync",
                        "occurred_at": opened,
                        "created_at": opened,
                        "known_from": opened,
                    }
                )
            if rng.random() < 0.2:
                records["notes"].append(
                    {
                        "account_id": account,
                        "kind": "qbr",
                        "outcome": "positive",
                        "text": "Good session, they want to roll out to Oslo",
                        "written_at": known,
                    }
                )
                records["surveys"].append(
                    {
                        "account_id": account,
                        "kind": "nps",
                        "score": float(rng.integers(4, 11)),
                        "responded_at": known,
                    }
                )
                records["triggers"].append(
                    {"account_id": account, "kind": "funding", "occurred_on": month, "known_from": known}
                )
            if rng.random() < 0.35 * max(0.0, demand - 0.55):
                deal += 1
                closed = month + timedelta(days=24)
                records["opportunities"].append(
                    {
                        "account_id": account,
                        "crm_id": f"{account}-o{deal}",
                        "created_at": moment(month + timedelta(days=10)),
                        "known_from": moment(month + timedelta(days=10)),
                        "opportunity_type": "Expansion",
                        "stage": "Closed Won",
                        "amount": 2 * price,
                        "is_closed": True,
                        "is_won": True,
                        "closed_at": moment(closed),
                        "product_id": "SEATS",
                    }
                )
                seats += 2
                demand -= 0.15
    return Company(records={name: tuple(rows) for name, rows in records.items()})


@pytest.fixture(scope="session")
def as_of() -> date:
    """The scoring date of the small company."""
    return AS_OF


@pytest.fixture(scope="session")
def catalogue() -> tuple[Product, ...]:
    """What the small company sells."""
    return (
        Product(id="SEATS", name="Seats", type="seat", price=300),
        Product(id="UP", name="Upgrade", type="tier", price=100),
        Product(id="AN", name="Analytics Module", type="module", price=50),
    )


@pytest.fixture(scope="session")
def tiny() -> Company:
    """A dozen accounts, for facts about single rows."""
    return simulate(12, seed=5)


@pytest.fixture(scope="session")
def company() -> Company:
    """160 accounts over 17 months, enough to train a model."""
    return simulate(160, seed=3)


@pytest.fixture(scope="session")
def at() -> Callable[..., datetime]:
    """An hour of a day in UTC."""
    return moment


@pytest.fixture(scope="session")
def panel(company: Company, catalogue: tuple[Product, ...]) -> Panel:
    """The panel of the 160 accounts."""
    return build_panel(company.tables(), as_of=AS_OF, target=Target(), products=catalogue)


@pytest.fixture(scope="session")
def rows(company: Company, catalogue: tuple[Product, ...]) -> Rows:
    """The 160 accounts as of the scoring date."""
    return build_rows(company.tables(), as_of=AS_OF, target=Target(), products=catalogue)


@pytest.fixture(scope="session")
def trained(panel: Panel, catalogue: tuple[Product, ...]) -> TrainedModel:
    """A model of the 160 accounts."""
    return train(panel, target=Target(), products=catalogue, seed=1)


@pytest.fixture(scope="session")
def predictions(trained: TrainedModel, rows: Rows, catalogue: tuple[Product, ...]) -> pa.Table:
    """Its predictions on the scoring date."""
    return predict(trained, rows, tiers={}, products=catalogue)


@pytest.fixture
def backend() -> Iterator[Any]:
    """A DuckDB connection through Ibis."""
    connection = Engine().connect()
    yield connection
    connection.disconnect()
