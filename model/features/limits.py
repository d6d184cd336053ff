"""Other limits of the plan (API calls, storage, anything metered), usage figures, and overage (S2)."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from model.features import figures
from model.features.feature import Family, Feature, Inputs, Trace, bad, directed, good
from model.features.limit_weeks import LATEST_DAYS, WEEKS, limit_figures, metered_use, newest

NEEDS = {
    "usage": ("account_id", "metric", "period_start", "period_days", "value", "known_from"),
    "entitlements": ("account_id", "item", "kind", "quantity", "valid_from", "valid_to", "known_from"),
    "billing": ("account_id", "period_start", "overage", "arr", "known_from"),
}
# Kinds of limits that a sentence can name: what a metric's name contains, and how it is called.
KINDS = {"api": ("api", "API calls"), "storage": ("storage", "storage")}

FEATURES = (
    Feature(
        "limit_utilisation",
        "share",
        "usage",
        "Highest use of any metered limit in its latest month",
        (
            good("LIMIT_NEAR", "{limit_utilisation} of the tightest metered limit used", at_least=0.85),
            bad("LIMITS_FREE", "Only {limit_utilisation} of the tightest metered limit used", at_most=0.5),
        ),
        vague=True,
    ),
    *(
        Feature(
            f"limit_{kind}",
            "share",
            "usage",
            f"Use of the plan's limit of {words} in the latest month",
            (
                good("LIMIT_NEAR", f"{{limit_{kind}}} of the plan's {words} used", at_least=0.85),
                bad("LIMITS_FREE", f"Only {{limit_{kind}}} of the plan's {words} used", at_most=0.5),
            ),
        )
        for kind, (_, words) in KINDS.items()
    ),
    Feature("limit_utilisation_mean", "share", "usage", "Mean use of all metered limits, latest month"),
    Feature(
        "limit_change_90",
        "change",
        "usage",
        "Highest limit utilisation of the last month less three months earlier",
        (
            good(
                "LIMIT_RISING", "Use of the plan's limits up {limit_change_90:size} in 90 days", at_least=0.06
            ),
        ),
    ),
    Feature("limit_change_180", "change", "usage", "Highest limit utilisation less half a year earlier"),
    Feature("limits_near", "count", "usage", "Metered limits used to 85 % or more"),
    Feature("limits_over", "count", "usage", "Metered limits used to 100 % or more"),
    Feature(
        "limit_trend", "change", "usage", "Slope of the fullest limit's weekly use over 13 weeks, per week"
    ),
    Feature("limit_weeks_above_80", "weeks", "usage", "Weeks in a row with some limit used above 80 %"),
    Feature(
        "limit_weeks_above_85",
        "weeks",
        "usage",
        "Weeks in a row with some limit used above 85 %",
        (good("LIMIT_FULL", "A plan limit used above 85 % for {limit_weeks_above_85}", at_least=4),),
        vague=True,
    ),
    Feature("limit_weeks_above_90", "weeks", "usage", "Weeks in a row with some limit used above 90 %"),
    Feature(
        "limit_days_to_limit",
        "days",
        "usage",
        "Days until the first limit is reached at its 13-week trend; 0 when over, 365 when far or falling",
        (
            good(
                "LIMIT_AHEAD",
                "At this pace a plan limit is reached in {limit_days_to_limit}",
                at_most=90,
                unless=0,
            ),
        ),
        vague=True,
    ),
    *(
        feature
        for kind, (_, words) in KINDS.items()
        for feature in (
            Feature(
                f"limit_{kind}_weeks_above_85",
                "weeks",
                "usage",
                f"Weeks in a row with {words} above 85 % of the plan's limit",
                (
                    good(
                        "LIMIT_FULL",
                        f"Above 85 % of the plan's {words} for {{limit_{kind}_weeks_above_85}}",
                        at_least=4,
                    ),
                ),
            ),
            Feature(
                f"limit_{kind}_days_to_limit",
                "days",
                "usage",
                f"Days until the limit of {words} is reached at its 13-week trend, as limit_days_to_limit",
                (
                    good(
                        "LIMIT_AHEAD",
                        f"At this pace the limit of {words} is reached in {{limit_{kind}_days_to_limit}}",
                        at_most=90,
                        unless=0,
                    ),
                ),
            ),
        )
    ),
    Feature(
        "overage_recent",
        "money",
        "billing",
        "Overage invoiced in the last 60 days (signal overage_days)",
        (good("OVERAGE", "Paid {overage_recent} above the plan on recent invoices", at_least=1.0),),
    ),
    Feature("overage_share_180", "share", "billing", "Overage of 180 days over half a year's ARR"),
    Feature(
        "overage_months_6",
        "count",
        "billing",
        "Invoices with overage in the last 183 days",
        (good("OVERAGE_OFTEN", "Overage on {overage_months_6} invoices in half a year", at_least=3),),
    ),
    Feature("overage_streak", "count", "billing", "Invoices in a row with overage, the newest first"),
    Feature("overage_change", "money", "billing", "Overage of the last 90 days less the 90 before"),
)


def _metered(days: int) -> tuple[Trace, ...]:
    return Trace(table="usage", days=days), Trace(table="entitlements", filled=("quantity",))


TRACES = {
    **figures.TRACES,
    **dict.fromkeys(
        (
            "limit_utilisation",
            "limit_utilisation_mean",
            "limits_near",
            "limits_over",
            *(f"limit_{kind}" for kind in KINDS),
        ),
        _metered(LATEST_DAYS),
    ),
    **dict.fromkeys(
        (
            *("limit_trend", "limit_days_to_limit", "limit_weeks_above_80", "limit_weeks_above_85"),
            "limit_weeks_above_90",
            *(f"limit_{kind}_{each}" for kind in KINDS for each in ("weeks_above_85", "days_to_limit")),
        ),
        _metered(LATEST_DAYS + 7 * WEEKS),
    ),
    "limit_change_90": _metered(125),
    "limit_change_180": _metered(215),
    "overage_recent": (Trace(table="billing", filled=("overage",)),),  # as far back as the signal says
    "overage_share_180": (Trace(table="billing", days=180),),
    "overage_months_6": (Trace(table="billing", days=183, filled=("overage",)),),
    "overage_streak": (Trace(table="billing", filled=("overage",)),),
    "overage_change": (Trace(table="billing", days=180, filled=("overage",)),),
}


def build(inputs: Inputs) -> ir.Table:
    """Limit, overage and figure features of every row with metered usage or invoices."""
    usage = _monthly(inputs)
    overage = _overage(inputs)
    both = inputs.rows.select("row").left_join(usage, "row").drop("row_right")
    both = both.left_join(overage, "row").drop("row_right")
    both = both.left_join(figures.figures(inputs), "row").drop("row_right")
    is_told = both.limit_utilisation.notnull() | both.overage_recent.notnull() | both.figures_known.notnull()
    return both.filter(is_told)


def _monthly(inputs: Inputs) -> ir.Table:
    """Utilisation of each limit over its last month, and 90 and 180 days earlier, as then entitled."""
    metered, limits = metered_use(inputs.sources, inputs.space)
    weeks = limit_figures(inputs.rows, inputs.days, (metered, limits), inputs.space)
    used = inputs.known(metered)
    used = used.filter(used.age < 215)
    by_item = used.group_by("row", "item").agg(
        now=used.monthly.mean(where=used.age < LATEST_DAYS),
        quarter=used.monthly.mean(where=(used.age >= 90) & (used.age < 125)),
        half=used.monthly.mean(where=(used.age >= 180) & (used.age < 215)),
    )
    limits = inputs.known(limits)
    limits = limits.filter(limits.valid_to.isnull() | (limits.valid_to >= limits.day))
    entitled = limits.group_by("row", "item").agg(limit=limits.quantity.argmax(newest(limits)))
    share = by_item.join(entitled, ["row", "item"])
    share = share.mutate(
        now=share.now / share["limit"],
        quarter=share.quarter / share["limit"],
        half=share.half / share["limit"],
    )
    top = share.group_by("row").agg(
        limit_utilisation=share.now.max(),
        limit_utilisation_mean=share.now.mean(),
        quarter=share.quarter.max(),
        half=share.half.max(),
        limits_near=(share.now >= 0.85).sum(),
        limits_over=(share.now >= 1).sum(),
        **{
            f"limit_{kind}": share.now.max(where=share["item"].contains(part))
            for kind, (part, _) in KINDS.items()
        },
    )
    in_weeks = _in_weeks(weeks)
    top = top.left_join(in_weeks, "row").drop("row_right")
    return top.select(
        "row",
        "limit_utilisation",
        "limit_utilisation_mean",
        "limits_near",
        "limits_over",
        *(f"limit_{kind}" for kind in KINDS),
        *(name for name in in_weeks.columns if name != "row"),
        limit_change_90=top.limit_utilisation - top.quarter,
        limit_change_180=top.limit_utilisation - top.half,
    )


def _in_weeks(weeks: ir.Table) -> ir.Table:
    """The weeks of all limits, and of the ones that a sentence can name, as features of the row."""
    kinds = {}
    for kind, (part, _) in KINDS.items():
        named = weeks["item"].contains(part)
        kinds[f"limit_{kind}_weeks_above_85"] = weeks.above_85.max(where=named)
        kinds[f"limit_{kind}_days_to_limit"] = weeks.days_to_limit.min(where=named)
    return weeks.group_by("row").agg(
        # of two limits that are equally full, the one that fills faster
        limit_trend=weeks.trend.argmax(weeks.use * 1e6 + weeks.trend),
        limit_weeks_above_80=weeks.above_80.max(),
        limit_weeks_above_85=weeks.above_85.max(),
        limit_weeks_above_90=weeks.above_90.max(),
        limit_days_to_limit=weeks.days_to_limit.min(),
        **kinds,
    )


def _overage(inputs: Inputs) -> ir.Table:
    bills = inputs.sources["billing"].select("account_id", "overage", "arr", "at", "known", "replaced")
    bills = inputs.known(bills.filter(bills.overage.notnull()))

    def paid(first: int, last: int) -> ir.FloatingScalar:
        return ibis.coalesce(bills.overage.sum(where=(bills.age >= first) & (bills.age < last)), 0.0)

    figures = bills.group_by("row").agg(
        overage_recent=paid(0, int(inputs.signals["overage_days"])),
        o90=paid(0, 90),
        o90_before=paid(90, 180),
        o180=paid(0, 180),
        overage_months_6=((bills.overage > 0) & (bills.age < 183)).sum(),
        arr=bills.arr.argmax(bills["at"]),
        last_without=bills["at"].max(where=bills.overage <= 0),
    )
    since = bills.join(figures.select("row", "last_without"), "row")
    streak = since.filter(since.last_without.isnull() | (since["at"] > since.last_without))
    streak = streak.group_by("row").agg(overage_streak=streak.count())
    figures = figures.left_join(streak, "row").drop("row_right")
    return figures.select(
        "row",
        "overage_recent",
        "overage_months_6",
        overage_streak=ibis.coalesce(figures.overage_streak, 0),
        overage_share_180=(figures.arr > 0).ifelse(figures.o180 / (figures.arr / 2), ibis.null("float64")),
        overage_change=figures.o90 - figures.o90_before,
    )


FAMILY = Family(
    name="limits",
    title="Plan limits and usage figures",
    needs=NEEDS,
    features=directed(
        (*FEATURES, *figures.FEATURES),
        up=(
            *figures.UP,
            "limit_utilisation_mean",
            "limit_change_180",
            "limits_near",
            "limits_over",
            "limit_trend",
            "limit_weeks_above_80",
            "limit_weeks_above_90",
            "overage_share_180",
            "overage_streak",
            "overage_change",
        ),
    ),
    build=build,
    traces=TRACES,
    origins=dict.fromkeys(
        ("limit_utilisation", "limit_weeks_above_85", *(f"limit_{kind}" for kind in KINDS)),
        "as for seats: 85 % is where teams act",
    ),
)
