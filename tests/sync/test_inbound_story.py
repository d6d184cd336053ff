"""The way in over real HTTP: a Salesforce stand-in, the real client library, export files, one account id."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.errors import LoginError
from connectors.sandbox.clock import advance
from connectors.sandbox.salesforce.person import person_create, person_delete, person_edit
from connectors.sandbox.server import Sandbox
from model.panel import build_rows
from model.target import Target
from sync.aliases import load_aliases
from sync.config import load
from sync.connect import connect
from sync.exports import ingest
from sync.identity import Resolved, resolve
from sync.lake import Lake
from sync.pull import PullReport, pull
from sync.settings import Settings
from sync.store import Store

SETTINGS = """
[company]
currency = "EUR"
[crm]
kind = "salesforce"
account_external_id = "Customer_Id__c"
[crm.salesforce]
login_url = "{url}"
auth = "client_credentials"
client_id = "{client_id}"
client_secret_file = "org/secrets/client_secret"
[mapping.accounts]
plan_tier = "Plan_Tier__c"
seats = "Seats__c"
arr = "ARR__c"
[[exports]]
kind = "usage"
path = "usage*.csv"
account_key = "customer"
"""


@pytest.fixture
def database() -> str:
    """The wire to the CRM is what this is about; `test_postgresql_story` tells the whole on the other."""
    return "sqlite"


@dataclass
class Company:
    """A company with an org on loopback, its exports and our installation beside it."""

    folder: Path
    sandbox: Sandbox
    settings: Settings
    store: Store
    lake: Lake
    now: datetime

    def create(self, sobject: str, **values: Any) -> str:
        """A person creates a record; its id."""
        return person_create(self.sandbox.store, sobject, values)

    def read(self, **options: Any) -> tuple[PullReport, Resolved]:
        """An hour later: pull, ingest, resolve."""
        advance(self.sandbox.store, timedelta(hours=1))
        crm = connect(self.settings)
        try:
            report = pull(crm, self.store, self.lake, run_id=None, now=self.now, **options)
        finally:
            crm.close()
        ingest(self.settings, self.store, self.lake, run_id=None, now=self.now)
        return report, resolve(self.lake, load_aliases(self.store, report.org.id))


@pytest.fixture
def company(tmp_path: Path, ledger: Store, lake: Lake, noon: datetime) -> Iterator[Company]:
    """Two customers in the CRM, and usage of one of them and of a stranger."""
    with Sandbox(tmp_path / "org") as sandbox:
        facts = json.loads((tmp_path / "org" / "sandbox.json").read_text())
        file = tmp_path / "upswell.toml"
        file.write_text(SETTINGS.format(url=sandbox.url, client_id=facts["client_id"]))
        (tmp_path / "usage.csv").write_text(
            "customer,metric,period_start,period_days,value\nC-1,api_calls,2026-10-01,31,900\n"
            "C-9,api_calls,2026-10-01,31,5\n"
        )
        yield Company(
            folder=tmp_path, sandbox=sandbox, settings=load(file, {}), store=ledger, lake=lake, now=noon
        )


def accounts(resolved: Resolved) -> dict[str, Any]:
    """account_id -> (name, seats)."""
    rows = resolved.tables["accounts"].select("account_id", "name", "seats").to_pyarrow().to_pylist()
    return {row["account_id"]: (row["name"], row["seats"]) for row in rows}


def test_crm_and_exports_meet_and_later_changes_follow(company: Company) -> None:
    """First everything, then what people changed, deleted and added, and nothing twice."""
    acme = company.create("Account", Name="Acme", Customer_Id__c="C-1", Seats__c=50, Type="Customer")
    beta = company.create("Account", Name="Beta", Customer_Id__c="C-2", Type="Customer", ParentId=acme)
    company.create("Contact", LastName="Ng", AccountId=acme)
    company.create(
        "Opportunity", Name="More seats", AccountId=acme, StageName="Prospecting", CloseDate="2026-12-31"
    )
    report, resolved = company.read()
    assert report.invisible == {}
    assert accounts(resolved) == {"C-1": ("Acme", 50.0), "C-2": ("Beta", None)}
    assert resolved.tables["usage"].account_id.to_pyarrow().to_pylist() == ["C-1"]
    assert resolved.report.rows_dropped == {"usage": 1}
    assert resolved.report.example_keys == ("C-9",)
    assert resolved.tables["contacts"].account_id.to_pyarrow().to_pylist() == ["C-1"]
    assert resolved.tables["opportunities"].account_id.to_pyarrow().to_pylist() == ["C-1"]

    person_edit(company.sandbox.store, "Account", acme, {"Seats__c": 60})
    person_delete(company.sandbox.store, "Account", beta)
    company.create("Account", Name="Gamma")
    report, resolved = company.read()
    pulled = {table.table: (table.rows, table.deleted) for table in report.tables}
    assert pulled["accounts"] == (3, 1)
    assert pulled["opportunities"] == (0, 0)
    after = accounts(resolved)
    assert after.pop("C-1") == ("Acme", 60.0)
    assert list(after.values()) == [("Gamma", None)]

    report, again = company.read()
    assert report.rows == 0
    assert accounts(again) == accounts(resolved)
    _, whole = company.read(full=True)
    assert accounts(whole) == accounts(resolved)


def test_a_wrong_secret_is_told_and_nothing_is_read(company: Company) -> None:
    """The credentials are refused at the login, before the ledger is touched."""
    (company.folder / "org" / "secrets" / "client_secret").write_text("wrong")
    with pytest.raises(LoginError):
        company.read()
    assert company.lake.segments() == []


def test_usage_that_comes_as_figures_alone_makes_features(company: Company) -> None:
    """No event anywhere: what is used, how it grew and how full the seats are is known all the same."""
    company.create("Account", Name="Acme", Customer_Id__c="C-1", Seats__c=50, Type="Customer")
    figures = [("2026-05", 10, 300), ("2026-06", 20, 300), ("2026-07", 20, 300)]
    figures += [("2026-08", 30, 450), ("2026-09", 30, 450), ("2026-10", 40, 450)]
    (company.folder / "usage.csv").write_text(
        "customer,metric,period_start,period_days,value\n"
        + "".join(
            f"C-1,{metric},{month}-01,30,{value}\n"
            for month, users, reports in figures
            for metric, value in (("active_users", users), ("reports", reports))
        )
    )
    settings = company.folder / "upswell.toml"
    settings.write_text(
        settings.read_text()
        + '[[exports]]\nkind = "billing"\npath = "billing.csv"\naccount_key = "customer"\n'
    )
    (company.folder / "billing.csv").write_text(
        "customer,period_start,period_end,seats,arr\nC-1,2026-10-01,2026-10-31,50,6000\n"
    )
    company.settings = load(settings, {})
    _, resolved = company.read()
    day = date(2026, 11, 16)
    rows = build_rows(resolved.tables, as_of=day, target=Target(), products=()).table
    (row,) = rows.to_pylist()
    assert row["users_30"] is None or math.isnan(row["users_30"])
    assert (row["figures_known"], row["figure_users"]) == (2, 40)
    assert row["figures_trend"] == pytest.approx(((100 / 50) + (1350 / 900)) / 2 - 1)
    assert row["figure_users_growth_90"] == 1.0
    assert row["figure_seat_utilisation"] == 0.8
