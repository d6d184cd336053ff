"""Whether a newly trained model takes over by itself: the policy, in words and as a decision."""

from __future__ import annotations

from dataclasses import dataclass

from model.challenge import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """`automatic` False leaves every promotion but the first to a person. Else a challenger takes over when
    it is better than the champion beyond noise, when the champion was trained for another target than the one
    that is stated, or when the champion is at least `refresh_days` old and the challenger, which knows newer
    data, is not worse beyond noise."""

    automatic: bool = True
    refresh_days: int = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Whether the challenger takes over, and why in a sentence's end: goes on from "because"."""

    promote: bool
    why: str


def decide(
    policy: Policy,
    verdict: Verdict | None,
    *,
    age_days: int | None,
    why_not: str = "",
    fault: str | None = None,
    retargeted: bool = False,
    learnt: int = 1,
) -> Decision:
    """The decision on a challenger. `age_days` is the champion's age, None when there is no champion;
    `verdict` is None when the two could not be compared, for the reason `why_not`; `fault` says why the
    champion can't score any more, and then anything that can is better, if the policy is automatic. So it is
    when the champion is of another target (`retargeted`), if the challenger has learnt of any expansion."""
    if age_days is None:
        return Decision(promote=True, why="there was no model before")
    if not policy.automatic:
        return Decision(promote=False, why="people decide here ([model] promotion)")
    if fault is not None:
        return Decision(promote=True, why=f"the one in use can't score: {fault}")
    if retargeted:
        seen = "it is trained for what [target] states now"
        unseen = "by what [target] states now nothing was an expansion yet (upswell target check)"
        return Decision(promote=learnt > 0, why=seen if learnt > 0 else unseen)
    if verdict is not None and verdict.outcome != "same":
        why = f"it is {verdict.outcome} than the one in use beyond noise"
        return Decision(promote=verdict.outcome == "better", why=why)
    due = age_days >= policy.refresh_days
    alike = "it is not worse" if due else "they don't differ beyond noise"
    age = f"{age_days} days old" if due else f"only {age_days} days old"
    return Decision(
        promote=due, why=f"the one in use is {age} and {alike if verdict is not None else why_not}"
    )
