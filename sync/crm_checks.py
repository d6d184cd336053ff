"""Checks of the CRM as our user sees it: clock, mapped fields, our fields and objects, tasks, API quota."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import Final

from connectors.crm import Crm, ObjectSchema
from connectors.errors import SetupError, TerminalError, UpswellError
from connectors.fields import FieldSpec, field_specs, object_specs
from sync.check import Check, Verdict, fault, fault_of, fine, note
from sync.mapped_checks import check_mapped
from sync.mapping import COMPATIBLE
from sync.settings import BudgetSettings, Settings

NEARLY_ALL: Final = 0.9  # of our share of the day
SKEW: Final = timedelta(minutes=5)  # a JWT assertion older than that is refused (Salesforce, JWT bearer flow)


def check_crm(crm: Crm, settings: Settings, *, now: datetime) -> Iterator[Check]:
    """Every check of a CRM that let us in; `now` is this machine's clock."""
    yield _clock(crm, now)
    yield from _examined(crm)
    yield from check_mapped(crm, settings)
    yield from _our_fields(crm)
    yield from _our_objects(crm, settings.crm.objects)
    yield _tasks(crm)
    yield _quota(crm, settings.budget)


def _clock(crm: Crm, now: datetime) -> Check:
    try:
        server = crm.server_time()
    except UpswellError as error:
        return fault_of("CRM", "clock", error)
    found = f"the CRM says {server:%Y-%m-%d %H:%M} UTC, this machine {now:%Y-%m-%d %H:%M} UTC"
    if abs(server - now) <= SKEW:
        return fine("CRM", "clock", found)
    fix = "Set this machine's clock by NTP, since logins go by it; a sandbox has a clock of its own."
    return note("CRM", "clock", found, fix)


def _examined(crm: Crm) -> Iterator[Check]:
    """What only this vendor has; where it can't be looked at, the error of the first thing that failed."""
    try:
        for remark in crm.examine(list(field_specs().values())):
            verdict = Verdict.FAIL if remark.is_fault else Verdict.OK if remark.fix is None else Verdict.WARN
            yield Check(
                area=remark.area, name=remark.name, verdict=verdict, found=remark.found, fix=remark.fix
            )
    except UpswellError as error:
        yield fault_of("CRM", "check-up", error)


def _our_fields(crm: Crm) -> Iterator[Check]:
    """Whether our fields are there, of a kind that holds our values, and writable where we write."""
    objects: dict[str, ObjectSchema] = {}
    wrong: dict[str, tuple[str, str]] = {}
    missing = 0
    for key, spec in field_specs().items():
        try:
            if spec.object not in objects:
                objects[spec.object] = crm.describe(crm.object_name(spec.object))
        except UpswellError as error:
            yield fault_of("Fields", spec.object, error)
            return
        name = crm.field_name(spec)
        missing += bool(name) and name not in objects[spec.object].fields
        if (reason := _wrong(spec, objects[spec.object], name)) is not None:
            wrong[key] = reason
    total = len(field_specs())
    if missing == total:
        found = f"none of our {total} fields is there, or our user sees none of them"
        yield fault("Fields", "ours", found, "Create or grant them: upswell install")
        return
    for key, (found, fix) in wrong.items():
        verdict = Verdict.FAIL if field_specs()[key].owner == "machine" else Verdict.WARN
        yield Check(area="Fields", name=key, verdict=verdict, found=found, fix=fix)
    yield fine("Fields", "ours", f"{total - len(wrong)} of {total} can be used")


def _our_objects(crm: Crm, objects: Collection[str]) -> Iterator[Check]:
    """Whether the objects of our own that the company wants are there, with their fields, for us to write."""
    if not objects:
        return
    lacking = []
    for spec in (object_specs()[key] for key in objects):
        try:
            described = crm.describe(crm.object_name(spec.key))
        except (SetupError, TerminalError):
            lacking.append(f"{spec.label} is missing, or hidden from our user")
            continue
        absent = [
            name for field in spec.fields.values() if (name := crm.field_name(field)) not in described.fields
        ]
        if absent:
            lacking.append(f"{spec.label} lacks {', '.join(absent)}")
        elif not described.createable:
            lacking.append(f"our user may not create {spec.label} records")
    if not lacking:
        yield fine("Objects", "ours", f"{len(objects)} of {len(objects)} can be written")
        return
    fix = (
        "Create or grant them: upswell install, which says why where it can't. Until then their rows stay in "
        "Upswell; or leave them out of [crm] objects."
    )
    yield note("Objects", "ours", "; ".join(lacking), fix)


def _wrong(spec: FieldSpec, described: ObjectSchema, name: str) -> tuple[str, str] | None:
    """What is wrong with one of our fields, and the fix; None when nothing is, or RevOps left it out."""
    where, field = f"{described.name}.{name}", described.fields.get(name)
    if not name:
        return None
    if field is None:
        return f"{where} is missing, or hidden from our user", "Create or grant it: upswell install --apply"
    if field.type not in COMPATIBLE.get(spec.type, frozenset({field.type})):
        return (
            f"{where} is {field.type}, and {spec.label} needs {spec.type}",
            f"Name another field under [mapping.fields] {spec.key}.",
        )
    if spec.owner == "machine" and (field.calculated or not (field.updateable or field.createable)):
        return f"our user may not edit {where}", "Grant edit access: upswell install --apply"
    return None


def _tasks(crm: Crm) -> Check:
    try:
        described = crm.describe(crm.object_name("tasks"))
    except UpswellError as error:
        return fault_of("CRM", "tasks", error)
    name = described.label or described.name
    if described.createable:
        return fine("CRM", "tasks", f"our user may create {name} records")
    fix = "Give the integration user the permission to create and edit tasks."
    return fault("CRM", "tasks", f"our user may not create {name} records", fix)


def _quota(crm: Crm, budget: BudgetSettings) -> Check:
    usage = crm.usage()
    if usage.org_limit is None or usage.org_used is None:
        return fine("CRM", "quota", f"the CRM tells no daily limit; this check took {usage.calls} calls")
    share = int(usage.org_limit * budget.daily_share)
    made = usage.calls if usage.ours is None else usage.ours
    found = (
        f"{usage.org_used:,} of {usage.org_limit:,} API calls used in 24 hours, {made:,} of them ours, of at "
        f"most {share:,} ({int(share * budget.run_share):,} a run); this check took {usage.calls}"
    )
    if usage.org_used >= usage.org_limit * budget.org_ceiling:
        fix = "Wait until the org's use falls, or raise org_ceiling in [budget]."
        return fault("CRM", "quota", found, fix)
    if made >= NEARLY_ALL * share:
        return note(
            "CRM", "quota", found, "Runs will pause soon; raise daily_share in [budget] if they must not."
        )
    return fine("CRM", "quota", found)
