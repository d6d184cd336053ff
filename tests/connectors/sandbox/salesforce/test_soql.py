"""SOQL: what it finds, and what it refuses in the vendor's words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceMalformedRequest
from simple_salesforce.format import format_soql

from connectors.sandbox.salesforce.errors import RefusalError
from connectors.sandbox.salesforce.soql import parse
from connectors.sandbox.salesforce.soql_dates import date_range


@pytest.fixture
def accounts(sf: Salesforce) -> list[str]:
    """Three accounts: Alpha (100 seats, Growth), beta (20 seats, no tier), Gamma (no seats, Starter)."""
    rows = [
        {"Name": "Alpha", "Seats__c": 100, "Plan_Tier__c": "Growth", "Renewal_Date__c": "2026-12-01"},
        {"Name": "beta", "Seats__c": 20, "Website": "https://beta.example"},
        {"Name": "Gamma", "Plan_Tier__c": "Starter", "Renewal_Date__c": "2026-11-01"},
    ]
    return [str(sf.Account.create(row)["id"]) for row in rows]


@pytest.fixture
def found(sf: Salesforce, accounts: list[str]) -> Callable[[str], list[str]]:
    """Names that a WHERE clause finds, by name."""

    def names(where: str) -> list[str]:
        rows = sf.query(f"SELECT Name FROM Account WHERE {where} ORDER BY Name")["records"]
        return [row["Name"] for row in rows]

    return names


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("Name = 'ALPHA'", ["Alpha"]),
        ("Name != 'alpha'", ["beta", "Gamma"]),
        ("Plan_Tier__c != 'Growth'", ["beta", "Gamma"]),
        ("NOT Plan_Tier__c = 'Growth'", ["beta", "Gamma"]),
        ("Plan_Tier__c = null", ["beta"]),
        ("Plan_Tier__c != null", ["Alpha", "Gamma"]),
        ("Seats__c > 20", ["Alpha"]),
        ("Seats__c >= 20 AND Seats__c <= 1e2", ["Alpha", "beta"]),
        ("Name LIKE '%A%' AND (NOT Name LIKE 'b%')", ["Alpha", "Gamma"]),
        ("Name LIKE 'b_ta'", ["beta"]),
        ("Name IN ('alpha', 'GAMMA')", ["Alpha", "Gamma"]),
        ("Name NOT IN ('alpha')", ["beta", "Gamma"]),
        ("Plan_Tier__c NOT IN ('Growth')", ["beta", "Gamma"]),
        ("Plan_Tier__c IN ('Growth', null)", ["Alpha", "beta"]),
        ("(Seats__c = 20 OR Seats__c = 100) AND Name < 'b'", ["Alpha"]),
        ("Renewal_Date__c > 2026-11-15", ["Alpha"]),
        ("Renewal_Date__c = YESTERDAY", ["Gamma"]),
        ("Renewal_Date__c = NEXT_N_DAYS:29", ["Alpha"]),
        ("Renewal_Date__c < TODAY", ["Gamma"]),
        ("CreatedDate = TODAY", ["Alpha", "beta", "Gamma"]),
        ("CreatedDate > 2026-11-02T08:59:59Z", ["Alpha", "beta", "Gamma"]),
        ("CreatedDate > 2026-11-02T20:00:00+02:00", []),
        ("Owner.Name = 'Upswell Integration'", ["Alpha", "beta", "Gamma"]),
        ("Owner.Profile.Name LIKE 'System%'", []),
        ("IsDeleted = false", ["Alpha", "beta", "Gamma"]),
        ("Account.Name = 'beta'", ["beta"]),
    ],
)
def test_a_condition_finds_what_the_vendor_finds(
    found: Callable[[str], list[str]], where: str, names: list[str]
) -> None:
    """Text without regard to case; nulls count as different values."""
    assert found(where) == names


def test_ids_match_in_both_lengths(sf: Salesforce, accounts: list[str]) -> None:
    """15 characters name the same record."""
    for key in (accounts[0], accounts[0][:15]):
        assert sf.query(f"SELECT Id FROM Account WHERE Id = '{key}'")["records"][0]["Id"] == accounts[0]


def test_order_puts_nulls_where_it_is_told(sf: Salesforce, accounts: list[str]) -> None:
    """First by default."""

    def ordered(order: str) -> list[str]:
        return [row["Name"] for row in sf.query(f"SELECT Name FROM Account ORDER BY {order}")["records"]]

    assert ordered("Seats__c") == ["Gamma", "beta", "Alpha"]
    assert ordered("Seats__c DESC NULLS LAST") == ["Alpha", "beta", "Gamma"]
    assert ordered("Name LIMIT 1 OFFSET 1") == ["beta"]


def test_parents_come_nested_and_a_missing_one_is_null(sf: Salesforce, accounts: list[str]) -> None:
    """Two levels up, with their own attributes."""
    sf.Account.update(accounts[0], {"ParentId": accounts[1]})
    rows = sf.query("SELECT Name, Parent.Name, Parent.Owner.Name FROM Account ORDER BY Name")["records"]
    assert rows[0]["Parent"]["attributes"]["type"] == "Account"
    assert (rows[0]["Parent"]["Name"], rows[0]["Parent"]["Owner"]["Name"]) == ("beta", "Upswell Integration")
    assert rows[1]["Parent"] is None


def test_a_polymorphic_parent_shows_name_and_type(sf: Salesforce, accounts: list[str]) -> None:
    """What and Who of a task."""
    sf.Task.create({"Subject": "Call", "WhatId": accounts[0]})
    sf.Task.create({"Subject": "Think"})
    rows = sf.query("SELECT What.Name, What.Type FROM Task ORDER BY Subject")["records"]
    assert (rows[0]["What"]["Name"], rows[0]["What"]["Type"]) == ("Alpha", "Account")
    assert rows[1]["What"] is None
    assert sf.query("SELECT COUNT() FROM Task WHERE What.Type = 'Account'")["totalSize"] == 1


def test_aggregates_group_and_name_their_columns(sf: Salesforce, accounts: list[str]) -> None:
    """expr0 without an alias; COUNT() is the total size."""
    result = sf.query("SELECT COUNT() FROM Account WHERE Seats__c != null")
    assert (result["totalSize"], list(result["records"])) == (2, [])
    row = sf.query("SELECT COUNT(Id), SUM(Seats__c) seats, MAX(Name) FROM Account")["records"][0]
    assert (row["expr0"], row["seats"], row["expr1"]) == (3, 120.0, "beta")
    groups = sf.query(
        "SELECT Plan_Tier__c, COUNT(Id) n FROM Account GROUP BY Plan_Tier__c ORDER BY Plan_Tier__c"
    )
    assert [(row["Plan_Tier__c"], row["n"]) for row in groups["records"]] == [
        (None, 1),
        ("Growth", 1),
        ("Starter", 1),
    ]


def test_a_semi_join_finds_parents_of_matching_children(sf: Salesforce, accounts: list[str]) -> None:
    """And an anti-join the others."""
    sf.Contact.create({"LastName": "Ito", "AccountId": accounts[1]})
    where = "IN (SELECT AccountId FROM Contact WHERE LastName = 'Ito')"
    assert sf.query(f"SELECT Name FROM Account WHERE Id {where}")["records"][0]["Name"] == "beta"
    assert sf.query(f"SELECT COUNT() FROM Account WHERE Id NOT {where}")["totalSize"] == 2


def test_fields_all_needs_a_limit(sf: Salesforce, accounts: list[str]) -> None:
    """200 rows at most."""
    row = sf.query("SELECT FIELDS(ALL) FROM Account LIMIT 1")["records"][0]
    assert {"Name", "Seats__c", "SystemModstamp"} <= row.keys()
    with pytest.raises(SalesforceMalformedRequest, match="LIMIT of at most 200"):
        sf.query("SELECT FIELDS(ALL) FROM Account")


@pytest.mark.parametrize(
    ("soql", "code", "says"),
    [
        ("SELECT Foo FROM Account", "INVALID_FIELD", "No such column 'Foo' on entity 'Account'."),
        ("SELECT Owner.Foo FROM Account", "INVALID_FIELD", "No such column 'Foo' on entity 'User'."),
        ("SELECT Boss.Name FROM Account", "INVALID_FIELD", "Didn't understand relationship 'Boss'"),
        ("SELECT Id FROM Invoice__c", "INVALID_TYPE", "sObject type 'Invoice__c' is not supported."),
        ("SELECT Id FORM Account", "MALFORMED_QUERY", "unexpected token: 'FORM'"),
        ("SELECT Id FROM Account WHERE", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT Id FROM Account WHERE Name = 'a", "MALFORMED_QUERY", "not closed"),
        (
            "SELECT Id FROM Account WHERE Name = 'a' OR Name = 'b' AND Name = 'c'",
            "MALFORMED_QUERY",
            "unexpected",
        ),
        ("SELECT Id FROM Account WHERE Seats__c = '5'", "INVALID_FIELD", "must be of type double"),
        (
            "SELECT Id FROM Account WHERE CreatedDate > 2026-01-01",
            "INVALID_FIELD",
            "must be of type dateTime",
        ),
        ("SELECT Id FROM Account WHERE Description = 'x'", "INVALID_FIELD", "can not be filtered"),
        ("SELECT Id FROM Account ORDER BY Description", "MALFORMED_QUERY", "can not be sorted"),
        (
            "SELECT Id FROM Account WHERE OwnerId = 'x'",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid ID field: x",
        ),
        ("SELECT Id FROM Account LIMIT 1 OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "2000"),
        ("SELECT Name, COUNT(Id) FROM Account", "MALFORMED_QUERY", "must be grouped or aggregated: Name"),
        ("SELECT (SELECT Id FROM Contacts) FROM Account", "MALFORMED_QUERY", "child subqueries"),
        ("SELECT Id FROM Account WITH SECURITY_ENFORCED", "MALFORMED_QUERY", "does not speak WITH"),
        ("SELECT Id, Id FROM Account", "INVALID_FIELD", "duplicate field selected: Id"),
        ("SELECT Id FROM Account WHERE Renewal_Date__c = 2026-02-30", "MALFORMED_QUERY", "invalid date"),
    ],
)
def test_a_bad_query_is_refused_with_code_and_reason(sf: Salesforce, soql: str, code: str, says: str) -> None:
    """400 with the vendor's error code."""
    with pytest.raises(SalesforceMalformedRequest) as refused:
        sf.query(soql)
    error: dict[str, Any] = refused.value.content[0]  # type: ignore[assignment]  # decoded JSON
    assert error["errorCode"] == code
    assert says in error["message"]


def test_an_error_points_at_row_and_column() -> None:
    """In the vendor's layout."""
    with pytest.raises(RefusalError, match=r"ERROR at Row:2:Column:1\n"):
        parse("SELECT Id\nOF FORM")


def test_a_query_beyond_a_hundred_thousand_characters_is_refused() -> None:
    """Before it is read."""
    with pytest.raises(RefusalError, match="100000"):
        parse("SELECT Id FROM Account WHERE Name = '" + "a" * 100_000 + "'")


@given(text=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20))
@settings(
    derandomize=True,
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_quoted_text_finds_exactly_its_record(sf: Salesforce, text: str) -> None:
    """No text can leave its quotes."""
    kept = text.strip()
    if not kept:
        return
    made = sf.Account.create({"Name": kept})["id"]
    rows = sf.query(format_soql("SELECT Id, Name FROM Account WHERE Name = {}", kept))["records"]
    assert made in [row["Id"] for row in rows]
    assert {row["Name"].lower() for row in rows} == {kept.lower()}


def test_date_literals_cover_whole_units() -> None:
    """Weeks begin on Sunday; LAST_N_DAYS ends with today."""
    monday = date(2026, 11, 2)
    assert date_range("THIS_WEEK", None, monday) == (date(2026, 11, 1), date(2026, 11, 8))
    assert date_range("LAST_QUARTER", None, monday) == (date(2026, 7, 1), date(2026, 10, 1))
    assert date_range("NEXT_MONTH", None, monday) == (date(2026, 12, 1), date(2027, 1, 1))
    assert date_range("LAST_N_DAYS", 3, monday) == (date(2026, 10, 30), date(2026, 11, 3))
    assert date_range("LAST_N_MONTHS", 2, monday) == (date(2026, 9, 1), date(2026, 11, 1))
    assert date_range("NEXT_90_DAYS", None, monday) == (date(2026, 11, 3), date(2027, 2, 1))
    assert date_range("N_DAYS_AGO", 2, monday) == (date(2026, 10, 31), date(2026, 11, 1))
    assert date_range("THIS_YEAR", None, monday) == (date(2026, 1, 1), date(2027, 1, 1))
