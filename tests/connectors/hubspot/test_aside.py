"""Two tables from one reading: what a list tells of the past and of lines is not asked for again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from connectors.aside import Aside
from connectors.canonical import CRM_TABLES
from connectors.crm import Window
from connectors.errors import SetupError

LATER = datetime(2100, 1, 1, tzinfo=UTC)
EVERYTHING = Window(since=None, until=LATER)
LISTED = ("companies", "deals", "line_items")
TOGETHER = ("accounts", "opportunities", "opportunity_lines", "opportunity_history", "account_history")


@pytest.fixture
def sold(account: Any) -> Any:
    """A company that changed and a deal that was won, with two lines; the account."""
    company = account.create("companies", name="A", plan_tier="Growth")
    deal = account.create("deals", dealname="D", pipeline="default", dealstage="prospecting", amount="10")
    account.create("deals", dealname="E", pipeline="default", dealstage="prospecting")
    for sku, price in (("SEATS", "100"), ("API", "900")):
        product = account.create("products", name=sku, hs_sku=sku)
        line = account.create("line_items", name=sku, hs_product_id=product, quantity="2", price=price)
        account.link("deals", deal, line, 19)
    account.advance(days=1)
    account.edit("companies", company, plan_tier="Business")
    account.edit("deals", deal, dealstage="closedwon")
    return account


def read(
    crm: Any, tables: tuple[str, ...], *, together: bool, window: Window = EVERYTHING
) -> dict[str, list[dict[str, Any]]]:
    """The rows of each table in the order of their ids."""
    found = {}
    for number, table in enumerate(tables):
        also = tables[number + 1 :] if together else ()
        rows = [row for page in crm.pull(table, window, also=also) for row in page.to_pylist()]
        found[table] = sorted(rows, key=lambda row: row["crm_id"])
    return found


def test_tables_read_together_are_those_read_apart(sold: Any) -> None:
    """Value for value, with fewer calls: no list comes twice, and no line is asked for."""
    mapping = {"accounts": {"plan_tier": "plan_tier"}}
    apart = sold.connect(mapping=mapping)
    expected = read(apart, TOGETHER, together=False)
    before = len(sold.requests())
    together = sold.connect(mapping=mapping)
    assert expected == read(together, TOGETHER, together=True)
    assert all(expected.values())
    asked = [each.path for each in sold.requests()[before:] if "/objects/" in each.path]
    asked = [path for path in asked if "products" not in path]  # codes of products that a line does not tell
    assert sorted(path.partition("?")[0].rpartition("/")[2] for path in asked) == sorted(LISTED)
    assert together.usage().calls < apart.usage().calls


def test_increments_read_together_are_those_read_apart(sold: Any) -> None:
    """One search for the deals that changed, whatever tables they tell; the same rows."""
    window = Window(since=LATER - timedelta(days=36_500), until=LATER)
    tables = ("opportunities", "opportunity_history", "opportunity_field_history", "contact_roles")
    deal = sold.create("deals", dealname="D", pipeline="default", dealstage="prospecting", amount="10")
    sold.link("deals", deal, sold.create("contacts", firstname="Ann"), 10_001)
    crm = sold.connect()
    expected = read(crm, tables, together=False, window=window)
    before = len(sold.requests("/deals/search"))
    assert expected == read(crm, tables, together=True, window=window)
    assert all(expected.values())
    assert len(sold.requests("/deals/search")) == before + 1


def test_what_was_set_aside_serves_its_own_window_only(sold: Any) -> None:
    """A later pull of the history reads anew instead of telling what was true before."""
    crm = sold.connect()
    list(crm.pull("opportunities", EVERYTHING, also=("opportunity_history",)))
    sold.advance(days=1)
    deal = sold.create("deals", dealname="F", pipeline="default", dealstage="prospecting")
    window = Window(since=None, until=LATER + timedelta(days=1))
    rows = [row for page in crm.pull("opportunity_history", window) for row in page.to_pylist()]
    assert deal in {row["opportunity_crm_id"] for row in rows}


def test_a_reading_that_breaks_off_sets_nothing_aside(sold: Any) -> None:
    """Half of the deals' past must not pass for all of it."""
    crm = sold.connect()
    next(crm.pull("opportunities", EVERYTHING, also=("opportunity_history",)))
    rows = [row for page in crm.pull("opportunity_history", EVERYTHING) for row in page.to_pylist()]
    assert len({row["opportunity_crm_id"] for row in rows}) == 2


def test_mapped_lines_are_read_by_their_own_mapping(sold: Any, pulled: Callable[..., Any]) -> None:
    """Where the settings say what a line's product is, a deal's main product stays HubSpot's."""
    crm = sold.connect(mapping={"opportunity_lines": {"product_id": "quantity"}})
    pages = crm.pull("opportunities", EVERYTHING, also=("opportunity_lines",))
    assert {"API", None} == {row["product_id"] for page in pages for row in page.to_pylist()}
    assert {"2"} == {row["product_id"] for row in pulled(crm, "opportunity_lines")}


def test_lines_that_our_app_may_not_see_cost_nothing(sold: Any) -> None:
    """The deals come without a main product, as they do by themselves."""
    sold.grant(
        "oauth",
        *(f"crm.{kind}.{name}.read" for kind in ("objects", "schemas") for name in ("companies", "deals")),
    )
    pages = sold.connect().pull("opportunities", EVERYTHING, also=("opportunity_lines",))
    assert {None} == {row["product_id"] for page in pages for row in page.to_pylist()}


def test_an_account_that_tells_no_past_still_tells_its_deals(sold: Any) -> None:
    """The list with history is refused; the table comes without, and the history's own turn says why."""
    crm = sold.connect()
    sold.fault(kind="status", status=403, code="MISSING_SCOPES", endpoint="deals.list", request=(1, 3))
    pages = list(crm.pull("opportunities", EVERYTHING, also=("opportunity_history",)))
    assert sum(page.num_rows for page in pages) == 2
    with pytest.raises(SetupError):
        list(crm.pull("opportunity_history", EVERYTHING))


def test_pages_come_back_as_they_were_set_aside() -> None:
    """In their order, once."""
    aside = Aside("owners", EVERYTHING)
    pages = [
        pa.Table.from_pylist([{"crm_id": str(number), "name": "Zoë"}], schema=CRM_TABLES["owners"])
        for number in range(3)
    ]
    for page in pages:
        aside.add(page)
    assert pages == list(aside.pages())
    with pytest.raises(ValueError, match="closed"):
        list(aside.pages())
