"""Random rows of every table that the model reads: with nulls, repeats, strangers, late and future ones.

What the features look for (kinds, titles, words in tickets, windows' edges) is drawn often, so that nearly
every feature has something to count. Nothing here is likely; it is for comparing two ways of counting.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

import pyarrow as pa

from model.sources import SOURCES

ROWS: Final = {
    "events": 4000,
    "usage": 600,
    "billing": 240,
    "entitlements": 200,
    "tickets": 250,
    "users": 200,
}
"""How many rows a table has, where they are not 150."""
TIMES: Final = frozenset(
    {
        *("known_from", "created_at", "closed_at", "at", "occurred_at", "changed_at", "responded_at"),
        "written_at",
    }
)
"""Columns that are moments; the other days are dates."""
EDGES: Final = (7, 29, 30, 89, 90, 179, 180, 364, 365)
WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "industry": ("Retail", "Energy"),
    "segment": ("SMB", "Mid"),
    "country": ("SE", "DE"),
    "crm_id": tuple(f"c{n}" for n in range(99)),
    "contact_crm_id": tuple(f"c{n}" for n in range(30)),
    "title": ("VP Sales", "Clerk", "Head of IT"),
    "role": ("Champion", "champion", "executive sponsor", "finance_admin", "user"),
    "opportunity_type": ("Expansion", "upsell ", "Renewal", "New"),
    "stage": ("Closed Won", "Open"),
    "product_id": ("SEATS", "UP", "AN", "WF"),
    "field": ("account_type", "owner"),
    "activities.kind": ("meeting", "email", "call", "note"),
    "entitlements.kind": ("product", "limit", "product"),
    "surveys.kind": ("nps", "NPS", "csat"),
    "triggers.kind": ("funding", "executive_hire", "product_launch", "m_and_a", "technology_change", "odd"),
    "notes.kind": ("qbr", "goal", "onboarding", "call"),
    "subject": ("Report", "Sync é", "Ünïcode 🚀"),
    "body": (
        *("We export to CSV by hand", "Great, thank you", "It is slow and broken", "Please add a workflow"),
        *("Is there a way to audit this?", "two\nlines\n", "Analytics, missing since May"),
        *("Need training for new people", "How do I onboard, support please"),
    ),
    "priority": ("low", "Urgent", "critical"),
    "text": ("They want to roll out to Oslo", "Unhappy with it", "Very pleased", "Nothing new"),
    "outcome": ("positive", "neutral", "negative", "odd"),
    "user_id": ("u0", "u0", "u0", "u1", "u2", "u3", "u4"),
    "event": ("use", "open", "Invoice page"),
    "feature": (*("f1", "f2", "f3", "f4", "F4", "upgrade_page") * 9, *(f"rare{n}" for n in range(30))),
    "session_id": ("s1", "s2", "s3"),
    "department": ("Sales", "Finance", "Legal"),
    "metric": ("api_calls", "Storage_GB", "active_users", "reports"),
    "item": ("api_calls", "storage_gb", "seats", "AN", "WF", "UP"),
    "plan_tier": ("Growth", "Gold"),
    "original_currency": ("EUR", "EUR", "USD"),
}
KINDS: Final = {"text": pa.string(), "real": pa.float64(), "whole": pa.int64(), "flag": pa.bool_()}


def random_tables(as_of: date, seed: int, *, accounts: int = 25, prefix: str = "A") -> dict[str, pa.Table]:
    """A table of each of `SOURCES`, with the types of the canonical ones; the last account has no events."""
    rng = random.Random(seed)
    names = [f"{prefix}{number:03d}" for number in range(accounts)]
    made = {}
    for table, source in SOURCES.items():
        columns = {"account_id": "text", **source.columns}
        rows = [
            {name: _value(table, name, kind, as_of, rng) for name, kind in columns.items()}
            | {"account_id": names[n % accounts] if table == "accounts" else _owner(table, names, rng)}
            for n in range(accounts if table == "accounts" else ROWS.get(table, 150))
        ]
        if table == "accounts":
            rows = [row | {"parent_id": rng.choice((None, *names[:5]))} for row in rows]
        if table == "events":
            rows += rng.sample(rows, len(rows) // 8)
        kinds = {name: _type(name, kind) for name, kind in columns.items()}
        made[table] = pa.Table.from_pylist(_apart(table, rows), schema=pa.schema(list(kinds.items())))
    return made


def _owner(table: str, names: list[str], rng: random.Random) -> str | None:
    """One of the accounts, seldom a stranger or none."""
    stranger = rng.random() < 0.05
    return rng.choice(("gone", None)) if stranger else rng.choice(names[:-1] if table == "events" else names)


def _apart(table: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows, no two with the same key where of two the newest counts: which of them is nobody's to say."""
    keys = {
        "billing": ("account_id", "period_start"),
        "notes": ("account_id", "written_at"),
        "entitlements": ("account_id", "item", "valid_from"),
        "users": ("account_id", "user_id"),
        "contacts": ("crm_id",),
        "opportunities": ("crm_id",),
    }.get(table)
    if keys is None:
        return rows
    return list({tuple(_day(row[key]) for key in keys): row for row in rows}.values())


def _day(value: object) -> object:
    return value.date() if isinstance(value, datetime) else value


def _type(name: str, kind: str) -> pa.DataType:
    if kind == "day":
        return pa.timestamp("us", tz="UTC") if name in TIMES else pa.date32()
    return KINDS[kind]


def _value(table: str, name: str, kind: str, as_of: date, rng: random.Random) -> Any:
    if rng.random() < 0.08:
        return None
    if kind == "text":
        return rng.choice(WORDS.get(f"{table}.{name}", WORDS.get(name, ("one", "two"))))
    if kind == "flag":
        return rng.random() < 0.6
    if kind in {"whole", "real"}:
        return _number(name, kind, rng)
    day = as_of - timedelta(
        days=rng.choice(EDGES) if rng.random() < 0.3 else rng.randint(-20, rng.choice((60, 400)))
    )
    if f"{table}.{name}" in {"billing.period_end", "entitlements.valid_to", "accounts.renewal_date"}:
        day += timedelta(days=300)
    if name in {"customer_since", "contract_start"}:
        day -= timedelta(days=300)
    if name not in TIMES:
        return day
    return datetime.combine(day, time(rng.randint(0, 23), rng.randint(0, 59)), UTC)


def _number(name: str, kind: str, rng: random.Random) -> float:
    if kind == "whole":
        return rng.choice((1, 7, 12, 28, 30, 400)) if name != "fiscal_year_start" else rng.randint(0, 13)
    few = {"contract_term_months": (0.0, 12.0, 24.0), "csat": (1.0, 3.0, 5.0), "score": (2.0, 7.0, 9.0)}
    return rng.choice(few.get(name, (0.0, 1.0, float(rng.randint(1, 50)), rng.random() * 900)))
