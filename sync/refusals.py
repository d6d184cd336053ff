"""Everything that forbids an apply before its first write, in one place."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from connectors.crm import Crm
from connectors.errors import SetupError, StateError
from sync.mapping import field_map, refuse_changed_schema
from sync.planned import PlanTerms
from sync.settings import Settings
from sync.store.writeback import PlanRow
from sync.workbench import planned_fields

RESUME_FOR: Final = timedelta(days=7)
"""How long after it was made a plan that was begun may be completed; each cell is compared anew."""
NEW_PLAN: Final = "Make a new plan: upswell plan."


def refuse_other_org(crm: Crm, org_id: str) -> None:
    """Nothing when the connection is to this org; else raises StateError."""
    connected = crm.org()
    if connected.id != org_id:
        raise StateError(
            f"the plan was made for org {org_id}, and this is {connected.name} ({connected.id})",
            fix="Connect to the org that the plan was made for, or make a new plan here.",
        )


def refuse_state(plan: PlanRow, *, now: datetime, at: datetime, resume: bool) -> None:
    """Nothing when the plan may be begun or gone on with; else raises StateError.

    `now` is the CRM server's clock, `at` the machine's, by which pauses go."""
    ended = {"applied": "applied", "rolled_back": "rolled back", "rolling_back": "rolled back"}
    if plan.status in ended:
        raise StateError(f"the plan was {ended[plan.status]} already", record=plan.id, fix=NEW_PLAN)
    is_begun = plan.status != "planned"
    expires_at = plan.created_at + RESUME_FOR if is_begun else plan.expires_at
    if now >= expires_at:
        raise StateError(f"the plan expired at {expires_at:%Y-%m-%d %H:%M} UTC", record=plan.id, fix=NEW_PLAN)
    if plan.status == "stopped" and not resume:
        raise StateError(
            f"the plan was stopped: {plan.pause_reason}",
            record=plan.id,
            fix=f"See why with `upswell history {plan.id} --rejected`, mend it, "
            f"then go on with: upswell apply {plan.id} --resume",
        )
    if plan.status == "paused" and not resume and plan.paused_until is not None and at < plan.paused_until:
        raise StateError(
            f"the plan is paused until {plan.paused_until:%Y-%m-%d %H:%M} UTC: {plan.pause_reason}",
            record=plan.id,
            fix=f"Wait, or try it now with: upswell apply {plan.id} --resume",
        )


def refuse_changed_fields(crm: Crm, plan: PlanTerms, mapping_hash: str, settings: Settings | None) -> None:
    """Nothing when each of our fields goes where the plan says, and is defined as it was.

    Raises SetupError otherwise; without `settings` only the definitions are compared."""
    refuse_changed_schema(plan.fields, planned_fields(crm, plan.fields))
    if settings is None:
        return
    mapped = field_map(crm, settings.mapping.get("fields"))
    if mapped.mapping_hash == mapping_hash:
        return
    now = {key: field.name for key, field in (*mapped.written.items(), *mapped.read.items())}
    moved = [key for key, definition in plan.fields.items() if now.get(key) != definition["name"]]
    added = sorted(set(mapped.written) - set(plan.fields))
    raise SetupError(
        f"the mapping is another than when the plan was made ({', '.join(moved or added) or mapped.object})",
        record="[mapping.fields]",
        fix="Put the mapping back, or make a new plan: upswell plan.",
    )
