"""Whether a newly trained model takes over by itself: the policy, in words and as a decision."""

from __future__ import annotations

from dataclasses import dataclass

from model.challenge import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """`automatic` False leaves every promotion but the first to a person. Else a challenger takes over when
    it is better than the champion beyond noise, or when the champion is at least `refresh_days` old and the
    challenger, which knows newer data, is not worse beyond noise."""

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
) -> Decision:
    """The decision on a challenger. `age_days` is the champion's age, None when there is no champion;
    `verdict` is None when the two could not be compared, for the reason `why_not`; `fault` says why the
    champion can't score any more, and then anything that can is better, if the policy is automatic."""
    if age_days is None:
        return Decision(promote=True, why="there was no model before")
    if not policy.automatic:
        return Decision(promote=False, why="people decide here ([model] promotion)")
    if fault is not None or (verdict is not None and verdict.outcome == "better"):
        better = "it is better than the one in use beyond noise"
        return Decision(promote=True, why=better if fault is None else f"the one in use can't score: {fault}")
    if verdict is not None and verdict.outcome == "worse":
        return Decision(promote=False, why="it is worse than the one in use beyond noise")
    if age_days >= policy.refresh_days:
        told = "it is not worse" if verdict is not None else why_not
        return Decision(promote=True, why=f"the one in use is {age_days} days old and {told}")
    told = "they don't differ beyond noise" if verdict is not None else why_not
    return Decision(promote=False, why=f"the one in use is only {age_days} days old and {told}")
