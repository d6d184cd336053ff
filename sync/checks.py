"""Checks of one installation: each says what was found, whether it is good, and how to fix it; none changes
anything.

Each check is one small question to the CRM, the ledger, the files or the models. A check that can't be asked,
because one before it failed, is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import pyarrow as pa
from sqlalchemy import func, select

from connectors.canonical import CRM_TABLES
from connectors.crm import Crm, FieldSchema, FieldType, ObjectSchema
from connectors.errors import UpswellError
from connectors.fields import FieldSpec, field_specs
from model.errors import ModelError
from sync.mapping import COMPATIBLE
from sync.store.engine import HEAD
from sync.store.tables import BookmarkRow

if TYPE_CHECKING:
    from sync.loop import Loop

SKEW: Final = timedelta(minutes=5)  # a JWT assertion older than that is refused (Salesforce, JWT bearer flow)
STALE: Final = timedelta(days=2)
STALE_EVENTS: Final = timedelta(days=4)  # a daily export that missed a weekend
OLD_MODEL: Final = timedelta(days=45)  # trained every four weeks, with some patience


class Verdict(StrEnum):
    """How a check ended: fine, worth knowing, or to be fixed before the loop can run."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing looked at."""

    area: str
    name: str
    verdict: Verdict
    found: str
    fix: str | None = None


def check_all(loop: Loop) -> Iterator[Check]:
    """Every check, in the order in which a failing one explains those after it."""
    yield _ledger(loop)
    try:
        crm = loop.crm
        org = crm.org()
    except UpswellError as error:
        yield _failed("CRM", "login", error)
    else:
        yield _ok("CRM", "login", f"{org.name} ({org.kind} {org.id}) at {org.url}")
        yield _ok("CRM", "API version", org.api_version)
        yield from _guarded("CRM", "clock", lambda: _clock(loop, crm))
        yield from _mapped_fields(loop, crm)
        yield from _our_fields(crm)
        yield from _guarded("CRM", "tasks", lambda: _tasks(crm))
        yield _quota(loop, crm)
    yield from _lake(loop)
    yield from _model(loop)


def _ledger(loop: Loop) -> Check:
    # opening the ledger brought its schema up to date, or refused one of a newer version
    url = loop.store.engine.url.render_as_string(hide_password=True)
    return _ok("Ledger", "schema", f"{HEAD}, the newest that this version knows, in {url}")


def _clock(loop: Loop, crm: Crm) -> Check:
    server, ours = crm.server_time(), loop.clock()
    skew = abs(server - ours)
    found = f"the CRM says {server:%Y-%m-%d %H:%M} UTC, this machine {ours:%Y-%m-%d %H:%M} UTC"
    if skew <= SKEW:
        return _ok("CRM", "clock", found)
    return Check(
        area="CRM",
        name="clock",
        verdict=Verdict.WARN,
        found=found,
        fix="Set this machine's clock by NTP, since logins go by it; a sandbox has a clock of its own.",
    )


def _mapped_fields(loop: Loop, crm: Crm) -> Iterator[Check]:
    """Whether each field of [mapping.*] is visible and of a type that its column can take."""
    mapping = {name: dict(columns) for name, columns in loop.settings.mapping.items() if name != "fields"}
    if loop.settings.crm.account_external_id:
        mapping.setdefault("accounts", {}).setdefault("external_id", loop.settings.crm.account_external_id)
    for table, columns in mapping.items():
        if table not in CRM_TABLES:
            continue
        try:
            described = crm.describe(crm.object_name(table))
        except UpswellError as error:
            yield _failed("Mapping", table, error)
            continue
        for column, path in columns.items():
            yield _mapped(table, column, path, described)


def _mapped(table: str, column: str, path: str, described: ObjectSchema) -> Check:
    name, field = f"{table}.{column}", described.fields.get(path)
    if "." in path:  # over a relationship: the pull checks it against the object it leads to
        return _ok("Mapping", name, f"{described.name}.{path}, checked by the pull")
    if field is None:
        return Check(
            area="Mapping",
            name=name,
            verdict=Verdict.FAIL,
            found=f"{described.name} has no field {path}, or does not show it to our user",
            fix="Correct the mapping, restore the field, or grant it by a permission set.",
        )
    if not _can_fill(column, CRM_TABLES[table].field(column).type, field):
        return Check(
            area="Mapping",
            name=name,
            verdict=Verdict.WARN,
            found=f"{described.name}.{path} is {field.type}, which may not hold what the column needs",
            fix="Map a field of a fitting type, or make sure that every value can be read as one.",
        )
    return _ok("Mapping", name, f"{described.name}.{path} ({field.type})")


def _can_fill(column: str, kind: pa.DataType, field: FieldSchema) -> bool:
    """Whether such a field can be read as the column's type; any can be read as text."""
    numbers = {FieldType.NUMBER, FieldType.CURRENCY, FieldType.PERCENT}
    if pa.types.is_floating(kind):
        return field.type in numbers
    if pa.types.is_integer(kind):  # a month is often a picklist of numbers
        return field.type in numbers or (column == "fiscal_year_start" and field.type is FieldType.PICKLIST)
    if pa.types.is_temporal(kind):
        return field.type in {FieldType.DATE, FieldType.DATETIME}
    return field.type is FieldType.CHECKBOX if pa.types.is_boolean(kind) else True


def _our_fields(crm: Crm) -> Iterator[Check]:
    """Whether our fields are there, of a kind that holds our values, and writable where we write."""
    objects: dict[str, ObjectSchema] = {}
    good = 0
    for key, spec in field_specs().items():
        try:
            if spec.object not in objects:
                objects[spec.object] = crm.describe(crm.object_name(spec.object))
        except UpswellError as error:
            yield _failed("Fields", spec.object, error)
            return
        found = _fault_of(spec, objects[spec.object], crm.field_name(spec))
        if found is None:
            good += 1
            continue
        verdict = Verdict.FAIL if spec.owner == "machine" else Verdict.WARN
        yield Check(area="Fields", name=key, verdict=verdict, found=found[0], fix=found[1])
    yield _ok("Fields", "ours", f"{good} of {len(field_specs())} can be used")


def _fault_of(spec: FieldSpec, described: ObjectSchema, name: str) -> tuple[str, str] | None:
    """What is wrong with one of our fields, and the fix."""
    where, field = f"{described.name}.{name}", described.fields.get(name)
    if not name:  # RevOps left this field out
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
    described = crm.describe(crm.object_name("tasks"))
    if described.createable:
        return _ok("CRM", "tasks", f"our user may create {described.label or described.name} records")
    return Check(
        area="CRM",
        name="tasks",
        verdict=Verdict.FAIL,
        found=f"our user may not create {described.label or described.name} records",
        fix="Give the integration user the permission to create and edit tasks.",
    )


def _quota(loop: Loop, crm: Crm) -> Check:
    usage, share = crm.usage(), loop.settings.budget
    if usage.org_limit is None or usage.org_used is None:
        return _ok("CRM", "quota", f"the CRM tells no daily limit; this check took {usage.calls} calls")
    found = (
        f"{usage.org_used:,} of {usage.org_limit:,} API calls used; ours are at most "
        f"{int(usage.org_limit * share.daily_share):,} a day, this check took {usage.calls}"
    )
    if usage.org_used < usage.org_limit * share.org_ceiling:
        return _ok("CRM", "quota", found)
    return Check(
        area="CRM",
        name="quota",
        verdict=Verdict.FAIL,
        found=found,
        fix="Wait until the org's use falls, or raise org_ceiling in [budget].",
    )


def _lake(loop: Loop) -> Iterator[Check]:
    """How fresh the lake is, by the CRM's bookmarks and by each kind of export."""
    from sync.export_check import status_of_exports

    now = _now(loop)
    with loop.store.session() as session:
        read_until = session.scalar(select(func.min(BookmarkRow.until)))
    yield _freshness("Lake", "CRM", read_until, now, "upswell pull")
    held = {status.kind: status for status in status_of_exports(loop.store)}
    for kind in dict.fromkeys(export.kind for export in loop.settings.exports):
        status = held.get(kind)
        if status is None:
            yield Check(
                area="Exports",
                name=kind,
                verdict=Verdict.FAIL,
                found="configured, and never read",
                fix="Check and read it: upswell exports check, upswell pull",
            )
            continue
        found = f"{status.rows:,} rows of {status.files} files, newest {_day(status.last_at)}"
        if status.missing:
            yield Check(
                area="Exports",
                name=kind,
                verdict=Verdict.WARN,
                found=f"{found}; {status.missing} files that were read are gone",
                fix="Put them back, or correct path in [[exports]]; what they said still counts.",
            )
        elif kind == "events" and status.last_at is not None and now - status.last_at > STALE_EVENTS:
            yield Check(
                area="Exports",
                name=kind,
                verdict=Verdict.WARN,
                found=f"{found}, {(now - status.last_at).days} days ago",
                fix="See whether the export still runs; usage that is missing looks like usage that fell.",
            )
        else:
            yield _ok("Exports", kind, found)


def _freshness(area: str, name: str, read_until: datetime | None, now: datetime, verb: str) -> Check:
    if read_until is None:
        return Check(
            area=area, name=name, verdict=Verdict.FAIL, found="nothing was read yet", fix=f"Read it: {verb}"
        )
    found = f"read up to {read_until:%Y-%m-%d %H:%M} UTC"
    if now - read_until <= STALE:
        return _ok(area, name, found)
    days = (now - read_until).days
    return Check(
        area=area,
        name=name,
        verdict=Verdict.WARN,
        found=f"{found}, {days} days ago",
        fix=f"Read what is new: {verb}; and let a schedule do so daily.",
    )


def _model(loop: Loop) -> Iterator[Check]:
    """Whether the current model is there and whole, its age, and who scores with it."""
    from sync.loop import version_day

    current = loop.registry.current
    if current is None:
        yield Check(
            area="Model",
            name="current",
            verdict=Verdict.FAIL,
            found="there is none",
            fix="Train one: upswell train",
        )
        return
    try:
        trained = loop.registry.load(current)
    except ModelError as error:
        yield Check(
            area="Model",
            name=current,
            verdict=Verdict.FAIL,
            found=str(error.args[0]),
            fix="Promote another version, or train again: upswell train",
        )
        return
    found = f"scores by the {trained.basis}, from {trained.facts.get('expansions', 0):,} past expansions"
    if trained.facts.get("has_signal") is False:
        yield Check(
            area="Model",
            name=current,
            verdict=Verdict.WARN,
            found=f"{found}; these data do not predict expansion better than chance",
            fix="Don't rank by the scores; add sources: upswell features shows which are missing.",
        )
    else:
        yield _ok("Model", current, found)
    age = _now(loop).date() - version_day(current)
    if age > OLD_MODEL:
        yield Check(
            area="Model",
            name="age",
            verdict=Verdict.WARN,
            found=f"{age.days} days",
            fix="Train on what happened since: upswell train",
        )
    else:
        yield _ok("Model", "age", f"{max(age.days, 0)} days")


def _now(loop: Loop) -> datetime:
    """The CRM's clock where it answers, since bookmarks go by it; else the machine's."""
    try:
        return loop.crm.server_time()
    except UpswellError:
        return loop.clock()


def _guarded(area: str, name: str, check: Callable[[], Check]) -> Iterator[Check]:
    """The check, or its error as a failed one."""
    try:
        yield check()
    except UpswellError as error:
        yield _failed(area, name, error)


def _ok(area: str, name: str, found: str) -> Check:
    return Check(area=area, name=name, verdict=Verdict.OK, found=found)


def _failed(area: str, name: str, error: UpswellError) -> Check:
    found = error.message if error.record is None else f"{error.record}: {error.message}"
    return Check(area=area, name=name, verdict=Verdict.FAIL, found=found, fix=error.fix)


def _day(at: datetime | None) -> str:
    return "unknown" if at is None else f"{at:%Y-%m-%d}"
