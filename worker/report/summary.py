"""What an evaluation means, in sentences that a person in revenue operations understands.

Each sentence follows from figures by a stated threshold: better means that the 95 % interval of the lead
leaves out nought, calibrated that Spiegelhalter's test finds no more than noise, and a range is as wide as it
should be when 75–90 % of the values lie in it (80 % are meant to).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from worker.report.words import BASIS, SIMPLE, TIMING, TOLD_BY, best_of, between, percent

if TYPE_CHECKING:
    from model.reliability import Cohort
    from sync.evaluation import Evaluation

GOOD, FAIR, POOR = "good", "fair", "poor"
COVERED: Final = (0.75, 0.90)
ROUGH: Final = 1.25
"""A mean probability that is so many times too high, or too low, is called rough though it may be chance."""
LARGE: Final = 100
FEW: Final = 100
"""With fewer expansions a report says how little they tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One thing to know: `tone` is good, fair or poor, `text` one or two sentences."""

    tone: str
    title: str
    text: str

    @property
    def lead(self) -> str:
        """The title as the start of a line."""
        return self.title if self.title.endswith("?") else f"{self.title}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The verdict in one sentence, what stands behind it, and what to do now."""

    verdict: Statement
    statements: tuple[Statement, ...]
    actions: tuple[str, ...]


def summarise(found: Evaluation) -> Summary:
    """The summary of an evaluation."""
    statements = [_ranking(found), _probabilities(found)]
    if found.value is not None:
        statements.append(_value(found))
    if found.timing:
        statements.append(_timing(found))
    if found.product:
        statements.append(_product(found))
    statements += _cautions(found)
    return Summary(verdict=_verdict(found), statements=tuple(statements), actions=tuple(_actions(found)))


def has_signal(found: Evaluation) -> bool:
    """Whether the scores say more than the base rate, beyond noise."""
    return found.leads["base_rate"].low > 0


def not_surely_beaten(found: Evaluation) -> tuple[str, ...]:
    """The simple ways to tell over which the lead may be noise."""
    return tuple(name for name in SIMPLE if name in found.leads and found.leads[name].low <= 0)


def _verdict(found: Evaluation) -> Statement:
    if not has_signal(found):
        return Statement(
            tone=POOR,
            title="These data do not predict expansion",
            text="The scores are no surer than the same probability for every account. Don't rank by them.",
        )
    level = not_surely_beaten(found)
    if found.calibrated is False:
        return Statement(
            tone=FAIR,
            title="Trust the order, not the percentages",
            text=(
                "Accounts that score higher do expand more often, but the probabilities are off by more "
                "than chance would bring."
            ),
        )
    if level:
        return Statement(
            tone=FAIR,
            title="It predicts, but not surely better than simpler ways",
            text=(
                f"It beats chance. Its lead over {_listed(level)} may be noise on the {found.expanded:,} "
                "expansions it was judged on."
            ),
        )
    better = "It tells who expands better than every simple way it was held against, beyond chance"
    if not found.calibrated or _rough(found):
        return Statement(
            tone=FAIR,
            title="Work the list from the top, and take the percentages as rough",
            text=f"{better}. {_unproven(found)}",
        )
    return Statement(
        tone=GOOD,
        title="Work the list from the top, and believe the percentages",
        text=f"{better}, and its probabilities come true.",
    )


def _ranking(found: Evaluation) -> Statement:
    fifth = {name: _captured(found, name) for name in found.gains}
    rival = best_of(found.figures, "lift_20")
    text = (
        f"The best-scored fifth of accounts holds {percent(fifth['upswell'])} of all expansions, "
        f"{found.figures['upswell']['lift_20']:.1f} times chance; the best simple way here "
        f"({TOLD_BY[rival].lower()}) finds {percent(fifth[rival])}."
    )
    # probabilities may be surer than another's while its top finds as many
    ahead = fifth["upswell"] >= fifth[rival] and not not_surely_beaten(found)
    tone = GOOD if ahead else FAIR if has_signal(found) else POOR
    return Statement(tone=tone, title="Does the order help?", text=text)


def _probabilities(found: Evaluation) -> Statement:
    rate = found.expanded / found.rows
    right = sum(each.rate_low <= each.said <= each.rate_high for each in found.calibration)
    text = (
        f"On average it said {percent(found.said, 1)} and {percent(rate, 1)} expanded. In {right} of "
        f"{len(found.calibration)} groups of accounts what it said lies within the margin of what happened."
    )
    word = "too high" if found.said > rate else "too low"
    if found.calibrated is None:
        tone, text = FAIR, f"{text} That is too little to be sure of."
    elif not found.calibrated:
        tone, text = POOR, f"{text} That is {word} by more than chance would bring."
    elif _rough(found):
        tone, text = FAIR, f"{text} That is {word}; chance alone may have done it."
    else:
        tone = GOOD
    return Statement(tone=tone, title="Do the percentages come true?", text=text)


def _value(found: Evaluation) -> Statement:
    value = found.value
    assert value is not None
    tone = GOOD if COVERED[0] <= value.coverage <= COVERED[1] else FAIR
    narrow = value.coverage < COVERED[0]
    size = "" if tone == GOOD else f" The ranges are too {'narrow' if narrow else 'wide'}."
    return Statement(
        tone=tone,
        title="Is the amount right?",
        text=(
            f"{percent(value.coverage)} of {value.rows:,} expansions came within the range given (80 % are "
            f"meant to).{size} Half of the amounts were off by less than {percent(value.median_error)}."
        ),
    )


def _timing(found: Evaluation) -> Statement:
    rates = {each.timing: each.within[-1].rate for each in found.timing}
    told = [f"{TIMING[name].lower()} {percent(rate)}" for name, rate in rates.items()]
    falls = all(a >= b for a, b in zip(list(rates.values())[:-1], list(rates.values())[1:], strict=True))
    return Statement(
        tone=GOOD if falls and len(rates) > 1 else FAIR,
        title="Is the timing right?",
        text=f"Expanded within {found.horizon_days} days: of those called {', '.join(told)}.",
    )


def _product(found: Evaluation) -> Statement:
    right = found.product
    better = right["two_right"] > right["commonest"] and right["first_right"] > right["commonest"]
    return Statement(
        tone=GOOD if better else FAIR,
        title="Is the product right?",
        text=(
            f"The product named first was the one bought in {percent(right['first_right'])}, one of the two "
            f"named in {percent(right['two_right'])}; always naming the commonest would be right in "
            f"{percent(right['commonest'])}."
        ),
    )


def _cautions(found: Evaluation) -> list[Statement]:
    told = []
    if found.judged_basis != found.basis:
        told.append(
            Statement(
                tone=FAIR,
                title="Judged is less than what scores today",
                text=(
                    f"One horizon before these outcomes there was only enough history for the "
                    f"{BASIS[found.judged_basis]}; today the {BASIS[found.basis]} scores. Judge it again "
                    f"when {found.horizon_days} days have passed."
                ),
            )
        )
    if found.expanded < FEW:
        # two standard errors of an AUC of one half with that many positives (Hanley and McNeil 1982, large n)
        noise = 2 * (1 / (12 * max(found.expanded, 1))) ** 0.5
        told.append(
            Statement(
                tone=FAIR,
                title="Few outcomes",
                text=(
                    f"{found.expanded:,} expansions are few: an AUC is known to ±{noise:.2f} here, and small "
                    "differences mean nothing."
                ),
            )
        )
    return told


def _actions(found: Evaluation) -> list[str]:
    told = []
    best = found.calibration[-1]
    if not has_signal(found):
        told.append("Don't work accounts in this order, and don't put the scores into the CRM.")
    else:
        told.append(
            f"Start at the top: of the best-scored tenth ({percent(best.low)} and more) "
            f"{best.expanded:,} of {best.rows:,} expanded ({between(best.rate_low, best.rate_high)} with "
            "95 % confidence)."
        )
    if found.calibrated is False:
        told.append("Use the order, leave sums of probabilities alone, and train anew: upswell train.")
    elif not found.calibrated or _rough(found):
        told.append(
            f"Don't add the percentages up yet. Judge again when more outcomes have matured, in "
            f"{found.horizon_days} days at the latest: upswell evaluate."
        )
    elif has_signal(found):
        told.append("Read 40 % as 4 of 10, and add the percentages up for the forecast: upswell forecast.")
    if (off := _furthest_off(found)) is not None:
        name, cohort = off
        told.append(
            f"Take percentages with care for {name} {cohort.name}: {percent(cohort.said, 1)} were said to "
            f"expand, {percent(cohort.rate, 1)} did."
        )
    suspects = found.facts_at_training["suspicions"]
    if suspects:
        told.append(
            f"Look at {len(suspects)} signal{'s' * (len(suspects) != 1)} left out as written after the fact; "
            "vouch for those that are not."
        )
    if found.gaps.absent:
        told.append(
            f"Bring more data: {len(found.gaps.absent)} of {found.gaps.families} signal families lack "
            f"columns ({_titles(tuple(found.gaps.absent))})."
        )
    if found.data_changed:
        told.append("What the lake says of the days it was trained on has changed since: train anew.")
    return told


def _furthest_off(found: Evaluation) -> tuple[str, Cohort] | None:
    """The large segment or plan whose margin leaves out what was said by the most, if any does."""
    off = [
        (max(each.rate_low - each.said, each.said - each.rate_high), name, each)
        for name in ("segment", "plan")
        for each in found.cohorts.get(name, ())
        if each.rows >= LARGE
    ]
    far = max(off, key=lambda each: each[0], default=None)
    return (far[1], far[2]) if far is not None and far[0] > 0 else None


def _captured(found: Evaluation, name: str) -> float:
    return next(each.captured for each in found.gains[name] if each.share >= 0.2 - 1e-9)


def _unproven(found: Evaluation) -> str:
    if found.calibrated is None:
        return "Too few outcomes have come to say whether its probabilities do."
    rate = found.expanded / found.rows
    word = "high" if found.said > rate else "low"
    return (
        f"Its probabilities ran {word}: {percent(found.said, 1)} were said to expand and {percent(rate, 1)} "
        "did. Chance alone may have done it."
    )


def _rough(found: Evaluation) -> bool:
    rate = found.expanded / found.rows
    return not 1 / ROUGH <= found.said / rate <= ROUGH


def _listed(names: tuple[str, ...]) -> str:
    words = [TOLD_BY[name].lower() for name in names]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _titles(titles: tuple[str, ...]) -> str:
    shown = ", ".join(title.lower() for title in titles[:4])
    return shown if len(titles) <= 4 else f"{shown} and {len(titles) - 4} more"
