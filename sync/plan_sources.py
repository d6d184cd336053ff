"""What a plan is made of: each score held against its record, and the tasks for the best of them."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from connectors.crm import Crm
from sync.approvals import written_before
from sync.briefs.desk import Desk
from sync.briefs.evidence import Tables, read_evidence
from sync.briefs.evidence import select as rows_of
from sync.briefs.writing import write_briefs
from sync.context import read_accounts
from sync.last_written import inherited, last_written, locked_records
from sync.lineage import Lineage
from sync.mapping import FieldMap
from sync.planned import PlannedTask, Skip
from sync.planning import Planning
from sync.rates import money_of
from sync.settings import Settings
from sync.store import Store
from sync.store.writeback import TaskRow
from sync.tasks import choose, key_of, make_task, request_of

ROWS_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where a plan's facts come from, and the days that it goes by."""

    crm: Crm
    store: Store
    tables: Tables
    settings: Settings
    now: datetime
    today: date
    as_of: date
    org_id: str
    lineage: Lineage


def compare_all(
    rows: Sequence[dict[str, Any]],
    sources: Sources,
    fields: FieldMap,
    *,
    only: Set[str] | None,
    override: Collection[str],
) -> Planning:
    """Each score held against its record, and against what we last wrote there."""
    crm, settings, org_id = sources.crm, sources.settings, sources.org_id
    ids = sorted({row["crm_id"] for row in rows if row["crm_id"]})
    with sources.store.session() as session:
        known = written_before(session, org_id)
        locked = {} if "locked" in override else locked_records(session, org_id)
    planning = Planning(
        plan_id=f"plan-{sources.now.astimezone(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}",
        fields=fields,
        records=crm.read(fields.object, ids, fields.names) if ids else {},
        accounts=read_accounts(sources.tables, sources.as_of),
        product_names={product.id: product.name for product in settings.products},
        as_of=sources.as_of,
        now=sources.now,
        rates=_rates(sources.tables, settings) if crm.capabilities.money_per_record else {},
        noise=settings.noise,
        first_fill=frozenset(fields.schemas) - known,
        locked=locked,
        only=only,
        keep_edits="person_edit" not in override,
    )
    for start in range(0, len(rows), ROWS_AT_ONCE):  # what was ever written on all records may be too much
        batch = rows[start : start + ROWS_AT_ONCE]
        former = {row["account_id"]: sources.lineage.records(row["account_id"]) for row in batch}
        wanted = {row["crm_id"] for row in batch if row["crm_id"]}.union(*former.values())
        with sources.store.session() as session:
            written = last_written(session, org_id, fields.object, wanted) if known else {}
        for row in batch:
            record = planning.records.get(row["crm_id"] or "")
            others = [written[each] for each in former[row["account_id"]] if each in written]
            own = written.get(row["crm_id"] or "", {})
            planning.add(row, own if record is None else inherited(own, others, record, fields))
    return planning


def plan_tasks(
    planning: Planning, sources: Sources, desk: Desk | None = None
) -> tuple[list[PlannedTask], list[Skip]]:
    """The tasks to make, and why the other accounts get none; with a desk Claude writes their briefs."""
    settings = sources.settings
    chosen, skips = choose(
        planning.candidates,
        settings=settings,
        as_of=sources.as_of,
        today=sources.today,
        taken=lambda keys: _taken(sources, keys),
        used_slots=_used_slots(sources.store, sources.today, settings.company.timezone),
    )
    scores = [candidate.score for candidate, _ in chosen]
    evidence = read_evidence(sources.tables, scores, sources.as_of) if chosen else {}
    requests = (
        request_of(candidate, evidence[candidate.account.account_id], candidate.play, settings)
        for candidate, _ in chosen
    )
    briefs = write_briefs(requests, desk)
    tasks = [
        make_task(
            candidate,
            key,
            briefs[candidate.account.account_id],
            settings=settings,
            as_of=sources.as_of,
            today=sources.today,
        )
        for candidate, key in chosen
    ]
    return tasks, skips


def _rates(tables: Tables, settings: Settings) -> dict[str, float | None]:
    """What the currency of each account's record is worth, where it is not the company's; None if unknown."""
    money = money_of(settings.company, tables.get("exchange_rates"))
    rows = rows_of(tables, "accounts", ("account_id", "original_currency"))
    worth = {row["account_id"]: money.rate_of(row["original_currency"]) for row in rows}
    return {account_id: rate for account_id, rate in worth.items() if rate != 1.0}


def _taken(sources: Sources, keys: Sequence[str]) -> Set[str]:
    """Which of the keys have their task already, by the ledger or else by the CRM.

    The task of a record that was merged into an account has come to it, and is the account's now."""
    query = select(TaskRow.key, TaskRow.account_id, TaskRow.account_crm_id, TaskRow.play, TaskRow.cycle)
    with sources.store.session() as session:
        rows = session.execute(query).all()
    known = {row.key for row in rows}
    for row in rows:
        account_id = sources.lineage.account_now(row.account_id, row.account_crm_id)
        known.add(key_of(account_id, row.play, row.cycle))
    unknown = [key for key in keys if key not in known]
    return known | (set(sources.crm.find_tasks(unknown)) if unknown else set())


def _used_slots(store: Store, today: date, timezone: str) -> dict[str, int]:
    """Tasks made since Monday in the company's zone, by owner."""
    monday = datetime.combine(today - timedelta(days=today.weekday()), time.min, tzinfo=ZoneInfo(timezone))
    query = (
        select(TaskRow.owner_id, func.count()).where(TaskRow.created_at >= monday).group_by(TaskRow.owner_id)
    )
    with store.session() as session:
        return {owner or "": count for owner, count in session.execute(query)}
