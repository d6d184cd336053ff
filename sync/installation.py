"""Our fields and objects in a CRM, put there and taken away, and the first-fill approval that comes with it.

Whoever has a field created for Upswell wants it filled, and nobody's data can be in it: that is the yes that
a first fill takes. Fields that were there before may hold people's data, and wait for `upswell approve`.
What was created is noted, so that a removal knows it from what others made.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select

from connectors.crm import Crm
from connectors.fields import field_specs, object_specs
from connectors.installing import Extras, InstallReport
from sync.approvals import approve_created
from sync.store import Store
from sync.store.runs import know_org
from sync.store.tables import InstalledRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """What an install found and did; `approved` names the created fields whose first fill is approved."""

    report: InstallReport
    approved: tuple[str, ...] = ()


def install(
    crm: Crm,
    store: Store,
    *,
    apply: bool,
    operator: str,
    now: datetime,
    objects: Collection[str] | None = None,
    reports: bool = False,
) -> Installation:
    """Create the fields and objects of connectors/fields.toml that are missing, or with `apply` False only
    say which.

    `objects` are keys of those of our own that the company wants, all of them unless they are given; with
    `reports`, the examples of reports come too where the CRM takes them. `operator` is who does it: an
    operator's name, or os:<login>; `now` is this machine's clock."""
    specs = field_specs()
    wanted = [each for key, each in object_specs().items() if objects is None or key in objects]
    extras = Extras(views=True, reports=reports)
    report = crm.install(list(specs.values()), wanted, extras=extras, apply=apply)
    if not report.applied:
        return Installation(report=report)
    _note(crm, store, report, operator=operator, now=now)
    ours = {
        crm.field_name(spec)
        for spec in specs.values()
        if spec.object == "accounts" and spec.owner == "machine"
    }
    accounts = crm.object_name("accounts")
    created = {step.name for step in report.steps if (step.object, step.action) == (accounts, "create")}
    approval = approve_created(store, crm.org().id, created & ours, operator=operator, now=now)
    return Installation(report=report, approved=() if approval is None else approval.fields)


def remove(crm: Crm, store: Store, *, apply: bool) -> Installation:
    """Take away what installs made, or with `apply` False only say what that is."""
    org_id = crm.org().id
    with store.session() as session:
        noted = session.scalars(select(InstalledRow.part).where(InstalledRow.org_id == org_id)).all()
    specs, objects = list(field_specs().values()), list(object_specs().values())
    report = crm.remove(specs, objects, made=frozenset(noted), apply=apply)
    if report.applied:
        with store.begin() as session:
            session.execute(delete(InstalledRow).where(InstalledRow.org_id == org_id))
    return Installation(report=report)


def _note(crm: Crm, store: Store, report: InstallReport, *, operator: str, now: datetime) -> None:
    """Keep what was created."""
    made = [f"{step.object}.{step.name}" for step in report.steps if step.action == "create"]
    if not made:
        return
    org = crm.org()
    know_org(store, org, now=now)
    with store.begin() as session:
        for part in made:
            session.merge(InstalledRow(org_id=org.id, part=part, operator=operator, at=now))
