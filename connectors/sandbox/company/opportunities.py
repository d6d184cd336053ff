"""Opportunities of every type as sales keeps them: expansions, renewals and new business, with history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from connectors.sandbox.company.catalogue import EXPANSIONS, PLAN
from connectors.sandbox.company.names import account_names
from connectors.sandbox.company.population import NEVER
from connectors.sandbox.company.randomness import scatter
from connectors.sandbox.company.timing import account_keys, close_times, create_times, moments
from connectors.sandbox.company.world import World

TIME: Final = pa.timestamp("us", tz="UTC")
STAGES: Final = ("Qualification", "Needs Analysis", "Proposal/Price Quote", "Negotiation/Review")
PROBABILITY: Final = (10.0, 20.0, 75.0, 90.0)  # a CRM's usual defaults for these stages
_REACHED: Final = (0.0, 0.30, 0.55, 0.80)  # share of the cycle after which a stage is entered
_TYPES: Final = {
    "seat": "Seat Expansion",
    "tier": "Tier Upgrade",
    "module": "Cross-sell",
    "addon": "Add-on",
    "service": "Services",
    "commit": "Multi-year",
}
TYPES: Final = ("New Business", "Renewal", *_TYPES.values())
_RENEWAL_LEAD: Final = 10  # weeks before the renewal date at which its opportunity is created
_SALES_CYCLE: Final = 9  # weeks of a new-business opportunity
_OPEN_ENDED: Final = np.datetime64("2999-01-01", "us")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """All opportunities created before a date; times after it are in the future and stay hidden."""

    key: list[str]
    account: np.ndarray
    kind: np.ndarray  # index in TYPES
    product: list[str]
    quantity: np.ndarray
    amount: np.ndarray  # as agreed in the end
    created: np.ndarray
    closed: np.ndarray
    won: np.ndarray
    number: np.ndarray  # of its own, for draws that concern this opportunity only


def ledger(world: World, until: int) -> Ledger:
    """The opportunities that exist at the start of week `until`, in order of creation."""
    parts = [_expansions(world, until), _renewals(world, until), _new_business(world, until)]
    key = [key for part in parts for key in part.key]
    product = [product for part in parts for product in part.product]
    arrays = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("account", "kind", "quantity", "amount", "created", "closed", "won", "number")
    }
    order = np.lexsort((arrays["number"], arrays["created"]))
    return Ledger(
        key=[key[i] for i in order],
        product=[product[i] for i in order],
        **{name: values[order] for name, values in arrays.items()},
    )


def _expansions(world: World, until: int) -> Ledger:
    deals = world.deals
    seen = deals.created_week < until
    product = deals.product[seen]
    kinds = np.array([TYPES.index(_TYPES[p.kind]) for p in EXPANSIONS])
    return Ledger(
        key=[f"O-X{n:06d}" for n in range(int(seen.sum()))],
        account=deals.account[seen],
        kind=kinds[product],
        product=[EXPANSIONS[p].id for p in product.tolist()],
        quantity=deals.units[seen],
        amount=deals.arr[seen],
        created=create_times(world.plan, deals)[seen],
        closed=close_times(world.plan, deals)[seen],
        won=deals.won[seen],
        number=np.arange(int(seen.sum())),
    )


def _renewals(world: World, until: int) -> Ledger:
    """One for each renewal date, ten weeks before it; a multi-year deal in between settles it early."""
    traces, plan = world.traces, world.plan
    last = len(traces["customer"]) - 1
    date_set = traces["renewal_week"][:until] == np.arange(until)[:, None] + _RENEWAL_LEAD
    week, account = np.nonzero(date_set & traces["customer"][:until])
    due = week + _RENEWAL_LEAD
    closing = np.full(len(week), NEVER)
    for ahead in range(_RENEWAL_LEAD, 0, -1):
        then = np.minimum(week + ahead, last)
        moved = (traces["renewal_week"][then, account] != due) & (week + ahead <= last)
        closing = np.where(moved, week + ahead - 1, closing)
    closing = np.where((closing == NEVER) & (due < last), due, closing)
    lost = traces["churned"][np.minimum(due, last - 1), account] & (closing == due)
    number = 1_000_000 + week * 10_000 + account
    spread = number * 31
    known = np.where(closing == NEVER, 0, closing)
    closed = moments(plan, known, 3 + spread % 2, 620 + spread % 350)
    return Ledger(
        key=[f"O-R{a + 1:05d}-{d}" for a, d in zip(account.tolist(), due.tolist(), strict=True)],
        account=account,
        kind=np.full(len(week), TYPES.index("Renewal")),
        product=[PLAN.id] * len(week),
        quantity=np.ones(len(week)),
        amount=traces["arr"][week, account],
        created=moments(plan, week, spread % 3, 550 + spread % 300),
        closed=np.where(closing == NEVER, _OPEN_ENDED, closed),
        won=~lost & (closing != NEVER),
        number=number,
    )


def _new_business(world: World, until: int) -> Ledger:
    """One for each customer who signs after week 0, and a lost one for each prospect who never does."""
    plan, start = world.plan, world.population.start_week
    account = np.nonzero(start >= 0)[0]
    signs = start[account] < NEVER
    lost_at = (20 + 100 * scatter(plan.seed, "lost prospect", account)).astype(np.int64)
    closing = np.where(signs, start[account], lost_at)
    opened = np.maximum(0, closing - _SALES_CYCLE)
    seen = opened < until
    account, closing, opened, signs = account[seen], closing[seen], opened[seen], signs[seen]
    spread = account * 17
    return Ledger(
        key=[f"O-N{a + 1:05d}" for a in account.tolist()],
        account=account,
        kind=np.zeros(len(account), dtype=np.int64),
        product=[PLAN.id] * len(account),
        quantity=np.ones(len(account)),
        amount=world.traces["arr"][0, account],
        created=moments(plan, opened, spread % 3, 540 + spread % 300),
        closed=moments(plan, closing, 3 + spread % 2, 600 + spread % 350),
        won=signs,
        number=9_000_000 + account,
    )


def opportunities(world: World, until: int) -> dict[str, pa.Table]:
    """Tables opportunities, opportunity_lines and opportunity_history as they stand at week `until`."""
    book, plan = ledger(world, until), world.plan
    now = moments(plan, np.array([until]), np.array([0]), np.array([0]))[0]
    closed = book.closed < now
    history = _history(world, book, now)
    keys, names = account_keys(plan.accounts), account_names(plan, world.population)
    latest = np.zeros(len(book.key), dtype=np.int64)
    latest[history["row"]] = np.arange(len(history["row"]))  # rows are in order of time: the last one stays
    products = {p.id: p.name for p in (PLAN, *EXPANSIONS)}
    accounts = book.account.tolist()
    sales = np.isin(
        book.kind, [TYPES.index("New Business"), TYPES.index("Tier Upgrade"), TYPES.index("Multi-year")]
    )
    owner = [
        f"ae-{world.population.seller[a] + 1:03d}" if by_sales else f"csm-{world.population.owner[a] + 1:03d}"
        for a, by_sales in zip(accounts, sales.tolist(), strict=True)
    ]
    table = pa.table(
        {
            "opportunity_key": book.key,
            "account_key": [keys[a] for a in accounts],
            "name": [f"{names[a]} – {products[p]}" for a, p in zip(accounts, book.product, strict=True)],
            "opportunity_type": [TYPES[k] for k in book.kind.tolist()],
            "stage": [history["stage"][i] for i in latest],
            "amount": history["amount"][latest],
            "probability": history["probability"][latest],
            "is_closed": closed,
            "is_won": closed & book.won,
            "close_date": pa.array(history["close_date"][latest], pa.date32()),
            "created_at": pa.array(book.created, TIME),
            "closed_at": pa.array(book.closed, TIME, mask=~closed),
            "modified_at": pa.array(history["changed"][latest], TIME),
            "owner_key": owner,
            "product_id": book.product,
        }
    )
    lines = pa.table(
        {
            "opportunity_key": book.key,
            "product_id": book.product,
            "product_name": [products[p] for p in book.product],
            "quantity": book.quantity,
            "amount": history["amount"][latest],
            "created_at": pa.array(book.created, TIME),
            "modified_at": pa.array(history["changed"][latest], TIME),
        }
    )
    changes = pa.table(
        {
            "opportunity_key": [book.key[row] for row in history["row"].tolist()],
            "stage": history["stage"].tolist(),
            "amount": history["amount"],
            "probability": history["probability"],
            "close_date": pa.array(history["close_date"], pa.date32()),
            "changed_at": pa.array(history["changed"], TIME),
        }
    )
    return {"opportunities": table, "opportunity_lines": lines, "opportunity_history": changes}


def _history(world: World, book: Ledger, now: np.datetime64) -> dict[str, np.ndarray]:
    """The stages entered before now, in order of time; amounts and dates firm up on the way."""
    seed = world.plan.seed
    rows = np.arange(len(book.key))
    guess = 0.7 + 0.6 * scatter(seed, "first guess", book.number)  # what sales thinks before it has asked
    hope = (28 + 35 * scatter(seed, "hoped for", book.number)).astype(np.int64)
    planned = np.minimum(book.closed, book.created + np.timedelta64(_SALES_CYCLE * 7, "D"))
    length = planned - book.created
    entries: list[dict[str, np.ndarray]] = []
    for stage, (name, probability, share) in enumerate(zip(STAGES, PROBABILITY, _REACHED, strict=True)):
        entered = book.created + (length.astype(np.int64) * share).astype("timedelta64[us]")
        entered = entered.astype("datetime64[s]").astype("datetime64[us]")
        expected = (book.created + hope * np.timedelta64(1, "D")).astype("datetime64[D]")
        later = (entered + np.timedelta64(21, "D")).astype("datetime64[D]")
        skip = (length < np.timedelta64(14, "D")) & (stage in (1, 3))  # self-serve: no talks
        seen = (entered < now) & ~skip
        entries.append(
            {
                "row": rows[seen],
                "stage": np.full(int(seen.sum()), name),
                "amount": np.round(np.where(stage < 2, guess, 1.0) * book.amount, 2)[seen],
                "probability": np.full(int(seen.sum()), probability),
                "close_date": (expected if stage < 2 else np.maximum(expected, later))[seen],
                "changed": entered[seen],
            }
        )
    done = book.closed < now
    entries.append(
        {
            "row": rows[done],
            "stage": np.where(book.won, "Closed Won", "Closed Lost")[done],
            "amount": book.amount[done],
            "probability": np.where(book.won, 100.0, 0.0)[done],
            "close_date": book.closed[done].astype("datetime64[D]"),
            "changed": book.closed[done],
        }
    )
    column = {name: np.concatenate([entry[name] for entry in entries]) for name in entries[0]}
    order = np.lexsort((column["row"], column["changed"]))
    return {name: values[order] for name, values in column.items()}
