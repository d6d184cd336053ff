"""The way out over real HTTP on a Salesforce org: plan, apply, people's edits, lost replies, rollback."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from connectors.errors import StateError
from connectors.fields import field_specs, object_specs
from connectors.salesforce.crm import Salesforce
from connectors.salesforce.settings import SalesforceSettings
from connectors.sandbox.clock import advance
from connectors.sandbox.faults import FaultRule
from connectors.sandbox.salesforce.person import person_create, person_delete, person_edit
from connectors.sandbox.server import Sandbox
from connectors.transport import RetryPolicy
from sync.opening import unjournalled_effects
from sync.own_rows import rows_for_a_file
from sync.plan_ledger import load
from sync.planned_rows import PlannedRow
from sync.row_plan import RowPlan
from sync.store import Store
from sync.store.writeback import JournalRow, OperationRow

Score = Callable[..., dict[str, Any]]
TIER = "Expansion_Tier__c"
ACCOUNTS = 6


@pytest.fixture
def database() -> str:
    """The wire to the CRM is what this is about; `test_apply` and `test_rollback` run on both databases."""
    return "sqlite"


def log_in(sandbox: Sandbox, folder: Path) -> Salesforce:
    """A connection of the integration user; it retries at once."""
    facts = json.loads((folder / "sandbox.json").read_text())
    secret = (folder / "secrets" / "client_secret").read_text().strip()
    settings = SalesforceSettings(
        login_url=sandbox.url,
        auth="client_credentials",
        client_id=facts["client_id"],
        username=facts["username"],
        client_secret=secret,
    )
    return Salesforce.connect(settings, retry=RetryPolicy(sleep=lambda _: None))


@dataclass
class Company:
    """A Salesforce org with six accounts, our fields, and the way out around it."""

    sandbox: Sandbox
    world: Any
    ids: list[str]
    rows: list[dict[str, Any]]

    def fault(self, **rule: Any) -> None:
        """From now on, one fault."""
        self.sandbox.faults.replace([FaultRule(**rule)])

    def held(self) -> dict[str, dict[str, Any]]:
        """Our fields of every account as the CRM holds them."""
        names = [spec.salesforce for spec in field_specs().values() if spec.object == "accounts"]
        found = self.world.crm.read("Account", self.ids, names)
        return {record_id: dict(record.values) for record_id, record in found.items()}


@pytest.fixture(scope="module")
def org_folder(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The files of an org with our fields and six accounts, each with a contact; made once."""
    folder = tmp_path_factory.mktemp("org") / "org"
    with Sandbox(folder) as sandbox:
        crm = log_in(sandbox, folder)
        crm.install(list(field_specs().values()), list(object_specs().values()), apply=True)
        crm.close()
        ids = [person_create(sandbox.store, "Account", {"Name": f"Company {n}"}) for n in range(ACCOUNTS)]
    return folder, ids


@pytest.fixture
def company(
    org_folder: tuple[Path, list[str]],
    tmp_path: Path,
    ledger: Store,
    make_world: Callable[..., Any],
    make_tables: Callable[..., dict[str, Any]],
    make_settings: Callable[..., Any],
    score: Score,
) -> Iterator[Company]:
    """A copy of the org, served."""
    made, ids = org_folder
    folder = tmp_path / "org"
    shutil.copytree(made, folder)
    with Sandbox(folder) as sandbox:
        crm = log_in(sandbox, folder)
        owner = crm.read("Account", ids[:1], ["OwnerId"])[ids[0]].values["OwnerId"]
        accounts = [
            {"account_id": f"a{n}", "name": f"Company {n}", "owner_id": owner} for n in range(ACCOUNTS)
        ]
        world = make_world(
            crm=crm,
            store=ledger,
            settings=make_settings(),
            tables=make_tables(accounts=accounts),
            now=crm.server_time(),
        )
        rows = [score(n, crm_id=ids[n]) for n in range(ACCOUNTS)]
        yield Company(sandbox=sandbox, world=world, ids=ids, rows=rows)
        crm.close()


def test_the_whole_way_out_and_back(company: Company) -> None:
    """Written, nothing left to write, and every cell given back; the tasks are closed."""
    world = company.world
    before = company.held()
    plan = world.plan(*company.rows)
    report = world.apply(plan)

    assert report.status == "applied"
    assert report.outcomes == {"applied": ACCOUNTS}
    assert report.tasks_made == 5
    assert not report.drifts
    first = company.held()[company.ids[0]]
    assert (first["Expansion_Score__c"], first[TIER], first["Expansion_Timing__c"]) == (71, "high", "now")

    advance(company.sandbox.store, timedelta(hours=20))
    world.now = world.crm.server_time()
    assert not world.plan(*company.rows).changes

    undone = world.rollback(plan.id)
    assert undone.restored_cells == plan.cells
    assert company.held() == before
    assert undone.tasks_closed == 5


def test_a_persons_edit_is_kept_by_apply_and_by_rollback(company: Company) -> None:
    """Before the write it is a conflict; after it, rollback leaves that cell."""
    world, store = company.world, company.sandbox.store
    plan = world.plan(*company.rows)
    person_edit(store, "Account", company.ids[0], {TIER: "low"})
    person_delete(store, "Account", company.ids[1])
    report = world.apply(plan)
    assert report.outcomes == {"applied": ACCOUNTS - 2, "conflict": 1, "gone": 1}

    person_edit(store, "Account", company.ids[2], {TIER: "low"})
    undone = world.rollback(plan.id)
    assert [(cell.record_id, cell.field, cell.held) for cell in undone.left] == [
        (company.ids[2], TIER, "low")
    ]
    held = company.held()
    assert held[company.ids[0]][TIER] == held[company.ids[2]][TIER] == "low"
    assert held[company.ids[3]][TIER] is None


@pytest.mark.parametrize("kind", ["reset_before", "reset_after"])
@pytest.mark.parametrize("endpoint", ["collections.update", "collections.create"])
def test_a_lost_reply_is_settled_without_a_second_write(company: Company, kind: str, endpoint: str) -> None:
    """Each account is written once and each task made once, whether the write took effect or not."""
    world = company.world
    plan = world.plan(*company.rows)
    company.fault(kind=kind, endpoint=endpoint, request=(1,))

    report = world.apply(plan)

    assert report.outcomes == {"applied": ACCOUNTS}
    assert report.task_outcomes == {"applied": 5}
    assert report.written_cells == plan.cells
    keys = [task.draft.key for task in plan.tasks]
    assert set(world.crm.find_tasks(keys)) == set(keys)
    sent = [each for each in company.sandbox.audit.requests() if each.endpoint == endpoint]
    assert len(sent) == (2 if kind == "reset_before" else 1)


def test_rows_that_are_locked_are_tried_again(company: Company) -> None:
    """Another job holds half of the rows for a moment."""
    company.fault(kind="lock", endpoint="collections.update", share=0.5, times=1)
    report = company.world.apply(company.world.plan(*company.rows))
    assert (report.status, report.outcomes) == ("applied", {"applied": ACCOUNTS})


def test_a_not_before_since_the_plan_stops_the_task_only(company: Company) -> None:
    """The score is written, the task is not made."""
    world = company.world
    plan = world.plan(*company.rows)
    person_edit(company.sandbox.store, "Account", company.ids[0], {"Expansion_Not_Before__c": "2030-01-01"})
    report = world.apply(plan)
    assert report.outcomes == {"applied": ACCOUNTS}
    assert report.task_outcomes == {"applied": 4, "conflict": 1}


@dataclass(frozen=True, kw_only=True)
class Planner:
    """Plans two rows of a forecast for each account, as on one day; by `in_crm` they go there."""

    company: Company
    amount: float = 10.0
    in_crm: bool = True

    def plan(self, _org_id: str, _figures: Any) -> RowPlan:
        """The rows."""
        return RowPlan(
            rows=tuple(
                PlannedRow(
                    object="forecasts", key=f"a{n}||FY2027Q1|2026-11-02|{basis}|expansion",
                    account_id=f"a{n}", record_id=record_id, in_crm=self.in_crm,
                    values={
                        "key": f"a{n}||FY2027Q1|2026-11-02|{basis}|expansion", "account": record_id,
                        "snapshot": date(2026, 11, 2), "basis": basis, "amount": self.amount, "owner": "Ana",
                    },
                )
                for n, record_id in enumerate(self.company.ids)
                for basis in ("closed_won", "model_only")
            )
        )  # fmt: skip


def amounts_of(company: Company) -> dict[str, float]:
    """Every live row of a forecast in the org: its key, and its amount."""
    rows = company.sandbox.store.select(
        'SELECT Key__c, Amount__c FROM "Expansion_Forecast__c" WHERE IsDeleted = 0'
    )
    assert len({key for key, _ in rows}) == len(rows)
    return {str(key): float(str(amount)) for key, amount in rows}


@pytest.mark.parametrize("kind", ["reset_before", "reset_after", "late"])
def test_a_lost_reply_neither_doubles_nor_loses_a_row(company: Company, kind: str) -> None:
    """Each row is in the CRM once and in the journal once, whether its call took effect or not."""
    world = company.world
    plan = world.plan(*company.rows, rows=Planner(company=company))
    company.fault(kind=kind, endpoint="collections.create", request=(2,))
    report = world.apply(plan)
    assert report.row_outcomes == {"applied": 2 * ACCOUNTS}
    assert set(amounts_of(company)) == {row.key for row in plan.rows}
    with world.store.session() as session:
        told = session.scalars(select(JournalRow.key).where(JournalRow.kind == "row.forecasts")).all()
    assert sorted(told) == sorted(row.key for row in plan.rows)
    assert not unjournalled(world)


@pytest.mark.parametrize("took_effect", [True, False])
def test_a_process_that_ends_in_the_middle_of_adding_rows_leaves_each_once(
    company: Company, monkeypatch: pytest.MonkeyPatch, took_effect: bool
) -> None:
    """Whether the CRM had taken them or not: whoever goes on looks before anything is sent again."""
    world = company.world
    plan = world.plan(*company.rows, rows=Planner(company=company))
    create = world.crm.create_rows

    def ends(table: str, drafts: Any) -> Any:
        if took_effect:
            create(table, drafts)
        raise KeyboardInterrupt

    monkeypatch.setattr(world.crm, "create_rows", ends)
    with pytest.raises(KeyboardInterrupt):
        world.apply(plan)
    monkeypatch.undo()
    report = world.apply(plan, resume=True)
    assert report.row_outcomes == {"applied": 2 * ACCOUNTS}
    assert set(amounts_of(company)) == {row.key for row in plan.rows}
    assert not unjournalled(world)


def test_a_day_has_the_rows_of_one_plan_alone(company: Company) -> None:
    """A plan that was made before another one was written leaves that one's rows as they are."""
    world = company.world
    first = world.plan(*company.rows, rows=Planner(company=company))
    second = world.plan(*company.rows, rows=Planner(company=company, amount=99.0))
    assert world.apply(second).row_outcomes == {"applied": 2 * ACCOUNTS}
    report = world.apply(first)
    assert report.row_outcomes == {"conflict": 2 * ACCOUNTS}
    assert set(amounts_of(company).values()) == {99.0}
    undone = world.rollback(second.id)
    assert undone.rows_kept == 2 * ACCOUNTS
    assert set(amounts_of(company).values()) == {99.0}


def test_rows_that_the_crm_has_no_place_for_are_kept_in_the_ledger(company: Company) -> None:
    """Nothing of them leaves, and a file of them can be written."""
    world = company.world
    plan = world.plan(*company.rows, rows=Planner(company=company, in_crm=False))
    assert world.apply(plan).row_outcomes == {"unchanged": 2 * ACCOUNTS}
    assert amounts_of(company) == {}
    assert {row["key"] for row in rows_for_a_file(world.store, "forecasts")} == {row.key for row in plan.rows}


def test_a_frozen_row_can_t_be_changed_afterwards(company: Company) -> None:
    """As nothing of a plan can: it is read as it was frozen, or refused."""
    world = company.world
    plan = world.plan(*company.rows, rows=Planner(company=company))
    assert load(world.store, plan.id).rows == plan.rows
    with world.store.begin() as session:
        row = session.scalars(select(OperationRow).where(OperationRow.kind == "row.forecasts")).first()
        row.payload = row.payload | {"key": "another"}
    with pytest.raises(StateError, match="differ from what was frozen"):
        load(world.store, plan.id)


def unjournalled(world: Any) -> list[str]:
    """What took effect without the journal's knowledge."""
    with world.store.session() as session:
        return unjournalled_effects(session)
