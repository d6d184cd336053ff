"""Makes a plan: what the CRM holds now against what it should hold, frozen in the ledger for 24 hours."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence, Set
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import pyarrow as pa
from sqlalchemy import func, select

from connectors.crm import Capabilities, Crm
from sync.briefs.evidence import Tables, read_evidence
from sync.briefs.evidence import select as rows_of
from sync.context import read_accounts
from sync.currencies import Money
from sync.guard import check
from sync.lineage import Lineage
from sync.mapping import field_map
from sync.plan_ledger import save
from sync.planned import Plan
from sync.planning import Planning
from sync.settings import Settings
from sync.store import Store
from sync.store.scores import latest_scoring
from sync.store.tables import ScoreRow
from sync.store.writeback import TaskRow
from sync.tasks import choose, key_of, make_task

LIFETIME: Final = timedelta(hours=24)
TASK_READS: Final = 4  # look for the keys when planning and before sending, read the accounts, create


def make_plan(
    scores: pa.Table,
    crm: Crm,
    store: Store,
    tables: Tables,
    settings: Settings,
    *,
    run_id: str,
    now: datetime,
    lineage: Lineage | None = None,
) -> Plan:
    """The plan for one scoring, kept in the ledger.

    `scores` has the columns of `sync.store.scores.SCORES`; `tables` are the canonical tables after
    identity resolution, and `lineage` says what became of records that were merged since an earlier plan.
    Raises SetupError when a field can't be written."""
    lineage = lineage or Lineage()
    rows: list[dict[str, Any]] = scores.to_pylist()
    today = now.astimezone(ZoneInfo(settings.company.timezone)).date()
    as_of = rows[0]["as_of"] if rows else today
    fields = field_map(crm, settings.mapping.get("fields"))
    ids = sorted({row["crm_id"] for row in rows if row["crm_id"]})
    planning = Planning(
        plan_id=f"plan-{now.astimezone(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}",
        fields=fields,
        records=crm.read(fields.object, ids, fields.names) if ids else {},
        accounts=read_accounts(tables, as_of),
        product_names={product.id: product.name for product in settings.products},
        as_of=as_of,
        now=now,
        rates=_rates(tables, settings) if crm.capabilities.money_per_record else {},
    )
    for row in rows:
        planning.add(row)
    chosen, task_skips = choose(
        planning.candidates,
        settings=settings,
        as_of=as_of,
        today=today,
        taken=lambda keys: _taken(crm, store, keys, lineage),
        used_slots=_used_slots(store, today, settings.company.timezone),
    )
    evidence = read_evidence(tables, [candidate.score for candidate, _ in chosen], as_of) if chosen else {}
    tasks = [
        make_task(
            candidate,
            key,
            evidence[candidate.account.account_id],
            settings=settings,
            as_of=as_of,
            today=today,
        )
        for candidate, key in chosen
    ]
    plan = Plan(
        id=planning.plan_id,
        run_id=run_id,
        org_id=crm.org().id,
        object=fields.object,
        created_at=now,
        expires_at=now + LIFETIME,
        as_of=as_of,
        model_version=rows[0]["model_version"] if rows else "",
        mapping_hash=fields.mapping_hash,
        schema_hash=fields.schema_hash,
        fields=fields.definitions(),
        scored=len(rows),
        changes=tuple(planning.changes),
        tasks=tuple(tasks),
        skips=(*planning.skips, *task_skips),
        findings=check(
            rows,
            planning.changes,
            settings.guard,
            held_scores=planning.held_scores(),
            scored_last=_scored_last(
                store, as_of, lineage, {row["account_id"]: row["crm_id"] for row in rows}
            ),
        ),
        api_calls=api_calls(len(planning.changes), len(tasks), crm.capabilities),
    )
    save(store, plan)
    return plan


def _rates(tables: Tables, settings: Settings) -> dict[str, float | None]:
    """What the currency of each account's record is worth, where it is not the company's; None if unknown."""
    money = Money(home=settings.company.currency, rates=settings.company.rates)
    rows = rows_of(tables, "accounts", ("account_id", "original_currency"))
    worth = {row["account_id"]: money.rate_of(row["original_currency"]) for row in rows}
    return {account_id: rate for account_id, rate in worth.items() if rate != 1.0}


def api_calls(changes: int, tasks: int, able: Capabilities) -> int:
    """API calls that applying takes: for each batch of records one read before, the write, one read after."""
    writes = -(-changes // able.write_batch)
    reads = 2 * max(writes, -(-changes // able.read_batch))
    task_batches = -(-tasks // able.write_batch)
    links = 0 if able.links_in_record else 2 * tasks
    return writes + reads + TASK_READS * task_batches + links


def _taken(crm: Crm, store: Store, keys: Sequence[str], lineage: Lineage) -> Set[str]:
    """Which of the keys have their task already, by the ledger or else by the CRM.

    The task of a record that was merged into an account has come to it, and is the account's now."""
    query = select(TaskRow.key, TaskRow.account_id, TaskRow.account_crm_id, TaskRow.play, TaskRow.cycle)
    with store.session() as session:
        rows = session.execute(query).all()
    known = {row.key for row in rows}
    for row in rows:
        known.add(key_of(lineage.account_now(row.account_id, row.account_crm_id), row.play, row.cycle))
    unknown = [key for key in keys if key not in known]
    return known | (set(crm.find_tasks(unknown)) if unknown else set())


def _used_slots(store: Store, today: date, timezone: str) -> dict[str, int]:
    """Tasks made since Monday in the company's zone, by owner."""
    monday = datetime.combine(today - timedelta(days=today.weekday()), time.min, tzinfo=ZoneInfo(timezone))
    query = (
        select(TaskRow.owner_id, func.count()).where(TaskRow.created_at >= monday).group_by(TaskRow.owner_id)
    )
    with store.session() as session:
        return {owner or "": count for owner, count in session.execute(query)}


def _scored_last(store: Store, as_of: date, lineage: Lineage, record_now: Mapping[str, str]) -> Set[str]:
    """Record ids of the newest scoring as of an earlier day; of one that was merged, its survivor's."""
    last = latest_scoring(store, before=as_of)
    if last is None:
        return frozenset()
    with store.session() as session:
        ids = session.scalars(select(ScoreRow.crm_id).where(ScoreRow.run_id == last.run_id)).all()
    accounts = {record_id: lineage.account_now(record_id, record_id) for record_id in ids if record_id}
    return {record_now.get(account, record_id) for record_id, account in accounts.items()}
