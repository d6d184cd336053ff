"""The panel: as-of rows × features × labels, 4 weeks apart, the last on the scoring date."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from model.completeness import absent_columns, weight
from model.customers import active_customers
from model.days import calendar_date, day_number
from model.eligibility import Eligibility
from model.errors import ModelError
from model.expansions import expansion_events, how_many
from model.features.families import CATALOGUE, FAMILIES
from model.features.feature import Family, Inputs
from model.freshness import newest_days
from model.labels import outcomes, pipeline_rows
from model.losses import COLUMNS as LOSSES
from model.losses import loss_columns
from model.ownership import owned_products
from model.partials import usage_by_day
from model.product import Product
from model.signals import resolve_signals
from model.sources import read_sources
from model.target import Target
from model.timeline import CodedDays, code_days, read_timeline
from model.workspace import Workspace

STEP_DAYS = 28
# Trends look back a quarter; rows before that would be made of edges.
WARM_UP_DAYS = 84
# A row knows whole days only, so up to the day before its as-of date. The as-of date itself is complete
# in the past and hardly begun on the day of scoring: seen, it would make every recent count of the rows
# scored smaller than of the rows learnt from, and every probability too low (by a fifth, measured).
COMPLETE_AFTER_DAYS = 1
# Below this a figure is what is left of sums that cancel; no feature has a unit in which it means anything.
NOISE = 1e-12
# What a panel's table says of what came after each row.
OUTCOMES = ("label", "added_arr", "bought", "days_to", "observed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """As-of rows ready for scoring: `table` has account_id, as_of, is_pipeline, owned, then the features.

    Features are float64 with NaN for unknown, or text with null; `owned` lists product ids held that day.
    `data_completeness` is the share of signal families with any data for that account, each counted by the
    share of its needed columns that anybody delivers (0–1); `absent` names the others, by family. `through`
    has the newest day of which each source table tells anything, as known on the last of the as-of dates.
    """

    table: pa.Table
    features: tuple[str, ...]
    categorical: tuple[str, ...]
    signals: Mapping[str, float]
    absent: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    through: Mapping[str, date] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel(Rows):
    """Rows of many as-of dates with their outcomes.

    `table` adds OUTCOMES: label (1, 0 or null: the horizon has not ended), added_arr, bought (product id),
    days_to (days to the first expansion, null where none was seen yet) and observed (days of the horizon that
    have passed), and the columns of `model.losses`. Training uses rows with a label that are not pipeline.
    `data_hash` is the sha256 over canonical bytes of keys, features and labels; `history_days` is the span of
    data and `expansions` the number of expansion events in it, of accounts that have a row where some are not
    eligible.
    """

    data_hash: str
    history_days: int
    expansions: int


def build_panel(
    tables: Mapping[str, ir.Table],
    *,
    as_of: date,
    target: Target,
    products: tuple[Product, ...],
    months: int | None = None,
    signals: Mapping[str, float] | None = None,
    start: date | None = None,
) -> Panel:
    """Every eligible active customer on every as-of date: `as_of`, and back in steps of 28 days.

    It starts at `start`, else `months` before `as_of`, else 84 days after the first invoice or event.
    Raises ModelError when there is no data, or no active customer on any of the dates.
    """
    limits = resolve_signals(signals)
    eligible = check_eligibility(target, products)
    with Workspace(_backend(tables)) as space:
        sources = read_sources(tables, space)
        last = day_number(as_of)
        usage = usage_by_day(tables, sources, space)
        coded = code_days(usage, space)
        first_data = _first_day(coded, sources, last)
        if start is not None:
            first = day_number(start)
        elif months is not None:
            first = last - round(months * 30.4375)
        else:
            first = first_data + WARM_UP_DAYS
        days = tuple(range(last, max(min(first, last), 0) - 1, -STEP_DAYS))[::-1]
        inputs = _inputs(sources, coded, days, target=target, products=products, signals=limits, space=space)
        absent = absent_columns({**sources, **usage}, FAMILIES, inputs.days[-1])
        keys, columns = _figures(inputs, absent)
        dated = _on_as_of(inputs.rows)
        events = expansion_events(sources, target).filter(lambda t: t.day.between(first_data, last))
        labels = outcomes(sources, dated, target, data_end=last).order_by("row").to_pyarrow()
        columns |= _label_columns(labels)
        columns |= loss_columns(
            sources, dated, horizon_days=target.horizon_days, data_end=last, count=len(keys["as_of"])
        )
        table = _let_in(pa.table(keys | columns), eligible)
        features = tuple(name for name in CATALOGUE if name in columns)
        return Panel(
            table=table,
            features=features,
            categorical=tuple(name for name in features if CATALOGUE[name].categorical),
            signals=limits,
            absent=absent,
            through=newest_days(sources, usage, inputs.days[-1:])[inputs.days[-1]],
            data_hash=data_hash(table),
            history_days=last - first_data,
            expansions=how_many(events, table["account_id"] if eligible else None),
        )


def build_rows(
    tables: Mapping[str, ir.Table],
    *,
    as_of: date,
    target: Target,
    products: tuple[Product, ...],
    signals: Mapping[str, float] | None = None,
) -> Rows:
    """Every eligible active customer on `as_of`, for scoring. Raises ModelError when there is none."""
    built = build_days(tables, days=(as_of,), target=target, products=products, signals=signals)
    return built[as_of]


def build_days(
    tables: Mapping[str, ir.Table],
    *,
    days: Collection[date],
    target: Target,
    products: tuple[Product, ...],
    signals: Mapping[str, float] | None = None,
    families: Sequence[Family] = FAMILIES,
) -> Mapping[date, Rows]:
    """Every eligible active customer on each of the days, built at once, with the features of `families`; a
    day may be left without rows.

    Raises ModelError when there is none on any of them."""
    # with some families alone there is nothing to tell by who is eligible
    eligible = check_eligibility(target, products) if families is FAMILIES else None
    with Workspace(_backend(tables)) as space:
        sources = read_sources(tables, space)
        limits = resolve_signals(signals)
        usage = usage_by_day(tables, sources, space)
        coded = code_days(usage, space)
        asked = tuple(sorted({day_number(day) for day in days}))
        inputs = _inputs(sources, coded, asked, target=target, products=products, signals=limits, space=space)
        absent = absent_columns({**sources, **usage}, families, inputs.days[-1])
        keys, columns = _figures(inputs, absent, families)
        through = newest_days(sources, usage, inputs.days)
        table = _let_in(pa.table(keys | columns), eligible)
    features = tuple(name for name in CATALOGUE if name in columns)
    return {
        day: Rows(
            table=table.filter(pc.equal(table["as_of"], pa.scalar(day, pa.date32()))).combine_chunks(),
            features=features,
            categorical=tuple(name for name in features if CATALOGUE[name].categorical),
            signals=limits,
            absent=absent,
            through=through[day_number(day) - COMPLETE_AFTER_DAYS],
        )
        for day in days
    }


def rows_on(panel: Panel, as_of: date) -> Rows:
    """The panel's rows of one as-of date, as `build_rows` would make them; none for another day."""
    held = panel.table.filter(pc.equal(panel.table["as_of"], pa.scalar(as_of, pa.date32())))
    return Rows(
        table=held.drop_columns([*OUTCOMES, *LOSSES]).combine_chunks(),
        features=panel.features,
        categorical=panel.categorical,
        signals=panel.signals,
        absent=panel.absent,
        through=panel.through if as_of == pc.max(panel.table["as_of"]).as_py() else {},
    )


def check_eligibility(target: Target, products: Sequence[Product]) -> Eligibility | None:
    """Who the target lets in. Raises ModelError when it or a product names what is no feature."""
    names = {*CATALOGUE, "data_completeness"}
    for product in products:
        product.eligibility(names)
    return target.eligibility(names)


def data_hash(table: pa.Table) -> str:
    """sha256 over names and values of a table, the same on every machine and for every chunking."""
    digest = hashlib.sha256()
    for name in table.column_names:
        column = table[name].combine_chunks()
        digest.update(name.encode() + b"\0")
        if pa.types.is_floating(column.type):
            digest.update(np.ascontiguousarray(column.to_numpy(zero_copy_only=False), dtype="<f8").tobytes())
        else:
            digest.update("\x1f".join(_literals(column)).encode())
    return digest.hexdigest()


def _literals(column: pa.Array) -> Iterable[str]:
    """The `repr` of each value, each distinct value taken once where the type allows it."""
    if pa.types.is_nested(column.type):
        return map(repr, column.to_pylist())
    coded = column.dictionary_encode(null_encoding="encode")
    distinct = [repr(value) for value in coded.dictionary.to_pylist()]
    return map(distinct.__getitem__, coded.indices.to_pylist())


def _backend(tables: Mapping[str, ir.Table]) -> object:
    if not tables:
        raise ModelError("There are no tables to read.", fix="Pull data before training or scoring.")
    return next(iter(tables.values())).get_backend()


def _inputs(
    sources: Mapping[str, ir.Table],
    used: CodedDays,
    days: tuple[int, ...],
    *,
    target: Target,
    products: tuple[Product, ...],
    signals: Mapping[str, float],
    space: Workspace,
) -> Inputs:
    complete = tuple(day - COMPLETE_AFTER_DAYS for day in days)
    keys = active_customers(sources, complete, space)
    order = ibis.window(order_by=[keys.account_id, keys.day])
    keys = space.keep(keys.mutate(row=ibis.row_number().over(order)))
    if keys.count().to_pyarrow().as_py() == 0:
        raise ModelError(
            f"No account is an active customer on any of {len(days)} dates up to {calendar_date(days[-1])}.",
            fix="Check that billing has invoices with ARR or seats up to that date, or that accounts have "
            "customer_since; and that --as-of is not before the data.",
        )
    timeline = read_timeline(used, complete, space)
    coded = keys.left_join(timeline.accounts, "account_id")
    rows = space.keep(coded.select("row", "account_id", "account", "day"))
    arrays = rows.select("row", "day", account=ibis.coalesce(rows.account, -1)).order_by("row").to_pyarrow()
    return Inputs(
        sources=sources,
        timeline=timeline,
        rows=rows,
        days=complete,
        account=arrays["account"].to_numpy(),
        day=arrays["day"].to_numpy(),
        target=target,
        products=products,
        signals=signals,
        space=space,
    )


def _let_in(table: pa.Table, eligible: Eligibility | None) -> pa.Table:
    """The rows that are eligible, each by what was known on its day.

    Raises ModelError when none is: then the expression says something that nobody meant."""
    if eligible is None:
        return table
    kept = table.filter(pa.array(eligible.holds(table))).combine_chunks()
    if kept.num_rows == 0:
        raise ModelError(
            f"[target] eligible = {str(eligible)!r} lets in none of {table.num_rows:,} rows.",
            fix="See what each part of it leaves out: upswell target check",
        )
    return kept


def _on_as_of(rows: ir.Table) -> ir.Table:
    """The rows with `day` as their as-of date, from which outcomes and open deals are counted."""
    return rows.mutate(day=rows.day + COMPLETE_AFTER_DAYS)


def _figures(
    inputs: Inputs, absent: Mapping[str, tuple[str, ...]], families: Sequence[Family] = FAMILIES
) -> tuple[dict[str, pa.Array], dict[str, pa.Array]]:
    """Key columns, then feature columns with data_completeness, of every row in order."""
    rows = inputs.rows.order_by("row").to_pyarrow()
    n = rows.num_rows
    columns: dict[str, pa.Array] = {}
    families_seen = np.zeros(n)
    for family in families:
        built = family.build(inputs)
        if isinstance(built, ir.Table):
            built = built.to_pyarrow()
        at = built["row"].to_numpy()
        any_data = np.zeros(n, bool)
        for feature in family.features:
            column = built[feature.name].combine_chunks()
            if feature.categorical:
                texts = np.full(n, None, dtype=object)
                texts[at] = column.to_pylist()
                known = np.array([text is not None for text in texts], bool)
                columns[feature.name] = pa.array(texts, pa.string())
            else:
                values = np.full(n, np.nan)
                values[at] = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
                values = _significant(values)
                known = ~np.isnan(values)
                columns[feature.name] = pa.array(values)
            any_data |= known
        families_seen += any_data * weight(family, absent)
    days = rows["day"].to_numpy()
    keys = {
        "account_id": rows["account_id"].combine_chunks(),
        "as_of": pa.array((days + COMPLETE_AFTER_DAYS).astype("datetime64[D]")),
        "is_pipeline": _flags(pipeline_rows(inputs.sources, _on_as_of(inputs.rows), inputs.target), n),
        "owned": owned_products(inputs, n),
        "data_completeness": pa.array(families_seen / len(families)),
    }
    return keys, columns


def _significant(values: np.ndarray) -> np.ndarray:
    """Values at six significant digits, infinities as unknown.

    A sum's last bits depend on the order in which the engine's threads add up; without this the data
    hash, and trees near a border, would differ from run to run. Rounding at ten digits first settles
    values that lie half-way between two neighbours at six, where the last bit alone would decide.
    """
    values = np.where(np.isfinite(values), values, np.nan)
    values = np.where(np.abs(values) < NOISE, 0.0, values)
    return _rounded(_rounded(values, 10), 6)


def _rounded(values: np.ndarray, digits: int) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = 10.0 ** (digits - 1 - np.floor(np.log10(np.abs(values))))
    usable = np.isfinite(scale) & (scale > 0)
    scale = np.where(usable, scale, 1.0)
    # adding 0.0 turns −0.0 into 0.0
    rounded: np.ndarray = np.where(usable, np.round(values * scale) / scale, values) + 0.0
    return rounded


def _flags(rows: ir.Table, n: int) -> pa.Array:
    flags = np.zeros(n, bool)
    flags[rows.to_pyarrow()["row"].to_numpy()] = True
    return pa.array(flags)


def _label_columns(outcome: pa.Table) -> dict[str, pa.Array]:
    matured = outcome["matured"].to_numpy(zero_copy_only=False).astype(bool)
    expanded = outcome["expanded"].to_numpy(zero_copy_only=False).astype(bool)
    arr = np.where(
        matured & expanded, outcome["arr"].cast(pa.float64()).to_numpy(zero_copy_only=False), np.nan
    )
    bought = [p if m else None for p, m in zip(outcome["product_id"].to_pylist(), matured, strict=True)]
    return {
        "label": pa.array(np.where(matured, expanded.astype(float), np.nan)),
        "added_arr": pa.array(np.round(arr, 2)),
        "bought": pa.array(bought, pa.string()),
        "days_to": pa.array(outcome["days_to"].cast(pa.float64()).to_numpy(zero_copy_only=False)),
        "observed": pa.array(outcome["observed"].cast(pa.float64()).to_numpy(zero_copy_only=False)),
    }


def _first_day(coded: CodedDays, sources: Mapping[str, ir.Table], last: int) -> int:
    """The first day on which usage says anything, else billing; the longest useful history is five years."""
    for began in (coded.people.began, sources["usage"]["at"], sources["billing"]["at"]):
        first = began.min(where=began <= last).to_pyarrow().as_py()
        if first is not None:
            return max(int(first), last - 5 * 365)
    return last - 365
