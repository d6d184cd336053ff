"""Meetings, calls, e-mails, tasks and tickets as HubSpot records."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from connectors.sandbox.company.hubspot_rows import Part, Row, link, number_of, numbered, row_of, rows_of
from connectors.sandbox.hubspot.associations import plain_type, types_between

_MEETING: Final = timedelta(minutes=45)
_STAGES: Final = {"working": "2", "escalated": "3", "closed": "4"}
_PRIORITIES: Final = {"low": "LOW", "medium": "MEDIUM", "high": "HIGH", "critical": "URGENT"}
_OBJECTS: Final = {"meeting": "meetings", "call": "calls", "email": "emails", "task": "tasks"}


def service_rows(tables: Mapping[str, pa.Table], people: Mapping[str, str]) -> Part:
    """Rows of meetings, calls, emails, tasks and tickets, and to whom they belong.

    A person who was never known is left out of the record."""
    accounts, contacts = tables["accounts"], tables["contacts"]
    keys, managers = accounts["account_key"].to_pylist(), accounts["owner_key"].to_pylist()
    owner = {key: people[manager] for key, manager in zip(keys, managers, strict=True)}
    known = set(zip(contacts["account_key"].to_pylist(), contacts["number"].to_pylist(), strict=True))
    part = Part(rows={name: [] for name in (*_OBJECTS.values(), "tickets")})
    for row in rows_of(_with_end(tables["activities"])):
        name = _OBJECTS[row["kind"]]
        record_id = numbered("activities", int(row["activity_key"][2:]))
        part.rows[name].append(_activity(row, record_id, owner[row["account_key"]]))
        _belongs(part, name, record_id, row, known)
    for row in rows_of(tables["tickets"]):
        record_id = numbered("tickets", int(row["ticket_key"][2:]))
        part.rows["tickets"].append(_ticket(row, record_id, owner[row["account_key"]]))
        _belongs(part, "tickets", record_id, row, known)
    return part


def _with_end(activities: pa.Table) -> pa.Table:
    return activities.append_column("ends_at", pc.add(activities["occurred_at"], pa.scalar(_MEETING)))


def _belongs(
    part: Part, name: str, record_id: int, row: Mapping[str, Any], known: set[tuple[str, int]]
) -> None:
    key, person = row["account_key"], row["contact_number"]
    # a ticket's company is its primary one; activities know no primary company
    company = types_between(name, "companies")[-1].type_id
    part.links.append(link(name, record_id, "companies", number_of("companies", key), company))
    if (key, person) in known:
        contact = plain_type(name, "contacts").type_id
        part.links.append(link(name, record_id, "contacts", number_of("contacts", key, person), contact))


def _activity(row: Mapping[str, Any], record_id: int, owner: str) -> Row:
    at, subject = row["occurred_at"], row["subject"]
    match row["kind"]:
        case "meeting":
            own = {
                "hs_meeting_title": subject,
                "hs_meeting_start_time": at,
                "hs_meeting_end_time": row["ends_at"],
                "hs_meeting_outcome": "COMPLETED",
                "hs_activity_type": "QBR" if row["is_qbr"] else "Meeting",
            }
        case "call":
            own = {"hs_call_title": subject, "hs_call_status": "COMPLETED", "hs_call_direction": "OUTBOUND"}
        case "email":
            own = {"hs_email_subject": subject, "hs_email_status": "SENT", "hs_email_direction": "EMAIL"}
        case _:
            own = {
                "hs_task_subject": subject,
                "hs_task_status": "COMPLETED",
                "hs_task_priority": "MEDIUM",
                "hs_task_type": "TODO",
                "hs_task_completion_date": at,
            }
    return row_of(
        record_id,
        hs_createdate=row["created_at"],
        hs_lastmodifieddate=row["modified_at"],
        hs_timestamp=at,
        hubspot_owner_id=owner,
        **own,
    )


def _ticket(row: Mapping[str, Any], record_id: int, owner: str) -> Row:
    return row_of(
        record_id,
        createdate=row["created_at"],
        hs_lastmodifieddate=row["modified_at"],
        subject=row["subject"],
        content=row["body"],
        hs_pipeline="0",
        hs_pipeline_stage=_STAGES[row["status"]],
        hs_ticket_priority=_PRIORITIES.get(row["priority"]),
        hubspot_owner_id=owner,
        closed_date=row["closed_at"],
        hs_primary_company_id=number_of("companies", row["account_key"]),
        escalated=row["is_escalated"],
        csat=row["csat"],
    )
