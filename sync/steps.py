"""What each step of a run does, whichever process does it.

A step is opened by one process alone. Where it has pieces, any number of processes then share in them, and
one brings it to its end. Each part may be done again after a process died in it: it finds what is there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from connectors.errors import InputError, TransientError, UsageError
from sync.apply import KINDS, apply_some, finish_apply, start_apply
from sync.apply_report import ApplyReport, report
from sync.heartbeat import Heartbeat
from sync.jobs import VERBS
from sync.plan_ledger import latest_plan_id, load, status_of
from sync.progress import standing
from sync.ranges import ranges_left
from sync.run import ClaimedRun
from sync.scoring import ScoreReport, close_scoring, load_scoring, open_scoring, score_range, score_report
from sync.store.runs import bind_run
from sync.store.scores import load_scores
from sync.store.tables import LockRow
from sync.training import why_train
from sync.workbench import lock_name, org_of

if TYPE_CHECKING:
    from sync.loop import Loop

BATCHES: Final = 4  # of an apply, between two looks at the clock: seconds, or minutes where the CRM is slow
ENDED_PLANS: Final = ("applied", "stopped")
SPENT_PLANS: Final = ("applied", "rolling_back", "rolled_back")  # nothing of them is left to write


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A step that had nothing to do, and why."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What came of one process's turn at a shared step.

    `worked`: it did a piece. `left`: pieces that are not done, in whatever hands. `due_at`: when to look
    again. With `reopen_at` nobody goes on before then, and the step is opened anew."""

    worked: bool
    left: int
    due_at: datetime | None = None
    reopen_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: `open` alone; then, where there is `share`, pieces for everybody, and `close` alone.

    `open` and `close` give the step's report. `close` gives None when there is something to share after
    all, and so does `open` of a step whose report comes from `close`. `alone`, where it is there, does the
    whole step in a process that has the run for itself, and tells its trouble at once."""

    open: Callable[[Loop, ClaimedRun], Any]
    share: Callable[[Loop, ClaimedRun, Heartbeat], Share] | None = None
    close: Callable[[Loop, ClaimedRun], Any] | None = None
    alone: Callable[[Loop, ClaimedRun], Any] | None = None


def _day(loop: Loop, run: ClaimedRun) -> date:
    """The run's as-of date, the same for each of its steps and after a midnight."""
    if run.claim.as_of is not None:
        return run.claim.as_of
    asked = run.claim.asked.get("as_of")
    day = loop.today() if asked is None else date.fromisoformat(asked)
    bind_run(loop.store, run.id, as_of=day)
    return day


def _train(loop: Loop, run: ClaimedRun) -> Any:
    day = _day(loop, run)
    wanted = run.claim.asked.get("retrain", False) or run.claim.verb == "train"
    if wanted:
        return loop.train(run, day)
    why = why_train(loop, day)
    if why is None:
        return Skipped(
            why=f"the newest model, {loop.registry.versions()[-1]}, is fresh, and nothing asks for another"
        )
    loop.tell(f"Train, because {why}", 0, None)
    return loop.train(run, day)


def _open_score(loop: Loop, run: ClaimedRun) -> None:
    day = _day(loop, run)
    try:
        if run.detail:
            load_scoring(loop, run.id, run.detail)
            return
    except InputError:
        loop.tell("Score", 0, None)  # the file is gone: the rows are built anew
    run.detail.update(open_scoring(loop, run.id, day))


def _share_score(loop: Loop, run: ClaimedRun, beat: Heartbeat) -> Share:
    scoring = loop.scoring(run.id, run.detail)
    worked = score_range(loop, scoring, beat)
    left = ranges_left(loop.store, run.id)
    loop.tell("Score", run.detail["ranges"] - left, run.detail["ranges"])
    return Share(worked=worked, left=left)


def _close_score(loop: Loop, run: ClaimedRun) -> ScoreReport | None:
    scoring = loop.scoring(run.id, run.detail)
    scores = close_scoring(loop, scoring)
    return None if scores is None else score_report(scoring, scores)


def _plan(loop: Loop, run: ClaimedRun) -> Any:
    made = latest_plan_id(loop.store, run_id=run.id)
    if made is not None:  # by a process that died before it could say so
        return load(loop.store, made)
    scored = "score" in VERBS[run.claim.verb]
    scores = load_scores(loop.store, run.id) if scored else None
    return loop.plan(run, scores, override=run.claim.asked.get("override", ()))


def _plan_to_apply(loop: Loop, run: ClaimedRun) -> str | Skipped:
    own = run.claim.asked.get("plan") or latest_plan_id(loop.store, run_id=run.id)
    plan_id = own or run.detail.get("plan") or latest_plan_id(loop.store)
    if plan_id is None:
        raise UsageError("there is no plan yet.", fix="make one first: upswell plan")
    is_ours = own is not None or "plan" in run.detail  # asked for by name, made or begun by this run
    if not is_ours and (status := status_of(loop.store, plan_id)) in SPENT_PLANS:
        return Skipped(why=f"the newest plan, {plan_id}, is {status.replace('_', ' ')} already")
    return Skipped(why="nothing to write") if load(loop.store, plan_id).is_empty else plan_id


def _apply_alone(loop: Loop, run: ClaimedRun) -> ApplyReport | Skipped:
    plan_id = _plan_to_apply(loop, run)
    if isinstance(plan_id, Skipped):
        return plan_id
    made = loop.apply(run, plan_id, override=run.claim.asked.get("override", ()))
    run.detail["rejected"] = len(made.rejected)
    return made


def _open_apply(loop: Loop, run: ClaimedRun) -> Skipped | None:
    plan_id = _plan_to_apply(loop, run)
    if isinstance(plan_id, Skipped):
        return plan_id
    was_open = run.detail.get("plan") == plan_id
    run.detail["plan"] = plan_id
    if was_open and status_of(loop.store, plan_id) in ENDED_PLANS:
        return None  # by a process that died before it could say so
    _wait_for_org(loop, run, org_of(loop.store, plan_id))
    start_apply(
        plan_id,
        loop.crm,
        loop.store,
        settings=loop.settings,
        now=loop.crm.server_time(),
        holder=run.id,
        override=run.claim.asked.get("override", ()),
        resume=run.claim.asked.get("resume", False),
        clock=loop.machine_clock,
    )
    return None


def _wait_for_org(loop: Loop, run: ClaimedRun, org_id: str) -> None:
    """Raises TransientError while another run writes to the org: that passes, so it fails nothing."""
    with loop.store.session() as session:
        lock = session.get(LockRow, lock_name(org_id))
    if lock is not None and lock.owner != run.id and lock.expires_at > loop.machine_clock():
        raise TransientError(
            "another run writes to the org just now.", record=lock.owner, fix="this run waits for it"
        )


def _share_apply(loop: Loop, run: ClaimedRun, _beat: Heartbeat) -> Share:
    plan_id = run.detail["plan"]
    before = standing(loop.store, plan_id, KINDS).done
    found = apply_some(
        plan_id,
        loop.crm,
        loop.store,
        now=loop.crm.server_time(),
        worker=loop.owner,
        holder=run.id,
        timezone=loop.settings.company.timezone,
        clock=loop.machine_clock,
        limit=BATCHES,
        progress=lambda done, total: loop.tell("Apply", done, total),
    )
    if found.status == "paused":
        finish_apply(
            plan_id, loop.store, holder=run.id, clock=loop.machine_clock
        )  # the org is free meanwhile
        return Share(worked=False, left=found.left, reopen_at=found.paused_until or loop.machine_clock())
    left = found.left if found.status == "applying" else 0
    return Share(worked=found.done > before and left > 0, left=left, due_at=found.due_at)


def _close_apply(loop: Loop, run: ClaimedRun) -> ApplyReport | None:
    plan_id = run.detail["plan"]
    status = finish_apply(plan_id, loop.store, holder=run.id, clock=loop.machine_clock)
    if status in ("applying", "paused"):
        return None
    made = report(loop.store, plan_id, status=status, api_calls=loop.crm.usage().calls, drifts=())
    run.detail.update(cells=made.written_cells, tasks=made.tasks_made, rejected=len(made.rejected))
    return made


STEPS: Final[Mapping[str, Step]] = MappingProxyType(
    {
        "pull": Step(open=lambda loop, run: loop.pull(run, full=run.claim.asked.get("full", False))),
        "exports": Step(open=lambda loop, run: loop.exports(run)),
        "train": Step(open=_train),
        "score": Step(open=_open_score, share=_share_score, close=_close_score),
        "plan": Step(open=_plan),
        "apply": Step(open=_open_apply, share=_share_apply, close=_close_apply, alone=_apply_alone),
        "outcomes": Step(open=lambda loop, run: loop.outcomes(run)),
    }
)
