"""Pages of a query and the locators between them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests
from simple_salesforce import Salesforce

from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.person import person_delete, person_edit
from connectors.sandbox.server import Sandbox

Http = Callable[..., requests.Response]
SOQL = "SELECT Id, Name FROM Account ORDER BY Name"


@pytest.fixture
def filled(sandbox: Sandbox) -> list[str]:
    """Ids of 4,500 accounts named in order."""
    now = sandbox.clock.stamp()
    user = salesforce_id("005", 2)
    stamps = {"CreatedDate": now, "LastModifiedDate": now, "SystemModstamp": now, "OwnerId": user}
    ids = [salesforce_id("001", n + 1) for n in range(4_500)]
    rows = ({"Id": key, "Name": f"Account {n:05d}", **stamps} for n, key in enumerate(ids))
    assert sandbox.store.bulk_insert("Account", rows) == len(ids)
    return ids


def test_every_row_comes_once_over_all_pages(sf: Salesforce, filled: list[str]) -> None:
    """With the order kept and the total told on each page."""
    result = sf.query(SOQL)
    assert (result["totalSize"], result["done"]) == (4_500, False)
    assert len(result["records"]) <= 2_000
    assert [row["Id"] for row in sf.query_all(SOQL)["records"]] == filled


def test_batch_size_is_honoured_and_pages_may_be_smaller(http: Http, filled: list[str]) -> None:
    """The vendor promises no page size."""
    url, sizes = "/query", []
    options = {"params": {"q": SOQL}, "headers": {"Sforce-Query-Options": "batchSize=200"}}
    while url:
        body = http("GET", url, **options).json()
        sizes.append(len(body["records"]))
        url = body.get("nextRecordsUrl", "").removeprefix("/services/data/v68.0")
        options = {}
    assert sum(sizes) == 4_500
    assert max(sizes) == 200
    assert any(size < 200 for size in sizes[:-1])


def test_a_locator_keeps_its_result_while_records_change(
    sandbox: Sandbox, http: Http, filled: list[str]
) -> None:
    """A record edited or deleted between two pages neither moves nor falls out."""
    first = http("GET", "/query", params={"q": SOQL}).json()
    person_edit(sandbox.store, "Account", filled[-1], {"Name": "AAA comes first now"})
    person_delete(sandbox.store, "Account", filled[-2])
    rows, more = list(first["records"]), first
    while not more["done"]:
        more = http("GET", more["nextRecordsUrl"].removeprefix("/services/data/v68.0")).json()
        rows += more["records"]
    assert [row["Id"] for row in rows] == filled


def test_a_page_can_be_asked_for_again(http: Http, filled: list[str]) -> None:
    """After a lost reply the client repeats it."""
    url = (
        http("GET", "/query", params={"q": SOQL})
        .json()["nextRecordsUrl"]
        .removeprefix("/services/data/v68.0")
    )
    assert http("GET", url).json() == http("GET", url).json()


def test_unknown_and_superseded_locators_are_invalid(http: Http, filled: list[str]) -> None:
    """The eleventh open cursor closes the first."""
    unknown = http("GET", "/query/01gHs0000000001AAA-2000")
    assert (unknown.status_code, unknown.json()[0]["errorCode"]) == (400, "INVALID_QUERY_LOCATOR")
    urls = [http("GET", "/query", params={"q": SOQL}).json()["nextRecordsUrl"] for _ in range(11)]
    answers = [
        http("GET", url.removeprefix("/services/data/v68.0")).status_code for url in (urls[0], urls[1])
    ]
    assert answers == [400, 200]


def test_query_all_shows_deleted_records(sandbox: Sandbox, http: Http, filled: list[str]) -> None:
    """query does not."""
    person_delete(sandbox.store, "Account", filled[0])
    soql = {"q": f"SELECT Id, IsDeleted FROM Account WHERE Id = '{filled[0]}'"}
    assert http("GET", "/query", params=soql).json()["totalSize"] == 0
    assert http("GET", "/queryAll", params=soql).json()["records"][0]["IsDeleted"] is True


def test_a_long_address_is_414(sandbox: Sandbox, http: Http) -> None:
    """16,384 characters are the limit, and the audit has it."""
    reply = http("GET", "/query", params={"q": "SELECT Id FROM Account WHERE Name = '" + "a" * 16_400 + "'"})
    assert reply.status_code == 414
    assert sandbox.audit.requests()[-1].status == 414
