"""The forecast as data and as tables: quarters, groups, the bridge, renewals, and the backtest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from model.ranges import Range
    from model.recurring import Bridge
    from sync.forecast_backtest import Backtest
    from sync.forecasting import Forecast
    from sync.retention import Kept, Retention

Table = tuple[tuple[str, ...], list[tuple[str, ...]]]
"""Names of the columns, and the rows."""


def facts(found: Forecast, by: Sequence[str]) -> dict[str, Any]:
    """The forecast as data: every line, totals by quarter and basis, ranges, and the bridges."""
    from model.book import BASES

    return {
        "scored_on": found.scored_on,
        "today": found.today,
        "model_version": found.model_version,
        "currency": found.currency,
        "by": list(by),
        "quarters": [asdict(quarter) for quarter in found.quarters],
        "lines": [asdict(line) for line in found.lines],
        "totals": {
            quarter.label: {basis: found.total(basis=basis, quarter=quarter.label) for basis in BASES}
            | {"total": found.total(quarter=quarter.label)}
            | _points(found.range(quarter.label))
            for quarter in found.quarters
        },
        "total": found.total(),
        "range": _points(found.range()),
        "groups": [
            {"group": each.group, "quarter": each.quarter or None} | _points(each.range)
            for each in found.group_ranges
            if each.group
        ],
        "retention": [_bridge(each) for each in found.retention.quarters],
        "assumptions": [*found.assumptions, *found.retention.assumptions],
    }


def quarter_table(found: Forecast) -> Table:
    """A row a basis, the total with its range, and the part that is a run rate; a column a quarter."""
    from model.book import BASES

    labels = [quarter.label for quarter in found.quarters]

    def row(name: str, values: Sequence[float]) -> tuple[str, ...]:
        return (name, *map(_money, values))

    rows = [
        row(
            basis,
            [*(found.total(basis=basis, quarter=each) for each in labels), found.total(basis=basis)],
        )
        for basis in BASES
    ]
    rows.append(row("Total", [*(found.total(quarter=each) for each in labels), found.total()]))
    ranges = [*(found.range(each) for each in labels), found.range()]
    for name, point in (("P10", "low"), ("P50", "middle"), ("P90", "high")):
        rows.append(row(name, [getattr(each, point) for each in ranges]))
    beyond = [
        sum(line.beyond_horizon for line in found.lines if line.quarter in wanted)
        for wanted in (*((each,) for each in labels), labels)
    ]
    rows.append(row("of which run rate", beyond))
    return ("Basis", *labels, "All"), rows


def group_table(found: Forecast, by: Sequence[str]) -> Table:
    """A row a group with its range over all quarters, the largest first."""
    labels = [quarter.label for quarter in found.quarters]
    groups = sorted({each.group for each in found.group_ranges}, key=lambda name: -found.total(group=name))
    rows = []
    for name in groups:
        whole = found.range(group=name)
        sums = [*(found.total(group=name, quarter=each) for each in labels), found.total(group=name)]
        rows.append((name, *map(_money, sums), _money(whole.low), _money(whole.high)))
    title = " · ".join(each.capitalize() for each in by if each != "quarter")
    return (title, *labels, "All", "P10", "P90"), rows


def bridge_table(kept: Kept) -> Table:
    """A row a part of the bridge, a column a quarter; rates below."""
    quarters = kept.quarters
    parts = ["opening", "expansion", "contraction", "churn"]
    if any(each.bridge.currency for each in quarters):
        parts.append("currency")
    rows = [(part.capitalize(), *(_money(getattr(each.bridge, part)) for each in quarters)) for part in parts]
    rows.append(("Closing", *(_money(each.bridge.closing) for each in quarters)))
    rows.append(("NRR", *(_rate(each.bridge.nrr) for each in quarters)))
    rows.append(("NRR P10–P90", *(_between(each) for each in quarters)))
    rows.append(("GRR", *(_rate(each.bridge.grr) for each in quarters)))
    names = (f"{each.quarter}{'*' if each.provisional else ''}" for each in quarters)
    told = ("actual" if each.actual else "expected" for each in quarters)
    return ("ARR", *names), [("", *told), *rows]


def renewal_table(kept: Kept, labels: Sequence[str]) -> Table:
    """Contracts up for renewal after today: how many, their ARR, and what is expected to renew."""
    of = {each.quarter: each.renewals for each in kept.quarters if each.renewals is not None}
    up = [of[label] for label in labels if label in of]
    return ("Renewals", *labels), [
        ("Accounts", *(f"{each.accounts:,}" for each in up)),
        ("ARR", *(_money(each.arr) for each in up)),
        ("Expected to renew", *(_money(each.kept) for each in up)),
    ]


def backtest_facts(found: Backtest) -> dict[str, Any]:
    """The backtest as data: what was said of each quarter and how far ahead, and what came."""
    return {
        "as_of": found.as_of,
        "currency": found.currency,
        "quarters": len(found.quarters),
        "coverage": found.coverage,
        "bias": found.bias,
        "widening": found.widening,
        "past": [
            {"made_in": one.made_in, "quarter": one.quarter, "lead": one.lead, "actual": one.actual}
            | _points(one.said)
            | {"within": one.said.holds(one.actual)}
            for one in found.past
        ],
    }


def backtest_table(found: Backtest) -> Table:
    """A row a quarter: expected as it began, the range, what came, and whether that lay within."""
    rows = []
    for one in found.quarters:
        said = one.said
        numbers = map(_money, (said.mean, said.low, said.middle, said.high, one.actual))
        rows.append((one.quarter, *numbers, "yes" if said.holds(one.actual) else "no"))
    return ("Quarter", "Expected", "P10", "P50", "P90", "Came", "Within P10–P90"), rows


def verdict(found: Backtest) -> str:
    """Coverage, bias and widening in plain words."""
    within = sum(one.said.holds(one.actual) for one in found.quarters)
    said = f"{within} of {len(found.quarters)} quarters lay within P10–P90 (8 of 10 would be right)."
    if found.bias is not None:
        word = "more" if found.bias > 0 else "less"
        said += f" In all {100 * abs(found.bias):.0f} % {word} was expected than came."
    return (
        f"{said} Ranges are made {found.widening:.2f} times as wide as those of independent accounts; "
        "later forecasts use this."
    )


def _bridge(each: Retention) -> dict[str, Any]:
    bridge: Bridge = each.bridge
    return {
        "quarter": each.quarter,
        "actual": each.actual,
        "provisional": each.provisional,
        **asdict(bridge),
        "closing": bridge.closing,
        "nrr": bridge.nrr,
        "nrr_low": each.nrr_low,
        "nrr_high": each.nrr_high,
        "grr": bridge.grr,
        "renewals": None if each.renewals is None else asdict(each.renewals),
    }


def _points(found: Range) -> dict[str, float]:
    return {"mean": found.mean, "p10": found.low, "p50": found.middle, "p90": found.high}


def _between(each: Retention) -> str:
    if each.nrr_low is None or each.nrr_high is None:
        return "—"
    return f"{100 * each.nrr_low:.0f}–{100 * each.nrr_high:.0f} %"


def _rate(value: float | None) -> str:
    return "—" if value is None else f"{100 * value:.1f} %"


def _money(arr: float) -> str:
    return f"{arr:,.0f}" if arr else "—"
