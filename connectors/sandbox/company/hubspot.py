"""The company as HubSpot records: the content of a new account, and the changes that time brings.

The same facts as `company/salesforce.py`, in HubSpot's words: ids differ, the company's own keys do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import pyarrow as pa

from connectors.sandbox import clock
from connectors.sandbox.company import lifecycle
from connectors.sandbox.company.hubspot_rows import Row, number_of, row_of, rows_of
from connectors.sandbox.company.hubspot_sales import sales_rows
from connectors.sandbox.company.hubspot_service import service_rows
from connectors.sandbox.company.salesforce import read_tables
from connectors.sandbox.hubspot.account import Owner, add_owners
from connectors.sandbox.hubspot.associations import Associations, Link
from connectors.sandbox.hubspot.automation import number_text
from connectors.sandbox.hubspot.history import Change, History
from connectors.sandbox.hubspot.schema import ARCHIVED, ARCHIVED_AT
from connectors.sandbox.store import Store

_Entry = TypeVar("_Entry", Link, Change, tuple[str, str])
_FIRST_OWNER: Final = 30_000_001
_FIRST_USER: Final = 11_000_001
_HIRED: Final = datetime.fromisoformat("2020-01-06T09:00:00+00:00")
_LIFECYCLE: Final = {"Customer": "customer", "Former Customer": "former_customer", "Prospect": "prospect"}
_HISTORY: Final = {
    "seats": "seats",
    "arr": "arr",
    "plan_tier": "plan_tier",
    "renewal_date": "renewal_date",
    "account_type": "lifecyclestage",
    "name": "name",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What the company keeps in its account; rows by object type and id."""

    owners: tuple[Owner, ...]
    rows: Mapping[str, Mapping[str, Row]]
    links: tuple[Link, ...]
    history: tuple[Change, ...]
    merged: tuple[tuple[str, str], ...] = ()  # companies: loser, survivor


def load(store: Store, folder: Path) -> int:
    """Fill a new account with the company generated in the folder; the number of records written."""
    found = content(read_tables(folder))
    with store.transaction():
        add_owners(store, found.owners)
        Associations(store).add(found.links)
        History(store).insert(found.history)
        _note_merges(store, found.merged)
        return sum(store.bulk_insert(name, rows.values()) for name, rows in found.rows.items())


def advance(store: Store, folder: Path, weeks: int) -> lifecycle.CompanySummary:
    """Move company, account and the account's clock on; only what the company changed is written.

    A cell that the company left alone keeps what people or integrations have put there."""
    before = content(read_tables(folder))
    summary = lifecycle.advance(folder, weeks)
    after = content(read_tables(folder))
    with store.transaction():
        for name, rows in after.rows.items():
            old = before.rows[name]
            store.bulk_insert(name, [row for key, row in rows.items() if key not in old])
            store.bulk_update(name, list(_changes(old, rows)))
        for link in _new(after.links, before.links):  # a merge takes some apart
            Associations(store).remove(
                link.from_object, link.from_id, link.to_object, link.to_id, link.type_id
            )
        Associations(store).add(_new(before.links, after.links))
        _note_merges(store, _new(before.merged, after.merged))
        History(store).insert(_new(before.history, after.history))
    clock.advance(store, timedelta(weeks=weeks))
    return summary


def content(tables: Mapping[str, pa.Table]) -> Content:
    """Everything in the account, from the company's vendor-neutral tables."""
    keys = tables["owners"]["owner_key"].to_pylist()
    people = {key: str(_FIRST_OWNER + number) for number, key in enumerate(keys)}
    accounts = rows_of(tables["accounts"])
    contacts = rows_of(tables["contacts"])
    merges = tuple(
        (row["account_key"], row["merged_into"]) for row in accounts if row["merged_into"] is not None
    )
    sales, service = sales_rows(tables, people), service_rows(tables, people)
    rows = {
        "companies": [_company(row, people, merges) for row in accounts],
        "contacts": [_contact(row, people) for row in contacts],
        **sales.rows,
        **service.rows,
    }
    links = [
        *(_parent(row) for row in accounts if row["parent_key"] is not None),
        *(_employer(row) for row in contacts),
        *sales.links,
        *service.links,
    ]
    history = [*(_company_change(row) for row in rows_of(tables["account_history"])), *sales.history]
    return Content(
        owners=tuple(_owner(row, number) for number, row in enumerate(tables["owners"].to_pylist())),
        rows={name: {str(row["Id"]): row for row in listed} for name, listed in rows.items()},
        links=tuple(links),
        history=tuple(history),
        merged=tuple(
            (str(number_of("companies", loser)), str(number_of("companies", survivor)))
            for loser, survivor in merges
        ),
    )


def _note_merges(store: Store, merged: Iterable[tuple[str, str]]) -> None:
    """An id that a merge used up leads to the survivor."""
    with store.transaction() as sql:
        sql.executemany("INSERT INTO merged VALUES ('companies', ?, ?)", list(merged))


def _changes(before: Mapping[str, Row], after: Mapping[str, Row]) -> Iterator[Row]:
    for key, row in after.items():
        old = before.get(key)
        if old is not None and old != row:
            yield {"Id": key} | {name: value for name, value in row.items() if old.get(name) != value}


def _new(before: Iterable[_Entry], after: Iterable[_Entry]) -> list[_Entry]:
    known = set(before)
    return [entry for entry in after if entry not in known]


def _owner(row: Mapping[str, Any], number: int) -> Owner:
    first, _, last = row["name"].partition(" ")
    return Owner(
        id=_FIRST_OWNER + number,
        user_id=_FIRST_USER + number,
        email=row["email"],
        first_name=first,
        last_name=last,
        created_at=_HIRED,
        archived=not row["is_active"],
    )


def _company(row: Mapping[str, Any], people: Mapping[str, str], merges: Sequence[tuple[str, str]]) -> Row:
    website = row["website"]
    parent = row["parent_key"]
    losers = [str(number_of("companies", lost)) for lost, kept in merges if kept == row["account_key"]]
    company = row_of(
        number_of("companies", row["account_key"]),
        createdate=row["created_at"],
        hs_lastmodifieddate=row["modified_at"],
        name=row["name"],
        website=website,
        domain=None if website is None else website.removeprefix("https://www."),
        industry=row["industry"],
        country=row["country"],
        numberofemployees=row["employees"],
        annualrevenue=row["annual_revenue"],
        lifecyclestage=_LIFECYCLE[row["account_type"]],
        hubspot_owner_id=people[row["owner_key"]],
        hs_parent_company_id=None if parent is None else number_of("companies", parent),
        customer_id=row["external_id"],
        contract_currency=row["currency"],
        upsell_stage=row["upsell_stage"],
        hs_merged_object_ids=";".join(losers) or None,
        plan_tier=row["plan_tier"],
        seats=row["seats"],
        arr=row["arr"],
        list_arr=row["list_arr"],
        customer_since=row["customer_since"],
        contract_start=row["contract_start"],
        renewal_date=row["renewal_date"],
        contract_term_months=row["contract_term_months"],
        fiscal_year_start_month=row["fiscal_year_start"],
        segment=row["segment"],
    )
    return company | ({ARCHIVED: 1, ARCHIVED_AT: row["modified_at"]} if row["is_deleted"] else {})


def _parent(row: Mapping[str, Any]) -> Link:
    return Link(
        from_object="companies",
        from_id=str(number_of("companies", row["account_key"])),
        to_object="companies",
        to_id=str(number_of("companies", row["parent_key"])),
        type_id=14,
    )


def _contact(row: Mapping[str, Any], people: Mapping[str, str]) -> Row:
    first, _, last = row["name"].partition(" ")
    return row_of(
        number_of("contacts", row["account_key"], row["number"]),
        createdate=row["created_at"],
        lastmodifieddate=row["modified_at"],
        email=row["email"].lower(),
        firstname=first,
        lastname=last,
        jobtitle=row["title"],
        department=row["department"],
        hubspot_owner_id=people[row["owner_key"]],
        associatedcompanyid=number_of("companies", row["account_key"]),
        contact_role=row["role"],
        left_company_on=row["left_at"],
    )


def _employer(row: Mapping[str, Any]) -> Link:
    return Link(
        from_object="contacts",
        from_id=str(number_of("contacts", row["account_key"], row["number"])),
        to_object="companies",
        to_id=str(number_of("companies", row["account_key"])),
        type_id=1,
    )


def _company_change(row: Mapping[str, Any]) -> Change:
    return Change(
        object="companies",
        id=str(number_of("companies", row["account_key"])),
        name=_HISTORY[row["field"]],
        value=_past(row["field"], row["new_value"]),
        previous=_past(row["field"], row["old_value"]),
        at=row["changed_at"],
    )


def _past(field: str, text: str) -> str:
    if field in ("seats", "arr"):
        return number_text(float(text))
    if field == "renewal_date":
        return date.fromisoformat(text).isoformat()
    return _LIFECYCLE[text] if field == "account_type" else text
