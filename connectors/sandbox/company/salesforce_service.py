"""Meetings, calls, e-mails, tasks and tickets as Salesforce Events, Tasks and Cases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pyarrow as pa

from connectors.sandbox.salesforce.ids import salesforce_id

Row = dict[str, Any]
_STATUS: Final = {"closed": "Closed", "escalated": "Escalated", "working": "Working"}
_SUBTYPE: Final = {"call": "Call", "email": "Email", "task": "Task"}


def service_rows(
    tables: Mapping[str, pa.Table],
    accounts: Mapping[str, str],
    contacts: Mapping[tuple[str, int], str],
    people: Mapping[str, str],
) -> dict[str, list[Row]]:
    """Rows of Event, Task and Case; a person who was never known is left out of the record."""
    account_owner = {
        key: people[owner]
        for key, owner in zip(
            tables["accounts"]["account_key"].to_pylist(),
            tables["accounts"]["owner_key"].to_pylist(),
            strict=True,
        )
    }
    events, tasks = [], []
    for row in tables["activities"].to_pylist():
        key = row["account_key"]
        who = contacts.get((key, row["contact_number"]))
        if row["kind"] == "meeting":
            events.append(_event(row, accounts[key], who, account_owner[key]))
        else:
            tasks.append(_task(row, accounts[key], who, account_owner[key]))
    cases = [
        _case(row, accounts[row["account_key"]], contacts, account_owner[row["account_key"]])
        for row in tables["tickets"].to_pylist()
    ]
    return {"Event": events, "Task": tasks, "Case": cases}


def _stamps(row: Row, owner: str) -> Row:
    return {
        "CreatedDate": row["created_at"],
        "CreatedById": owner,
        "LastModifiedDate": row["modified_at"],
        "LastModifiedById": owner,
        "SystemModstamp": row["modified_at"],
    }


def _event(row: Row, account: str, who: str | None, owner: str) -> Row:
    start = row["occurred_at"]
    return {
        "Id": salesforce_id("00U", int(row["activity_key"][2:])),
        "WhoId": who,
        "WhatId": account,
        "AccountId": account,
        "Subject": row["subject"],
        "Type": "QBR" if row["is_qbr"] else "Meeting",
        "IsAllDayEvent": False,
        "ActivityDateTime": start,
        "ActivityDate": start[:10],
        "StartDateTime": start,
        "EndDateTime": row["ends_at"],
        "DurationInMinutes": row["minutes"],
        "OwnerId": owner,
        "EventSubtype": "Event",
        **_stamps(row, owner),
    }


def _task(row: Row, account: str, who: str | None, owner: str) -> Row:
    at = row["occurred_at"]
    return {
        "Id": salesforce_id("00T", int(row["activity_key"][2:])),
        "WhoId": who,
        "WhatId": account,
        "AccountId": account,
        "Subject": row["subject"],
        "Type": {"call": "Call", "email": "Email"}.get(row["kind"], "Other"),
        "TaskSubtype": _SUBTYPE[row["kind"]],
        "ActivityDate": at[:10],
        "Status": "Completed",
        "IsClosed": True,
        "CompletedDateTime": at,
        "Priority": "Normal",
        "IsHighPriority": False,
        "OwnerId": owner,
        **_stamps(row, owner),
    }


def _case(row: Row, account: str, contacts: Mapping[tuple[str, int], str], owner: str) -> Row:
    number = int(row["ticket_key"][2:])
    return {
        "Id": salesforce_id("500", number),
        "CaseNumber": f"{number:08d}",
        "AccountId": account,
        "ContactId": contacts.get((row["account_key"], row["contact_number"])),
        "Subject": row["subject"],
        "Description": row["body"],
        "Status": _STATUS[row["status"]],
        "Priority": row["priority"] and row["priority"].capitalize(),
        "Origin": "Email",
        "IsClosed": row["is_closed"],
        "IsEscalated": row["is_escalated"],
        "ClosedDate": row["closed_at"],
        "OwnerId": owner,
        "CSAT__c": row["csat"],
        **_stamps(row, owner),
    }
