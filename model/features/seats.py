"""Seats: how full the licence is, for how long, and when it will be hit (S1)."""

from __future__ import annotations

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from model.customers import invoice_spans
from model.features.feature import Family, Feature, Inputs, Trace, bad, directed, good
from model.timeline import WEEKS

NEEDS = {
    "billing": ("account_id", "period_start", "seats", "known_from"),
    "entitlements": ("account_id", "item", "kind", "quantity", "valid_from", "known_from"),
    "events": ("account_id", "user_id", "at", "known_from"),
}
TREND_WEEKS = 13
_FULL = good(
    "SEATS_FULL",
    "Seats {seat_utilisation} used, above 90 % for {seat_weeks_above_90}",
    at_least=1,
)

FEATURES = (
    Feature(
        "seat_utilisation",
        "share",
        "usage",
        "Users active in the last 30 days over seats on the latest invoice",
        (
            good("SEAT_PRESSURE", "Seats {seat_utilisation} used", at_least=0.8),
            bad("SEATS_FREE", "Only {seat_utilisation} of seats used", at_most=0.6),
        ),
    ),
    Feature("seat_headroom", "count", "usage", "Seats not used by anyone in the last 30 days"),
    Feature(
        "seat_utilisation_max",
        "share",
        "usage",
        "Highest weekly seat utilisation of the last 26 weeks",
        (
            good(
                "SEAT_PEAK", "Seat use peaked at {seat_utilisation_max} in the last half year", at_least=0.95
            ),
        ),
    ),
    Feature("seat_utilisation_mean", "share", "usage", "Mean weekly seat utilisation of the last 13 weeks"),
    Feature(
        "seat_utilisation_change_30",
        "change",
        "usage",
        "Seat utilisation now less 4 weeks ago",
        (good("SEATS_RISING", "Seat use up {seat_utilisation_change_30:size} in four weeks", at_least=0.04),),
    ),
    Feature("seat_utilisation_change_60", "change", "usage", "Seat utilisation now less 8 weeks ago"),
    Feature(
        "seat_utilisation_change_90",
        "change",
        "usage",
        "Seat utilisation now less 13 weeks ago",
        (
            good("SEATS_RISING", "Seat use up {seat_utilisation_change_90:size} in 13 weeks", at_least=0.06),
            bad(
                "SEATS_FALLING", "Seat use down {seat_utilisation_change_90:size} in 13 weeks", at_most=-0.06
            ),
        ),
    ),
    Feature("seat_utilisation_change_180", "change", "usage", "Seat utilisation now less 26 weeks ago"),
    Feature("seat_trend", "change", "usage", "Slope of weekly seat utilisation over 13 weeks, per week"),
    Feature("seat_weeks_above_80", "weeks", "usage", "Weeks in a row with seat utilisation above 80 %"),
    Feature("seat_weeks_above_85", "weeks", "usage", "Weeks in a row with seat utilisation above 85 %"),
    Feature(
        "seat_weeks_above_90", "weeks", "usage", "Weeks in a row with seat utilisation above 90 %", (_FULL,)
    ),
    Feature("seat_share_weeks_above_85", "share", "usage", "Share of the last 26 weeks above 85 %"),
    Feature(
        "seat_days_to_limit",
        "days",
        "usage",
        "Days until active users reach the seats at the 13-week trend; 0 when over, 365 when far or falling",
        (
            good(
                "SEAT_LIMIT_NEAR",
                "At this pace the seats run out in {seat_days_to_limit}",
                at_most=90,
                unless=0,
            ),
        ),
    ),
)


def licence(days: int) -> tuple[Trace, ...]:
    """Use of the last days, and the licences of all time: each week goes by the one it had."""
    licences = (
        Trace(table="billing", filled=("seats",)),
        Trace(table="entitlements", where={"item": ("seats",)}),
    )
    return Trace(table="events", days=days), *licences


TRACES = {
    "seat_utilisation": licence(30),
    "seat_headroom": licence(30),
    "seat_utilisation_change_30": licence(30 + 28),
    "seat_utilisation_change_60": licence(30 + 56),
    "seat_utilisation_change_90": licence(30 + 91),
    **dict.fromkeys(("seat_utilisation_mean", "seat_trend", "seat_days_to_limit"), licence(30 + 91)),
    **dict.fromkeys(
        (
            *("seat_utilisation_max", "seat_utilisation_change_180", "seat_share_weeks_above_85"),
            *("seat_weeks_above_80", "seat_weeks_above_85", "seat_weeks_above_90"),
        ),
        licence(30 + 7 * WEEKS),
    ),
}


def build(inputs: Inputs) -> pa.Table:
    """Seat features of every row that has both seats and events."""
    lags = 7 * np.arange(WEEKS + 1)
    account, then = inputs.account.astype(np.int64)[:, None], inputs.day[:, None] - lags
    users = inputs.timeline.users[30].at(account, then)
    # an account whose first event is still to come has no usage yet, which is not the same as none
    users[~ever_used(inputs)] = np.nan
    seats = seats_held(inputs, account, then)
    users = np.where(np.isnan(seats), np.nan, users)
    used = users / seats
    rows = np.flatnonzero(~np.isnan(used[:, 0]))
    users, seats, used = users[rows], seats[rows], used[rows]
    known, near = ~np.isnan(used), used[:, : TREND_WEEKS + 1]
    headroom = seats[:, 0] - users[:, 0]
    pace = _slope(users[:, : TREND_WEEKS + 1]) / 7
    with np.errstate(divide="ignore", invalid="ignore"):
        runs_out = np.where(pace > 0, np.minimum(headroom / pace, 365.0), 365.0)
    figures = {
        "seat_utilisation": used[:, 0],
        "seat_headroom": headroom,
        "seat_utilisation_max": np.nanmax(used, axis=1, initial=-np.inf),
        "seat_utilisation_mean": np.nanmean(near, axis=1),
        "seat_utilisation_change_30": used[:, 0] - used[:, 4],
        "seat_utilisation_change_60": used[:, 0] - used[:, 8],
        "seat_utilisation_change_90": used[:, 0] - used[:, 13],
        "seat_utilisation_change_180": used[:, 0] - used[:, 26],
        "seat_trend": _slope(near),
        "seat_weeks_above_80": streak(used, 0.80),
        "seat_weeks_above_85": streak(used, 0.85),
        "seat_weeks_above_90": streak(used, 0.90),
        "seat_share_weeks_above_85": (used > 0.85).sum(axis=1) / known.sum(axis=1),
        "seat_days_to_limit": np.where(headroom <= 0, 0.0, runs_out),
    }
    return pa.table({"row": rows} | figures)


def ever_used(inputs: Inputs) -> np.ndarray:
    """Whether each row's account was known by then to have ever used the product."""
    accounts = inputs.timeline.accounts
    first = inputs.rows.join(accounts.select("account", "used"), "account").filter(lambda t: t.used <= t.day)
    seen = np.zeros(len(inputs.day), bool)
    seen[first.select("row").to_pyarrow()["row"].to_numpy()] = True
    return seen


def seats_held(inputs: Inputs, account: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Seats as known on each day: on the latest invoice, else as entitled; NaN when neither tells."""
    spans = invoice_spans(inputs.sources["billing"].filter(lambda t: t.seats > 0))
    limits = inputs.sources["entitlements"].filter(
        lambda t: (t["item"].lower() == "seats") & (t.quantity > 0)
    )
    billed = _latest(inputs, spans, account, day)
    return np.where(np.isnan(billed), _latest(inputs, limits.mutate(seats="quantity"), account, day), billed)


def _latest(inputs: Inputs, licences: ir.Table, account: np.ndarray, day: np.ndarray) -> np.ndarray:
    """`seats` of the licence that became known last, by each of the days."""
    coded = licences.join(inputs.timeline.accounts, "account_id")
    coded = coded.select("account", "known", "at", "seats").order_by("account", "known", "at").to_pyarrow()
    # account and day in one number, so that a single search finds the last line of the same account
    keys = coded["account"].to_numpy().astype(np.int64) * 2**24 + coded["known"].to_numpy()
    found = np.searchsorted(keys, account * 2**24 + day, side="right") - 1
    seats = np.append(coded["seats"].to_numpy(), np.nan)
    same = (found >= 0) & (np.append(keys >> 24, -1)[found] == account)
    return np.where(same, seats[found], np.nan)


def _slope(weekly: np.ndarray) -> np.ndarray:
    """Least-squares slope per week of each row's figures, newest first, over the weeks that are known."""
    weeks = np.where(np.isnan(weekly), np.nan, -np.arange(weekly.shape[1], dtype=float))
    off = weeks - np.nanmean(weeks, axis=1, keepdims=True)
    spread = np.nansum(off**2, axis=1)
    shared = np.nansum(off * weekly, axis=1)
    slope: np.ndarray = np.divide(shared, spread, out=np.full(len(weekly), np.nan), where=spread > 0)
    return slope


def streak(used: np.ndarray, level: float) -> np.ndarray:
    """Weeks in a row, the newest first, that are known to be at the level or above."""
    ends = ~(used >= level)  # a week of which nothing is known ends it: nobody can say that it was full
    weeks: np.ndarray = np.where(ends.any(axis=1), ends.argmax(axis=1), used.shape[1])
    return weeks


FAMILY = Family(
    name="seats",
    title="Seat utilisation",
    needs=NEEDS,
    features=directed(
        FEATURES,
        up=(
            "seat_utilisation_mean",
            "seat_utilisation_change_60",
            "seat_utilisation_change_180",
            "seat_trend",
            "seat_weeks_above_80",
            "seat_weeks_above_85",
            "seat_share_weeks_above_85",
        ),
        down=("seat_headroom",),
    ),
    build=build,
    traces=TRACES,
    origins={"seat_weeks_above_90": "80, 85 and 90 % are the marks at which teams watch seats"},
)
