"""The life of tasks on both CRMs, over real HTTP: made, worked on, closed without reason, read back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from connectors.crm import Window
from connectors.fields import field_specs
from infra.contract.org import Org
from infra.contract.orgs import BY_SEARCH, open_org
from sync.settings_tasks import Owners
from sync.store import Store
from sync.store.writeback import TaskRow

CLOSED = {"salesforce": {"Status": "Completed"}, "hubspot": {"hs_task_status": "COMPLETED"}}
SUBJECT = {"salesforce": "Subject", "hubspot": "hs_task_subject"}


@pytest.fixture
def database() -> str:
    """The wire to the CRM is what this is about."""
    return "sqlite"


@pytest.fixture(params=["salesforce", "hubspot 2026-09", BY_SEARCH])
def org(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Org]:
    """Each CRM with our fields, and a HubSpot account whose index lags."""
    made = open_org(request.param, tmp_path / "org")
    made.connect().install(list(field_specs().values()), apply=True)
    yield made
    made.close()


def test_the_life_of_tasks(
    org: Org,
    ledger: Store,
    make_world: Callable[..., Any],
    make_tables: Callable[..., Any],
    make_settings: Callable[..., Any],
    score: Callable[..., dict[str, Any]],
) -> None:
    """One is worked on, one is closed by its owner with an outcome, and of two nobody touched one is closed
    because a deal opened. Whoever plans next knows it all, and opens nothing twice."""
    ids = [org.create("accounts", name=f"Company {n}") for n in range(4)]
    crm = org.connect()
    people = next(iter(crm.pull("owners", Window(since=None, until=org.now))))
    owner = people["crm_id"][0].as_py()
    accounts = [{"account_id": f"a{n}", "name": f"Company {n}", "owner_id": owner} for n in range(4)]
    settings = make_settings(owners=Owners(slots_per_week=9, cool_off_days=0))
    world = make_world(
        crm=crm, store=ledger, settings=settings, tables=make_tables(accounts=accounts), now=org.now
    )
    rows = [score(n, crm_id=ids[n]) for n in range(4)]
    first = world.apply(world.plan(*rows), override=("first_fill",))
    assert first.task_outcomes == {"applied": 4}

    org.advance(minutes=60)
    found = crm.find_tasks([f"a{n}:expand:FY2026Q4" for n in range(4)])
    task = [found[f"a{n}:expand:FY2026Q4"].id for n in range(4)]
    org.edit("tasks", task[0], {SUBJECT[org.kind]: "I call them"})
    org.edit("tasks", task[1], CLOSED[org.kind] | {org.ours("task_outcome"): "accepted"})
    world.now = org.now
    plan = world.plan(*(row | {"is_pipeline": n != 3} for n, row in enumerate(rows)))
    assert [closing.account_id for closing in plan.closings] == ["a2"]
    assert world.apply(plan, override=("first_fill",)).closing_outcomes == {"applied": 1}

    org.advance(minutes=60)
    world.now = org.now
    again = world.plan(*rows)
    assert (again.tasks, again.closings) == ((), ())
    with ledger.session() as session:
        held = {row.account_id: (row.closed_reason, row.outcome) for row in session.scalars(select(TaskRow))}
    assert held == {
        "a0": (None, None),
        "a1": ("person", "accepted"),
        "a2": ("open_deal", None),
        "a3": (None, None),
    }
    assert "an expansion opportunity is open" in str(org.held("tasks", task[2]))
