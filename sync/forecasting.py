"""The forecast of a company: closed won, open opportunities and the model, by fiscal quarter, nothing twice.

An account with an open expansion opportunity counts by that opportunity alone, and one that expanded since it
was scored counts as won alone; all others count by the model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import ibis
from sqlalchemy import func, select

from connectors.errors import UsageError
from model.expansions import is_expansion
from model.forecast import Span, expected_by_span, span_of
from sync.briefs.evidence import Tables
from sync.briefs.evidence import select as rows_of_table
from sync.find_account import NamedAccount, read_names
from sync.forecast_periods import quarters_from
from sync.outcomes import expansions
from sync.store.scores import latest_scoring, load_scores
from sync.store.tables import BookmarkRow

if TYPE_CHECKING:
    from sync.loop import Loop

MODEL, OPEN, WON = "Model only", "Open opportunity", "Closed won"
BASES: Final = (WON, OPEN, MODEL)
QUARTERS: Final = 4
GROUPINGS: Final = ("product", "owner", "segment")
NONE: Final = "(none)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Expected ARR of one basis in one quarter, for one group; `count` accounts, deals or expansions."""

    group: str
    basis: str
    quarter: str
    arr: float
    beyond_horizon: float
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Every line, the quarters they are of, and what was assumed or left out, in sentences."""

    scored_on: date
    today: date
    model_version: str
    currency: str
    quarters: tuple[Span, ...]
    lines: tuple[Line, ...]
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]

    def total(
        self, *, basis: str | None = None, quarter: str | None = None, group: str | None = None
    ) -> float:
        """The ARR of the lines that fit."""
        return sum(
            line.arr
            for line in self.lines
            if (basis is None or line.basis == basis)
            and (quarter is None or line.quarter == quarter)
            and (group is None or line.group == group)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """One account's, deal's or expansion's part of one quarter."""

    basis: str
    quarter: str
    account_id: str
    product: str | None
    arr: float
    beyond: float = 0.0


def make_forecast(loop: Loop, *, by: str | None = None) -> Forecast:
    """The forecast from the newest scoring and the lake; `by` is product, owner or segment.

    Raises UsageError while nothing is scored."""
    scoring = latest_scoring(loop.store)
    if scoring is None:
        raise UsageError("nothing is scored yet.", fix="score first: upswell score")
    tables = loop.tables().tables
    today = _today(loop, scoring.as_of)
    spans = tuple(
        Span(label=str(quarter), first=quarter.first_day, last=quarter.last_day)
        for quarter in quarters_from(today, loop.settings.company.fiscal_year_start, QUARTERS)
    )
    scores = {row["account_id"]: row for row in load_scores(loop.store, scoring.run_id).to_pylist()}
    won = [event for event in expansions(tables, loop.target, through=today) if event.day >= spans[0].first]
    deals = _open_deals(loop, tables)
    since = {event.account_id for event in won if event.day > scoring.as_of}
    counted = {deal["account_id"] for deal in deals} | since
    warnings: list[str] = []
    pieces = [
        *(
            _Piece(
                basis=WON,
                quarter=spans[0].label,
                account_id=event.account_id,
                product=event.product_id,
                arr=event.arr or 0.0,
            )
            for event in won
        ),
        *_of_deals(deals, scores, spans, loop.settings.company.currency, warnings),
        *(
            piece
            for row in scores.values()
            if row["account_id"] not in counted and not row["is_pipeline"]
            for piece in _of_model(row, spans, scoring.as_of, today, loop.target.horizon_days)
        ),
    ]
    group_of = _grouping(by, tables, {product.id: product.name for product in loop.products})
    return Forecast(
        scored_on=scoring.as_of,
        today=today,
        model_version=scoring.model_version,
        currency=loop.settings.company.currency,
        quarters=spans,
        lines=_lines(pieces, group_of),
        assumptions=_assumptions(loop.target.horizon_days, by),
        warnings=tuple(warnings),
    )


def _of_model(
    row: Mapping[str, Any], spans: tuple[Span, ...], scored_on: date, today: date, horizon_days: int
) -> Iterator[_Piece]:
    if row["probability"] is None or row["arr_if_expands"] is None:
        return
    expected = expected_by_span(
        spans,
        probability=row["probability"],
        arr=row["arr_if_expands"],
        timing=row["timing"],
        scored_on=scored_on,
        today=today,
        horizon_days=horizon_days,
    )
    for span, part in zip(spans, expected, strict=True):
        yield _Piece(
            basis=MODEL,
            quarter=span.label,
            account_id=row["account_id"],
            product=row["product"],
            arr=part.arr,
            beyond=part.beyond,
        )


def _of_deals(
    deals: list[dict[str, Any]],
    scores: Mapping[str, Mapping[str, Any]],
    spans: tuple[Span, ...],
    currency: str,
    warnings: list[str],
) -> Iterator[_Piece]:
    """Amount × probability of each open expansion opportunity; the model fills in what the CRM lacks."""
    later, foreign, unknown = 0.0, 0, 0
    for deal in deals:
        score = scores.get(deal["account_id"], {})
        amount = deal["amount"] if deal["amount"] is not None else score.get("arr_if_expands")
        chance = deal["probability"] if deal["probability"] is not None else score.get("probability")
        if deal["amount"] is None and deal["original_currency"] not in (None, currency):
            foreign += 1
        elif amount is None or chance is None:
            unknown += 1
        elif (at := span_of(deal["close_date"] or spans[0].last, spans)) is None:
            later += amount * chance
        else:
            yield _Piece(
                basis=OPEN,
                quarter=spans[at].label,
                account_id=deal["account_id"],
                product=deal["product_id"],
                arr=amount * chance,
            )
    if later:
        warnings.append(f"{currency} {later:,.0f} of open opportunities closes after {spans[-1].label}")
    if foreign:
        warnings.append(
            f"{foreign} open opportunities are left out: no rate leads from their currency to {currency}"
        )
    if unknown:
        warnings.append(f"{unknown} open opportunities are left out: neither CRM nor model say how much")


def _open_deals(loop: Loop, tables: Tables) -> list[dict[str, Any]]:
    """Open opportunities of the types that the target counts."""
    columns = ("account_id", "amount", "original_currency", "probability", "close_date", "product_id")
    deals = tables["opportunities"]
    is_open = ~ibis.coalesce(deals.is_closed, False)
    table = deals.filter(is_open & is_expansion(deals, loop.target))
    return rows_of_table({"open": table.order_by("crm_id")}, "open", columns)


def _today(loop: Loop, scored_on: date) -> date:
    """The day up to which the CRM was read, in the company's zone; never before the scoring's."""
    with loop.store.session() as session:
        read_until = session.scalar(select(func.max(BookmarkRow.until)))
    if read_until is None:
        return scored_on
    read_on: date = read_until.astimezone(ZoneInfo(loop.settings.company.timezone)).date()
    return max(scored_on, read_on)


def _grouping(by: str | None, tables: Tables, product_names: Mapping[str, str]) -> Any:
    """A function from a piece to its group's name."""
    if by is None:
        return lambda _piece: ""
    if by == "product":
        return lambda piece: product_names.get(piece.product or "", piece.product or NONE)
    accounts: dict[str, NamedAccount] = {account.account_id: account for account in read_names(tables)}
    owners = {row["crm_id"]: row["name"] for row in rows_of_table(tables, "owners", ("crm_id", "name"))}

    def group(piece: _Piece) -> str:
        account = accounts.get(piece.account_id)
        if account is None:
            return NONE
        if by == "segment":
            return account.segment or NONE
        return owners.get(account.owner_id or "") or account.owner_id or NONE

    return group


def _lines(pieces: list[_Piece], group_of: Any) -> tuple[Line, ...]:
    sums: dict[tuple[str, str, str], list[float]] = {}
    for piece in pieces:
        held = sums.setdefault((group_of(piece), piece.basis, piece.quarter), [0.0, 0.0, 0.0])
        held[0] += piece.arr
        held[1] += piece.beyond
        held[2] += 1
    return tuple(
        Line(
            group=group,
            basis=basis,
            quarter=quarter,
            arr=round(arr, 2),
            beyond_horizon=round(beyond, 2),
            count=int(count),
        )
        for (group, basis, quarter), (arr, beyond, count) in sorted(
            sums.items(), key=lambda item: (item[0][0], BASES.index(item[0][1]), item[0][2])
        )
    )


def _assumptions(horizon_days: int, by: str | None) -> tuple[str, ...]:
    said = [
        "Closed won: expansions closed in this quarter so far, by the rules of [target].",
        "Open opportunity: the CRM's amount × probability in its close date's quarter; overdue ones in this.",
        (
            f"Model only: probability × ARR if it expands, over {horizon_days} days from the scoring by "
            "timing (now: the first third; 30 days: the first two thirds; else evenly); after them the "
            "account's own rate goes on, which is a run rate and no prediction."
        ),
        "Nothing counts twice: an account with an open expansion opportunity counts by it alone.",
    ]
    if by == "product":
        said.append("By product: the model's part goes whole to the first product that it recommends.")
    if by == "owner":
        said.append("By owner: the owner of the account, for deals as well.")
    return tuple(said)
