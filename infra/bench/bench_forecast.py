"""The forecast backtested over four years of several companies: within P10–P90, bias, and retention by risk.

Each company is made, pulled and exported by the product's own path. Panel and past predictions are kept in
the folder (`--folder`), since they take most of the time; `--seeds` and `--accounts` say which companies.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from model.panel import Panel
    from model.past_quarters import PastForecast, Said, SaidOn
    from sync.loop import Loop

MONTHS = 48
TODAY = date(2026, 11, 2)
LOW, HIGH = 0.65, 0.95


def make(folder: Path, *, accounts: int, seed: int) -> None:
    """A company of four years with its lake, as a first pull leaves it."""
    from sync.config import load
    from sync.installation import install
    from worker.loop_home import open_loop
    from worker.sandbox_folder import make_company, open_sandbox
    from worker.screen import Screen

    make_company(folder, accounts=accounts, months=MONTHS, seed=seed, advance=lambda *_: None)
    with open_sandbox(folder):
        settings = load(folder / "upswell.toml", {})
        with open_loop(settings, Screen(quiet=True)) as loop:
            install(loop.crm, loop.store, apply=True, operator=loop.who(), now=datetime.now(UTC))
            with loop.run("pull") as run:
                loop.pull(run)
                loop.exports(run)


def panel_of(folder: Path, loop: Loop) -> Panel:
    """The company's panel, built once."""
    from model.panel import Panel, build_panel

    table, facts = folder / "panel.parquet", folder / "panel.json"
    if not facts.exists():
        built = build_panel(
            loop.tables().tables,
            as_of=TODAY,
            target=loop.target,
            products=loop.products,
            signals=loop.signals,
        )
        pq.write_table(built.table, table)
        kept = ("features", "categorical", "signals", "data_hash", "history_days", "expansions")
        facts.write_text(json.dumps({name: getattr(built, name) for name in kept}, default=dict))
    held = json.loads(facts.read_text())
    names = {name: tuple(held.pop(name)) for name in ("features", "categorical")}
    return Panel(table=pq.read_table(table), **names, **held)


def kept_in(folder: Path, said_on: SaidOn) -> SaidOn:
    """The same predictions, made once a day that is asked for."""

    def held(day: date) -> Said | None:
        path = folder / f"said-{day}.parquet"
        if not path.exists():
            found = said_on(day)
            rows: list[dict[str, Any]] = [] if found is None else found[1]
            table = pa.Table.from_pylist(rows) if rows else pa.table({})
            scored_on = "" if found is None else found[0].isoformat()
            pq.write_table(table.replace_schema_metadata({"scored_on": scored_on}), path)
        table = pq.read_table(path)
        scored_on = (table.schema.metadata or {}).get(b"scored_on", b"").decode()
        return (date.fromisoformat(scored_on), table.to_pylist()) if scored_on else None

    return held


def backtest(folder: Path) -> tuple[list[PastForecast], dict[str, float]]:
    """The past forecasts of the company in the folder, and how its newest risk model did on later rows."""
    from model.book import Win
    from model.past_quarters import past_quarters, recipe
    from model.risk import train_risk
    from sync.config import load
    from sync.forecast_backtest import quarters_over
    from sync.forecast_deals import DealBook
    from sync.outcomes import expansions
    from worker.loop_home import open_loop
    from worker.screen import Screen

    with open_loop(load(folder / "upswell.toml", {}), Screen(quiet=True)) as loop:
        panel = panel_of(folder, loop)
        tables, company = loop.tables().tables, loop.settings.company
        events = [
            Win(account_id=event.account_id, day=event.day, arr=event.arr or 0.0)
            for event in expansions(tables, loop.target, through=TODAY)
        ]
        said_on = recipe(panel, events, target=loop.target, products=loop.products, tiers={})
        past = past_quarters(
            quarters_over(min(panel.table["as_of"].to_pylist()), TODAY, company.fiscal_year_start),
            said_on=kept_in(folder, said_on),
            deals_on=DealBook(tables, loop.target, company.currency).open_on,
            events=events,
            horizon_days=loop.target.horizon_days,
        )
        _, risk = train_risk(
            panel.table,
            features=panel.features,
            categorical=panel.categorical,
            signals=panel.signals,
            horizon_days=loop.target.horizon_days,
            seed=0,
            threads=2,
        )
    return past, risk


def report(name: str, value: float, unit: str, compared_with: str) -> None:
    """One JSON object on a line."""
    line = {
        "name": f"forecast_{name}",
        "value": round(value, 3),
        "unit": unit,
        "compared_with": compared_with,
    }
    print(json.dumps(line, ensure_ascii=False), flush=True)


def report_past(past: Sequence[PastForecast], where: str) -> None:
    """Coverage and bias of one or all companies, by how many quarters ahead."""
    from model.past_quarters import LEADS, bias, coverage

    for lead in range(LEADS):
        made = [one for one in past if one.lead == lead]
        within, off = coverage(past, lead), bias(past, lead)
        ahead = (
            "of the quarter that begins"
            if lead == 0
            else f"{lead} quarter{'s' * (lead > 1)} before it begins"
        )
        if within is not None and off is not None:
            aim = f"; aim {LOW}–{HIGH}" if lead == 0 else ""
            report(
                f"within_p10_p90_lead_{lead}{where}", within, "share", f"{len(made)} quarters, {ahead}{aim}"
            )
            report(f"bias_lead_{lead}{where}", off, "share", f"{len(made)} quarters, {ahead}; 0 is fair")


def main() -> None:
    """Print one JSON object a line."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--folder", type=Path, help="keep companies, panels and predictions here")
    asked.add_argument("--accounts", type=int, default=1000)
    asked.add_argument("--seeds", type=int, nargs="+", default=[11, 12, 13])
    chosen = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="upswell-bench-") as name:
        folder = chosen.folder or Path(name)
        everything: list[PastForecast] = []
        for seed in chosen.seeds:
            home = folder / f"s{seed}"
            if not (home / "upswell.toml").exists():
                make(home, accounts=chosen.accounts, seed=seed)
            past, risk = backtest(home)
            report_past([one for one in past if one.lead == 0], f"_seed_{seed}")
            if risk:
                base = risk["log_loss_rates"]
                report(
                    f"risk_log_loss_seed_{seed}", risk["log_loss"], "log loss", f"rates by renewal {base:.3f}"
                )
                report(f"risk_auc_seed_{seed}", risk["auc"], "AUC", f"base rate {risk['base_rate']:.3f}")
                report(f"risk_ece_seed_{seed}", risk["ece"], "ECE", f"{risk['rows']:.0f} later rows")
            everything += past
        report_past(everything, "")


if __name__ == "__main__":
    main()
