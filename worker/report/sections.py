"""The sections of the page below its summary, each made of one part of the evaluation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

from worker.report.charts import calibration_chart, gains_chart, interval, legend, precision_chart
from worker.report.signal_section import signals_section
from worker.report.tables import (
    MAPE_HIDES,
    Table,
    calibration_table,
    change_table,
    gains_table,
    lead_table,
    product_table,
    quality_table,
    timing_table,
    top_quarter,
    value_table,
)
from worker.report.words import FIGURES, SMALLER_IS_BETTER, percent

if TYPE_CHECKING:
    from model.reliability import Cohort
    from sync.evaluation import Evaluation


LEAST: Final = 30
COHORTS: Final = {"product": "product recommended", "month": "month of scoring"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One section: `body` gives its HTML, empty where there is nothing to show."""

    anchor: str
    title: str
    short: str
    body: Callable[[Evaluation], str]


def nav(sections: Sequence[Section]) -> str:
    """Links to the sections."""
    links = "".join(f'<a href="#{each.anchor}">{each.short}</a>' for each in sections)
    return f'<nav><a href="#short">In short</a>{links}</nav>'


def ranking(found: Evaluation) -> str:
    """Gains and precision-recall beside the simple ways, and the figures of all."""
    rate = found.expanded / found.rows
    return (
        "<p>Work accounts from the best-scored down: how soon are the expansions found, and how many of "
        "those worked expand? Beside it what a team has without a model, on the same accounts.</p>"
        f'<div class="pair"><figure>{gains_chart(found.gains)}<figcaption>Higher is better: more of the '
        "expansions among fewer accounts.</figcaption></figure>"
        f"<figure>{precision_chart(found.precision_recall, rate)}<figcaption>Higher is better: fewer "
        f"accounts worked in vain. Chance is {percent(rate, 1)}.</figcaption></figure></div>"
        f"{legend(found.gains)}<h3>All figures</h3>{_quality(found)}"
        '<p class="soft">For log loss, Brier and calibration error less is better. The usual recipe is '
        "gradient boosting (200 trees, rate 0.05, depth 4) on 12 flat columns of one snapshot; the segment’s "
        "last rate is what its accounts did in the horizon before.</p>"
        f"<h3>Is the lead more than noise?</h3>{_table(lead_table(found))}"
        f'<p class="note">{escape(top_quarter(found))}</p>'
        f"<details><summary>Lift by share of accounts</summary>{_table(gains_table(found))}</details>"
    )


def probabilities(found: Evaluation) -> str:
    """The calibration plot and its bins."""
    names, rows = calibration_table(found)
    bins = (names[:-1], [row[:-1] for row in rows])  # the plot in characters is for terminals
    return (
        "<p>Accounts are put into ten groups by their score. Each point is one group: what it said, and what "
        "happened, with the 95 % margin. On the dotted line both are the same.</p>"
        f'<div class="pair"><figure>{calibration_chart(found.calibration)}<figcaption>Hollow points are '
        "groups whose margin leaves out what was said; one in twenty does by chance.</figcaption></figure>"
        f"<div>{_table(bins)}</div></div>"
    )


def groups(found: Evaluation) -> str:
    """Population, said and happened by segment, product, month and whatever was asked for."""
    tables = "".join(
        f"<div><h3>By {escape(COHORTS.get(name, name.replace('_', ' ')))}</h3>{_cohorts(cohorts)}</div>"
        for name, cohorts in found.cohorts.items()
    )
    return (
        "<p>The dot is the share that expanded with its 95 % margin, the upright line what was said on "
        "average. A hollow dot means that the margin leaves it out.</p>"
        f'<div class="pair wide">{tables}</div>'
        f'<p class="soft">Groups of fewer than {LEAST} rows stand together as (other). Ask for any column: '
        "<code>upswell evaluate --cohort industry</code>.</p>"
    )


def value(found: Evaluation) -> str:
    """How far the amounts were off, and the product."""
    if found.value is None:
        return ""
    product = product_table(found)
    right = f"<div><h3>Product</h3>{_table(product)}</div>" if product[1] else ""
    return (
        "<p>For accounts that expanded: how near was the ARR that had been given to what they added?</p>"
        f'<div class="pair wide wordy"><div><h3>Amount</h3>{_table(value_table(found))}</div>{right}</div>'
        f'<p class="note">{escape(MAPE_HIDES)}</p>'
    )


def timing(found: Evaluation) -> str:
    """When those expanded that were called now, later, or hold."""
    if not found.timing:
        return ""
    top = max(max(each.within[-1].rate_high, each.said) for each in found.timing)
    body = ""
    for each, cells in zip(found.timing, timing_table(found)[1], strict=True):
        last = each.within[-1]
        bar = interval(each.said, last.rate, last.rate_low, last.rate_high, top)
        body += "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells[:-1]) + f"<td>{bar}</td></tr>"
    head = _header((*timing_table(found)[0][:-1], f"95 % margin in {found.horizon_days} days"))
    return (
        "<p>Each account is called now, within 30 days, within 90 days, or hold. How many expanded by "
        "when?</p>"
        f'<div class="scroll"><table>{head}<tbody>{body}</tbody></table></div>'
        '<p class="soft">Accounts whose expansion is being negotiated already are pipeline and stand in no '
        "row, so few expand within days.</p>"
    )


def changes(found: Evaluation) -> str:
    """What is different from the model before."""
    told = found.changes
    if told is None:
        return "<p>There is no earlier model to compare it with.</p>"
    parts = [f"<p>{escape(told.verdict)}</p>" if told.verdict else ""]
    if told.target is not None:
        parts.append(f'<p class="note">It was trained for another target: {escape(told.target)}</p>')
    parts.append(_table(change_table(found)))
    if told.figures:
        parts.append('<p class="soft">Figures are of each one’s own latest outcomes at training.</p>')
    for title, names in (("Signals added", told.added), ("Signals no longer used", told.removed)):
        if names:
            listed = ", ".join(f"<code>{escape(name)}</code>" for name in names)
            parts.append(f"<h3>{title}</h3><p>{listed}</p>")
    return "".join(parts)


def data(found: Evaluation) -> str:
    """What it was trained on, what was left out as written after the fact, and what is missing."""
    facts, gaps = found.facts_at_training, found.gaps
    parts = [
        f"<p>Trained on {facts['rows']:,} rows of {escape(str(facts['first_as_of']))} to "
        f"{escape(str(facts['last_as_of']))} with {facts['features']:,} signals; {facts['expansions']:,} "
        f"expansions in {facts['history_days']:,} days of history. The judged rows have on average "
        f"{percent(gaps.completeness)} of the data that a score can use"
        + (f"; {percent(gaps.too_little)} have too little for a tier" if gaps.too_little else "")
        + ".</p>"
    ]
    for title, told, note in (
        ("Left out: these look written after the expansion", facts["suspicions"], "Because"),
        ("Vouched for, though they look written after the expansion", facts["allowed"], "Because"),
        (
            "Missing: nobody delivers these columns",
            {name: ", ".join(columns) for name, columns in gaps.absent.items()},
            "Columns",
        ),
    ):
        if told:
            rows: list[tuple[str, ...]] = [(name, str(why)) for name, why in told.items()]
            parts.append(f"<h3>{title}</h3>{_table((('', note), rows), text=True)}")
    if not facts["suspicions"] and not facts["allowed"]:
        parts.append('<p class="soft">No signal looks as if it had been written after the expansion.</p>')
    return "".join(parts)


SECTIONS: Final = (
    Section(anchor="order", title="Does the order help?", short="Order", body=ranking),
    Section(
        anchor="percentages", title="Do the percentages come true?", short="Percentages", body=probabilities
    ),
    Section(anchor="groups", title="For whom is it right?", short="Groups", body=groups),
    Section(anchor="amounts", title="Amount and product", short="Amounts", body=value),
    Section(anchor="timing", title="Timing", short="Timing", body=timing),
    Section(anchor="signals", title="What moves the scores", short="Signals", body=signals_section),
    Section(anchor="changes", title="What changed since the last model", short="Changes", body=changes),
    Section(anchor="data", title="Data", short="Data", body=data),
)


def _quality(found: Evaluation) -> str:
    """The table of all figures, ours first and the best of each column marked."""
    names, rows = quality_table(found)
    best = {
        name: (min if name in SMALLER_IS_BETTER else max)(each[name] for each in found.figures.values())
        for name in FIGURES
    }
    body = ""
    for (key, figures), cells in zip(found.figures.items(), rows, strict=True):
        marked = "".join(
            f"<td{' class=best' if figures[name] == best[name] else ''}>{escape(cell)}</td>"
            for name, cell in zip(FIGURES, cells[1:], strict=True)
        )
        ours = " class=ours" if key == "upswell" else ""
        body += f"<tr{ours}><td>{escape(cells[0])}</td>{marked}</tr>"
    return f'<div class="scroll"><table>{_header(names)}<tbody>{body}</tbody></table></div>'


def _cohorts(cohorts: Sequence[Cohort]) -> str:
    # a handful of rows has a margin that would make all others dots
    many = [each for each in cohorts if each.rows >= LEAST] or cohorts
    top = max(max(each.rate_high, each.said) for each in many)
    body = "".join(
        f"<tr><td>{escape(each.name)}</td>"
        f"<td>{_bar(each, top) if each in many else ''}</td>"
        f"<td>{percent(each.said, 1)}</td><td>{percent(each.rate, 1)}</td><td>{each.rows:,}</td>"
        f"<td>{'' if each.auc is None else f'{each.auc:.2f}'}</td></tr>"
        for each in cohorts
    )
    head = _header(("", "", "Said", "Expanded", "Rows", "AUC"))
    return f'<div class="scroll"><table>{head}<tbody>{body}</tbody></table></div>'


def _bar(group: Cohort, top: float) -> str:
    return interval(group.said, group.rate, group.rate_low, group.rate_high, top)


def _table(table: Table, *, text: bool = False) -> str:
    names, rows = table
    style = ' class="text"' if text else ""
    body = "".join(
        f"<tr><td>{escape(row[0])}</td>"
        + "".join(f"<td{style}>{escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return f'<div class="scroll"><table>{_header(names)}<tbody>{body}</tbody></table></div>'


def _header(names: Sequence[str]) -> str:
    return "<thead><tr>" + "".join(f"<th>{escape(name)}</th>" for name in names) + "</tr></thead>"
