"""Scores whose horizon has ended, each with what came of it: all measuring of the past starts here."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from sync.lineage import one_an_account
from sync.outcomes import Expansion, expansions
from sync.store.tables import ModelRunRow, ScoreRow
from sync.versions import looks_back

if TYPE_CHECKING:
    from sync.workplace import Workplace


@dataclass(frozen=True, slots=True, kw_only=True)
class Matured:
    """One account in one scoring, and its expansions within the horizon; `arr_added` None where no amount is
    known. Accounts that were pipeline are not there: nothing was foretold of them."""

    run_id: str
    model_version: str
    as_of: date
    account_id: str
    probability: float
    tier: str
    arr_if_expands: float | None
    arr_low: float | None
    arr_high: float | None
    expected_arr: float | None
    product: str | None
    reasons: tuple[str, ...]  # codes
    against: tuple[str, ...]
    expansions: tuple[Expansion, ...]

    @property
    def expanded(self) -> bool:
        """Whether the account expanded."""
        return bool(self.expansions)

    @property
    def arr_added(self) -> float | None:
        """The sum of what was added, as far as amounts are known."""
        known = [event.arr for event in self.expansions if event.arr is not None]
        return sum(known) if known else None


def matured_scores(
    work: Workplace, today: date, *, runs: Collection[str] | None = None, newest: bool = False
) -> list[Matured]:
    """Every score of the ledger whose horizon has ended by `today`, of these runs; of the newest scoring
    alone when `newest`. Of several scorings as of one day the last counts; accounts merged since count once.

    Scorings that look back (by a model that knew later days) foretold nothing and are left out."""
    horizon = timedelta(days=work.target.horizon_days)
    lineage = work.tables().lineage
    with work.store.session() as session:
        ended = select(ModelRunRow).where(ModelRunRow.as_of <= today - horizon)
        of_day: dict[date, ModelRunRow] = {}
        for run in session.scalars(ended.order_by(ModelRunRow.as_of, ModelRunRow.scored_at)):
            if not looks_back(run.model_version, run.as_of) and (runs is None or run.run_id in runs):
                of_day[run.as_of] = run
        chosen = list(of_day.values())[-1:] if newest else list(of_day.values())
        if not chosen:
            return []
        happened: dict[str, list[Expansion]] = {}
        for event in expansions(work.tables().tables, work.target, through=today):
            happened.setdefault(event.account_id, []).append(event)
        found = []
        for run in chosen:
            rows = session.scalars(select(ScoreRow).where(ScoreRow.run_id == run.run_id))
            for account, row in one_an_account(rows, lineage).items():
                if row.is_pipeline or row.probability is None:
                    continue
                events = [e for e in happened.get(account, ()) if run.as_of < e.day <= run.as_of + horizon]
                found.append(_matured(row, run, account, tuple(events)))
    return found


def _matured(row: ScoreRow, run: ModelRunRow, account: str, events: tuple[Expansion, ...]) -> Matured:
    assert row.probability is not None
    return Matured(
        run_id=run.run_id,
        model_version=run.model_version,
        as_of=run.as_of,
        account_id=account,
        probability=row.probability,
        tier=row.tier,
        arr_if_expands=row.arr_if_expands,
        arr_low=row.arr_low,
        arr_high=row.arr_high,
        expected_arr=row.expected_arr,
        product=row.product,
        reasons=_codes(row.reasons),
        against=_codes(row.against),
        expansions=events,
    )


def _codes(reasons: list[Any]) -> tuple[str, ...]:
    return tuple(reason["code"] for reason in reasons or ())
