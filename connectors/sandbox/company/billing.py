"""What finance and metering export: monthly invoices, metered usage, and entitlements with their dates."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import pyarrow as pa

from connectors.sandbox.company.catalogue import (
    API_CALLS_PER_SEAT,
    EXPANSIONS,
    OVERAGE_PRICE,
    PLAN,
    STORAGE_PER_SEAT,
    TIERS,
)
from connectors.sandbox.company.randomness import stream
from connectors.sandbox.company.timing import account_keys
from connectors.sandbox.company.world import World

TIME = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month."""

    year: int
    month: int

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, self.month, 1)

    @property
    def last(self) -> date:
        """Its last day."""
        return date(self.year, self.month, calendar.monthrange(self.year, self.month)[1])

    @property
    def following(self) -> Month:
        """The month after it."""
        return Month(self.year + self.month // 12, self.month % 12 + 1)

    @property
    def number(self) -> int:
        """Months since year 0."""
        return self.year * 12 + self.month - 1

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"

    @classmethod
    def of(cls, day: date) -> Month:
        """The month that a day lies in."""
        return cls(day.year, day.month)


def months_between(first: date, last: date) -> list[Month]:
    """The months that the days from first to last touch, in order."""
    months, month = [], Month.of(first)
    while month.first <= last:
        months.append(month)
        month = month.following
    return months


def week_of(world: World, day: date) -> int:
    """The week of the world that a day lies in."""
    return (day - world.plan.epoch.date()).days // 7


def invoices(world: World, month: Month) -> pa.Table:
    """The invoices issued on the first of a month: the contract then, and last month's overage."""
    week = week_of(world, month.first)
    traces = world.traces
    who = np.nonzero(traces["customer"][week])[0]
    usage = _metered(world, Month.of(month.first - timedelta(days=1)))
    overage = np.round(np.maximum(0.0, usage["api_calls"] - usage["api_limit"]) * OVERAGE_PRICE, 2)[who]
    arr = traces["arr"][week][who]
    keys = account_keys(world.plan.accounts)
    issued = datetime(month.year, month.month, 1, 2, tzinfo=world.plan.epoch.tzinfo)
    return pa.table(
        {
            "account_key": [keys[a] for a in who],
            "period_start": pa.array([month.first] * len(who), pa.date32()),
            "period_end": pa.array([month.last] * len(who), pa.date32()),
            "plan_tier": [TIERS[tier] for tier in traces["tier"][week][who]],
            "seats": traces["seats"][week][who],
            "arr": arr,
            "list_arr": traces["list_arr"][week][who],
            "currency": pa.array(["USD"] * len(who), pa.string()),
            "invoiced": np.round(arr / 12 + overage, 2),
            "overage": overage,
            "known_from": pa.array([issued] * len(who), TIME),
        }
    )


def usage(world: World, month: Month) -> pa.Table:
    """API calls made in a month and gigabytes stored at its end, known on the first of the next."""
    figures = _metered(world, month)
    who = np.nonzero(world.traces["customer"][week_of(world, month.last)])[0]
    keys = account_keys(world.plan.accounts)
    names = [keys[a] for a in who]
    days = (month.last - month.first).days + 1
    known = datetime(month.following.year, month.following.month, 1, 1, tzinfo=world.plan.epoch.tzinfo)
    rows = 2 * len(who)
    return pa.table(
        {
            "account_key": names * 2,
            "metric": ["api_calls"] * len(who) + ["storage_gb"] * len(who),
            "period_start": pa.array([month.first] * rows, pa.date32()),
            "period_days": pa.array([days] * rows, pa.int64()),
            "value": np.concatenate(
                [np.round(figures["api_calls"][who]), np.round(figures["storage_gb"][who], 2)]
            ),
            "known_from": pa.array([known] * rows, TIME),
        }
    )


def _metered(world: World, month: Month) -> dict[str, np.ndarray]:
    """Metered figures of a month with the small noise that a meter has, one entry an account."""
    first, last = max(0, week_of(world, month.first)), max(0, week_of(world, month.last))
    last = min(last, world.weeks - 1)
    first = min(first, last)
    traces = world.traces
    rng = stream(world.plan.seed, "meter", month.number)
    noise = np.exp(0.06 * rng.standard_normal((2, world.plan.accounts)))
    weeks = slice(first, last + 1)
    limit = API_CALLS_PER_SEAT[traces["tier"][weeks]] * traces["seats"][weeks]
    stored = traces["storage_ratio"][last] * STORAGE_PER_SEAT[traces["tier"][last]] * traces["seats"][last]
    return {
        "api_calls": (traces["api_ratio"][weeks] * limit).mean(axis=0) * noise[0],
        "api_limit": limit[-1],
        "storage_gb": stored * noise[1],
    }


def entitlements(world: World, until: int) -> pa.Table:
    """Limits and products of each account with the days from and to which they hold, as known at a week."""
    rows: list[tuple[int, str, str, float, date, date | None]] = []
    traces = world.traces
    seats, tier = traces["seats"][: until + 1], traces["tier"][: until + 1]
    customer = traces["customer"][: until + 1]
    limits = {
        "seats": seats,
        "api_calls": API_CALLS_PER_SEAT[tier] * seats,
        "storage_gb": STORAGE_PER_SEAT[tier] * seats,
    }
    for item, values in limits.items():
        rows += _spans(world, item, "limit", np.where(customer, values, 0.0))
    rows += _spans(world, PLAN.id, "product", customer.astype(float))
    for index, product in enumerate(EXPANSIONS):
        rows += _spans(
            world, product.id, "product", (traces["owned"][: until + 1, :, index] & customer).astype(float)
        )
    rows.sort(key=lambda row: (row[0], row[1], row[4]))
    keys = account_keys(world.plan.accounts)
    account, item_, kind, quantity, valid_from, valid_to = zip(*rows, strict=True) if rows else ((),) * 6
    known = pa.array(valid_from, pa.date32()).cast(pa.timestamp("us")).cast(TIME)
    return pa.table(
        {
            "account_key": pa.array([keys[a] for a in account], pa.string()),
            "item": pa.array(item_, pa.string()),
            "kind": pa.array(kind, pa.string()),
            "quantity": pa.array(quantity, pa.float64()),
            "valid_from": pa.array(valid_from, pa.date32()),
            "valid_to": pa.array(valid_to, pa.date32()),
            "known_from": known,
        }
    )


def _spans(
    world: World, item: str, kind: str, values: np.ndarray
) -> list[tuple[int, str, str, float, date, date | None]]:
    """The stretches of weeks over which an entitlement kept its value; zero is no entitlement."""
    epoch = world.plan.epoch.date()
    changed = np.vstack([np.ones((1, values.shape[1]), dtype=bool), values[1:] != values[:-1]])
    week, account = np.nonzero(changed)
    order = np.lexsort((week, account))
    week, account = week[order], account[order]
    last = np.append(account[1:] != account[:-1], True)
    following = np.append(week[1:], 0)
    spans = []
    quantity = values[week, account]
    start = world.population.start_week
    for w, a, q, is_last, ends in zip(
        week.tolist(), account.tolist(), quantity.tolist(), last.tolist(), following.tolist(), strict=True
    ):
        if q <= 0:
            continue
        begins = epoch + timedelta(weeks=int(start[a]) if w == 0 else w)
        spans.append((a, item, kind, q, begins, None if is_last else epoch + timedelta(weeks=ends, days=-1)))
    return spans
