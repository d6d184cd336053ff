"""The report as one HTML page: text first, charts inline, nothing loaded from anywhere."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from worker.report.sections import SECTIONS, nav
from worker.report.style import STYLE
from worker.report.summary import GOOD, Summary, summarise
from worker.report.tables import basis_words, headline
from worker.report.words import TOLD_BY, best_of, percent

if TYPE_CHECKING:
    from sync.evaluation import Evaluation

TONES: Final = {"good": "Yes", "fair": "With care", "poor": "No"}


def page(found: Evaluation) -> str:
    """The whole page."""
    summary = summarise(found)
    drawn = [(section, section.body(found)) for section in SECTIONS]
    shown = [(section, body) for section, body in drawn if body]
    sections = "".join(
        f'<section id="{section.anchor}"><h2>{section.title}</h2>{body}</section>' for section, body in shown
    )
    text = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Report on expansion model {escape(found.version)}</title><style>{STYLE}</style></head><body>
<header>
{_head(found, summary)}
{_tiles(found)}
{nav([section for section, _ in shown])}
</header>
<main>
{_short(summary)}
{sections}
</main>
<footer>Upswell, model {escape(found.version)}. The same figures as data: upswell evaluate --model
{escape(found.version)} --out report.json. Intervals of rates are Wilson's at 95 %; leads are bootstrapped in
pairs, by account.</footer>
</body></html>
"""
    return text.replace(" %", "\N{NO-BREAK SPACE}%")  # a number and its sign stay on one line


def _head(found: Evaluation, summary: Summary) -> str:
    verdict = summary.verdict
    return (
        f'<p class="eyebrow">Expansion model {escape(found.version)} · scored by {escape(basis_words(found))}'
        f'</p><h1 class="{verdict.tone}"><span class="mark"></span>{escape(verdict.title)}</h1>'
        f'<p class="lede">{escape(verdict.text)}</p><p class="meta">{escape(found.target)}</p>'
        f'<p class="meta">{escape(headline(found))}</p>'
    )


def _tiles(found: Evaluation) -> str:
    ours = found.figures["upswell"]
    lift, order = (best_of(found.figures, name) for name in ("lift_20", "auc"))
    tiles = [
        (
            "Lift of the best fifth",
            f"{ours['lift_20']:.1f}×",
            f"over chance; {TOLD_BY[lift].lower()}: {found.figures[lift]['lift_20']:.1f}×",
        ),
        (
            "Order (AUC)",
            f"{ours['auc']:.2f}",
            f"0.50 is chance; {TOLD_BY[order].lower()}: {found.figures[order]['auc']:.2f}",
        ),
        (
            "Percentages",
            f"±{100 * ours['ece']:.1f}",
            "points between what was said and what happened, on average",
        ),
    ]
    if found.value is not None:
        inside = percent(found.value.coverage)
        tiles.append(("Amounts", inside, "of expansions within the range given; 80 % are meant to be"))
    cells = "".join(
        f'<div class="tile"><span class="name">{name}</span><b>{figure}</b><span>{escape(note)}</span></div>'
        for name, figure, note in tiles
    )
    return f'<div class="tiles">{cells}</div>'


def _short(summary: Summary) -> str:
    answers = "".join(
        f'<li class="{each.tone}"><span class="tone">{TONES[each.tone]}</span><h3>{escape(each.title)}</h3>'
        f"<p>{escape(each.text)}</p></li>"
        for each in summary.statements
        if each.title.endswith("?")
    )
    cautions = "".join(
        f'<p class="note"><b>{escape(each.lead)}</b> {escape(each.text)}</p>'
        for each in summary.statements
        if not each.title.endswith("?") and each.tone != GOOD
    )
    actions = "".join(f"<li>{escape(each)}</li>" for each in summary.actions)
    return (
        f'<section id="short"><h2>In short</h2><ul class="answers">{answers}</ul>{cautions}'
        f'<h3>What to do</h3><ol class="todo">{actions}</ol></section>'
    )
