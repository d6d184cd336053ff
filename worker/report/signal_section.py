"""The page's section on signals: families, a beeswarm of the strongest, and what each does to the score."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from worker.report.charts import signal_chart
from worker.report.swarm import beeswarm
from worker.report.words import DIRECTION, between, percent, plain_name

if TYPE_CHECKING:
    from model.influence import Signal
    from sync.evaluation import Evaluation


def signals_section(found: Evaluation) -> str:
    """The section's HTML; empty where nothing moves the scores."""
    if not found.signals:
        return ""
    return (
        "<p>Shares are of all movement of the scores, up and down, over the judged accounts. They say what "
        "the model listens to, not what causes an expansion.</p>"
        f"<h3>By family</h3>{_families(found)}{_swarm(found)}{_curves(found)}{_strongest(found)}"
    )


def _families(found: Evaluation) -> str:
    top = max(each.share for each in found.families)
    bars = "".join(
        f'<span>{escape(each.title)}</span><span class="track">'
        f'<i style="width:{100 * each.share / top:.1f}%"></i></span><b>{percent(each.share)}</b>'
        for each in found.families
    )
    return f'<div class="bars">{bars}</div>'


def _swarm(found: Evaluation) -> str:
    if found.swarm is None:
        return ""
    strongest = ", ".join(
        f"{plain_name(each.feature)} ({DIRECTION[each.direction]})" for each in found.signals[:5]
    )
    told = escape(f"Beeswarm of the strongest signals. The first five: {strongest}.")
    light, dark = (beeswarm(found.swarm, paper) for paper in ("light", "dark"))
    return (
        "<h3>The strongest signals, account by account</h3><figure><picture>"
        f'<source srcset="{dark}" media="(prefers-color-scheme: dark)">'
        f'<img class="swarm" src="{light}" alt="{told}"></picture>'
        "<figcaption>Each dot is an account; right of the line the signal raises its score. "
        '<span class="key"></span>low to high value, grey unknown or a category.</figcaption></figure>'
    )


def _curves(found: Evaluation) -> str:
    drawn = [signal for signal in found.signals if signal.curve]
    if not drawn:
        return ""
    all_said = [each.probability for signal in drawn for each in signal.curve]
    low, high = min(all_said), max(all_said)
    cards = "".join(_curve(signal, low, high) for signal in drawn)
    return (
        "<h3>What each does by itself</h3><p class=soft>The average probability if every account had this "
        "value and stayed as it is otherwise. Every box goes from "
        f"{percent(low, 1)} to {percent(high, 1)}; each dot "
        f'is a tenth of the accounts.</p><div class="curves">{cards}</div>'
    )


def _curve(signal: Signal, low: float, high: float) -> str:
    said = [each.probability for each in signal.curve]
    ends = f"<span>{escape(signal.curve[0].label)}</span><span>{escape(signal.curve[-1].label)}</span>"
    return (
        f'<div><h4 title="{escape(signal.about)}"><span>{escape(plain_name(signal.feature))}</span>'
        f"<span>{between(min(said), max(said))}</span></h4>"
        f'{signal_chart(signal, low, high)}<div class="ends">{ends}</div></div>'
    )


def _strongest(found: Evaluation) -> str:
    titles = {each.family: each.title for each in found.families}
    rows = "".join(
        f"<tr><td>{escape(plain_name(each.feature))}</td><td>{percent(each.share, 1)}</td>"
        f"<td>{DIRECTION[each.direction]}</td><td>{escape(titles.get(each.family, each.family))}</td>"
        f'<td class="text">{escape(each.about)}</td></tr>'
        for each in found.signals
    )
    head = "".join(f"<th>{name}</th>" for name in ("", "Share", "Direction", "Family", "What it is"))
    return (
        "<details><summary>What these signals are</summary>"
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
        "</details>"
    )
