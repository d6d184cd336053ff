"""What the org does by itself when a record changes: calculated fields and history rows.

Sources: the pages of Opportunity, Task, Event, Case, OpportunityLineItem, OpportunityHistory and
AccountHistory in the Object Reference for the Salesforce Platform.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from connectors.sandbox.salesforce.schema import Field, SObject
from connectors.sandbox.store import Cell, Store, moment, stamp

Row = dict[str, Cell]

_STAGE_HISTORY = ("StageName", "Amount", "ExpectedRevenue", "CloseDate", "Probability", "ForecastCategory")


def _person(_store: Store, _before: Row | None, after: Row, _now: str) -> None:
    after["Name"] = " ".join(str(part) for part in (after.get("FirstName"), after.get("LastName")) if part)


def _opportunity(store: Store, before: Row | None, after: Row, now: str) -> None:
    if before is None or before["StageName"] != after["StageName"]:
        stage = store.row("OpportunityStage", str(after["StageName"]), column="ApiName")
        if stage is not None:
            after["IsClosed"], after["IsWon"] = stage["IsClosed"], stage["IsWon"]
            after["ForecastCategory"] = stage["ForecastCategory"]
            after["ForecastCategoryName"] = stage["ForecastCategoryName"]
            given = after.get("Probability") if before is None else None
            changed = before is not None and before["Probability"] != after["Probability"]
            if given is None and not changed:
                after["Probability"] = stage["DefaultProbability"]
        if before is not None:
            after["LastStageChangeDate"] = now
    amount, probability = after.get("Amount"), after.get("Probability")
    if isinstance(amount, float) and isinstance(probability, float):
        after["ExpectedRevenue"] = round(amount * probability / 100, 2)
    else:
        after["ExpectedRevenue"] = None


def _related_account(store: Store, row: Row) -> Cell:
    what, who = str(row.get("WhatId") or ""), str(row.get("WhoId") or "")
    if what.startswith("001"):
        return what
    for table, key in (("Opportunity", what), ("Case", what), ("Contract", what), ("Contact", who)):
        found = store.row(table, key) if key else None
        if found is not None and found["AccountId"] is not None:
            return found["AccountId"]
    return None


def _task(store: Store, before: Row | None, after: Row, now: str) -> None:
    after["AccountId"] = _related_account(store, after)
    after["IsClosed"] = int(after.get("Status") == "Completed")
    after["IsHighPriority"] = int(after.get("Priority") == "High")
    if not after["IsClosed"]:
        after["CompletedDateTime"] = None
    elif before is None or not before["IsClosed"]:
        after["CompletedDateTime"] = now


def _event(store: Store, _before: Row | None, after: Row, _now: str) -> None:
    after["AccountId"] = _related_account(store, after)
    start = after.get("StartDateTime") or after.get("ActivityDateTime")
    if start is None:
        return
    begins = moment(str(start))
    if after.get("EndDateTime") is None:
        minutes = after.get("DurationInMinutes")
        after["EndDateTime"] = stamp(begins + timedelta(minutes=minutes if isinstance(minutes, int) else 60))
    length = moment(str(after["EndDateTime"])) - begins
    after["StartDateTime"] = after["ActivityDateTime"] = start
    after["ActivityDate"] = str(start)[:10]
    after["DurationInMinutes"] = int(length.total_seconds() // 60)


def _case(store: Store, before: Row | None, after: Row, now: str) -> None:
    if before is None:
        after["CaseNumber"] = f"{store.next_number('CaseNumber', first=90_000_001):08d}"
        contact = store.row("Contact", str(after["ContactId"])) if after.get("ContactId") else None
        if contact is not None and after.get("AccountId") is None:
            after["AccountId"] = contact["AccountId"]
    after["IsClosed"] = int(after.get("Status") == "Closed")
    if not after["IsClosed"]:
        after["ClosedDate"] = None
    elif before is None or not before["IsClosed"]:
        after["ClosedDate"] = now


def _line_item(store: Store, before: Row | None, after: Row, _now: str) -> None:
    entry = store.row("PricebookEntry", str(after["PricebookEntryId"]))
    if before is None and entry is not None:
        after["Product2Id"] = entry["Product2Id"]
        after["ListPrice"] = entry["UnitPrice"]
        after["Name"], after["ProductCode"] = entry["Name"], entry["ProductCode"]
    quantity, price, total = after.get("Quantity"), after.get("UnitPrice"), after.get("TotalPrice")
    if isinstance(quantity, float) and isinstance(price, float):
        after["TotalPrice"] = round(quantity * price, 2)
    elif isinstance(quantity, float) and isinstance(total, float) and quantity:
        after["UnitPrice"] = round(total / quantity, 2)


def _contract(store: Store, before: Row | None, after: Row, _now: str) -> None:
    if before is None:
        after["ContractNumber"] = f"{store.next_number('ContractNumber', first=90_000_001):08d}"


_RULES: Mapping[str, Callable[[Store, Row | None, Row, str], None]] = {
    "Contact": _person,
    "User": _person,
    "Opportunity": _opportunity,
    "Task": _task,
    "Event": _event,
    "Case": _case,
    "OpportunityLineItem": _line_item,
    "Contract": _contract,
}


def calculate(store: Store, sobject: SObject, before: Row | None, after: Row, now: str) -> None:
    """Fill in the fields that the org itself works out; `before` is None for a new record."""
    rule = _RULES.get(sobject.name)
    if rule is not None:
        rule(store, before, after, now)


def history_rows(store: Store, sobject: SObject, before: Row | None, after: Row) -> dict[str, list[Row]]:
    """The rows that the change adds to history objects, by object; without Id and system fields."""
    rows: dict[str, list[Row]] = {}
    if sobject.name == "Opportunity":
        tracked = ("StageName", "Amount", "CloseDate", "Probability", "ForecastCategory")
        if before is None or any(before[name] != after[name] for name in tracked):
            row: Row = {name: after[name] for name in _STAGE_HISTORY}
            rows["OpportunityHistory"] = [{"OpportunityId": after["Id"], **row}]
    if sobject.history is not None:
        parent = f"{sobject.name}Id"
        if before is None:
            changes: list[Row] = [
                {"Field": "created", "DataType": "Text", "OldValue": None, "NewValue": None}
            ]
        else:
            changed = (
                f for f in sobject.fields.values() if f.track_history and before[f.name] != after[f.name]
            )
            changes = [
                change for f in changed for change in _field_history(store, f, before[f.name], after[f.name])
            ]
        rows[sobject.history] = [{parent: after["Id"], **change} for change in changes]
    return rows


_HISTORY_TYPES = {
    "reference": "EntityId",
    "currency": "Currency",
    "double": "Double",
    "percent": "Percent",
    "date": "DateOnly",
    "datetime": "DateTime",
    "boolean": "Boolean",
    "picklist": "DynamicEnum",
}


def _field_history(store: Store, field: Field, old: Cell, new: Cell) -> list[Row]:
    """One row, or two for a lookup: its names and its ids."""
    name = field.name if field.custom else field.name.removesuffix("Id")
    kind = _HISTORY_TYPES.get(field.type, "Text")
    if field.long_text or field.type == "multipicklist":
        # "Field History Tracking": for these the change is kept, its values are not
        return [{"Field": name, "DataType": kind, "OldValue": None, "NewValue": None}]
    rows: list[Row] = [{"Field": name, "DataType": kind, "OldValue": _shown(old), "NewValue": _shown(new)}]
    if field.type == "reference":
        named = [_name_of(store, field, value) for value in (old, new)]
        rows.insert(0, {"Field": name, "DataType": "Text", "OldValue": named[0], "NewValue": named[1]})
    return rows


def _shown(value: Cell) -> Cell:
    return value[:255] if isinstance(value, str) else value


def _name_of(store: Store, field: Field, value: Cell) -> Cell:
    for table in field.references:
        found = store.row(table, str(value)) if value is not None else None
        if found is not None:
            return found.get("Name")
    return None
