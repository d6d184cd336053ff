"""Export files as product analytics, billing and support tools deliver them; each write is atomic."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from connectors.sandbox.company import billing, directory, relationship, triggers
from connectors.sandbox.company.messy_records import messy_export
from connectors.sandbox.company.people import Contacts, Slots
from connectors.sandbox.company.population import WARM_UP
from connectors.sandbox.company.usage_events import event_table
from connectors.sandbox.company.world import World


def write_exports(
    world: World, people: Contacts, slots: Slots, folder: Path, *, since: int, until: int
) -> int:
    """Write what became known in the weeks from `since` until before `until`; the events of those months.

    Monthly files of months that these weeks touch are written anew, older ones are left alone, and
    lists of record (users, entitlements, surveys, triggers, notes) are written as a whole."""
    first = (world.plan.epoch + timedelta(weeks=since)).date()
    last = (world.plan.epoch + timedelta(weeks=until, days=-1)).date()
    count = 0
    for month in billing.months_between(first, last):
        start = max(month.first, world.plan.first_day)
        end = min(month.last, last)
        weeks = range(max(WARM_UP, billing.week_of(world, start)), billing.week_of(world, end) + 1)
        after = end + timedelta(days=1)
        events = event_table(
            world, people, slots, weeks, first=np.datetime64(start, "us"), last=np.datetime64(after, "us")
        )
        events = messy_export(world, "events", events)
        count += len(events)
        write_parquet(folder / "events" / f"events-{month}.parquet", events)
        if world.plan.first_day <= month.first:
            invoices = messy_export(world, "billing", billing.invoices(world, month))
            write_csv(folder / "billing" / f"billing-{month}.csv", invoices)
        complete = start == month.first and month.last == end
        if complete and month.following.first <= after:
            metered = messy_export(world, "usage", billing.usage(world, month))
            write_csv(folder / "usage" / f"usage-{month}.csv", metered)
    for name, table in {
        "users": directory.users(world, people, slots, until),
        "entitlements": billing.entitlements(world, until),
        "surveys": relationship.surveys(world, until),
        "triggers": triggers.triggers(world, until),
        "notes": relationship.notes(world, until),
    }.items():
        write_csv(folder / f"{name}.csv", messy_export(world, name, table))
    return count


def write_parquet(path: Path, table: pa.Table) -> None:
    """Write a Parquet file that reads back as plain text columns, never half of one.

    Only columns that are coded already get a dictionary: building one for times and sessions, which
    hardly repeat, took half of the time of writing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    coded = [column.name for column in table.schema if pa.types.is_dictionary(column.type)]
    pq.write_table(table, part, compression="snappy", use_dictionary=coded or True, store_schema=False)
    os.replace(part, path)


def write_csv(path: Path, table: pa.Table) -> None:
    """Write a CSV file with ISO dates, times in UTC with their zone, and quoted text; never half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    pacsv.write_csv(table, part)
    os.replace(part, path)
