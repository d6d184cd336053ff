"""Departments that use the product: how many, how new, how evenly (S5)."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from model.features.feature import Family, Feature, Inputs, Trace, bad, directed, good
from model.timeline import first_known, in_windows

NEEDS = {
    "events": ("account_id", "user_id", "at", "known_from"),
    "users": ("account_id", "user_id", "department"),
}
WINDOWS = (7, 30, 60, 90, 180)

FEATURES = (
    Feature(
        "departments_30",
        "count",
        "events",
        "Departments with an active user in the last 30 days",
        (
            good("DEPARTMENTS", "{departments_30} departments use the product", at_least=4),
            bad("FEW_DEPARTMENTS", "Only {departments_30} department(s) with active users", at_most=2),
        ),
    ),
    Feature("departments_7", "count", "events", "Departments with an active user in the last 7 days"),
    Feature("departments_60", "count", "events", "Departments with an active user in the last 60 days"),
    Feature("departments_180", "count", "events", "Departments with an active user in the last 180 days"),
    Feature("departments_90", "count", "events", "Departments with an active user in the last 90 days"),
    Feature("departments_ever", "count", "events", "Departments that ever used the product"),
    Feature(
        "departments_new",
        "count",
        "events",
        "Departments first active in the last 90 days (signal new_department_days)",
        (good("NEW_DEPARTMENT", "{departments_new} department(s) new to the product", at_least=1),),
    ),
    Feature("departments_new_180", "count", "events", "Departments first active in the last 180 days"),
    Feature(
        "department_entropy", "points", "events", "Entropy of user-days over departments, 90 days, in nats"
    ),
    Feature(
        "department_entropy_change", "points", "events", "Department entropy less that of the 90 days before"
    ),
    Feature(
        "department_top_share", "share", "events", "Share of user-days in the largest department, 90 days"
    ),
)

_DAYS = {
    **{f"departments_{days}": days for days in WINDOWS},
    "department_entropy": 90,
    "department_entropy_change": 180,
    "department_top_share": 90,
}
TRACES = {
    feature.name: (
        Trace(table="events", days=_DAYS.get(feature.name)),
        Trace(table="users", filled=("department",)),
    )
    for feature in FEATURES
}


def build(inputs: Inputs) -> ir.Table:
    """Department features of every row with an active user of a known department."""
    placed = _placed(inputs)
    first = first_known(placed, "account", "department")
    lately = placed.filter(placed["at"] > min(inputs.days) - 180)
    days = lately.group_by("account", "department", "at", "known").agg(users=lately.count())
    recent = in_windows(inputs.space.keep(days), inputs.days, {0: 180}, inputs.space)
    recent = recent.group_by("account", "department", "day").agg(
        last_age=recent.age.min(),
        recent=recent.users.sum(where=recent.age < 90),
        before=recent.users.sum(where=recent.age >= 90),
    )
    rows = inputs.rows
    per = rows.join(first, [rows.account == first.account, first.known <= rows.day])
    per = per.select("row", "account", "department", "day", first_age=per.day - per["at"])
    per = per.left_join(recent, ["account", "department", "day"]).select(
        "row",
        "first_age",
        "last_age",
        recent=ibis.coalesce(recent.recent, 0),
        before=ibis.coalesce(recent.before, 0),
    )
    figures = per.group_by("row").agg(
        **{f"departments_{days}": (per.last_age < days).sum() for days in WINDOWS},
        departments_ever=per.count(),
        departments_new=(per.first_age < inputs.signals["new_department_days"]).sum(),
        departments_new_180=(per.first_age < 180).sum(),
        department_entropy=_entropy(per.recent),
        entropy_before=_entropy(per.before),
        department_top_share=per.recent.max() / per.recent.sum().nullif(0),
    )
    return figures.select(
        "row",
        "departments_ever",
        "departments_new",
        "departments_new_180",
        "department_entropy",
        "department_top_share",
        **{f"departments_{days}": ibis.coalesce(figures[f"departments_{days}"], 0) for days in WINDOWS},
        department_entropy_change=figures.department_entropy - figures.entropy_before,
    )


def _placed(inputs: Inputs) -> ir.Table:
    """Days of the users whose department is known: account, department (coded), at and known."""
    users, people = inputs.sources["users"], inputs.timeline.people
    placed = users.filter(users.department.notnull()).select("account_id", "user_id", "department").distinct()
    placed = placed.join(people, ["account_id", "user_id"]).select(
        "user", department=ibis.dense_rank().over(order_by=placed.department).cast("int32")
    )
    days = inputs.timeline.active_day.join(inputs.space.keep(placed), "user")
    return days.select("account", "department", "at", "known")


def _entropy(count: ir.IntegerColumn) -> ir.FloatingScalar:
    """Shannon entropy of the counts: ln(total) − Σ n ln n / total."""
    total = count.sum().nullif(0)
    return total.ln() - (count * ibis.greatest(count, 1).ln()).sum() / total


FAMILY = Family(
    name="departments",
    title="Departments",
    needs=NEEDS,
    features=directed(
        FEATURES,
        up=(
            "departments_7",
            "departments_60",
            "departments_90",
            "departments_180",
            "departments_ever",
            "departments_new_180",
            "department_entropy",
            "department_entropy_change",
        ),
        down=("department_top_share",),
    ),
    build=build,
    traces=TRACES,
)
