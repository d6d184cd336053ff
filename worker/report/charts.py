"""Charts as inline SVG in the page's own colours: curves, calibration, one curve of a signal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Final

from worker.report.words import SIMPLE, TOLD_BY, between, percent, plain_name

if TYPE_CHECKING:
    from model.influence import Signal
    from model.reliability import Bin, Gain, Precision

WIDTH: Final = 420  # of the plotting area, in the drawing's own units
HEIGHT: Final = 300
LEFT, TOP, RIGHT, BOTTOM = 46, 26, 24, 42
BAR: Final = 100  # of an interval in a table's cell
SMALL: Final = (200, 110)  # of a signal's own curve

Point = tuple[float, float]


def gains_chart(gains: Mapping[str, Sequence[Gain]]) -> str:
    """How many of all expansions are among the best-scored share of the accounts."""
    curves = {name: [(0.0, 0.0), *((g.share, g.captured) for g in gains[name])] for name in _drawn(gains)}
    chance = _line([(0.0, 0.0), (1.0, 1.0)], "chance")
    return _chart(
        "Share of all expansions found, by share of accounts worked",
        "best-scored accounts",
        "of all expansions found",
        [chance, *_curves(curves)],
    )


def precision_chart(precision: Mapping[str, Sequence[Precision]], base_rate: float) -> str:
    """How many of the accounts worked expanded, by how many of all expansions they hold."""
    drawn = _drawn(precision)
    top = _round_up(max(point.precision for name in drawn for point in precision[name]))
    curves = {name: [(p.recall, p.precision / top) for p in precision[name]] for name in drawn}
    chance = _line([(0.0, base_rate / top), (1.0, base_rate / top)], "chance")
    return _chart(
        "Share of accounts worked that expanded, by share of all expansions found",
        "of all expansions found",
        "of accounts worked that expanded",
        [chance, *_curves(curves)],
        up_top=top,
    )


def calibration_chart(bins: Sequence[Bin]) -> str:
    """What was said against what happened, by tenth of the rows, with 95 % intervals."""
    top = _round_up(max(max(b.said, b.rate_high) for b in bins))
    marks = [_line([(0.0, 0.0), (1.0, 1.0)], "chance")]
    for b in bins:
        across = b.said / top
        right = "hit" if b.rate_low <= b.said <= b.rate_high else "miss"
        told = (
            f"said {percent(b.said, 1)}, {b.expanded} of {b.rows:,} expanded "
            f"({percent(b.rate, 1)}; {between(b.rate_low, b.rate_high)})"
        )
        marks.append(
            f'<g class="{right}"><title>{told}</title>'
            f'<line x1="{_x(across)}" x2="{_x(across)}" y1="{_y(b.rate_low / top)}" '
            f'y2="{_y(b.rate_high / top)}"/><circle cx="{_x(across)}" cy="{_y(b.rate / top)}" r="5"/></g>'
        )
    return _chart("Calibration: said against happened", "said", "expanded", marks, up_top=top, across_top=top)


def signal_chart(signal: Signal, low: float, high: float) -> str:
    """One signal's partial dependence, on the scale from `low` to `high` that all of them share."""
    width, height = SMALL
    steps = max(len(signal.curve) - 1, 1)
    points = [
        (14 + place / steps * (width - 28), 10 + (1 - _share(each.probability, low, high)) * (height - 20))
        for place, each in enumerate(signal.curve)
    ]
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5"><title>{escape(each.label)}: '
        f"{percent(each.probability, 1)}</title></circle>"
        for (x, y), each in zip(points, signal.curve, strict=True)
    )
    joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    # levels of a category have no order, so nothing lies between them
    line = "" if isinstance(signal.curve[0].at, str) else f'<polyline points="{joined}"/>'
    title = f"Mean probability by {plain_name(signal.feature)}"
    return (
        f'<svg role="img" aria-label="{escape(title)}" viewBox="0 0 {width} {height}">'
        f'<g class="upswell">{line}{dots}</g></svg>'
    )


def legend(names: Mapping[str, object]) -> str:
    """Which curve is whose."""
    items = "".join(
        f'<li><svg viewBox="0 0 28 8" width="28" height="8" aria-hidden="true"><g class="{name}">'
        f'<polyline points="1,4 27,4"/></g></svg>{escape(TOLD_BY[name])}</li>'
        for name in reversed(_drawn(names))
    )
    chance = (
        '<li><svg viewBox="0 0 28 8" width="28" height="8" aria-hidden="true">'
        '<polyline class="chance" points="1,4 27,4"/></svg>Chance</li>'
    )
    return f'<ul class="legend">{items}{chance}</ul>'


def interval(said: float, rate: float, low: float, high: float, top: float) -> str:
    """A small bar for a table's cell: the interval, what happened as a dot, what was said as a tick."""
    x = [round(5 + (BAR - 10) * min(1.0, value / top), 1) for value in (low, high, rate, said)]
    right = "hit" if low <= said <= high else "miss"
    told = f"said {percent(said, 1)}, happened {percent(rate, 1)} ({between(low, high)})"
    size = f'viewBox="0 0 {BAR} 18" width="{BAR}" height="18"'
    return (
        f'<svg class="interval" role="img" aria-label="{told}" {size}>'
        f'<g class="{right}"><title>{told}</title><line x1="{x[0]}" x2="{x[1]}" y1="9" y2="9"/>'
        f'<circle cx="{x[2]}" cy="9" r="4"/></g>'
        f'<line class="said" x1="{x[3]}" x2="{x[3]}" y1="2" y2="16"/></svg>'
    )


def _drawn(names: Mapping[str, object]) -> list[str]:
    return [name for name in (*reversed(SIMPLE), "upswell") if name in names]


def _curves(curves: Mapping[str, Sequence[Point]]) -> list[str]:
    return [
        f'<g class="{name}"><title>{escape(TOLD_BY[name])}</title>{_line(points)}</g>'
        for name, points in curves.items()
    ]


def _chart(
    title: str,
    across: str,
    up: str,
    marks: Sequence[str],
    *,
    up_top: float = 1.0,
    across_top: float = 1.0,
) -> str:
    width, height = LEFT + WIDTH + RIGHT, TOP + HEIGHT + BOTTOM
    lines = []
    for step in range(6):
        share = step / 5
        lines.append(f'<line class="grid" x1="{_x(0)}" x2="{_x(1)}" y1="{_y(share)}" y2="{_y(share)}"/>')
        lines.append(
            f'<text x="{LEFT - 8}" y="{_y(share) + 4}" text-anchor="end">{percent(share * up_top)}</text>'
        )
        lines.append(
            f'<text x="{_x(share)}" y="{TOP + HEIGHT + 18}" text-anchor="middle">'
            f"{percent(share * across_top)}</text>"
        )
    lines.append(f'<text x="{_x(1)}" y="{height - 4}" text-anchor="end">{escape(across)} →</text>')
    lines.append(f'<text x="4" y="14">↑ {escape(up)}</text>')
    inside = "".join((*lines, *marks))
    return (
        f'<svg class="chart" role="img" aria-label="{escape(title)}" viewBox="0 0 {width} {height}">'
        f"{inside}</svg>"
    )


def _line(points: Sequence[Point], style: str = "") -> str:
    joined = " ".join(f"{_x(across)},{_y(up)}" for across, up in points)
    return f'<polyline class="{style}" points="{joined}"/>' if style else f'<polyline points="{joined}"/>'


def _round_up(share: float) -> float:
    """The next tenth, so that the axis ends on a round figure."""
    return min(1.0, -(-round(share, 6) * 10 // 1) / 10) or 0.1


def _share(value: float, low: float, high: float) -> float:
    return (value - low) / (high - low) if high > low else 0.5


def _x(share: float) -> float:
    return round(LEFT + share * WIDTH, 1)


def _y(share: float) -> float:
    return round(TOP + (1 - share) * HEIGHT, 1)
