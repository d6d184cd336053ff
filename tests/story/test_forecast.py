"""Facts about `upswell forecast` and `upswell pipeline` on a company that was scored."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from sync.config import load
from worker.loop_home import make_loop


def paid_on(rows: list[dict[str, Any]], day: date) -> dict[str, float]:
    """ARR by account of the monthly invoices that cover the day, the one known last of each month."""
    found: dict[str, tuple[Any, float]] = {}
    for row in rows:
        if row["account_id"] and row["arr"] and row["period_start"] <= day <= row["period_end"]:
            known = (row["period_start"], row["known_from"])
            if row["account_id"] not in found or found[row["account_id"]][0] <= known:
                found[row["account_id"]] = (known, row["arr"])
    return {account: arr for account, (_, arr) in found.items()}


def test_ranges_are_in_order_and_their_means_are_the_totals(home: Any) -> None:
    """Of each quarter, of all of them, and of each group; groups sum to the whole."""
    told = home.upswell("forecast", "--by", "owner,segment").data
    for found in (*told["totals"].values(), told["range"], *told["groups"]):
        assert 0 <= found["p10"] <= found["p50"] <= found["p90"]
    for quarter, found in told["totals"].items():
        assert found["mean"] == pytest.approx(found["total"], abs=1)
        of_groups = sum(each["mean"] for each in told["groups"] if each["quarter"] == quarter)
        assert of_groups == pytest.approx(found["total"], abs=1)
    assert all(" · " in each["group"] for each in told["groups"])
    assert any("default until" in sentence for sentence in told["assumptions"])


def test_past_quarters_are_those_of_billing_and_every_bridge_closes(home: Any) -> None:
    """Opening and closing ARR of the same customers, counted anew from the invoices; NRR and GRR by them."""
    told = home.upswell("forecast").data["retention"]
    loop = make_loop(load(home.config, {}))
    try:
        billing = loop.tables().tables["billing"]
        columns = ("account_id", "period_start", "period_end", "arr", "known_from")
        rows = billing.select(*columns).to_pyarrow().to_pylist()
    finally:
        loop.close()
    past = [each for each in told if each["actual"]]
    first_days = [date(2025, 11, 1), date(2026, 2, 1), date(2026, 5, 1), date(2026, 8, 1), date(2026, 11, 1)]
    assert len(past) == 4
    for each, first, later in zip(past, first_days, first_days[1:], strict=False):
        before, after = paid_on(rows, first), paid_on(rows, later)
        assert each["opening"] == pytest.approx(sum(before.values()), rel=1e-6)
        kept = sum(after.get(account, 0.0) for account in before)
        provisional = sum(arr for account, arr in before.items() if account not in after)
        assert each["closing"] == pytest.approx(kept, abs=provisional * each["provisional"] + 1)
    for each in told:
        moved = each["expansion"] - each["contraction"] - each["churn"]
        assert each["closing"] == pytest.approx(each["opening"] + moved + each["currency"])
        assert each["nrr"] == pytest.approx((each["opening"] + moved) / each["opening"])
        assert each["grr"] <= min(1.0, each["nrr"])
    coming = [each for each in told if not each["actual"]]
    assert len(coming) == 4
    assert all(each["nrr_low"] <= each["nrr"] <= each["nrr_high"] for each in coming)
    assert sum(each["renewals"]["accounts"] for each in coming) > 0


def test_a_grouping_that_is_none_is_refused_with_those_that_are(home: Any) -> None:
    """Exit code 2, and the names that may be given."""
    answer = home.upswell("forecast", "--by", "owner,colour")
    assert answer.exit_code == 2
    assert "colour is none of quarter, product, owner, segment" in answer.errors[0]["message"]


def test_scores_are_spread_over_the_horizon_that_they_are_about(home: Any) -> None:
    """Not over the one that [target] states since: then the same scores would promise more, and sooner."""
    before = home.upswell("forecast").data["totals"]
    planned = home.upswell("pipeline", "--period", "quarter").data["prospects"]
    text = home.config.read_text("utf-8")
    home.config.write_text(text.replace("horizon_days = 90", "horizon_days = 30"), encoding="utf-8")
    assert home.upswell("forecast").data["totals"] == before
    assert home.upswell("pipeline", "--period", "quarter").data["prospects"] == planned


@pytest.mark.slow
def test_the_backtest_is_kept_and_later_ranges_say_that_they_rest_on_it(home: Any) -> None:
    """What was said of each past quarter and what came; nothing is written to the CRM."""
    changes = len(home.audit.changes())
    told = home.upswell("forecast", "--backtest").data
    begun = [one for one in told["past"] if one["lead"] == 0]
    assert told["quarters"] == len(begun) > 0
    assert told["coverage"] == sum(one["within"] for one in begun) / len(begun)
    assert all(one["actual"] > 0 and one["p10"] <= one["p50"] <= one["p90"] for one in begun)
    later = home.upswell("forecast").data
    assert any(f"by {len(begun)} quarters backtested on" in each for each in later["assumptions"])
    assert len(home.audit.changes()) == changes


def test_the_pipeline_ranks_who_to_talk_to_within_each_owner_s_slots(home: Any) -> None:
    """By priority; owners' loads sum to the prospects; nobody with an open deal, at risk, or on hold."""
    told = home.upswell("pipeline", "--period", "quarter").data
    ranks = [each["rank"] for each in told["prospects"]]
    assert ranks == sorted(ranks)
    assert {each["play"] for each in told["prospects"]} <= {"expand", "prepare", "nurture"}
    assert sum(each["prospects"] for each in told["owners"]) == len(ranks) > 0
    for owner in told["owners"]:
        own = [each for each in told["prospects"] if each["owner"] == owner["owner"]]
        assert sum(each["has_slot"] for each in own) == min(len(own), owner["slots"])
    first, last = (date.fromisoformat(told["period"][name]) for name in ("first", "last"))
    assert first <= date.fromisoformat(told["scored_on"]) <= last
    assert timedelta(days=88) <= last - first <= timedelta(days=92)
