"""What a plan is made of: each score held against its record, and the tasks for the best of them."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Final

from connectors.crm import Crm
from sync.approvals import written_before
from sync.briefs.desk import Desk
from sync.briefs.evidence import Tables, read_evidence
from sync.briefs.evidence import select as rows_of
from sync.briefs.writing import Written, write_briefs
from sync.choosing import Week, choose
from sync.closings import plan_closings
from sync.context import read_accounts
from sync.field_briefs import BriefBook
from sync.last_written import inherited, last_written, locked_records
from sync.lineage import Lineage
from sync.mapping import FieldMap
from sync.model_settings import target_of
from sync.occasions import read_occasions
from sync.planned import PlannedClosing, PlannedTask, Skip
from sync.planning import Planning
from sync.play_rules import PlayRules
from sync.rates import money_of
from sync.settings import Settings
from sync.store import Store
from sync.task_book import read_book
from sync.tasks import Chosen, make_task, request_of
from sync.team import Team
from sync.workdays import due_on

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
    quarters: Mapping[str, tuple[float, ...]] = field(default_factory=dict)  # ARR to expect, by account_id


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
        accounts=read_accounts(sources.tables, sources.as_of, sold_as=target_of(settings).kinds),
        product_names={product.id: product.name for product in settings.products},
        as_of=sources.as_of,
        now=sources.now,
        briefs=BriefBook.read(sources.tables, rows, sources.as_of, settings)
        if "brief" in fields.written
        else None,
        quarters=sources.quarters,
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


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPlan:
    """The tasks to make and to close, and why the other accounts get none; `open_tasks` are there by now.

    `briefs` are those of the tasks to make, whole, by account_id."""

    tasks: tuple[PlannedTask, ...] = ()
    closings: tuple[PlannedClosing, ...] = ()
    skips: tuple[Skip, ...] = ()
    open_tasks: int = 0
    briefs: Mapping[str, str] = field(default_factory=dict)


NO_TASKS: Final = TaskPlan()


def plan_tasks(
    planning: Planning, sources: Sources, desk: Desk | None = None, *, whole: bool = True
) -> TaskPlan:
    """The tasks of the candidates, with a desk their briefs by Claude.

    Unless the plan is `whole`, only their own tasks are looked for in the CRM."""
    settings, candidates = sources.settings, planning.candidates
    owners, zone = settings.owners, settings.company.timezone
    book = read_book(
        sources.store,
        sources.crm,
        now=sources.now,
        lineage=sources.lineage,
        only=None if whole else {each.account.account_id for each in candidates},
    )
    rules = PlayRules.of(settings)
    occasions = read_occasions(sources.tables, sources.as_of, rules.wanted) if rules.wanted else {}
    found = rules.fits(candidates, occasions, sources.as_of)
    fits = {each.account.account_id: own for each, own in zip(candidates, found, strict=True)}
    team = Team.read(sources.tables, owners, zone)
    week = Week(settings=settings, team=team, book=book, as_of=sources.as_of, now=sources.now)
    chosen, skips = choose(candidates, fits, week, lambda keys: set(sources.crm.find_tasks(keys)))
    made = list(_made(chosen, rules, week, sources, desk=desk, book=planning.briefs))
    return TaskPlan(
        tasks=tuple(task for task, _ in made),
        closings=tuple(plan_closings(candidates, fits, book, plan_id=planning.plan_id, today=sources.today)),
        skips=tuple(skips),
        open_tasks=book.open_count,
        briefs={task.account_id: written.brief.full for task, written in made},
    )


def _made(
    chosen: Sequence[Chosen],
    rules: PlayRules,
    week: Week,
    sources: Sources,
    *,
    desk: Desk | None,
    book: BriefBook | None,
) -> Iterator[tuple[PlannedTask, Written]]:
    """The tasks with their briefs, each due by its owner's calendar."""
    settings = sources.settings
    known = {} if book is None else book.facts
    unread = [row for each in chosen if (row := each.candidate.score)["account_id"] not in known]
    evidence = {**known, **(read_evidence(sources.tables, unread, sources.as_of) if unread else {})}
    requests = (
        request_of(
            each.candidate,
            evidence[each.candidate.account.account_id],
            rules.template(each.fit.play),
            settings,
            play=each.fit.play,
        )
        for each in chosen
    )
    briefs = write_briefs(requests, desk)
    for each in chosen:
        today = sources.now.astimezone(week.team.zone_of(each.owner_id)).date()
        due = due_on(each.candidate.timing(each.fit), today, week.workdays)
        written = briefs[each.candidate.account.account_id]
        yield make_task(each, written, settings=settings, as_of=sources.as_of, due=due), written


def _rates(tables: Tables, settings: Settings) -> dict[str, float | None]:
    """What the currency of each account's record is worth, where it is not the company's; None if unknown."""
    money = money_of(settings.company, tables.get("exchange_rates"))
    rows = rows_of(tables, "accounts", ("account_id", "original_currency"))
    worth = {row["account_id"]: money.rate_of(row["original_currency"]) for row in rows}
    return {account_id: rate for account_id, rate in worth.items() if rate != 1.0}
