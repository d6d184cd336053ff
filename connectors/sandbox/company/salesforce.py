"""The company as Salesforce records: the rows of a new org, and the changes that time brings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from connectors.sandbox import clock
from connectors.sandbox.company import lifecycle
from connectors.sandbox.company.salesforce_sales import sales_rows
from connectors.sandbox.company.salesforce_service import service_rows
from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.org import ADMIN_USER_ID, FIRST_FREE_USER
from connectors.sandbox.store import Store

Row = dict[str, Any]
Tables = Mapping[str, pa.Table]
_ROLES: Final = {
    "champion": "Champion",
    "executive_sponsor": "Executive Sponsor",
    "decision_maker": "Decision Maker",
    "finance_admin": "Finance Admin",
    "user": "User",
}
_ZONES: Final = ("America/New_York", "Europe/London")  # the org's picklist has these and UTC
_HISTORY_FIELDS: Final = {
    "seats": ("Seats__c", "Double"),
    "arr": ("ARR__c", "Currency"),
    "plan_tier": ("Plan_Tier__c", "DynamicEnum"),
    "renewal_date": ("Renewal_Date__c", "DateOnly"),
    "account_type": ("Type", "DynamicEnum"),
    "name": ("Name", "Text"),
}


def load(store: Store, folder: Path) -> int:
    """Fill a new org with the company generated in the folder; the number of records written."""
    with store.transaction():
        return sum(
            store.bulk_insert(name, rows.values()) for name, rows in records(read_tables(folder)).items()
        )


def advance(store: Store, folder: Path, weeks: int) -> lifecycle.CompanySummary:
    """Move company, org and the org's clock on; only what the company changed is written to the org.

    A cell that the company left alone keeps what people or integrations have put there."""
    before = records(read_tables(folder))
    summary = lifecycle.advance(folder, weeks)
    after = records(read_tables(folder))
    with store.transaction():
        for name, rows in after.items():
            old = before[name]
            store.bulk_insert(name, [row for key, row in rows.items() if key not in old])
            store.bulk_update(name, list(_changes(old, rows)))
    clock.advance(store, timedelta(weeks=weeks))
    return summary


def _changes(before: Mapping[str, Row], after: Mapping[str, Row]) -> Iterator[Row]:
    for key, row in after.items():
        old = before.get(key)
        if old is not None and old != row:
            yield {"Id": key} | {name: value for name, value in row.items() if old.get(name) != value}


def read_tables(folder: Path) -> dict[str, pa.Table]:
    """The vendor-neutral tables of the company in the folder, by name."""
    return {path.stem: pq.read_table(path) for path in sorted((folder / "crm").glob("*.parquet"))}


def records(tables: Tables) -> dict[str, dict[str, Row]]:
    """Rows by Id for each sObject, in an order in which parents come first."""
    tables = {name: _as_text(table) for name, table in tables.items()}
    people = {key: _user_id(number) for number, key in enumerate(tables["owners"]["owner_key"].to_pylist())}
    accounts = {key: account_id(key) for key in tables["accounts"]["account_key"].to_pylist()}
    contacts = {
        (account, number): contact_id(account, number)
        for account, number in zip(
            tables["contacts"]["account_key"].to_pylist(),
            tables["contacts"]["number"].to_pylist(),
            strict=True,
        )
    }
    listed: dict[str, list[Row]] = {
        "User": [_user(row, people) for row in tables["owners"].to_pylist()],
        "Account": [_account(row, accounts, people) for row in tables["accounts"].to_pylist()],
        "Contact": [_contact(row, people) for row in tables["contacts"].to_pylist()],
        "AccountHistory": [
            _account_change(number, row)
            for number, row in enumerate(tables["account_history"].to_pylist(), 1)
        ],
        **sales_rows(tables, accounts, people),
        **service_rows(tables, accounts, contacts, people),
    }
    return {name: {row["Id"]: row for row in rows} for name, rows in listed.items()}


def _as_text(table: pa.Table) -> pa.Table:
    """The table with times as the org stores them and days in ISO form: many times quicker than objects."""
    for place, column in enumerate(table.schema):
        values = table.column(place)
        if pa.types.is_timestamp(column.type):
            utc = values.cast(pa.timestamp("ms"), safe=False)  # a whole millisecond, as the CRM shows it
            values = pc.binary_join_element_wise(pc.strftime(utc, "%Y-%m-%dT%H:%M:%S"), "+0000", "")
        elif pa.types.is_date(column.type):
            values = values.cast(pa.string())
        else:
            continue
        table = table.set_column(place, column.name, values)
    return table


def account_id(account_key: str) -> str:
    """The Id of the account with the company's own key, such as C-00042."""
    return salesforce_id("001", int(account_key.removeprefix("C-")))


def contact_id(account_key: str, number: int) -> str:
    """The Id of a named person at an account."""
    return salesforce_id("003", int(account_key.removeprefix("C-")) * 100 + number)


def stamps(created: str, modified: str, by: str) -> Row:
    """The system fields of a record that a person keeps."""
    return {
        "CreatedDate": created,
        "CreatedById": by,
        "LastModifiedDate": modified,
        "LastModifiedById": by,
        "SystemModstamp": modified,
    }


def _user_id(number: int) -> str:
    return salesforce_id("005", FIRST_FREE_USER + number)


def _split(name: str) -> tuple[str, str]:
    first, _, last = name.partition(" ")
    return first, last


_HIRED: Final = "2020-01-06T09:00:00.000+0000"


def _user(row: Row, people: Mapping[str, str]) -> Row:
    first, last = _split(row["name"])
    return {
        "Id": people[row["owner_key"]],
        "Username": row["email"],
        "Email": row["email"],
        "FirstName": first,
        "LastName": last,
        "Name": row["name"],
        "Alias": row["owner_key"][:8],
        "Title": "Customer Success Manager" if row["role"] == "csm" else "Account Executive",
        "IsActive": row["is_active"],
        "UserType": "Standard",
        "TimeZoneSidKey": row["timezone"] if row["timezone"] in _ZONES else "UTC",
        "LocaleSidKey": "en_US",
        "LanguageLocaleKey": "en_US",
        "EmailEncodingKey": "UTF-8",
        **stamps(_HIRED, _HIRED, ADMIN_USER_ID),
    }


def _account(row: Row, accounts: Mapping[str, str], people: Mapping[str, str]) -> Row:
    owner = people[row["owner_key"]]
    return {
        "Id": accounts[row["account_key"]],
        "Name": row["name"],
        "Type": row["account_type"],
        "ParentId": accounts.get(row["parent_key"]),
        "BillingCountry": row["country"],
        "Website": row["website"],
        "Industry": row["industry"],
        "AnnualRevenue": row["annual_revenue"],
        "NumberOfEmployees": row["employees"],
        "OwnerId": owner,
        "Customer_Id__c": row["external_id"],
        "CurrencyIsoCode": row["currency"],
        "Upsell_Stage__c": row["upsell_stage"],
        "IsDeleted": row["is_deleted"],
        "MasterRecordId": accounts.get(row["merged_into"]),
        "Plan_Tier__c": row["plan_tier"],
        "Seats__c": row["seats"],
        "ARR__c": row["arr"],
        "List_ARR__c": row["list_arr"],
        "Customer_Since__c": row["customer_since"],
        "Contract_Start__c": row["contract_start"],
        "Renewal_Date__c": row["renewal_date"],
        "Contract_Term_Months__c": row["contract_term_months"],
        "Fiscal_Year_Start_Month__c": row["fiscal_year_start"],
        "Segment__c": row["segment"],
        **stamps(row["created_at"], row["modified_at"], owner),
    }


def _contact(row: Row, people: Mapping[str, str]) -> Row:
    first, last = _split(row["name"])
    owner = people[row["owner_key"]]
    return {
        "Id": contact_id(row["account_key"], row["number"]),
        "AccountId": account_id(row["account_key"]),
        "FirstName": first,
        "LastName": last,
        "Name": row["name"],
        "Title": row["title"],
        "Department": row["department"],
        "Email": row["email"],
        "OwnerId": owner,
        "Role__c": _ROLES.get(row["role"]),
        "Left_Company_On__c": row["left_at"],
        **stamps(row["created_at"], row["modified_at"], owner),
    }


_READ: Final[Mapping[str, Callable[[str], object]]] = {
    "Double": float,
    "Currency": float,
    "DateOnly": str,
    "DynamicEnum": str,
    "Text": str,
}


def _account_change(number: int, row: Row) -> Row:
    field, kind = _HISTORY_FIELDS[row["field"]]
    read = _READ[kind]
    return {
        "Id": salesforce_id("017", number),
        "AccountId": account_id(row["account_key"]),
        "Field": field,
        "DataType": kind,
        "OldValue": read(row["old_value"]),
        "NewValue": read(row["new_value"]),
        "CreatedDate": row["changed_at"],
        "CreatedById": ADMIN_USER_ID,
    }
