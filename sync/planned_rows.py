"""Rows that a plan adds to objects of our own, and what it fills in later: as values, and as operations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from connectors.crm import Value
from sync.cells import Cell, cell_from_json, cell_to_json, from_json, to_json
from sync.operations import Operation

FORECASTS, FEEDBACK, RUNS = "forecasts", "feedback", "sync_runs"
ROWS: Final[Mapping[str, str]] = MappingProxyType(
    {FORECASTS: "row.forecasts", FEEDBACK: "row.feedback", RUNS: "row.sync_runs"}
)
FILLS: Final[Mapping[str, str]] = MappingProxyType({FORECASTS: "fill.forecasts", FEEDBACK: "fill.feedback"})
"""The kinds of operation by which rows of each object are added and filled in: a call writes one object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRow:
    """A row to add to one of our objects (`object`, its key in fields.toml); `values` by our fields' keys.

    `record_id` is the account's in the CRM; both are empty for a row of many accounts. Where the CRM has no
    such object, `in_crm` is False and the row is kept in the ledger alone."""

    object: str
    key: str
    account_id: str
    record_id: str
    values: Mapping[str, Value]
    in_crm: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFill:
    """What is filled in later in a row that is there; `record_id` is the row's own in the CRM.

    `crm_object` is the vendor's name of the object, as every write has it."""

    object: str
    crm_object: str
    key: str
    account_id: str
    record_id: str
    cells: tuple[Cell, ...]


def row_operation(plan_id: str, run_id: str, position: int, row: PlannedRow) -> Operation:
    """The operation that adds the row. It names no record: it changes none that was there."""
    values = {name: to_json(value) for name, value in row.values.items()}
    return Operation(
        key=f"{plan_id}:{row.object}:{row.key}",
        plan_id=plan_id,
        run_id=run_id,
        position=position,
        kind=ROWS[row.object],
        object=row.object,
        record_id="",
        account_id=row.account_id,
        payload={"key": row.key, "in_crm": row.in_crm, "values": values},
    )


def row_of(operation: Operation) -> PlannedRow:
    """The row that an operation adds."""
    values = values_of_row(operation.payload)
    return PlannedRow(
        object=operation.object,
        key=operation.payload["key"],
        account_id=operation.account_id,
        record_id=str(values.get("account") or ""),
        values=values,
        in_crm=operation.payload["in_crm"],
    )


def values_of_row(payload: Mapping[str, Mapping[str, dict[str, object]]]) -> dict[str, Value]:
    """The values of a row by our fields' keys, from its operation's payload."""
    return {name: from_json(held) for name, held in payload["values"].items()}


def fill_operation(plan_id: str, run_id: str, position: int, fill: PlannedFill) -> Operation:
    """The operation that fills the row in."""
    return Operation(
        key=f"{plan_id}:fill:{fill.object}:{fill.key}",
        plan_id=plan_id,
        run_id=run_id,
        position=position,
        kind=FILLS[fill.object],
        object=fill.crm_object,
        record_id=fill.record_id,
        account_id=fill.account_id,
        payload={
            "object": fill.object,
            "key": fill.key,
            "cells": [cell_to_json(cell) for cell in fill.cells],
        },
    )


def fill_of(operation: Operation) -> PlannedFill:
    """What an operation fills in."""
    return PlannedFill(
        object=operation.payload["object"],
        crm_object=operation.object,
        key=operation.payload["key"],
        account_id=operation.account_id,
        record_id=operation.record_id,
        cells=tuple(cell_from_json(held) for held in operation.payload["cells"]),
    )


def by_object(rows: Iterable[PlannedRow | PlannedFill]) -> dict[str, int]:
    """How many there are of each object, most first."""
    return dict(Counter(row.object for row in rows).most_common())
