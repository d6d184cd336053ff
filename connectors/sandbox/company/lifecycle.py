"""Generate the synthetic company, and move it on: the two verbs of the sandbox's world.

Files under the folder: `exports/` (what the company's tools deliver), `crm/` (vendor-neutral tables
that a CRM dialect loads) and `referee/` (the plan of the world and the truth, for judging only).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pyarrow as pa

from connectors.sandbox.company import directory, opportunities, relationship, support
from connectors.sandbox.company.exports import write_exports, write_parquet
from connectors.sandbox.company.hazards import switches
from connectors.sandbox.company.messy_records import messy_records, shown_truth
from connectors.sandbox.company.people import contacts_of, slots_of
from connectors.sandbox.company.population import WARM_UP, WorldPlan
from connectors.sandbox.company.truth import HORIZON_WEEKS, truth
from connectors.sandbox.company.world import World, run

_PLAN = "referee/world.json"
OPENS = time(9, tzinfo=UTC)  # the hour of a Monday at which the sandbox's clock stands


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanySummary:
    """What a company consists of at its clock."""

    accounts: int
    customers: int
    now: datetime
    events: int  # written by this call
    opportunities: int
    contacts: int
    tickets: int
    activities: int
    arr: float  # USD a year


def generate(
    folder: Path,
    *,
    accounts: int = 2000,
    months: int = 24,
    seed: int = 1,
    today: date = date(2026, 11, 2),
    effects: Mapping[str, float] | None = None,
    mess: float = 1.0,
) -> CompanySummary:
    """Write a company whose history ends on `today`, a Monday, 09:00 UTC; same arguments, same bytes.

    `effects` scales the influence of signal families (catalogue.FAMILIES) on expansion, 1.0 each; `mess`
    says how messy the records are, from 0 (all in order) over 1 (as after a few years) to 3.
    Raises ValueError for an impossible size or mess, a day that is no Monday or an unknown family."""
    if not 0 <= mess <= 3:
        raise ValueError(f"mess lies between 0 and 3, and {mess} does not")
    if today.weekday() != 0:
        raise ValueError(f"a company's history ends on a Monday, and {today} is none")
    switches(effects or {})
    plan = WorldPlan(
        accounts=accounts,
        months=months,
        seed=seed,
        today=today,
        effects=tuple(sorted((effects or {}).items())),
        mess=mess,
    )
    return _reveal(plan, folder, since=WARM_UP, until=plan.now_week)


def advance(folder: Path, weeks: int) -> CompanySummary:
    """Reveal the next weeks of the company in the folder; two single weeks are the same as one step of two.

    Raises FileNotFoundError where no company was generated, ValueError for fewer than one week."""
    if weeks < 1:
        raise ValueError(f"the company can be moved on by 1 week or more, not by {weeks}")
    plan, week = read_plan(folder)
    return _reveal(plan, folder, since=week, until=week + weeks)


def read_plan(folder: Path) -> tuple[WorldPlan, int]:
    """The plan of the company in the folder, and the week at which its clock stands."""
    path = folder / _PLAN
    if not path.is_file():
        raise FileNotFoundError(f"{folder} holds no company (no {_PLAN}); generate one first")
    found = json.loads(path.read_text(encoding="utf-8"))
    week = int(found.pop("week"))
    effects = tuple((str(family), float(weight)) for family, weight in found.pop("effects"))
    today = date.fromisoformat(found.pop("today"))
    mess = float(found.pop("mess", 0.0))  # a company from before there was any
    return WorldPlan(**found, today=today, effects=effects, mess=mess), week


def clock_of(plan: WorldPlan, week: int) -> datetime:
    """The time on the sandbox's clock when `week` is about to begin."""
    return datetime.combine((plan.epoch + timedelta(weeks=week)).date(), OPENS)


def crm_tables(world: World, until: int) -> dict[str, pa.Table]:
    """The company's records as a CRM holds them at the start of week `until`, in no vendor's words."""
    people = contacts_of(world, until)
    tables = {
        "owners": directory.owners(world),
        "products": directory.products(),
        "accounts": directory.accounts(world, until),
        "contacts": directory.contacts(world, people, until),
        **opportunities.opportunities(world, until),
        "account_history": directory.account_history(world, until),
        "activities": relationship.activities(world, until),
        "tickets": support.tickets(world, until),
    }
    return messy_records(world, tables, until)


def _reveal(plan: WorldPlan, folder: Path, *, since: int, until: int) -> CompanySummary:
    world = run(plan, until + HORIZON_WEEKS, snapshots=frozenset({until}))
    people, slots = contacts_of(world, until), slots_of(world)
    events = write_exports(world, people, slots, folder / "exports", since=since, until=until)
    tables = crm_tables(world, until)
    for name, table in tables.items():
        write_parquet(folder / "crm" / f"{name}.parquet", table)
    write_parquet(folder / "referee" / "truth.parquet", shown_truth(world, truth(world, until)))
    state = asdict(plan) | {"today": plan.today.isoformat(), "week": until}
    (folder / _PLAN).write_text(json.dumps(state, indent=1), encoding="utf-8")
    customer = world.traces["customer"][until]
    return CompanySummary(
        accounts=plan.accounts,
        customers=int(customer.sum()),
        now=clock_of(plan, until),
        events=events,
        opportunities=len(tables["opportunities"]),
        contacts=len(tables["contacts"]),
        tickets=len(tables["tickets"]),
        activities=len(tables["activities"]),
        arr=round(float((world.traces["arr"][until] * customer).sum()), 2),
    )
