"""Makes a plan: what the CRM holds now against what it should hold, frozen in the ledger for 24 hours."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import pyarrow as pa

from connectors.crm import Capabilities, Crm
from connectors.errors import UsageError
from model.errors import ModelError
from model.registry import Registry
from sync.approvals import approved_fields
from sync.briefs.desk import Desk
from sync.briefs.evidence import Tables
from sync.field_briefs import with_briefs_of_tasks
from sync.find_account import find_account, read_names
from sync.forecast_snapshot import Figures
from sync.guard import check
from sync.guard_surroundings import Surroundings
from sync.heard import keep_heard
from sync.lake_facts import read_lake_facts
from sync.last_plan import read_last_plan
from sync.lineage import Lineage
from sync.mapping import FieldMap, field_map
from sync.plan_ledger import save
from sync.plan_sources import NO_TASKS, Sources, compare_all, plan_tasks
from sync.plan_summary import read_pace, summarise
from sync.planned import Plan
from sync.planning import Planning
from sync.row_plan import NO_ROWS, RowPlanner
from sync.settings import Settings
from sync.store import Store
from sync.store.scores import latest_scoring
from sync.store.tables import ModelRunRow, RunRow
from sync.write_cost import calls

LIFETIME: Final = timedelta(hours=24)
CLOSING_CALLS: Final = 3  # look for the tasks, read their bodies, close
TASK_READS: Final = 4  # look for the keys when planning and before sending, read the accounts, create


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrow:
    """What a plan is narrowed to: one account (whatever names it), some of our fields (by our key, or the
    CRM's name). A plan for some fields makes no tasks."""

    account: str | None = None
    only: tuple[str, ...] = ()


EVERYTHING: Final = Narrow()


def make_plan(
    scores: pa.Table,
    crm: Crm,
    store: Store,
    tables: Tables,
    settings: Settings,
    *,
    run_id: str,
    now: datetime,
    narrow: Narrow = EVERYTHING,
    override: Collection[str] = (),
    created_by: str = "",
    lineage: Lineage | None = None,
    desk: Desk | None = None,
    quarters: Mapping[str, tuple[float, ...]] | None = None,
    rows: RowPlanner | None = None,
) -> Plan:
    """The plan for one scoring, kept in the ledger.

    `scores` has the columns of `sync.store.scores.SCORES`; `tables` are the canonical tables after
    identity resolution, and `lineage` says what became of records that were merged since an earlier plan.
    `override` may release people's edits (person_edit) and held records (locked).
    `quarters` are the ARR to expect in this fiscal quarter and the next three, by account_id.
    With a `desk` Claude writes the briefs of its tasks, within the caps of [briefs]; `rows` says what it adds
    to objects of our own, unless it is narrowed.
    `created_by` is who makes it, unless the run itself says who asked for it.
    Raises SetupError when a field can't be written, UsageError when `narrow` names what does not exist."""
    every: list[dict[str, Any]] = scores.to_pylist()
    today = now.astimezone(ZoneInfo(settings.company.timezone)).date()
    sources = Sources(
        crm=crm,
        store=store,
        tables=tables,
        settings=settings,
        now=now,
        today=today,
        as_of=every[0]["as_of"] if every else today,
        org_id=crm.org().id,
        lineage=lineage or Lineage(),
        quarters=quarters or {},
    )
    scored = _of_account(every, tables, narrow.account)
    fields = field_map(crm, settings.mapping.get("fields"))
    only = _keys(fields, narrow.only)
    planning = compare_all(scored, sources, fields, only=only, override=override)
    keep_heard(store, sources.org_id, planning.heard(), run_id=run_id, now=now)
    wanted = (
        NO_TASKS if only is not None else plan_tasks(planning, sources, desk, whole=narrow.account is None)
    )
    planning.changes[:] = with_briefs_of_tasks(planning.changes, wanted.briefs, fields)
    skips = (*planning.skips, *wanted.skips)
    added = NO_ROWS
    if rows is not None and narrow == EVERYTHING:
        figures = Figures(
            scored=len(scored), written=len(planning.changes), tasks=len(wanted.tasks), left_out=len(skips)
        )
        added = rows.plan(sources.org_id, figures)
    model_version = every[0]["model_version"] if every else ""
    last = read_last_plan(store, sources.org_id, as_of=sources.as_of)
    held = planning.held_scores()
    around = Surroundings(
        today=today,
        timezone=settings.company.timezone,
        model_version=model_version,
        last=last,
        inputs=read_lake_facts(store, sources.org_id),
        fields=fields.definitions(only),
        api_calls=api_calls(
            len(planning.changes), len(wanted.tasks), crm.capabilities, closings=len(wanted.closings)
        )
        + added.calls(crm.capabilities),
        usage=crm.usage(),
        budget=settings.budget,
        first_fill=_waiting_for_approval(planning, store, sources.org_id),
        closings=len(wanted.closings),
        open_tasks=wanted.open_tasks,
    )
    plan = Plan(
        id=planning.plan_id,
        run_id=run_id,
        org_id=sources.org_id,
        object=fields.object,
        created_at=now,
        expires_at=now + LIFETIME,
        as_of=sources.as_of,
        model_version=model_version,
        mapping_hash=fields.mapping_hash,
        schema_hash=fields.schema_hash,
        fields=around.fields,
        scored=len(scored),
        changes=tuple(planning.changes),
        tasks=wanted.tasks,
        closings=wanted.closings,
        rows=added.rows,
        fills=added.fills,
        skips=skips,
        findings=check(
            every,
            planning.changes,
            settings.guard,
            held_scores=held,
            scored_last=_survivors(
                last.record_ids, sources.lineage, {row["account_id"]: row["crm_id"] for row in every}
            ),
            surroundings=around,
        ),
        api_calls=around.api_calls,
        created_by=_asked_by(store, run_id) or created_by,
        model_hash=_model_hash(settings, model_version),
        score_run_id=_scoring(store, run_id),
        inputs=around.inputs.as_json(),
    )
    summary = summarise(plan, held=len(held), usage=around.usage, budget=around.budget, pace=read_pace(store))
    if desk is not None and desk.report.briefs:
        summary["briefs"] = desk.report.as_json()
    if added.summary:
        summary["rows"] = dict(added.summary)
    plan = replace(plan, summary=summary)
    save(store, plan)
    return plan


def api_calls(changes: int, tasks: int, able: Capabilities, *, closings: int = 0) -> int:
    """API calls that applying takes: for the records, by the cheaper way, and for tasks made and closed."""
    batches = -(-tasks // able.write_batch) * TASK_READS + -(-closings // able.write_batch) * CLOSING_CALLS
    links = 0 if able.links_in_record else 2 * (tasks + closings)
    return calls(changes, able) + batches + links


def _survivors(record_ids: Set[str], lineage: Lineage, record_now: Mapping[str, str]) -> Set[str]:
    """The records; of one that was merged since, its survivor's."""
    accounts = {record_id: lineage.account_now(record_id, record_id) for record_id in record_ids}
    return {record_now.get(account, record_id) for record_id, account in accounts.items()}


def _of_account(
    rows: Sequence[dict[str, Any]], tables: Tables, account: str | None
) -> Sequence[dict[str, Any]]:
    """All rows, or those of the account that is named. Raises UsageError when nobody bears the name."""
    if account is None:
        return rows
    found = find_account(read_names(tables), account).account_id
    return [row for row in rows if row["account_id"] == found]


def _keys(fields: FieldMap, only: Sequence[str]) -> Set[str] | None:
    """Our keys of the named fields, None when none is named. Raises UsageError for one not ours."""
    if not only:
        return None
    names = {field.name: key for key, field in fields.written.items()} | {key: key for key in fields.written}
    unknown = sorted(set(only) - names.keys())
    if unknown:
        raise UsageError(
            f"Upswell writes no field {', '.join(unknown)}.",
            record="--only",
            fix=f"use one of {', '.join(fields.written)}",
        )
    return frozenset(names[name] for name in only)


def _waiting_for_approval(planning: Planning, store: Store, org_id: str) -> dict[str, int]:
    """Fields that the plan fills for the first time without an approval, and how many such cells hold
    something."""
    with store.session() as session:
        waiting = planning.first_fill - approved_fields(session, org_id)
    counts: dict[str, int] = {}
    for cell in (cell for change in planning.changes for cell in change.cells if cell.name in waiting):
        counts[cell.name] = counts.get(cell.name, 0) + (cell.before is not None)
    return counts


def _asked_by(store: Store, run_id: str) -> str:
    """Who asked for the run, empty where it does not say: a worker carries out what others asked for."""
    with store.session() as session:
        run = session.get(RunRow, run_id)
        return "" if run is None else run.created_by


def _scoring(store: Store, run_id: str) -> str | None:
    """The run that made the scores: this one, or the newest scoring."""
    with store.session() as session:
        scored_here = session.get(ModelRunRow, run_id) is not None
    newest = latest_scoring(store)
    return run_id if scored_here else None if newest is None else newest.run_id


def _model_hash(settings: Settings, version: str) -> str:
    """The sha256 of the model's manifest, empty when the model is not in this installation's folder."""
    try:
        return Registry(settings.state.models).fingerprint(version)
    except ModelError:
        return ""
