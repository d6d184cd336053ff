"""One company in a Salesforce org and in a HubSpot account gives the same canonical rows."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from connectors.crm import Crm, Window
from connectors.errors import AbsentError
from connectors.salesforce.crm import Salesforce
from connectors.salesforce.settings import SalesforceSettings
from connectors.sandbox.company import generate, hubspot, salesforce
from connectors.sandbox.faults import FaultRule
from connectors.sandbox.server import Sandbox

HUBSPOT = {
    "accounts": {
        "plan_tier": "plan_tier",
        "seats": "seats",
        "arr": "arr",
        "currency": "contract_currency",
        "list_arr": "list_arr",
        "customer_since": "customer_since",
        "contract_start": "contract_start",
        "renewal_date": "renewal_date",
        "contract_term_months": "contract_term_months",
        "fiscal_year_start": "fiscal_year_start_month",
        "segment": "segment",
    },
    "contacts": {"role": "contact_role", "left_at": "left_company_on", "department": "department"},
    "tickets": {"csat": "csat", "is_escalated": "escalated"},
    "products": {"family": "product_family"},
}
SALESFORCE = {
    "accounts": {
        "plan_tier": "Plan_Tier__c",
        "seats": "Seats__c",
        "arr": "ARR__c",
        "list_arr": "List_ARR__c",
        "customer_since": "Customer_Since__c",
        "contract_start": "Contract_Start__c",
        "renewal_date": "Renewal_Date__c",
        "contract_term_months": "Contract_Term_Months__c",
        "fiscal_year_start": "Fiscal_Year_Start_Month__c",
        "segment": "Segment__c",
    },
    "contacts": {"role": "Role__c", "left_at": "Left_Company_On__c"},
    "tickets": {"csat": "CSAT__c"},
}
OURS_ALONE = {  # what vendors keep in different words, and no score may depend on
    "opportunities": {"pipeline"},
    "owners": {"timezone"},
    "activities": {"status"},
}
IDS = ("crm_id", "account_crm_id", "contact_crm_id", "opportunity_crm_id", "owner_id", "parent_crm_id")


def rows_of(crm: Crm, table: str, since: datetime | None = None) -> list[dict[str, Any]]:
    """Every row of a table; deleted ones (aliases of a merge) are of one vendor only."""
    pages = list(crm.pull(table, Window(since=since, until=datetime(2100, 1, 1, tzinfo=UTC))))
    rows = pa.concat_tables(pages).to_pylist() if pages else []
    return [row for row in rows if not row["is_deleted"]]


def neutral(crm: Crm, since: datetime | None = None) -> dict[str, list[dict[str, Any]]]:
    """The canonical tables with vendors' ids replaced by the company's own keys, in an order of their own."""
    tables = {
        name: rows_of(crm, name, since)
        for name in (
            "owners", "products", "accounts", "contacts", "opportunities", "opportunity_lines",
            "opportunity_history", "account_history", "activities", "tickets",
        )
    }  # fmt: skip
    known = {row["crm_id"]: row["external_id"] for row in rows_of(crm, "accounts")}
    known |= {row["crm_id"]: row["email"].lower() for row in rows_of(crm, "owners")}
    known |= {row["crm_id"]: row["email"].lower() for row in rows_of(crm, "contacts")}
    known |= {row["crm_id"]: f"{row['name']} {row['created_at']}" for row in rows_of(crm, "opportunities")}
    # admins and integration users are the vendor's, not the company's
    tables["owners"] = [row for row in tables["owners"] if not row["email"].endswith("@northwind.example")]
    return {name: sorted((_row(name, row, known) for row in rows), key=_key) for name, rows in tables.items()}


def _row(table: str, row: Mapping[str, Any], known: Mapping[str, str]) -> dict[str, Any]:
    kept = {name: value for name, value in row.items() if name not in OURS_ALONE.get(table, set())}
    for name in IDS:
        if name in kept:
            kept[name] = known.get(kept[name], None) if kept[name] is not None else None
    if kept.get("email"):
        kept["email"] = kept["email"].lower()
    if table == "account_history" and kept["field"] in {"seats", "arr"}:
        kept |= {name: float(kept[name]) for name in ("old_value", "new_value")}
    return kept


def _key(row: Mapping[str, Any]) -> str:
    return json.dumps(row, sort_keys=True, default=str)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The same generated company in the folders of a Salesforce org and a HubSpot account."""
    folder = tmp_path_factory.mktemp("both")
    generate(folder / "company", accounts=25, months=6, seed=7)
    homes = (folder / "salesforce", folder / "hubspot")
    for home, loader in zip(homes, (salesforce, hubspot), strict=True):
        with Sandbox(home, home.name) as sandbox:
            shutil.copytree(folder / "company", home, dirs_exist_ok=True)
            loader.load(sandbox.store, home)
    return homes


@pytest.fixture
def connected(
    both: tuple[Path, Path], tmp_path: Path, opened: Callable[..., Any]
) -> Iterator[tuple[Salesforce, Any, Sandbox, Any]]:
    """Connections to fresh copies of both, and what serves them."""
    for home in both:
        shutil.copytree(home, tmp_path / home.name)
    with Sandbox(tmp_path / "salesforce") as org:
        account = opened(tmp_path / "hubspot")
        facts = json.loads((tmp_path / "salesforce" / "sandbox.json").read_text())
        secret = (tmp_path / "salesforce" / "secrets" / "client_secret").read_text().strip()
        settings = SalesforceSettings(
            login_url=org.url, auth="client_credentials", client_id=facts["client_id"], client_secret=secret
        )
        crm = Salesforce.connect(settings, mapping=SALESFORCE, account_external_id="Customer_Id__c")
        yield (
            crm,
            account.connect(mapping=HUBSPOT, account_external_id="customer_id"),
            org,
            account,
        )
        crm.close()


def test_the_same_company_gives_the_same_rows(connected: Any) -> None:
    """Every canonical table is equal, value for value, once ids are the company's own."""
    theirs, ours = neutral(connected[0]), neutral(connected[1])
    assert all(theirs.values())
    assert _differences(theirs, ours) == []


def test_every_row_says_when_it_became_known_and_none_in_the_future(connected: Any) -> None:
    """Not before it was made, and not after the CRM's own clock: a feature as of a day rests on it."""
    for crm in connected[:2]:
        for table in crm.tables():
            try:
                rows = rows_of(crm, table)
            except AbsentError:
                continue
            now = crm.server_time() + timedelta(seconds=1)  # a Date header has whole seconds
            late = [row for row in rows if not row["created_at"] <= row["known_from"] <= now]
            assert late == [], table


def test_increments_are_the_same_too(connected: Any) -> None:
    """What two more weeks bring comes through both, and so does the state after it."""
    crm, ours, org, account = connected
    since = ours.server_time()
    assert abs((crm.server_time() - since).total_seconds()) < 60
    for home, loader, sandbox in ((org.folder, salesforce, org), (account.folder, hubspot, account.sandbox)):
        loader.advance(sandbox.store, home, 2)
    changed, also = neutral(crm, since), neutral(ours, since)
    moving = ("accounts", "activities", "tickets", "opportunities", "opportunity_history", "account_history")
    assert all(changed[name] for name in moving)
    assert _differences({name: changed[name] for name in moving}, also) == []
    assert _differences(neutral(crm), neutral(ours)) == []


def test_a_bad_day_loses_nothing(connected: Any) -> None:
    """With one reply in eight lost or refused, every table comes through as on a good day."""
    _, ours, _, account = connected
    good = neutral(ours)
    account.sandbox.faults.replace(
        [
            FaultRule(kind="reset_after", probability=0.04, seed=1),
            FaultRule(kind="reset_before", probability=0.04, seed=2),
            FaultRule(kind="status", status=503, probability=0.04, seed=3),
            FaultRule(kind="status", status=429, code="TEN_SECONDLY_ROLLING", probability=0.02, seed=4),
        ]
    )
    fresh = account.connect(mapping=HUBSPOT, account_external_id="customer_id")
    assert _differences(good, neutral(fresh)) == []
    assert [each for each in account.requests() if each.fault]


def _differences(left: Mapping[str, list[Any]], right: Mapping[str, list[Any]]) -> list[Any]:
    """Tables of unequal length, and the columns in which rows differ."""
    found: list[Any] = []
    for table, rows in left.items():
        if len(rows) != len(right[table]):
            found.append((table, len(rows), len(right[table])))
        for one, other in zip(rows, right[table], strict=False):
            if one != other:
                found.append((table, {n: (one[n], other[n]) for n in one if one[n] != other[n]}))
                break
    return found
