"""An evaluation as one HTML page with its charts as inline SVG: nothing is loaded from anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Final

from worker.evaluation_report import (
    Table,
    calibration_table,
    cohort_table,
    gains_table,
    headline,
    quality_table,
)

if TYPE_CHECKING:
    from sync.evaluation import Evaluation

SIZE: Final = 360  # of the plotting area, in pixels
LEFT, TOP, RIGHT, BOTTOM = 52, 12, 28, 44

STYLE: Final = """
:root { color-scheme: light dark; --ink: #1c2530; --soft: #5b6b7c; --line: #d5dce4; --ours: #0b63c5;
  --theirs: #b3541e; --paper: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8edf3; --soft: #9fb0c2; --line: #33404e;
  --ours: #6fb1ff; --theirs: #ff9d66; --paper: #11171e; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto;
  max-width: 62rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.charts { display: flex; flex-wrap: wrap; gap: 1.5rem; } figure { margin: 0; }
figcaption { color: var(--soft); max-width: 26rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; }
th, td { padding: .25rem .75rem; text-align: right; border-bottom: 1px solid var(--line);
  white-space: nowrap; }
th:first-child, td:first-child { text-align: left; } th { color: var(--soft); font-weight: 600; }
svg text { fill: var(--soft); font: 12px system-ui, sans-serif; }
.axis { stroke: var(--line); } .even { stroke: var(--soft); stroke-dasharray: 4 4; }
.ours { stroke: var(--ours); fill: none; stroke-width: 2; } .dot { fill: var(--ours); stroke: none; }
.theirs { stroke: var(--theirs); fill: none; stroke-width: 2; }
svg .say-ours { fill: var(--ours); } svg .say-theirs { fill: var(--theirs); }
"""


def page(found: Evaluation) -> str:
    """The whole page."""
    cohort_sections = "".join(
        f"<h2>By {escape(name)}</h2>{_table(cohort_table(found, name))}" for name in found.cohorts
    )
    names, rows = calibration_table(found)
    bins = (names[:-1], [row[:-1] for row in rows])  # the plot in characters is for terminals
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Evaluation of model {escape(found.version)}</title><style>{STYLE}</style></head><body>
<h1>Evaluation of model {escape(found.version)}</h1>
<p>{escape(headline(found))}</p>
{_table(quality_table(found))}
<h2>Calibration and lift</h2>
<div class="charts">
<figure>{calibration_chart(found)}
<figcaption>Each point is a tenth of the rows: what was said, what happened, with the 95 % interval. On the
dashed line both are the same.</figcaption></figure>
<figure>{gains_chart(found)}
<figcaption>Of all expansions, how many are among the best-scored accounts. The dashed line is
chance.</figcaption></figure>
</div>
<h2>Calibration by tenth of the rows</h2>{_table(bins)}
<h2>Lift</h2>{_table(gains_table(found))}
{cohort_sections}
</body></html>
"""


def calibration_chart(found: Evaluation) -> str:
    """The calibration plot as SVG."""
    top = _round_up(max(max(b.said, b.rate_high) for b in found.calibration))
    marks = []
    for b in found.calibration:
        x = _x(b.said / top)
        marks.append(
            f'<line class="ours" x1="{x}" x2="{x}" y1="{_y(b.rate_low / top)}" y2="{_y(b.rate_high / top)}"/>'
        )
        label = f"said {100 * b.said:.1f} %, {b.expanded} of {b.rows:,} expanded ({100 * b.rate:.1f} %)"
        marks.append(
            f'<circle class="dot" cx="{x}" cy="{_y(b.rate / top)}" r="5"><title>{label}</title></circle>'
        )
    return _chart("Calibration: said against happened", "said", "expanded", top, marks)


def gains_chart(found: Evaluation) -> str:
    """Cumulative gains of the model and of the seat rule as SVG."""
    ours = [(0.0, 0.0), *((g.share, g.captured) for g in found.gains)]
    theirs = [(0.0, 0.0), *((g.share, g.captured) for g in found.gains_seat_rule)]
    marks = [
        _path(theirs, "theirs"),
        _path(ours, "ours"),
        f'<text class="say-ours" x="{_x(0.34)}" y="{_y(0.16)}">Upswell</text>',
        f'<text class="say-theirs" x="{_x(0.34)}" y="{_y(0.10)}">by seats used</text>',
    ]
    return _chart("Cumulative gains", "best-scored accounts", "of all expansions", 1.0, marks)


def _chart(title: str, across: str, up: str, top: float, marks: Sequence[str]) -> str:
    width, height = LEFT + SIZE + RIGHT, TOP + SIZE + BOTTOM
    lines = []
    for step in range(6):
        share = step / 5
        said = f"{100 * share * top:.0f} %"
        lines.append(f'<line class="axis" x1="{_x(0)}" x2="{_x(1)}" y1="{_y(share)}" y2="{_y(share)}"/>')
        lines.append(f'<text x="{LEFT - 8}" y="{_y(share) + 4}" text-anchor="end">{said}</text>')
        lines.append(f'<text x="{_x(share)}" y="{TOP + SIZE + 18}" text-anchor="middle">{said}</text>')
    lines.append(f'<line class="even" x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}"/>')
    lines.append(f'<text x="{_x(0.5)}" y="{height - 6}" text-anchor="middle">{escape(across)}</text>')
    lines.append(f'<text x="{LEFT + 6}" y="{TOP + 14}">{escape(up)}</text>')
    inside = "".join((*lines, *marks))
    return (
        f'<svg role="img" aria-label="{escape(title)}" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}">{inside}</svg>'
    )


def _path(points: Sequence[tuple[float, float]], style: str) -> str:
    line = " ".join(f"{_x(across)},{_y(up)}" for across, up in points)
    return f'<polyline class="{style}" points="{line}"/>'


def _table(table: Table) -> str:
    names, rows = table
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _round_up(share: float) -> float:
    """The next tenth, so that the axis ends on a round figure."""
    return min(1.0, -(-round(share, 6) * 10 // 1) / 10) or 0.1


def _x(share: float) -> float:
    return round(LEFT + share * SIZE, 1)


def _y(share: float) -> float:
    return round(TOP + (1 - share) * SIZE, 1)
