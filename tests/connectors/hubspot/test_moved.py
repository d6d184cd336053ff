"""An association that changes moves no stamp; it is found by comparing what we hold with what is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pytest

from connectors.canonical import CRM_TABLES
from connectors.crm import Held, Window
from connectors.hubspot import moved as moved_module
from sync.lake import Lake
from sync.pull import pull
from sync.store import Store

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
AT = "2026-10-05T10:00:00Z"
KINDS = {"meetings": 188, "calls": 182, "emails": 186, "notes": 190, "tasks": 192}


@pytest.fixture
def engaged(account: Any) -> dict[str, str]:
    """Two companies and an engagement of each kind with the first one."""
    made = {name: account.create("companies", name=name) for name in ("first", "second")}
    for name, type_id in KINDS.items():
        told = {"hs_email_direction": "EMAIL"} if name == "emails" else {}
        made[name] = account.create(name, hs_timestamp=AT, **told)
        account.link(name, made[name], made["first"], type_id)
    return made


@pytest.fixture
def held(pulled: Callable[..., Any]) -> Callable[..., Any]:
    """Columns of what was read of a table by now."""

    def hold(crm: Any, *tables: str) -> Held:
        rows = {table: pa.Table.from_pylist(pulled(crm, table), schema=CRM_TABLES[table]) for table in tables}
        return lambda table, columns: rows[table].select(columns)

    return hold


@pytest.mark.parametrize("name", KINDS)
def test_an_engagement_that_is_handed_over_is_found(
    account: Any, engaged: dict[str, str], held: Callable[..., Any], name: str
) -> None:
    """Its id comes with its new company; its stamp is what it was, so no increment has it."""
    crm = account.connect()
    ours = held(crm, "activities")
    since = account.advance(hours=1)
    account.unlink(name, engaged[name], "companies", engaged["first"])
    account.link(name, engaged[name], engaged["second"], KINDS[name])
    assert not list(crm.pull("activities", Window(since=since, until=since + timedelta(hours=1))))
    found = [row for page in crm.moved("activities", ours) for row in page.to_pylist()]
    assert [{"crm_id": engaged[name], "account_crm_id": engaged["second"], "contact_crm_id": None}] == found


def test_a_person_who_joins_or_leaves_is_found(
    account: Any, engaged: dict[str, str], held: Callable[..., Any]
) -> None:
    """A contact added to a meeting, and a meeting that is nobody's any more."""
    person = account.create("contacts", firstname="P")
    crm = account.connect()
    ours = held(crm, "activities")
    account.link("meetings", engaged["meetings"], person, 200)
    account.unlink("calls", engaged["calls"], "companies", engaged["first"])
    found = {row["crm_id"]: row for page in crm.moved("activities", ours) for row in page.to_pylist()}
    assert {engaged["meetings"], engaged["calls"]} == found.keys()
    assert found[engaged["meetings"]]["contact_crm_id"] == person
    assert found[engaged["calls"]]["account_crm_id"] is None


def test_nothing_moved_is_one_call_for_a_thousand_rows_and_column(
    account: Any, engaged: dict[str, str], held: Callable[..., Any]
) -> None:
    """Five kinds, each with companies and contacts: ten calls, no rows."""
    crm = account.connect()
    ours = held(crm, "activities")
    before = crm.usage().calls
    assert list(crm.moved("activities", ours)) == []
    assert crm.usage().calls - before == 10
    assert engaged


def test_what_a_property_shows_is_not_asked_for(account: Any, held: Callable[..., Any]) -> None:
    """A contact's primary company moves the contact's stamp; the increment has it."""
    person, company = account.create("contacts", firstname="P"), account.create("companies", name="A")
    account.link("contacts", person, company, 1)
    crm = account.connect()
    ours = held(crm, "contacts", "accounts", "owners", "account_history", "products")
    before = crm.usage().calls
    for table in ("contacts", "accounts", "owners", "account_history", "products"):
        assert list(crm.moved(table, ours)) == []
    assert crm.usage().calls == before


def test_rows_are_asked_for_in_full_batches(
    account: Any, engaged: dict[str, str], held: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every row is compared once."""
    lines, deal = (
        [account.create("line_items", name=str(n)) for n in range(7)],
        account.create("deals", dealname="D", pipeline="default", dealstage="prospecting"),
    )
    crm = account.connect()
    ours = held(crm, "opportunity_lines")
    for line in lines:
        account.link("deals", deal, line, 19)
    monkeypatch.setattr(moved_module, "LINK_BATCH", 3)
    pages = list(crm.moved("opportunity_lines", ours))
    assert [page.num_rows for page in pages] == [3, 3, 1]
    assert {deal} == {row["opportunity_crm_id"] for page in pages for row in page.to_pylist()}
    assert engaged


def test_the_lake_is_the_account_again_the_day_after(
    account: Any, engaged: dict[str, str], pulled: Callable[..., Any], tmp_path: Path
) -> None:
    """Handed over, left, archived, joined, given another role: as a full read tells it, without one."""
    people = {name: account.create("contacts", firstname=name) for name in ("ann", "bob", "cid")}
    deal = account.create("deals", dealname="D", pipeline="default", dealstage="prospecting")
    line = account.create("line_items", name="L", hs_sku="S", price="5", quantity="1")
    account.link("deals", deal, people["ann"], 10_001)
    account.link("deals", deal, people["bob"], 3)
    account.link("meetings", engaged["meetings"], people["ann"], 200)
    tables = ("activities", "contact_roles", "opportunity_lines", "tickets")
    with (
        Store.open(f"sqlite:///{tmp_path / 'ledger.sqlite'}") as store,
        Lake(tmp_path / "lake", store) as lake,
    ):

        def pull_now() -> None:
            account.advance(minutes=5)
            pull(account.connect(), store, lake, run_id=None, now=account.advance(minutes=1))

        pull_now()
        account.unlink("meetings", engaged["meetings"], "companies", engaged["first"])
        account.link("meetings", engaged["meetings"], engaged["second"], 188)
        account.unlink("calls", engaged["calls"], "companies", engaged["first"])
        account.archive("emails", engaged["emails"])
        account.link("deals", deal, line, 19)
        account.unlink("deals", deal, "contacts", people["ann"])
        account.link("deals", deal, people["bob"], 10_003)
        account.link("deals", deal, people["cid"], 10_001)
        account.advance(days=1)
        pull_now()
        crm = account.connect()
        for table in tables:
            held = lake.tables()[table].filter(~ibis.coalesce(ibis._.is_deleted, False))
            stamps = ("created_at", "modified_at", "known_from")
            expected = [{**row, **dict.fromkeys(stamps)} for row in pulled(crm, table)]
            found = [{**row, **dict.fromkeys(stamps)} for row in held.to_pyarrow().to_pylist()]
            key = itemgetter("crm_id")
            assert sorted(found, key=key) == sorted(expected, key=key), table
