"""Many records arrive by Bulk jobs, the same as they would by REST, whatever happens on the way."""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.crm import Window
from connectors.errors import LoginError, QuotaError
from connectors.salesforce.bulk_csv import PIECE
from connectors.sandbox.salesforce.ids import salesforce_id

LATER = datetime(2100, 1, 1, tzinfo=UTC)
STAMP = "2026-01-05T08:00:00.000+0000"
STAMPS = {"CreatedDate": STAMP, "LastModifiedDate": STAMP, "SystemModstamp": STAMP, "IsDeleted": False}
MANY = 2_001
HOSTILE = (
    'quote " comma , line\nbreak',
    "line\r\nbreak at the end\n",
    "null",
    "NA",
    "1.0E7",
    "true",
    "=1+1",
    "'",
    "\\n",
    "Ünïcødé 🙂 日本",
    ",,,",
    '""',
    "2026-01-05",
)
MAPPING = {
    "accounts": {
        "segment": "Owner.Name",
        "plan_tier": "Plan_Tier__c",
        "seats": "Seats__c",
        "arr": "ARR__c",
        "renewal_date": "Renewal_Date__c",
        "fiscal_year_start": "Fiscal_Year_Start_Month__c",
    }
}


def by(org: Any, way: str, **options: Any) -> Any:
    """A connection that reads by this way only, where there are many records."""
    reads = "auto" if way == "bulk" else "never"
    return org.connect(
        org.settings(bulk_reads=reads), mapping=MAPPING, account_external_id="Customer_Id__c", **options
    )


def colourful(org: Any, number: int = MANY) -> None:
    """Accounts with every kind of value, and without."""
    rows = [
        {
            "Id": salesforce_id("001", 10_000 + each),
            "Name": HOSTILE[each % len(HOSTILE)].strip(),
            "Customer_Id__c": f"00{each}",
            "Website": f"https://{each}.example/?a=1,2" if each % 3 else None,
            "NumberOfEmployees": each if each % 2 else None,
            "AnnualRevenue": each * 1e7 if each % 5 else None,
            "Seats__c": each / 2,
            "ARR__c": each * 1234.56 - 1 if each % 7 else None,
            "Renewal_Date__c": "2027-02-28" if each % 2 else None,
            "Plan_Tier__c": "Growth" if each % 2 else None,
            "OwnerId": salesforce_id("005", 1 + each % 2) if each % 4 else None,
            **STAMPS,
        }
        for each in range(number)
    ]
    org.sandbox.store.bulk_insert("Account", rows)


def jobs(org: Any) -> int:
    """How many query jobs were made."""
    return sum(
        each.method == "POST" and each.path.endswith("/jobs/query") for each in org.requests("/jobs/query")
    )


@pytest.mark.parametrize("since", [None, datetime(2026, 1, 1, tzinfo=UTC)])
def test_a_record_by_bulk_equals_the_record_by_rest(org: Any, pulled: Any, since: Any) -> None:
    """Numbers, dates, checkboxes, texts with quotes and lines, nothing, and a parent's field."""
    colourful(org)
    read = {way: pulled(by(org, way), "accounts", since) for way in ("rest", "bulk")}
    assert jobs(org) == 1
    assert len(read["rest"]) == MANY
    rows = {way: sorted(found, key=lambda row: str(row["crm_id"])) for way, found in read.items()}
    assert rows["bulk"] == rows["rest"]


@pytest.mark.parametrize(("number", "expected"), [(2_000, 0), (2_001, 1)])
def test_what_fits_a_page_is_read_by_rest(org: Any, pulled: Any, number: int, expected: int) -> None:
    """One record more is a job."""
    org.many_accounts(number)
    assert len(pulled(by(org, "bulk"), "accounts")) == number
    assert jobs(org) == expected


def test_deleted_records_come_by_bulk_too(org: Any, pulled: Any) -> None:
    """An increment's job asks queryAll."""
    ids = org.many_accounts(MANY)
    org.delete("Account", ids[7])
    rows = {
        row["crm_id"]: row for row in pulled(by(org, "bulk"), "accounts", datetime(2026, 1, 1, tzinfo=UTC))
    }
    assert jobs(org) == 1
    assert rows[ids[7]]["is_deleted"] is True
    assert len(rows) == MANY


def test_numbers_in_a_history_are_the_same_text_by_both_ways(org: Any, pulled: Any) -> None:
    """A number field's old value is 10, not 10.0; a text stays as it was typed."""
    account = org.create("Account", Name="Acme", Seats__c=10)
    org.edit("Account", account, Seats__c=25, Name="10.0")
    rows = [
        {
            "Id": salesforce_id("017", 5_000 + each),
            "AccountId": account,
            "Field": "Industry",
            "DataType": "Text",
            "CreatedDate": STAMP,
        }
        for each in range(MANY)
    ]
    org.sandbox.store.bulk_insert("AccountHistory", rows)
    read = {way: pulled(by(org, way), "account_history") for way in ("rest", "bulk")}
    assert jobs(org) == 1
    shown = {
        way: {(row["crm_id"], row["field"], row["old_value"], row["new_value"]) for row in found}
        for way, found in read.items()
    }
    assert shown["bulk"] == shown["rest"]
    assert {(field, new) for _, field, _, new in shown["bulk"]} >= {("seats", "25"), ("name", "10.0")}


@pytest.mark.parametrize(
    ("fault", "made"),
    [
        ({"endpoint": "bulk.query.create", "kind": "status", "status": 400, "code": "INVALIDENTITY"}, 1),
        ({"endpoint": "bulk.query.create", "kind": "status", "status": 400, "code": "FEATURENOTENABLED"}, 1),
        ({"endpoint": "bulk.query.info", "kind": "status", "status": 404, "code": "NOT_FOUND"}, 2),
        (
            {
                "endpoint": "bulk.query.info",
                "kind": "status",
                "status": 200,
                "body": '{"state": "Failed", "errorMessage": "retried 15 times"}',
            },
            2,
        ),
        ({"endpoint": "bulk.query.info", "kind": "status", "status": 200, "body": '{"state": "Aborted"}'}, 2),
        (
            {
                "endpoint": "bulk.query.results",
                "kind": "status",
                "status": 400,
                "code": "INVALID_QUERY_LOCATOR",
            },
            2,
        ),
        ({"endpoint": "bulk.query.results", "kind": "status", "status": 200, "body": "Id\nx\n"}, 1),
        ({"endpoint": "bulk.query.results", "kind": "status", "status": 200, "body": '"Id","Name'}, 1),
    ],
)
def test_where_bulk_does_not_deliver_rest_does(
    org: Any, pulled: Any, fault: dict[str, Any], made: int
) -> None:
    """A job that is lost is made once more before that; a refusal is final."""
    ids = org.many_accounts(MANY)
    crm = by(org, "bulk")
    org.fault(**fault)
    assert sorted(row["crm_id"] for row in pulled(crm, "accounts")) == sorted(ids)
    assert jobs(org) == made


def test_an_object_that_bulk_refused_is_not_tried_again(org: Any, pulled: Any) -> None:
    """Not in this connection."""
    org.many_accounts(MANY)
    crm = by(org, "bulk")
    org.fault(endpoint="bulk.query.create", kind="status", status=400, code="INVALIDENTITY")
    assert len(pulled(crm, "accounts")) == len(pulled(crm, "accounts")) == MANY
    assert jobs(org) == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "reset_before", "request": (1,)},
        {"kind": "reset_after", "request": (1,)},
        {"kind": "status", "status": 503, "request": (1, 2)},
        {"kind": "expire_session", "request": (1,)},
    ],
)
@pytest.mark.parametrize("endpoint", ["bulk.query.create", "bulk.query.info", "bulk.query.results"])
def test_a_fault_that_passes_costs_no_record(
    org: Any, pulled: Any, endpoint: str, fault: dict[str, Any]
) -> None:
    """Resets, an overloaded server and an ended session at every step of a job."""
    ids = org.many_accounts(MANY)
    crm = by(org, "bulk")
    org.fault(endpoint=endpoint, **fault)
    assert sorted(row["crm_id"] for row in pulled(crm, "accounts")) == sorted(ids)
    assert not any(
        each.path.endswith("/query") and "/jobs/" not in each.path for each in org.requests("/query")
    )


def test_half_a_set_of_results_is_fetched_again(org: Any, pulled: Any) -> None:
    """One that ends between two records, under a header that tells of more."""
    ids = org.many_accounts(MANY)
    crm = by(org, "bulk")
    columns = ",".join(f'"{name}"' for name in ("Id", "Name"))
    org.fault(
        endpoint="bulk.query.results",
        kind="status",
        status=200,
        request=(1,),
        body=f'{columns}\n"{ids[0]}","half"\n',
        headers={"Sforce-NumberOfRecords": str(MANY), "Sforce-Locator": "null"},
    )
    assert sorted(row["crm_id"] for row in pulled(crm, "accounts")) == sorted(ids)
    assert len(org.requests("/results")) == 2
    assert jobs(org) == 1


def test_a_set_that_ends_too_early_without_saying_so_is_noticed(org: Any, pulled: Any) -> None:
    """A proxy took the header with its number, but the job says how many records it read."""
    ids = org.many_accounts(MANY)
    crm = by(org, "bulk")
    pulled(crm, "accounts")
    store = org.sandbox.store
    lines = [str(line) for (line,) in store.select("SELECT line FROM bulk_query_rows ORDER BY n")]
    header = str(store.select("SELECT header FROM bulk_query_jobs")[0][0])
    body = "\n".join([header, *lines[:-1], ""])
    org.fault(endpoint="bulk.query.results", kind="status", status=200, body=body)
    assert sorted(row["crm_id"] for row in pulled(crm, "accounts")) == sorted(ids)
    assert jobs(org) == 3  # the first pull's, and two whose results are short


def test_no_quota_and_no_login_are_not_a_matter_of_the_way(org: Any, pulled: Any) -> None:
    """They stop the pull; REST would meet the same."""
    org.many_accounts(MANY)
    crm = by(org, "bulk")
    org.fault(endpoint="bulk.query.create", kind="status", status=403, code="REQUEST_LIMIT_EXCEEDED")
    with pytest.raises(QuotaError):
        pulled(crm, "accounts")
    org.fault(endpoint="bulk.query.create", kind="expire_session")
    with pytest.raises(LoginError):
        pulled(crm, "accounts")


def test_without_the_record_count_the_first_page_tells(org: Any, pulled: Any) -> None:
    """A user without View Setup and Configuration pays one more call."""
    ids = org.many_accounts(MANY)
    crm = by(org, "bulk")
    org.fault(endpoint="recordCount", kind="status", status=403, code="INSUFFICIENT_ACCESS")
    assert sorted(row["crm_id"] for row in pulled(crm, "accounts")) == sorted(ids)
    assert jobs(org) == 1


def test_a_job_that_never_ends_is_aborted(org: Any, pulled: Any) -> None:
    """After two hours of waiting, told with a way out."""
    org.many_accounts(MANY)
    crm = by(org, "bulk")
    org.fault(endpoint="bulk.query.info", kind="status", status=200, body='{"state": "InProgress"}')
    with pytest.raises(Exception, match=r"at work after 120 minutes.*bulk_reads"):
        pulled(crm, "accounts")
    assert [each.method for each in org.requests("/jobs/query/")][-1] == "PATCH"


def test_deals_know_their_closing_and_product_by_both_ways(org: Any, pulled: Any) -> None:
    """Reopened ones, ones with equal moments, ones without history or lines."""
    account = org.create("Account", Name="Acme")
    deals, history, lines = [], [], []
    products = [org.create("Product2", Name=code, ProductCode=code, IsActive=True) for code in ("A", "B")]
    start = datetime(2026, 1, 5, tzinfo=UTC)
    for each in range(MANY):
        deal = salesforce_id("006", 10_000 + each)
        closed = each % 3 > 0
        deals.append(
            {
                "Id": deal,
                "Name": f"D {each}",
                "AccountId": account,
                "StageName": "Closed Won" if closed else "Prospecting",
                "IsClosed": closed,
                "IsWon": closed,
                "CloseDate": "2026-02-01",
                **STAMPS,
            }
        )
        path = ["Prospecting", "Closed Won", "Prospecting", "Closed Won", "Closed Won"][: each % 6]
        for step, stage in enumerate(path):
            at = (start + timedelta(days=each % 7 + step // 2)).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
            history.append(
                {
                    "Id": salesforce_id("008", 10 * (10_000 + each) + step),
                    "OpportunityId": deal,
                    "StageName": stage,
                    "CreatedDate": at,
                    "SystemModstamp": at,
                    "IsDeleted": False,
                }
            )
        lines += [
            {
                "Id": salesforce_id("00k", 10 * (10_000 + each) + step),
                "OpportunityId": deal,
                "Product2Id": products[step],
                "Quantity": 1,
                "TotalPrice": float(each % 2 and step),
                **STAMPS,
            }
            for step in range(each % 3)
        ]
    for name, rows in (
        ("Opportunity", deals),
        ("OpportunityHistory", history),
        ("OpportunityLineItem", lines),
    ):
        org.sandbox.store.bulk_insert(name, rows)
    for since in (None, datetime(2026, 1, 1, tzinfo=UTC)):
        read = {
            way: sorted(pulled(by(org, way), "opportunities", since), key=lambda row: str(row["crm_id"]))
            for way in ("rest", "bulk")
        }
        assert read["bulk"] == read["rest"]
        assert len(read["bulk"]) == MANY
        assert {row["product_id"] for row in read["bulk"]} == {None, "A", "B"}
        assert len({row["closed_at"] for row in read["bulk"]}) > 3


def test_an_increment_asks_for_history_and_lines_once(org: Any, pulled: Any) -> None:
    """Not once for every few hundred deals."""
    account = org.create("Account", Name="Acme")
    rows = [
        {
            "Id": salesforce_id("006", 10_000 + each),
            "Name": "D",
            "AccountId": account,
            "StageName": "Closed Won",
            "IsClosed": True,
            "CloseDate": "2026-02-01",
            **STAMPS,
        }
        for each in range(1_900)
    ]
    org.sandbox.store.bulk_insert("Opportunity", rows)
    crm = by(org, "bulk")
    crm.describe("Opportunity")
    before = len(org.requests("/query"))
    assert len(pulled(crm, "opportunities", datetime(2026, 1, 1, tzinfo=UTC))) == 1_900
    assert len(org.requests("/query")) - before == 3


def test_memory_holds_a_few_thousand_records_at_a_time(org: Any) -> None:
    """However many a set of results has."""
    org.many_accounts(3 * PIECE)
    pages = list(by(org, "bulk").pull("accounts", Window(since=None, until=LATER)))
    assert [page.num_rows for page in pages] == [PIECE] * 3


def test_without_room_on_the_disk_rest_delivers(
    org: Any, pulled: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder for temporary files is full, or somebody swept it."""
    ids = org.many_accounts(MANY)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    swept = []

    def sweep(request: Any) -> None:
        if request.path.endswith("/results") or "/jobs/query/" in request.path:
            for folder in tmp_path.glob("upswell-bulk-*"):
                swept.append(folder)
                shutil.rmtree(folder)

    crm = by(org, "bulk", on_request=sweep)
    assert sorted(row["crm_id"] for row in pulled(crm, "accounts")) == sorted(ids)
    assert swept
