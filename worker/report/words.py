"""The words and number formats of a report: who told, which figure, shares, points and money."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TOLD_BY: Final = {
    "upswell": "Upswell",
    "scorecard": "Rule scorecard",
    "seat_rule": "Seats used > 80 %",
    "blog_recipe": "Usual recipe, 12 columns",
    "last_quarter": "Segment's last rate",
    "base_rate": "Base rate for all",
}
SIMPLE: Final = ("seat_rule", "blog_recipe", "last_quarter")
"""What a team has without Upswell, and what it is drawn beside."""
FIGURES: Final = {
    "auc": "AUC",
    "pr_auc": "PR-AUC",
    "log_loss": "Log loss",
    "brier": "Brier",
    "ece": "Calibration error",
    "lift_20": "Lift at 20 %",
}
SMALLER_IS_BETTER: Final = frozenset({"log_loss", "brier", "ece"})
TIMING: Final = {"now": "Now", "d30": "Within 30 days", "d90": "Within 90 days", "hold": "Hold"}
BASIS: Final = {
    "scorecard": "rule scorecard",
    "blend": "rules and model together",
    "model": "model",
    "no_signal": "base rate for all, for the data tell nothing",
}
_INITIALS: Final = frozenset({"api", "arr", "csat", "nps", "qbr"})
DIRECTION: Final = {"up": "more raises it", "down": "more lowers it", "mixed": "depends"}


def percent(share: float, digits: int = 0) -> str:
    """0.124 → "12 %"."""
    return f"{100 * share:.{digits}f} %"


def between(low: float, high: float, digits: int = 0) -> str:
    """0.1, 0.2 → "10–20 %"."""
    return f"{100 * low:.{digits}f}–{100 * high:.{digits}f} %"


def signed(value: float, digits: int = 4) -> str:
    """A difference with its sign, a true minus for a negative one; what is rounded to nought has none."""
    text = f"{value:+.{digits}f}".replace("-", "−")
    return text if text.strip("+−0.") else text[1:]


def money(amount: float, currency: str) -> str:
    """1234567.8 → "1.23 M USD"; below ten thousand whole units."""
    for size, letter in ((1e9, "bn"), (1e6, "M"), (1e4, "k")):
        if abs(amount) >= size:
            unit = 1e3 if letter == "k" else size
            return f"{amount / unit:.3g} {letter} {currency}"
    return f"{amount:,.0f} {currency}"


def best_of(figures: Mapping[str, Mapping[str, float]], name: str) -> str:
    """Which of the simple ways has the best of one figure."""
    sign = -1 if name in SMALLER_IS_BETTER else 1
    return max((each for each in SIMPLE if each in figures), key=lambda each: sign * figures[each][name])


def plain_name(feature: str) -> str:
    """seat_utilisation → "Seat utilisation", qbr_outcome → "QBR outcome"."""
    words = [word.upper() if word in _INITIALS else word for word in feature.split("_")]
    text = " ".join(words)
    return text[:1].upper() + text[1:]
