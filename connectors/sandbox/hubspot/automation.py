"""What the account does by itself when a record changes: calculated properties.

Sources: "HubSpot's default deal properties", "… ticket properties" and "… task properties", knowledge base.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from connectors.sandbox.hubspot.pipelines import pipeline_of
from connectors.sandbox.store import Cell

Row = dict[str, Cell]


def _deal(before: Row | None, after: Row, now: str) -> None:
    pipeline = pipeline_of("deals", str(after["pipeline"]))
    stage = pipeline.stage(str(after["dealstage"])) if pipeline is not None else None
    if stage is None or stage.probability is None:
        return
    earlier = None if before is None else before["dealstage"]
    if earlier != stage.id:
        after[f"hs_v2_date_entered_{stage.id}"] = now
        if earlier is not None:
            after[f"hs_v2_date_exited_{earlier}"] = now
    after["hs_is_closed"] = str(stage.closed).lower()
    after["hs_is_closed_won"] = str(stage.won).lower()
    after["hs_is_closed_lost"] = str(stage.closed and not stage.won).lower()
    after["hs_deal_stage_probability"] = number_text(stage.probability)
    amount = after.get("amount")
    if amount is None:
        after["hs_closed_amount"], after["hs_projected_amount"] = "0", None
    else:
        after["hs_closed_amount"] = amount if stage.won else "0"
        after["hs_projected_amount"] = number_text(round(float(amount) * stage.probability, 2))


def _ticket(before: Row | None, after: Row, now: str) -> None:
    pipeline = pipeline_of("tickets", str(after["hs_pipeline"]))
    stage = pipeline.stage(str(after["hs_pipeline_stage"])) if pipeline is not None else None
    if stage is None or not stage.closed:
        after["closed_date"] = None
    elif before is None or before["hs_pipeline_stage"] != stage.id:
        after["closed_date"] = now


def _task(before: Row | None, after: Row, now: str) -> None:
    after.setdefault("hs_task_status", "NOT_STARTED")
    if after["hs_task_status"] is None:
        after["hs_task_status"] = "NOT_STARTED"
    if after["hs_task_status"] != "COMPLETED":
        after["hs_task_completion_date"] = None
    elif before is None or before["hs_task_status"] != "COMPLETED":
        after["hs_task_completion_date"] = now


def _line_item(_before: Row | None, after: Row, _now: str) -> None:
    quantity, price = after.get("quantity"), after.get("price")
    if quantity is not None and price is not None:
        after["amount"] = number_text(round(float(quantity) * float(price), 2))


_RULES: Mapping[str, Callable[[Row | None, Row, str], None]] = {
    "deals": _deal,
    "tickets": _ticket,
    "tasks": _task,
    "line_items": _line_item,
}


def calculate(object_name: str, before: Row | None, after: Row, now: str) -> None:
    """Fill in the properties that HubSpot itself works out; `before` is None for a new record."""
    rule = _RULES.get(object_name)
    if rule is not None:
        rule(before, after, now)


def number_text(value: float) -> str:
    """A number as HubSpot writes it: without an exponent or a needless fraction."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))
