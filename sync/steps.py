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

from connectors.errors import InputError
from sync.heartbeat import Heartbeat
from sync.plan_ledger import latest_plan_id, load
from sync.ranges import ranges_left
from sync.run import ClaimedRun
from sync.scoring import ScoreReport, close_scoring, load_scoring, open_scoring, score_range, score_report
from sync.store.runs import bind_run
from sync.store.scores import load_scores

if TYPE_CHECKING:
    from sync.loop import Loop

WHOLE: Final = ("pull", "exports", "train", "score", "plan", "apply", "outcomes")

VERBS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "demo": WHOLE,
        "run": WHOLE,
        "pull": ("pull", "exports"),
        "train": ("train",),
        "score": ("score",),
        "plan": ("plan",),
        "apply": ("apply",),
        "outcomes": ("outcomes",),
    }
)
"""The verbs that can be queued and scheduled, with their steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A step that had nothing to do, and why."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What came of one process's turn at a shared step.

    `worked`: it did a piece. `left`: pieces that are not done, in whatever hands. `due_at`: nobody can do
    any of them before; `paused` says that this is for the CRM's quota."""

    worked: bool
    left: int
    due_at: datetime | None = None
    paused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: `open` alone; then, where there is `share`, pieces for everybody, and `close` alone.

    `open` and `close` give the step's report. `close` gives None when there is something to share after
    all, and so does `open` of a step whose report comes from `close`."""

    open: Callable[[Loop, ClaimedRun], Any]
    share: Callable[[Loop, ClaimedRun, Heartbeat], Share] | None = None
    close: Callable[[Loop, ClaimedRun], Any] | None = None


def steps_of(verb: str, asked: Mapping[str, Any]) -> tuple[str, ...]:
    """The steps of a verb under its options: without "apply" where writing is not wanted."""
    return tuple(step for step in VERBS[verb] if step != "apply" or asked.get("apply", True))


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
    if not wanted and not loop.training_is_due(day):
        return Skipped(why=f"model {loop.registry.current} is not four weeks old")
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


def _apply(loop: Loop, run: ClaimedRun) -> Any:
    asked = run.claim.asked
    planned = asked.get("plan") or latest_plan_id(loop.store, run_id=run.id)
    if planned is not None and load(loop.store, planned).is_empty:
        return Skipped(why="nothing to write")
    report = loop.apply(run, planned, override=asked.get("override", ()))
    run.detail["rejected"] = len(report.rejected)
    return report


STEPS: Final[Mapping[str, Step]] = MappingProxyType(
    {
        "pull": Step(open=lambda loop, run: loop.pull(run, full=run.claim.asked.get("full", False))),
        "exports": Step(open=lambda loop, run: loop.exports(run)),
        "train": Step(open=_train),
        "score": Step(open=_open_score, share=_share_score, close=_close_score),
        "plan": Step(open=_plan),
        "apply": Step(open=_apply),
        "outcomes": Step(open=lambda loop, run: loop.outcomes(run)),
    }
)
