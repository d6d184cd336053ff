"""What the stated target comes to on the company's own history, and what is wrong with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import ibis
import numpy as np
import pyarrow as pa

from model.eligibility import Eligibility
from model.errors import ModelError
from model.expansions import is_expansion, is_won
from model.panel import build_rows, check_eligibility
from model.product import Product
from model.product import eligible as eligible_products
from model.scorecard import basis_of
from model.target import Target
from sync.outcomes import Expansion, expansions
from sync.target_problems import Known, Problem, find_problems

if TYPE_CHECKING:
    from sync.loop import Loop

NO_PRODUCT: Final = "(no product)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """The expansions of a calendar month: how many, their ARR, and how many by product id."""

    month: str  # 2026-03
    expansions: int
    arr: float
    products: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Opportunities of a type in a pipeline: all, won ones, and whether the target counts them."""

    opportunity_type: str
    pipeline: str
    opportunities: int
    won: int
    counted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One part of the eligibility expression, and how many of today's customers it lets in by itself."""

    text: str
    accounts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetCheck:
    """The target, what it counts month by month, whom it lets in, and what is wrong.

    `number` counts the different targets of the saved models, this one included; `since` is the first model
    that was trained for it, None when none was. `basis` is who would score: scorecard, blend or model."""

    sentence: str
    fingerprint: str
    number: int
    since: str | None
    today: date
    expansions: int
    from_billing: int
    months: tuple[Month, ...]
    kinds: tuple[Kind, ...]
    customers: int
    eligible: int
    clauses: tuple[Clause, ...]
    basis: str
    weight: float
    problems: tuple[Problem, ...]

    def facts(self) -> dict[str, Any]:
        """The check as plain values."""
        return asdict(self)


def check_target(loop: Loop) -> TargetCheck:
    """The check of the target in the settings. Raises UsageError while the lake is empty, ModelError for an
    expression that can't be read or names no feature."""
    target, today = loop.target, loop.today()
    eligible = check_eligibility(target, loop.products)
    tables = loop.tables().tables
    found = expansions(tables, target, through=today)
    kinds = _kinds(tables, target)
    loop.tell("Look at today's customers", 0, None)
    rows = build_rows(
        tables,
        as_of=today,
        target=replace(target, eligible=""),
        products=loop.products,
        signals=loop.signals,
    ).table
    let_in = rows.num_rows if eligible is None else int(eligible.holds(rows).sum())
    number, since = target_number(loop, target)
    history = (today - found[0].day).days if found else 0
    basis, weight = basis_of(len(found), history)
    known = Known(
        target=target,
        today=today,
        expansions=found,
        kinds=kinds,
        stages=_stages(tables),
        products=frozenset(product.id for product in loop.products),
        customers=rows.num_rows,
        eligible=let_in,
        unknown={} if eligible is None else _unknown(rows, eligible.names),
        amountless=_amountless(tables, target),
        unoffered=_unoffered(rows, loop.products),
    )
    return TargetCheck(
        sentence=target.sentence(loop.settings.company.currency),
        fingerprint=target.fingerprint,
        number=number,
        since=since,
        today=today,
        expansions=len(found),
        from_billing=sum(event.source == "billing" for event in found),
        months=tuple(by_month(found, today)),
        kinds=kinds,
        customers=rows.num_rows,
        eligible=let_in,
        clauses=() if eligible is None else tuple(_clauses(rows, eligible)),
        basis=basis,
        weight=weight,
        problems=tuple(find_problems(known)),
    )


def target_number(loop: Loop, target: Target) -> tuple[int, str | None]:
    """Which of the installation's targets this is, counted from 1, and the first model trained for it."""
    first: dict[str, str] = {}
    for version in loop.registry.versions():
        try:
            manifest = loop.registry.manifest(version)
        except ModelError:
            continue  # damaged, or of an older format: whose target it was can't be told
        trained_for = Target.from_json(dict(manifest["target"]))
        first.setdefault(trained_for.fingerprint, version)
    if target.fingerprint in first:
        return list(first).index(target.fingerprint) + 1, first[target.fingerprint]
    return len(first) + 1, None


def by_month(found: Sequence[Expansion], today: date) -> Iterable[Month]:
    """Every calendar month from the first expansion to today, those without any too."""
    if not found:
        return
    of_month: dict[str, list[Expansion]] = {}
    for event in found:
        of_month.setdefault(f"{event.day:%Y-%m}", []).append(event)
    year, month = found[0].day.year, found[0].day.month
    while (year, month) <= (today.year, today.month):
        label = f"{year:04}-{month:02}"
        events = of_month.get(label, [])
        yield Month(
            month=label,
            expansions=len(events),
            arr=round(sum(event.arr or 0.0 for event in events), 2),
            products=dict(Counter(event.product_id or NO_PRODUCT for event in events).most_common()),
        )
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)


def _kinds(tables: Mapping[str, Any], target: Target) -> tuple[Kind, ...]:
    deals = tables["opportunities"]
    told = deals.select(
        opportunity_type=ibis.coalesce(deals.opportunity_type, ""),
        pipeline=ibis.coalesce(deals.pipeline, ""),
        won=is_won(deals, target).cast("int64"),
        counted=is_expansion(deals, target),
    )
    grouped = told.group_by("opportunity_type", "pipeline", "counted").agg(
        opportunities=told.count(), won=told.won.sum()
    )
    ordered = grouped.order_by(
        ibis.desc("counted"), ibis.desc("won"), ibis.desc("opportunities"), "opportunity_type", "pipeline"
    )
    return tuple(Kind(**row) for row in ordered.to_pyarrow().to_pylist())


def _stages(tables: Mapping[str, Any]) -> frozenset[str]:
    column = tables["opportunities"].select("stage").distinct().to_pyarrow()["stage"]
    return frozenset(stage for stage in column.to_pylist() if stage)


def _amountless(tables: Mapping[str, Any], target: Target) -> int:
    """Won opportunities of the counted types that say no amount."""
    deals = tables["opportunities"]
    wanted = deals.filter(is_expansion(deals, target) & is_won(deals, target) & deals.amount.isnull())
    count: int = wanted.count().to_pyarrow().as_py()
    return count


def _unoffered(rows: pa.Table, products: Sequence[Product]) -> tuple[str, ...]:
    """The products that none of today's customers can be offered."""
    allowed = eligible_products(rows, tuple(products))
    return tuple(product.id for place, product in enumerate(products) if not allowed[:, place].any())


def _clauses(rows: pa.Table, eligible: Eligibility) -> Iterable[Clause]:
    for clause in eligible.clauses():
        yield Clause(text=str(clause), accounts=int(clause.holds(rows).sum()))


def _unknown(rows: pa.Table, names: Sequence[str]) -> dict[str, float]:
    """The share of today's customers for which each of the columns is unknown."""
    shares = {}
    for name in names:
        column = rows[name]
        if pa.types.is_string(column.type):
            missing = sum(not text for text in column.to_pylist())
        else:
            missing = int(np.isnan(column.to_numpy()).sum())
        shares[name] = missing / max(rows.num_rows, 1)
    return shares
