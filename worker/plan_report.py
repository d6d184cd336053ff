"""What a person sees of a plan, and what a program gets: counts, moves, cost, guard, cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from worker.brief_page import WHY_NOT

if TYPE_CHECKING:
    from sync.plan_words import Explained
    from sync.planned import Plan, PlannedChange
    from sync.settings import Settings
    from worker.verb import App

TO_MEND: Final = ("denied", "rejected")  # by whoever set Claude up
MOVES: Final = 6
WIDTH: Final = 60
REASONS: Final = 8  # of a line; the others are counted together


def plan_facts(plan: Plan) -> dict[str, Any]:
    """A plan in figures, as data."""
    summary = plan.summary or {}
    return {
        "plan": plan.id,
        "org": plan.org_id,
        "as_of": plan.as_of,
        "model_version": plan.model_version,
        "model_hash": plan.model_hash,
        "score_run": plan.score_run_id,
        "created_by": plan.created_by,
        "expires_at": plan.expires_at,
        "status": plan.status,
        "scored": plan.scored,
        "changes": len(plan.changes),
        "causes": plan.changes_by_cause(),
        "changed": summary.get("changed"),
        "changed_share": summary.get("changed_share"),
        "cells": plan.cells,
        "cells_by_field": plan.cells_by_field(),
        "largest_moves": plan.largest_moves(),
        "tasks": len(plan.tasks),
        "tasks_by_play": plan.tasks_by_play(),
        "tasks_closed": plan.closings_by_reason(),
        "skipped": plan.skips_by_reason("score"),
        "cells_left": plan.skips_by_reason("cell"),
        "tasks_skipped": plan.skips_by_reason("task"),
        "api_calls": plan.api_calls,
        "quota_share": summary.get("quota_share"),
        "seconds": summary.get("seconds"),
        "briefs": summary.get("briefs"),
        "rows": summary.get("rows"),
        "guard": [
            {"rule": f.rule, "figure": f.figure, "limit": f.limit, "message": f.message}
            for f in plan.findings
        ],
    }


def show_plan(app: App, plan: Plan, *, account: str | None = None) -> None:
    """The plan's counts, its largest moves and what it costs; then cells of its first record, or all cells
    of the account that it was narrowed to."""
    screen = app.screen
    screen.head(
        f"Plan {plan.id}: {plan.cells:,} cells of {len(plan.changes):,} records change, "
        f"{len(plan.tasks)} tasks" + (f", {len(plan.closings)} to close" if plan.closings else "")
    )
    made = f", made by {plan.created_by}" if plan.created_by else ""
    screen.say(
        f"As of {plan.as_of} with model {plan.model_version}{made}; {plan.scored:,} "
        f"{'account' if plan.scored == 1 else 'accounts'}."
    )
    screen.table(("", "Count", "Of these"), _counts(plan), right=("Count",))
    if plan.changes:
        screen.say(f"Cells by field: {_counted(plan.cells_by_field())}")
    moves = plan.largest_moves(MOVES)
    if moves:
        text = ", ".join(f"{who} {before:.0f} → {after:.0f}" for who, before, after in moves)
        screen.say(f"Largest moves of the score: {text}")
    if changed := _changed(plan):
        screen.say(changed)
    if not plan.is_empty:
        screen.say(_cost(plan))
    if rows := (plan.summary or {}).get("rows"):
        screen.say(_storage(rows))
        if rows["warning"]:
            app.warn(rows["warning"])
    if briefs := (plan.summary or {}).get("briefs"):
        screen.say(_briefs(briefs))
        for fault in (fault for fault in TO_MEND if fault in briefs["by_template"]):
            app.warn(f"briefs by the template, not by Claude: {WHY_NOT[fault]}")
    show_cells(app, plan, account)
    for finding in plan.findings:
        app.warn(f"guard: {finding.message}. {_way_on(plan, finding.rule)}")


def _storage(told: Mapping[str, Any]) -> str:
    """What a snapshot takes, and where it goes."""
    where = f"; {told['room']}" if told["room"] else ""
    if not told["in_crm"]:
        where = "; kept in the ledger, as this CRM has no object for them (upswell forecast --rows)"
    return (
        f"Forecast of {told['snapshot']}: {told['forecast_rows']:,} rows, {told['rows_an_account']} an "
        f"account, {told['megabytes']:,.1f} MB; {told['megabytes_a_year']:,.0f} MB in a year{where}."
    )


def _briefs(told: Mapping[str, Any]) -> str:
    """Who wrote the briefs of the tasks, what it cost, and why the template wrote the rest."""
    by_template = told["by_template"]
    rest = f", {sum(by_template.values())} by the template ({_counted(by_template)})" if by_template else ""
    return (
        f"Briefs: {told['by_claude']} by {told['model']} ({told['kept']} kept){rest}; "
        f"{told['tokens']:,} tokens, USD {told['usd_spent']:.2f} of about {told['usd_guessed']:.2f}."
    )


def show_explained(app: App, plan: Plan, settings: Settings, account: str | None) -> None:
    """For each rule why records are in or out; of one account, for its record, cells and task."""
    from sync.plan_words import explain_account, explain_guard, explain_plan

    screen = app.screen
    if account is not None:
        app.answer.data["explained"] = _explain(
            app,
            f"Why {account} is in or out",
            explain_account(plan, account),
            "Nothing about it was planned.",
        )
        return
    records = explain_plan(plan, settings.noise)
    rules = explain_guard(plan, settings.guard)
    app.answer.data["explained"] = _explain(
        app, "Why records and tasks are in or out", records, "No account."
    )
    screen.head("The guard, rule by rule")
    screen.table(("Rule", "In words"), [(each.rule, each.words) for each in rules])
    app.answer.data["explained"] += [
        {"rule": each.rule, "count": None, "words": each.words} for each in rules
    ]


def _explain(app: App, title: str, told: list[Explained], nothing: str) -> list[dict[str, Any]]:
    app.screen.head(title)
    if not told:
        app.screen.say(nothing)
    elif any(each.count is not None for each in told):
        rows = [(each.rule, f"{each.count:,}", each.words) for each in told]
        app.screen.table(("Rule", "Count", "In words"), rows, right=("Count",))
    else:
        app.screen.table(("Rule", "In words"), [(each.rule, each.words) for each in told])
    return [{"rule": each.rule, "count": each.count, "words": each.words} for each in told]


def show_cells(app: App, plan: Plan, account: str | None) -> None:
    """Cells before and after: of one account, else of the first record."""
    chosen = [c for c in plan.changes if account is None or account in (c.account_id, c.record_id)]
    if account is not None and not chosen:
        reasons = [s for s in plan.skips if account in (s.account_id, s.record_id)]
        why = "; ".join(f"{s.subject}: {s.detail}" for s in reasons) or "it was not scored"
        app.screen.say(f"Nothing is written to {account}: {why}")
    for change in chosen[:1]:
        app.screen.head(f"{change.account_id} ({change.object} {change.record_id}): {_why(change)}")
        app.screen.table(
            ("Field", "Before", "After"),
            [(cell.key, _shown(cell.before), _shown(cell.after)) for cell in change.cells],
        )


def _why(change: PlannedChange) -> str:
    """Why a record is written, on the rest of a line."""
    from sync.planned import Cause

    return "first fill" if change.cause is Cause.FIRST_FILL else change.why.replace("_", " ")


def _counts(plan: Plan) -> list[tuple[str, str, str]]:
    """What is in and what is out, a line each; nothing of what there is none."""
    left = plan.skips_by_reason("score"), plan.skips_by_reason("cell"), plan.skips_by_reason("task")
    rows: tuple[tuple[str, int, Mapping[str, int]], ...] = (
        ("records to write", len(plan.changes), plan.changes_by_cause()),
        ("records left out", sum(left[0].values()), left[0]),
        ("cells left alone", sum(left[1].values()), left[1]),
        ("tasks to make", len(plan.tasks), plan.tasks_by_play()),
        ("tasks to close", len(plan.closings), plan.closings_by_reason()),
        ("accounts without one", sum(left[2].values()), left[2]),
        ("rows to add", len(plan.rows), plan.rows_by_object()),
        ("rows to fill in", len(plan.fills), {}),
    )
    return [(what, f"{count:,}", _counted(of)) for what, count, of in rows if count]


def _counted(counts: Mapping[str, int], limit: int = REASONS) -> str:
    shown = list(counts.items())[:limit]
    rest = sum(counts.values()) - sum(count for _, count in shown)
    text = ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in shown)
    return text + (f", others {rest:,}" if rest else "")


def _cost(plan: Plan) -> str:
    """Calls, their share of today's quota, and the time that they take."""
    summary = plan.summary or {}
    share, seconds = summary.get("quota_share"), summary.get("seconds")
    cost = f"It takes about {plan.api_calls:,} API calls"
    if share is not None:
        cost += f" ({share:.2%} of the org's {summary['org_calls_limit']:,} a day"
        ours = summary.get("our_calls_limit")
        cost += f"; {summary['our_calls']:,} of our {ours:,} are made)" if ours is not None else ")"
    if seconds is not None:
        basis = (
            "at the last plan's pace" if summary.get("seconds_measured") else "a guess until one was applied"
        )
        cost += f" and {_duration(seconds)} ({basis})"
    return cost + "."


def _changed(plan: Plan) -> str:
    """Shares of the records that change, by what changes; "" where there is nothing to compare with."""
    summary = plan.summary or {}
    held, changed = summary.get("held"), summary.get("changed")
    if not held or not changed:
        return ""
    shares = ", ".join(f"{kind} {count / held:.1%}" for kind, count in list(changed.items())[:REASONS])
    return f"News, as shares of the {held:,} records that hold a score: {shares}."


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60):,} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _way_on(plan: Plan, rule: str) -> str:
    """What lets a plan pass that breaks this rule."""
    if rule == "changed_share":
        return f"Apply stops on this until someone else approves it: upswell approve {plan.id}"
    yes = {"first_fill": "approve its fields for good", "closed_share": "have someone else approve it"}
    either = f", or {yes[rule]}: upswell approve {plan.id}" if rule in yes else ""
    return f"Apply stops on this; pass it over with --override {rule}{either}"


def _shown(value: object) -> str:
    text = "—" if value is None else "; ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"
