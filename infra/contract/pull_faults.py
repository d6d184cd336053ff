"""Pulls through faults, while people go on working; in the end the lake is held against the CRM.

First everything, then hours of what changed. A quarter of the records bear one moment's stamp, some are
committed late, some edited, deleted or merged between two pages of the very pull that reads them, and a
mapped field goes out of sight in the middle of one.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from connectors.errors import SetupError, TransientError
from infra.contract.org import Org
from sync.lake import Lake
from sync.pull import pull
from sync.store import Store

TABLES: Final = ("accounts", "contacts")
MAPPED: Final = "reason_1"  # a field of ours that is read as an account's segment
TRIES: Final = 200
HOURS: Final = 8
LATE: Final = 480  # seconds by which a record may be committed late; the windows overlap by 600


@dataclass(slots=True, kw_only=True)
class PullResult:
    """What a run of pulls met, and in what the lake differs from the CRM."""

    rows: int
    pulls: int = 0
    broken: int = 0  # pulls that ended in an error that passes
    stopped: int = 0  # by a mapped field that is out of sight
    faults: int = 0  # requests that met one
    deeds: int = 0  # of people
    seconds: float = 0.0
    differences: tuple[str, ...] = ()


class People:
    """Who work on while the pull reads: up to `most` deeds after each of its answers, by seed."""

    def __init__(self, org: Org, ids: Mapping[str, list[str]], chance: random.Random, *, most: int) -> None:
        self.deeds = 0
        self.hides_field = False  # with the next deed
        self.misses_field = False
        self._org = org
        self._ids = ids
        self._chance = chance
        self._most = most

    def act(self) -> None:
        """Perhaps do something."""
        if self.hides_field:
            self._org.hide_field(MAPPED)
            self.hides_field, self.misses_field = False, True
        for _ in range(self._chance.randint(0, self._most)):
            self.deeds += 1
            table = self._chance.choice(TABLES)
            self._chance.choice(
                (self._edit, self._edit, self._create, self._late, self._delete, self._merge)
            )(table)

    def go_home(self) -> None:
        """Do nothing any more."""
        self._most = 0

    def _edit(self, table: str) -> None:
        name = self._org.columns[table]["name"]
        values = {name: f"Edited {self.deeds} – O'Neil \U0001f680"}
        if table == "accounts" and not self.misses_field and self._chance.random() < 0.5:
            values = {self._org.ours(MAPPED): f"Segment {self.deeds}"}
        self._org.edit(table, self._chance.choice(self._ids[table]), values)

    def _create(self, table: str) -> None:
        self._ids[table].append(self._org.create(table, name=f"New {self.deeds}"))

    def _late(self, table: str) -> None:
        record = self._org.create(table, name=f"Late {self.deeds}")
        late = self._org.now - timedelta(seconds=self._chance.randint(1, LATE))
        self._org.stamp(table, record, late.replace(microsecond=0))
        self._ids[table].append(record)

    def _delete(self, table: str) -> None:
        self._org.delete(table, self._take(table))

    def _merge(self, table: str) -> None:
        survivor = self._org.merge(table, self._take(table), self._take(table))
        self._ids[table].append(survivor)

    def _take(self, table: str) -> str:
        """A record that nobody touches any more afterwards."""
        ids = self._ids[table]
        return ids.pop(self._chance.randrange(len(ids)))


def pulled_through_faults(org: Org, folder: Path, *, rows: int, seed: int) -> PullResult:
    """Pull an org of so many records into a lake in `folder`, and compare."""
    began, chance = time.monotonic(), random.Random(seed)
    result = PullResult(rows=rows)
    ids = {
        "accounts": _spread(org, "accounts", rows * 7 // 20),
        "contacts": _spread(org, "contacts", rows * 2 // 5),
    }
    people = People(org, ids, chance, most=max(8, rows // 500))
    for part in ("pull", "read"):  # Salesforce reads first pages of several tables in one Composite call
        org.after_each(part, people.act)
    with Store.open(f"sqlite:///{folder / 'ledger.sqlite'}") as store, Lake(folder / "lake", store) as lake:
        _rage(org, seed)
        _pull(org, people, store, lake, result)
        cells = {org.ours(MAPPED): "Of one moment"}
        ids["accounts"] += org.many("accounts", rows // 4, at=org.now.replace(microsecond=0), **cells)
        for hour in range(HOURS):
            org.advance(minutes=chance.randint(12, 60))
            people.hides_field = hour == 0  # when there are pages of accounts to come
            _pull(org, people, store, lake, result)
        people.go_home()
        result.deeds = people.deeds
        result.faults = sum(each.fault is not None for each in org.requests())
        org.mend()
        for span in ({"days": 1}, {"minutes": 30}):
            org.advance(**span)
            _pull(org, people, store, lake, result)
        result.differences = tuple(each for table in TABLES for each in _differences(org, lake, table))
    result.seconds = round(time.monotonic() - began, 1)
    return result


def _spread(org: Org, table: str, number: int) -> list[str]:
    """Records whose stamps lie up to a year back, some hundred a day."""
    ids: list[str] = []
    for day in range(10):
        at = (org.now - timedelta(days=1 + 36 * day)).replace(microsecond=0)
        ids += org.many(table, number // 10, at=at)
    return ids


def _rage(org: Org, seed: int) -> None:
    """One request in four meets a fault of some kind, sessions end, and the day's quota runs out twice."""
    kinds: tuple[tuple[str, dict[str, Any]], ...] = (
        ("busy", {}),
        ("reset_before", {}),
        ("reset_after", {}),
        ("status", {"status": 500, "body": "<html>Internal Server Error</html>"}),
        ("status", {"status": 200, "body": '{"results": [{"id": "1", "prop'}),
    )
    part = 0.25 / len(kinds)
    for position, (kind, more) in enumerate(kinds):
        chance = {"seed": seed, "above": part * position, "probability": part * (position + 1)}
        org.break_("any", kind, **chance, **more)
    org.break_("pull", "quota", request=[7, 31])
    org.break_("pull", "expire_session", request=list(range(5, 10_000, 17)))


def _pull(org: Org, people: People, store: Store, lake: Lake, result: PullResult) -> None:
    """Pull until a pull comes to its end, as a schedule would: each on a connection of its own."""
    for _ in range(TRIES):
        result.pulls += 1
        try:
            crm = org.connect("renewable", mapping={"accounts": {"segment": org.ours(MAPPED)}})
            pull(crm, store, lake, run_id=None, now=org.now, tables=TABLES)
        except TransientError:
            result.broken += 1
        except SetupError as error:
            if org.ours(MAPPED) not in str(error):
                raise
            result.stopped += 1
            org.show_field(MAPPED)
            people.misses_field = False
        else:
            return
    raise RuntimeError(f"no pull came to its end in {TRIES} tries")


def _differences(org: Org, lake: Lake, table: str) -> list[str]:
    """In what the lake's live records differ from the CRM's."""
    also = {"segment": org.ours(MAPPED)} if table == "accounts" else {}
    names = [*org.columns[table], *also]
    held = lake.tables()[table].select("crm_id", "is_deleted", "merged_into", *names).to_pyarrow().to_pylist()
    live = {row["crm_id"]: {name: row[name] for name in names} for row in held if not row["is_deleted"]}
    truth = org.truth(table, **also)
    found = [f"{table} {each}: in the CRM, and not in the lake" for each in truth.keys() - live.keys()]
    found += [f"{table} {each}: in the lake, and not in the CRM" for each in live.keys() - truth.keys()]
    found += [
        f"{table} {each}: {live[each]} in the lake, {cells} in the CRM"
        for each, cells in truth.items()
        if each in live and live[each] != cells
    ]
    twice = len(held) - len({row["crm_id"] for row in held})
    if twice:
        found.append(f"{table}: {twice} rows come twice")
    return found
