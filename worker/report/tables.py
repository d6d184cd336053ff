"""An evaluation's tables as text, for the screen, Markdown and the page alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from worker.report.words import (
    BASIS,
    DIRECTION,
    FIGURES,
    SIMPLE,
    TIMING,
    TOLD_BY,
    between,
    money,
    percent,
    signed,
)

if TYPE_CHECKING:
    from model.leads import Lead
    from sync.evaluation import Evaluation

PLOT_WIDTH: Final = 30

Table = tuple[tuple[str, ...], list[tuple[str, ...]]]
"""Column names, and rows of cells."""

MAPE_HIDES: Final = (
    "MAPE, which others quote, hides that an amount said too low costs at most 100 % and one said too high "
    "costs without bound: it rewards lowballing, and the smallest deals decide it."
)


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
        f"({percent(found.expanded / found.rows, 1)}) expanded within {found.horizon_days} days."
    )


def quality_table(found: Evaluation) -> Table:
    """Every figure of the model and of the baselines on the same rows."""
    rows: list[tuple[str, ...]] = [
        (TOLD_BY[key], *(f"{figures[name]:.3f}" for name in FIGURES))
        for key, figures in found.figures.items()
    ]
    return ("", *FIGURES.values()), rows


def lead_table(found: Evaluation) -> Table:
    """By how much the model's log loss is lower than each other's, and whether that may be noise."""
    rows: list[tuple[str, ...]] = [
        (
            TOLD_BY[key],
            signed(lead.gain),
            f"{signed(lead.low)} to {signed(lead.high)}",
            _standing(lead),
        )
        for key, lead in found.leads.items()
    ]
    return ("Against", "Lower log loss", "95 % interval", "Upswell is"), rows


def _standing(lead: Lead) -> str:
    if lead.low == lead.high == 0:
        return "the same"
    return "better" if lead.low > 0 else "worse" if lead.high < 0 else "may be noise"


def calibration_table(found: Evaluation) -> Table:
    """What was said and what happened, by tenth of the rows, with a plot in characters."""
    top = max(max(b.said, b.rate_high) for b in found.calibration) or 1.0
    rows: list[tuple[str, ...]] = [
        (
            f"{100 * b.low:.1f}–{100 * b.high:.1f}",
            f"{b.rows:,}",
            percent(b.said, 1),
            percent(b.rate, 1),
            f"{100 * b.rate_low:.1f}–{100 * b.rate_high:.1f}",
            _plot(b.said / top, b.rate / top, b.rate_low / top, b.rate_high / top),
        )
        for b in found.calibration
    ]
    return ("Score", "Rows", "Said", "Expanded", "95 % interval", "o said, x happened"), rows


def gains_table(found: Evaluation) -> Table:
    """How many of the expansions are among the best-scored accounts, beside the simpler rankings."""
    others = [name for name in SIMPLE if name in found.gains]
    rows: list[tuple[str, ...]] = [
        (
            percent(ours.share),
            percent(ours.captured),
            f"{ours.lift:.2f}",
            *(percent(found.gains[name][place].captured) for name in others),
        )
        for place, ours in enumerate(found.gains["upswell"])
        if ours.share <= 0.5
    ]
    return ("Best scored", "Of all expansions", "Lift", *(TOLD_BY[name] for name in others)), rows


def top_quarter(found: Evaluation) -> str:
    """The precision of the best-scored quarter, and what that figure hides."""
    rate = found.expanded / found.rows
    return (
        f"Of the best-scored quarter {percent(found.top_quarter)} expanded. This “precision in the top "
        f"quartile”, which others quote, hides the base rate: where {percent(rate)} expand, nobody can reach "
        f"more than {percent(min(1.0, 4 * rate))}."
    )


def cohort_table(found: Evaluation, name: str) -> Table:
    """Population, said and happened in each group."""
    rows: list[tuple[str, ...]] = [
        (
            each.name,
            f"{each.rows:,}",
            percent(each.said, 1),
            percent(each.rate, 1),
            between(each.rate_low, each.rate_high),
            "" if each.auc is None else f"{each.auc:.3f}",
        )
        for each in found.cohorts[name]
    ]
    return (
        name.replace("_", " ").capitalize(),
        "Rows",
        "Said",
        "Expanded",
        "95 % interval",
        "AUC inside",
    ), rows


def value_table(found: Evaluation) -> Table:
    """How far the amounts were off; no rows where nothing can be told."""
    value, currency = found.value, found.currency
    if value is None:
        return ("", ""), []
    inside = between(value.coverage_low, value.coverage_high)
    rows: list[tuple[str, ...]] = [
        ("Within the range given, where 80 % are meant to be", f"{percent(value.coverage)} ({inside})"),
        ("Median error", percent(value.median_error)),
        ("WAPE: all errors ÷ all ARR added", percent(value.wape)),
        ("MAPE: the mean of each one’s error", percent(value.mape)),
        ("ARR said in all, if they expand", money(value.said, currency)),
        ("ARR that they added", money(value.actual, currency)),
    ]
    return ("", f"Of {value.rows:,} expansions"), rows


def product_table(found: Evaluation) -> Table:
    """How often the product was right; no rows where nothing can be told."""
    right = found.product
    if not right:
        return ("", ""), []
    rows: list[tuple[str, ...]] = [
        ("The product named first was bought", percent(right["first_right"])),
        ("One of the two named was bought", percent(right["two_right"])),
        ("Always naming the commonest", percent(right["commonest"])),
    ]
    return ("", f"Of {right['rows']:,.0f} expansions"), rows


def timing_table(found: Evaluation) -> Table:
    """What was said about the time, and how many expanded by when."""
    marks = [each.days for each in found.timing[0].within] if found.timing else []
    rows: list[tuple[str, ...]] = [
        (
            TIMING[each.timing],
            f"{each.rows:,}",
            percent(each.said, 1),
            *(percent(within.rate, 1) for within in each.within),
            between(each.within[-1].rate_low, each.within[-1].rate_high),
        )
        for each in found.timing
    ]
    return ("Called", "Rows", "Said", *(f"In {days} days" for days in marks), "95 % interval"), rows


def signal_table(found: Evaluation) -> Table:
    """The strongest signals."""
    titles = {each.family: each.title for each in found.families}
    rows: list[tuple[str, ...]] = [
        (each.feature, percent(each.share, 1), DIRECTION[each.direction], titles[each.family], each.about)
        for each in found.signals
    ]
    return ("Signal", "Share", "Direction", "Family", "What it is"), rows


def change_table(found: Evaluation) -> Table:
    """Figures and sizes of the model before and of this one; no rows for the first."""
    changes = found.changes
    if changes is None:
        return ("", ""), []
    rows: list[tuple[str, ...]] = [
        (name.replace("_", " ").capitalize(), f"{before:,}", f"{now:,}")
        for name, (before, now) in changes.facts.items()
    ]
    rows += [
        (FIGURES[name], f"{before:.3f}", f"{now:.3f}") for name, (before, now) in changes.figures.items()
    ]
    return ("", changes.since, found.version), rows


def basis_words(found: Evaluation) -> str:
    """Who scores, in words."""
    return BASIS[found.basis]


def _plot(said: float, rate: float, low: float, high: float) -> str:
    """Interval as a line, what happened as x, what was said as o; both in one place as @."""
    cells = [" "] * (PLOT_WIDTH + 1)
    at = [min(PLOT_WIDTH, round(value * PLOT_WIDTH)) for value in (low, high, rate, said)]
    cells[at[0] : at[1] + 1] = ["-"] * (at[1] - at[0] + 1)
    cells[at[2]] = "x"
    cells[at[3]] = "@" if at[3] == at[2] else "o"
    return "".join(cells).rstrip()
