"""A large Salesforce org, written straight into a sandbox's store: who would type it?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.store import Store, stamp

START: Final = datetime(2024, 1, 1, 8, tzinfo=UTC)
OBJECTS: Final = ("Account", "Opportunity", "Task")
STAGES: Final = ("Prospecting", "Negotiation/Review", "Closed Won")
_BODY: Final = "Talked about seats, the renewal and who signs.\n" * 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many records of each kind; every deal has three steps of history and one line."""

    accounts: int = 100_000
    opportunities: int = 300_000
    tasks: int = 500_000

    def times(self, scale: float) -> Size:
        """The same company, larger or smaller."""
        return Size(
            accounts=round(self.accounts * scale),
            opportunities=round(self.opportunities * scale),
            tasks=round(self.tasks * scale),
        )


def fill(store: Store, size: Size) -> None:
    """The company's records, as if written over two years."""
    tables = {
        "Product2": _products(),
        "Account": _accounts(size),
        "Opportunity": _opportunities(size),
        "OpportunityHistory": _history(size),
        "OpportunityLineItem": _lines(size),
        "Task": _tasks(size),
    }
    for name, rows in tables.items():
        store.bulk_insert(name, rows)


def touch(store: Store, number: int, now: datetime) -> None:
    """So many records of the three objects changed, a third each."""
    for place, name in enumerate(OBJECTS):
        share = len(range(place, number, len(OBJECTS)))
        ids = store.select(f'SELECT Id FROM "{name}" ORDER BY Id LIMIT ?', (share,))
        moved = {"SystemModstamp": stamp(now), "LastModifiedDate": stamp(now)}
        store.bulk_update(name, [{"Id": each, **moved} for (each,) in ids])


def _stamps(number: int) -> Mapping[str, Any]:
    born = _born(number)
    return {**born, "LastModifiedDate": born["CreatedDate"]}


def _born(number: int) -> Mapping[str, Any]:
    at = stamp(START + timedelta(minutes=number % 1_000_000))
    return {"CreatedDate": at, "SystemModstamp": at, "IsDeleted": False}


def _products() -> Iterator[Mapping[str, Any]]:
    for number in range(20):
        yield {
            "Id": salesforce_id("01t", number + 1),
            "Name": f"Product {number}",
            "ProductCode": f"P{number}",
            "IsActive": True,
            **_stamps(number),
        }


def _accounts(size: Size) -> Iterator[Mapping[str, Any]]:
    for number in range(size.accounts):
        yield {
            "Id": salesforce_id("001", number + 1),
            "Name": f'Company {number}, "{number % 97}"',
            "Type": "Customer" if number % 3 else "Prospect",
            "Industry": "Software",
            "Website": f"https://company{number}.example",
            "NumberOfEmployees": number % 5_000,
            "AnnualRevenue": float(number % 5_000) * 100_000,
            "OwnerId": salesforce_id("005", 1 + number % 2),
            **_stamps(number),
        }


def _opportunities(size: Size) -> Iterator[Mapping[str, Any]]:
    for number in range(size.opportunities):
        stage = STAGES[number % 3]
        yield {
            "Id": salesforce_id("006", number + 1),
            "AccountId": salesforce_id("001", number % max(1, size.accounts) + 1),
            "Name": f"Deal {number}",
            "StageName": stage,
            "Type": "Expansion",
            "Amount": float(number % 900) * 100,
            "Probability": 100.0 if stage == "Closed Won" else 20.0,
            "IsClosed": stage == "Closed Won",
            "IsWon": stage == "Closed Won",
            "CloseDate": "2025-06-30",
            "OwnerId": salesforce_id("005", 1 + number % 2),
            **_stamps(number),
        }


def _history(size: Size) -> Iterator[Mapping[str, Any]]:
    for number in range(size.opportunities):
        for step in range(3):
            yield {
                "Id": salesforce_id("008", number * 3 + step + 1),
                "OpportunityId": salesforce_id("006", number + 1),
                "StageName": STAGES[min(step, number % 3)],
                "Amount": float(number % 900) * 100,
                "CloseDate": "2025-06-30",
                "Probability": 20.0,
                **_born(number + step),
            }


def _lines(size: Size) -> Iterator[Mapping[str, Any]]:
    for number in range(size.opportunities):
        yield {
            "Id": salesforce_id("00k", number + 1),
            "OpportunityId": salesforce_id("006", number + 1),
            "Product2Id": salesforce_id("01t", number % 20 + 1),
            "Quantity": 10.0,
            "TotalPrice": float(number % 900) * 100,
            **_stamps(number),
        }


def _tasks(size: Size) -> Iterator[Mapping[str, Any]]:
    for number in range(size.tasks):
        account = salesforce_id("001", number % max(1, size.accounts) + 1)
        yield {
            "Id": salesforce_id("00T", number + 1),
            "AccountId": account,
            "WhatId": account,
            "OwnerId": salesforce_id("005", 1 + number % 2),
            "Subject": f"Call {number}",
            "Description": _BODY,
            "Status": "Completed",
            "TaskSubtype": "Call",
            "ActivityDate": "2025-03-01",
            **_stamps(number),
        }
