"""Accounts, people, owners and products as lists of record: what CRM and product know about who is who."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import numpy as np
import pyarrow as pa

from connectors.sandbox.company.catalogue import (
    COUNTRIES,
    DEPARTMENTS,
    INDUSTRIES,
    PRODUCTS,
    SEGMENTS,
    TIERS,
)
from connectors.sandbox.company.names import account_names, ascii_slug, person_names
from connectors.sandbox.company.people import (
    Contacts,
    Slots,
    contact_keys,
    identities,
    slots_in_use,
    user_ids,
)
from connectors.sandbox.company.population import NEVER
from connectors.sandbox.company.randomness import stream
from connectors.sandbox.company.timing import account_keys, moments
from connectors.sandbox.company.world import World

TIME: Final = pa.timestamp("us", tz="UTC")
TEAM_DOMAIN: Final = "ourteam.example"
_IDLE_WEEKS: Final = 26  # a user who has not come for half a year is deactivated
_CHANGED_AT: Final = (4, 1050)  # Friday 17:30: after the week's deals were closed


def accounts(world: World, until: int) -> pa.Table:
    """One row an account as it stands at the start of week `until`."""
    plan, population = world.plan, world.population
    names, keys = account_names(plan, population), account_keys(plan.accounts)
    traces, start = world.traces, population.start_week
    customer, renewal = traces["customer"][until], traces["renewal_week"][until]
    signed = start < until
    unsigned = ~signed
    epoch = plan.epoch.date()

    def days(weeks: np.ndarray, extra: int = 0) -> pa.Array:
        known = np.where(signed, weeks, 0).tolist()
        return pa.array([epoch + timedelta(weeks=w, days=extra) for w in known], pa.date32(), mask=unsigned)

    created = moments(
        plan, np.minimum(start, 0) - 12, np.arange(plan.accounts) % 5, np.full(plan.accounts, 600)
    )
    modified = np.maximum(created, _last_change(world, until))
    tier = pa.array([TIERS[t] for t in traces["tier"][until].tolist()], pa.string(), mask=unsigned)
    bought = {
        name: pa.array(np.where(customer, traces[name][until], 0.0), mask=unsigned)
        for name in ("seats", "arr", "list_arr")
    }
    return pa.table(
        {
            "account_key": keys,
            "name": names,
            "website": [f"https://www.{ascii_slug(name)}.example" for name in names],
            "industry": [INDUSTRIES[i] for i in population.industry.tolist()],
            "segment": [SEGMENTS[i] for i in population.segment.tolist()],
            "country": [COUNTRIES[i][0] for i in population.country.tolist()],
            "parent_key": pa.array(
                [keys[p] if p >= 0 else None for p in population.parent.tolist()], pa.string()
            ),
            "owner_key": [f"csm-{o + 1:03d}" for o in population.owner.tolist()],
            "account_type": np.where(
                customer, "Customer", np.where(signed, "Former Customer", "Prospect")
            ).tolist(),
            "is_customer": customer,
            "employees": population.employees,
            "annual_revenue": np.round(population.employees * 180_000.0, -4),
            "plan_tier": tier,
            **bought,
            "customer_since": days(start, 3),
            "contract_start": days(renewal - population.term),
            "renewal_date": days(renewal),
            "contract_term_months": pa.array(np.round(population.term / 52 * 12), mask=unsigned),
            "fiscal_year_start": population.fiscal_start,
            "created_at": pa.array(created, TIME),
            "modified_at": pa.array(modified, TIME),
        }
    )


def _last_change(world: World, until: int) -> np.ndarray:
    """When each account's contract last changed; before the first week for none."""
    changed = np.zeros((until, world.plan.accounts), dtype=bool)
    for name in ("customer", "seats", "arr", "tier", "renewal_week"):
        values = world.traces[name][: until + 1]
        changed |= values[1:] != values[:-1]
    last = np.where(changed.any(axis=0), until - 1 - changed[::-1].argmax(axis=0), -400)
    return moments(world.plan, last, np.full(len(last), _CHANGED_AT[0]), np.full(len(last), _CHANGED_AT[1]))


def account_history(world: World, until: int) -> pa.Table:
    """One row a change of seats, ARR, tier, renewal date or account type before week `until`."""
    plan, traces = world.plan, world.traces
    keys, epoch = account_keys(plan.accounts), plan.epoch.date()
    parts: list[tuple[int, int, str, str, str]] = []

    def text(name: str, value: float) -> str:
        if name == "tier":
            return TIERS[int(value)]
        if name == "renewal_week":
            return (epoch + timedelta(weeks=int(value))).isoformat()
        if name == "customer":
            return "Customer" if value else "Former Customer"
        return f"{value:.2f}" if name == "arr" else f"{value:.0f}"

    columns = {
        "seats": "seats",
        "arr": "arr",
        "tier": "plan_tier",
        "renewal_week": "renewal_date",
        "customer": "account_type",
    }
    for name, column in columns.items():
        values = traces[name][: until + 1]
        week, account = np.nonzero(values[1:] != values[:-1])
        before, after = values[week, account].tolist(), values[week + 1, account].tolist()
        for w, a, old, new in zip(week.tolist(), account.tolist(), before, after, strict=True):
            was = "Prospect" if name == "customer" and new else text(name, old)
            parts.append((w, a, column, was, text(name, new)))
    parts.sort()
    weeks, whose, fields, old_values, new_values = zip(*parts, strict=True) if parts else ((),) * 5
    rows = len(parts)
    at = moments(
        plan, np.array(weeks, np.int64), np.full(rows, _CHANGED_AT[0]), np.full(rows, _CHANGED_AT[1])
    )
    return pa.table(
        {
            "account_key": pa.array([keys[a] for a in whose], pa.string()),
            "field": pa.array(fields, pa.string()),
            "old_value": pa.array(old_values, pa.string()),
            "new_value": pa.array(new_values, pa.string()),
            "changed_at": pa.array(at, TIME),
        }
    )


def contacts(world: World, people: Contacts, until: int) -> pa.Table:
    """One row a named person at an account as known at the start of week `until`."""
    plan = world.plan
    keys = account_keys(plan.accounts)
    who = identities(world, people.account, people.number, people.role)
    left = people.end < until
    created = moments(plan, people.start, people.account % 5, 560 + people.number)
    leaving = moments(plan, np.where(left, people.end, 0), people.account % 5, np.full(len(left), 1020))
    return pa.table(
        {
            "contact_key": contact_keys(people.account, people.number),
            "account_key": [keys[a] for a in people.account.tolist()],
            "number": people.number,
            "name": who.name,
            "email": who.email,
            "title": who.title,
            "department": who.department,
            "role": people.role,
            "owner_key": [f"csm-{world.population.owner[a] + 1:03d}" for a in people.account.tolist()],
            "left_at": pa.array(leaving.astype("datetime64[D]"), pa.date32(), mask=~left),
            "created_at": pa.array(created, TIME),
            "modified_at": pa.array(np.where(left, leaving, created), TIME),
        }
    )


def users(world: World, people: Contacts, slots: Slots, until: int) -> pa.Table:
    """One row a person who may use the product: named contacts, then everyone else who ever came."""
    plan = world.plan
    keys = account_keys(plan.accounts)
    first, last = np.full(len(slots.account), NEVER), np.full(len(slots.account), -1)
    for week in range(until):
        active = slots_in_use(world, people, slots, week)
        last[active] = week
        first[active & (first == NEVER)] = week
    came = np.nonzero(last >= 0)[0]
    account = np.concatenate([people.account, slots.account[came]])
    number = np.concatenate([people.number, slots.number[came]])
    role = [*people.role, *["user"] * len(came)]
    who = identities(world, account, number, role)
    order = world.population.department_order
    ranked = order[slots.account[came], np.minimum(slots.department_rank[came], len(DEPARTMENTS) - 1)]
    department = who.department[: len(people.account)] + [DEPARTMENTS[d] for d in ranked.tolist()]
    begins = np.concatenate([people.start, first[came]])
    ends = np.concatenate([people.end, last[came] + _IDLE_WEEKS])
    gone = ends < until
    created = moments(plan, begins, np.zeros(len(account), np.int64), np.full(len(account), 300))
    left = moments(plan, np.where(gone, ends, 0), account % 5, np.full(len(account), 1020))
    return pa.table(
        {
            "account_key": [keys[a] for a in account.tolist()],
            "user_id": user_ids(account, number),
            "email": who.email,
            "name": who.name,
            "title": who.title,
            "department": department,
            "role": role,
            "created_at": pa.array(created, TIME),
            "deactivated_at": pa.array(left, TIME, mask=~gone),
        }
    )


def owners(world: World) -> pa.Table:
    """One row a customer success manager or account executive: about one CSM for forty accounts."""
    managers = max(1, round(world.plan.accounts / 40))
    sellers = max(1, round(world.plan.accounts / 120))
    names, addresses = person_names(stream(world.plan.seed, "owners"), managers + sellers)
    keys = [f"csm-{n + 1:03d}" for n in range(managers)] + [f"ae-{n + 1:03d}" for n in range(sellers)]
    return pa.table(
        {
            "owner_key": keys,
            "name": names,
            "email": [f"{address}.{key}@{TEAM_DOMAIN}" for address, key in zip(addresses, keys, strict=True)],
            "role": ["csm"] * managers + ["ae"] * sellers,
            "timezone": [COUNTRIES[n % len(COUNTRIES)][1] for n in range(managers + sellers)],
            "is_active": [True] * (managers + sellers),
        }
    )


def products() -> pa.Table:
    """The price list."""
    return pa.table(
        {
            "product_id": [p.id for p in PRODUCTS],
            "name": [p.name for p in PRODUCTS],
            "kind": [p.kind for p in PRODUCTS],
            "family": [p.family for p in PRODUCTS],
            "price": [p.price for p in PRODUCTS],
        }
    )
