"""An evaluation as text: the figures beside the baselines, calibration, lift and cohorts, in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sync.evaluation import Evaluation

NAMES: Final = {
    "upswell": "Upswell",
    "scorecard": "Rule scorecard",
    "seat_rule": "Seats used > 80 %",
    "base_rate": "Base rate for all",
}
FIGURES: Final = {
    "auc": "AUC",
    "pr_auc": "PR-AUC",
    "log_loss": "Log loss",
    "brier": "Brier",
    "ece": "Calibration error",
    "lift_20": "Lift at 20 %",
}
PLOT_WIDTH: Final = 30

Table = tuple[tuple[str, ...], list[tuple[str, ...]]]
"""Column names, and rows of cells."""


def headline(found: Evaluation) -> str:
    """What was judged, on which rows, in a sentence or two."""
    judged = (
        "Judged is the saved model, on outcomes that matured after it was trained"
        if found.saved
        else "Judged is this model's recipe, trained on what was known one horizon before the latest outcomes"
    )
    days = (
        str(found.first_day)
        if found.first_day == found.last_day
        else f"{found.first_day} to {found.last_day}"
    )
    return (
        f"{judged}: {found.rows:,} rows as of {days}, of which {found.expanded:,} "
        f"({100 * found.expanded / found.rows:.1f} %) expanded within {found.horizon_days} days."
    )


def quality_table(found: Evaluation) -> Table:
    """Every figure of the model and of the baselines on the same rows."""
    rows: list[tuple[str, ...]] = [
        (NAMES[key], *(f"{figures[name]:.3f}" for name in FIGURES)) for key, figures in found.figures.items()
    ]
    return ("", *FIGURES.values()), rows


def calibration_table(found: Evaluation) -> Table:
    """What was said and what happened, by tenth of the rows, with a plot in characters."""
    top = max(max(b.said, b.rate_high) for b in found.calibration) or 1.0
    rows: list[tuple[str, ...]] = [
        (
            f"{100 * b.low:.1f}–{100 * b.high:.1f}",
            f"{b.rows:,}",
            f"{100 * b.said:.1f} %",
            f"{100 * b.rate:.1f} %",
            f"{100 * b.rate_low:.1f}–{100 * b.rate_high:.1f}",
            _plot(b.said / top, b.rate / top, b.rate_low / top, b.rate_high / top),
        )
        for b in found.calibration
    ]
    return ("Score", "Rows", "Said", "Expanded", "95 % interval", "o said, x happened"), rows


def gains_table(found: Evaluation) -> Table:
    """How many of the expansions are among the best-scored accounts, beside the seat rule's ranking."""
    pairs = zip(found.gains, found.gains_seat_rule, strict=True)
    rows: list[tuple[str, ...]] = [
        (
            f"{100 * ours.share:.0f} %",
            f"{100 * ours.captured:.0f} %",
            f"{ours.lift:.2f}",
            f"{100 * theirs.captured:.0f} %",
        )
        for ours, theirs in pairs
        if ours.share <= 0.5
    ]
    return ("Best scored", "Of all expansions", "Lift", "By seats used"), rows


def cohort_table(found: Evaluation, name: str) -> Table:
    """Said and happened in each group."""
    rows: list[tuple[str, ...]] = [
        (
            each.name,
            f"{each.rows:,}",
            f"{100 * each.said:.1f} %",
            f"{100 * each.rate:.1f} %",
            "" if each.auc is None else f"{each.auc:.3f}",
        )
        for each in found.cohorts[name]
    ]
    return (name.capitalize(), "Rows", "Said", "Expanded", "AUC inside"), rows


def markdown(found: Evaluation) -> str:
    """The whole report in Markdown."""
    parts = [
        f"# Evaluation of model {found.version}",
        headline(found),
        "## Quality",
        _lines(quality_table(found)),
    ]
    parts += ["## Calibration", _lines(calibration_table(found)), "## Lift", _lines(gains_table(found))]
    for name in found.cohorts:
        parts += [f"## By {name}", _lines(cohort_table(found, name))]
    return "\n\n".join(parts) + "\n"


def _lines(table: Table) -> str:
    names, rows = table
    return "\n".join(_line(cells) for cells in (names, ["---"] * len(names), *rows))


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _plot(said: float, rate: float, low: float, high: float) -> str:
    """Interval as a line, what happened as x, what was said as o; both in one place as @."""
    cells = [" "] * (PLOT_WIDTH + 1)
    at = [min(PLOT_WIDTH, round(value * PLOT_WIDTH)) for value in (low, high, rate, said)]
    cells[at[0] : at[1] + 1] = ["-"] * (at[1] - at[0] + 1)
    cells[at[2]] = "x"
    cells[at[3]] = "@" if at[3] == at[2] else "o"
    return "".join(cells).rstrip()
