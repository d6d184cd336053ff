"""A synthetic company's panel, made once by the product's own way and kept for the model's benches.

    FOLDER/<accounts>-<months>-<seed>/   the sandbox as `upswell demo` makes it, pulled into its lake
        panel.arrow                      the panel, with what it means in the schema's metadata
        truth-<day>.arrow                the referee's truth of an as-of date, made when it is first asked for

The product reads the CRM and the exports; only the judges of these benches read the truth.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from connectors.sandbox.company.referee import truth_on
from model.customers import INVOICE_GRACE_DAYS
from model.frame import numbers
from model.losses import COLUMNS as LOSSES
from model.panel import Panel, build_panel
from model.product import Product
from model.target import Target
from sync.config import load
from worker.loop_home import make_loop
from worker.sandbox_folder import make_company, open_sandbox

_KEYS: Final = "external_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """A company's panel, whose table has `external_id` on top, its catalogue, and its folder."""

    folder: Path
    panel: Panel
    target: Target
    products: tuple[Product, ...]

    @property
    def today(self) -> date:
        """The latest as-of date, whose outcomes only the referee knows."""
        day: date = max(self.panel.table["as_of"].to_pylist())
        return day

    def days(self) -> list[date]:
        """All as-of dates, the earliest first."""
        return sorted(set(self.panel.table["as_of"].to_pylist()))

    def truth(self, day: date) -> pa.Table:
        """The referee's table of that day: a row for each of the panel's rows of the day, in their order."""
        path = self.folder / f"truth-{day}.arrow"
        if not path.exists():
            _write(path, truth_on(self.folder, day))
        known = _read(path)
        keys = known["account_key"].to_pylist()
        place = dict(zip(keys, range(len(keys)), strict=True))
        rows = rows_of(self.panel.table, day)
        return known.take(pa.array([place.get(key) for key in rows[_KEYS].to_pylist()], pa.int64()))


def company(folder: Path, *, accounts: int = 5000, months: int = 24, seed: int = 1) -> Company:
    """The company of that size and seed, from the folder where it was made before."""
    home = folder / f"{accounts}-{months}-{seed}"
    if not (home / "panel.arrow").exists():
        _make(home, accounts=accounts, months=months, seed=seed)
    table = _read(home / "panel.arrow")
    meaning = json.loads((table.schema.metadata or {})[b"upswell"])
    products = tuple(
        Product(**{**each, "keywords": tuple(each["keywords"])}) for each in meaning.pop("products")
    )
    target = Target.from_json(meaning.pop("target"))
    panel = Panel(
        table=table.replace_schema_metadata(None),
        features=tuple(meaning["features"]),
        categorical=tuple(meaning["categorical"]),
        signals=meaning["signals"],
        data_hash=meaning["data_hash"],
        history_days=meaning["history_days"],
        expansions=meaning["expansions"],
    )
    return Company(folder=home, panel=panel, target=target, products=products)


def rows_of(table: pa.Table, day: date) -> pa.Table:
    """The rows of an as-of date, in the table's order."""
    return table.filter(pa.array(table["as_of"].to_numpy() == np.datetime64(day)))


def judged_rows(table: pa.Table) -> np.ndarray:
    """Which rows a model is judged on: not those whose expansion is being negotiated already."""
    pipeline: np.ndarray = ~np.asarray(table["is_pipeline"].to_numpy(zero_copy_only=False), bool)
    return pipeline


def known_at(panel: Panel, day: date, horizon: int) -> Panel:
    """The panel as it stood on that day: rows up to it, with the outcomes of those that had matured."""
    from dataclasses import replace

    table = panel.table
    dates = table["as_of"].to_numpy()
    table = table.filter(pa.array(dates <= np.datetime64(day)))
    dates = table["as_of"].to_numpy()
    unknown = dates + np.timedelta64(horizon, "D") > np.datetime64(day)
    passed = (np.datetime64(day) - dates).astype(float)
    told = {
        "label": np.where(unknown, np.nan, numbers(table, "label")),
        "days_to": np.where(numbers(table, "days_to") <= passed, numbers(table, "days_to"), np.nan),
        "observed": np.minimum(passed, horizon),
        **{
            name: np.where(passed >= horizon + INVOICE_GRACE_DAYS, numbers(table, name), np.nan)
            for name in LOSSES
        },
    }
    for name, values in told.items():
        table = table.set_column(table.column_names.index(name), name, pa.array(values))
    later = (panel.table["as_of"].to_numpy().max() - np.datetime64(day)).astype(int)
    return replace(panel, table=table, history_days=panel.history_days - int(later), data_hash=f"to {day}")


def _make(home: Path, *, accounts: int, months: int, seed: int) -> None:
    from dataclasses import asdict

    from worker.sandbox_folder import is_made

    if not is_made(home):
        make_company(home, accounts=accounts, months=months, seed=seed, advance=_quietly)
    with open_sandbox(home):
        loop = make_loop(load(home / "upswell.toml", {}))
        try:
            with loop.run("pull") as run:
                loop.pull(run)
                loop.exports(run)
            as_of = loop.today()
            tables = loop.tables().tables
            panel = build_panel(
                tables, as_of=as_of, target=loop.target, products=loop.products, signals=loop.signals
            )
            accounts_table = tables["accounts"].select("account_id", "external_id").to_pyarrow()
            external = dict(zip(*(column.to_pylist() for column in accounts_table.columns), strict=True))
            keys = [external.get(each) for each in panel.table["account_id"].to_pylist()]
            meaning: dict[str, Any] = {
                "features": panel.features,
                "categorical": panel.categorical,
                "signals": dict(panel.signals),
                "data_hash": panel.data_hash,
                "history_days": panel.history_days,
                "expansions": panel.expansions,
                "target": loop.target.as_json(),
                "products": [asdict(product) for product in loop.products],
            }
        finally:
            loop.close()
    table = panel.table.append_column(_KEYS, pa.array(keys, pa.string()))
    _write(home / "panel.arrow", table.replace_schema_metadata({"upswell": json.dumps(meaning)}))


def _quietly(_done: float, _total: float | None = None) -> None:
    """Nobody watches."""


def _write(path: Path, table: pa.Table) -> None:
    draft = path.with_suffix(".part")
    with pa.OSFile(str(draft), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    draft.replace(path)


def _read(path: Path) -> pa.Table:
    with pa.OSFile(str(path)) as source:
        return pa.ipc.open_file(source).read_all()
