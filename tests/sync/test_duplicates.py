"""Which accounts are one customer twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.domains import domain
from sync.duplicates import Entry, find_duplicates, plain_name
from sync.identity import resolve
from sync.lake import Lake

Rows = Callable[..., pa.Table]
SITE = "https://www.acme.example"


def entry(crm_id: str, own: str | None, name: str = "Acme", **more: Any) -> Entry:
    plain = {"website": SITE, "parent_crm_id": None, "created_at": None}
    return Entry(crm_id=crm_id, external_id=own, name=name, **(plain | more))


def pairs(*entries: Entry) -> dict[str, str]:
    return {alias.loser: alias.survivor for alias in find_duplicates(entries)}


def test_a_record_without_an_own_id_belongs_to_the_one_that_has_it() -> None:
    """When name and web site are the same but for case, accents and legal form."""
    assert pairs(entry("A1", None, "ACMÉ, Inc.", website="acme.example/en"), entry("A2", "c1")) == {
        "A1": "A2"
    }


def test_of_two_records_with_one_own_id_the_older_is_the_customer() -> None:
    """One without a date comes last."""
    old = entry("A2", "c1", created_at=datetime(2020, 1, 1, tzinfo=UTC))
    assert pairs(entry("A1", " c1 "), old) == {"A1": "A2"}


@pytest.mark.parametrize(
    "other",
    [
        entry("A1", None, "Acme Nordics"),
        entry("A1", None, website="acme.test"),
        entry("A1", None, website=None),
        entry("A1", None, parent_crm_id="A2"),
        entry("A1", "c2"),
        entry("A1", "c1", "Other Company"),
        entry("A1", None, "Inc."),
    ],
)
def test_what_only_looks_alike_stays_apart(other: Entry) -> None:
    """Another name, another site or none, a subsidiary, another own id."""
    assert pairs(other, entry("A2", "c1")) == {}


def test_a_renamed_account_still_answers_to_its_former_names() -> None:
    """The second record was typed in under the name of that time."""
    renamed = entry("A2", "c1", "Apex Holding", former_names=("Acme Group", "Acme, Inc."))
    assert pairs(entry("A1", None, "Acme"), renamed) == {"A1": "A2"}
    assert pairs(entry("A1", None, "Apex Holding"), renamed, entry("A3", None, "ACME")) == {
        "A1": "A2",
        "A3": "A2",
    }


def test_a_name_that_one_gave_up_and_another_took_is_nobody_s() -> None:
    """A record under it could be either's."""
    before = entry("A2", "c1", "Apex", former_names=("Acme",))
    assert pairs(entry("A1", None, "Acme"), before, entry("A3", "c3", "Acme")) == {}


def test_a_record_that_could_be_either_of_two_is_neither() -> None:
    """Two customers of one name and one site."""
    assert pairs(entry("A1", "c1"), entry("A2", "c2"), entry("A3", None)) == {}


@given(st.text(max_size=300))
@settings(derandomize=True, deadline=None)
def test_no_name_or_address_is_too_hostile_to_compare(text: str) -> None:
    """Whatever people type."""
    assert plain_name(plain_name(text)) == plain_name(text)
    assert isinstance(domain(text), str)


def test_what_stands_under_the_second_record_is_the_customers(
    lake: Lake, canonical_rows: Rows, noon: datetime
) -> None:
    """Its opportunities and its children; the account itself is there once, and its usage too."""

    def put(table: str, *rows: dict[str, Any]) -> None:
        lake.append(table, [canonical_rows(table, *rows)], source="s", run_id=None, now=noon)

    put(
        "accounts",
        {"crm_id": "A1", "external_id": "c1", "name": "Acme", "website": SITE},
        {"crm_id": "A2", "external_id": "c1", "name": "Acme Ltd", "website": SITE},
        {"crm_id": "A3", "external_id": None, "name": "ACME", "website": SITE},
        {"crm_id": "A5", "external_id": None, "name": "Akme", "website": SITE},
        {"crm_id": "A4", "external_id": "c4", "parent_crm_id": "A3", "name": "Child"},
    )
    put("opportunities", *({"crm_id": f"O{n}", "account_crm_id": f"A{n}"} for n in (1, 2, 3)))
    put("events", {"account_key": "c1", "at": noon})
    put("account_history", {"account_crm_id": "A1", "field": "name", "old_value": "Akme GmbH"})
    found = resolve(lake, {})

    def ids(table: str, name: str = "account_id") -> list[Any]:
        return sorted(found.tables[table].to_pyarrow()[name].to_pylist(), key=str)

    assert ids("accounts") == ["c1", "c4"]
    assert ids("accounts", "parent_id") == [None, "c1"]
    assert ids("opportunities") == ["c1", "c1", "c1"]
    assert ids("events") == ["c1"]
    assert found.crm_ids == {"c1": "A1", "c4": "A4"}
    assert (found.report.second_records, found.report.example_second_records) == (3, ("A2", "A3", "A5"))
