"""What the past teaches, as tables for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sync.learning import Learning, MonthOutcome
    from worker.screen import Screen

MONTH: Final = (
    *("Called high", "Expanded", "Expected", "Others' rate", "ARR said", "ARR came"),
    *("Value off by", "In range", "Lead"),
)
SHOWN_SIGNALS: Final = 12
WORDS: Final = {"held": "held", "misled": "misled", "open": "can't be told from chance"}
SAID: Final = {
    "agree": "agree with the score",
    "higher": "should be higher",
    "lower": "should be lower",
    "useful": "useful",
    "not_useful": "not useful",
    "in_talks": "already in talks",
    "not_now": "not now",
    "wrong_data": "wrong data",
}


def show_learning(screen: Screen, found: Learning, currency: str) -> None:
    """Months, calibration, signals, and what people said; or when there will be something to show."""
    screen.head("Month by month")
    if not found.months:
        when = "Score first." if found.waiting is None else f"The first one ends on {found.waiting}."
        screen.say(f"No scoring is {found.horizon_days} days old yet, so its outcomes are not known. {when}")
        return
    screen.table(("Month", *MONTH), [month_row(month) for month in found.months], right=MONTH)
    screen.say(
        f"Each month's last scoring, {found.horizon_days} days later; ARR in {currency}. Lead: days from the "
        "score to the opportunity that was won, in the median."
    )
    screen.head("Were the probabilities right?")
    screen.table(
        ("Said", "Accounts", "Expanded", "Rate", "95 % between"),
        [
            (
                f"{each.low:.0%} to {each.high:.0%}",
                f"{each.rows:,}",
                f"{each.expanded:,}",
                f"{each.rate:.1%}",
                f"{each.rate_low:.1%} and {each.rate_high:.1%}",
            )
            for each in found.bins
        ],
        right=("Accounts", "Expanded", "Rate"),
    )
    show_signals(screen, found)
    show_calls(screen, found)


def show_signals(screen: Screen, found: Learning) -> None:
    """Which reasons were borne out."""
    if not found.signals:
        return
    screen.head("Which reasons held")
    screen.table(
        ("Reason", "Given", "Accounts", "Expanded", "Of all would", "Verdict"),
        [
            (
                signal.code,
                signal.side,
                f"{signal.accounts:,}",
                f"{signal.expanded:,}",
                f"{signal.expected:,.1f}",
                WORDS[signal.verdict],
            )
            for signal in found.signals[:SHOWN_SIGNALS]
        ],
        right=("Accounts", "Expanded", "Of all would"),
    )
    if len(found.signals) > SHOWN_SIGNALS:
        screen.say(f"and {len(found.signals) - SHOWN_SIGNALS} more; --json has them all")


def show_calls(screen: Screen, found: Learning) -> None:
    """What people said within four weeks, beside model and outcome."""
    if not found.calls:
        return
    screen.head("What people said, what the model said, what happened")
    screen.table(
        ("People", "Accounts", "Model said", "Expanded"),
        [
            (
                SAID.get(call.value, call.value),
                f"{call.accounts:,}",
                f"{call.said:.0%}",
                f"{call.expanded / call.accounts:.0%}",
            )
            for call in found.calls
        ],
        right=("Accounts", "Model said", "Expanded"),
    )


def month_row(month: MonthOutcome) -> tuple[str, ...]:
    """One month as the table shows it."""
    return (
        month.month,
        f"{month.high:,} of {month.accounts:,}",
        f"{month.high_expanded:,}",
        f"{month.high_said:,.1f}",
        "" if month.others_rate is None else f"{month.others_rate:.1%}",
        f"{month.expected_arr:,.0f}",
        f"{month.realised_arr:,.0f}",
        "" if month.value_error is None else f"{month.value_error:.0%}",
        "" if month.in_range is None else f"{month.in_range:.0%}",
        "" if month.lead_days is None else f"{month.lead_days:.0f} d",
    )
