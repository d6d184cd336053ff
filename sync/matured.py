"""Scores whose horizon has ended, each with what came of it: all measuring of the past starts here."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from model.target import Target
from sync.briefs.evidence import Tables
from sync.identity import Resolved
from sync.lineage import one_an_account
from sync.outcomes import Expansion, expansions
from sync.store import Store
from sync.store.scores import target_of_scoring
from sync.store.tables import ModelRunRow, ScoreRow
from sync.versions import looks_back


@dataclass(frozen=True, slots=True, kw_only=True)
class Foretold:
    """A scoring that said something of days which nobody knew yet, and the target that it was about."""

    run_id: str
    model_version: str
    as_of: date
    target: Target

    @property
    def last(self) -> date:
        """The last day of its horizon."""
        return self.as_of + timedelta(days=self.target.horizon_days)


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


def foretold(store: Store, stated: Target, versions: Collection[str] | None = None) -> list[Foretold]:
    """The scorings of the ledger by these model versions, oldest first, of several as of one day the last.

    Scorings that look back (by a model that knew later days) foretold nothing and are left out. `stated` is
    the target of those that kept none."""
    with store.session() as session:
        runs = session.scalars(select(ModelRunRow).order_by(ModelRunRow.as_of, ModelRunRow.scored_at))
        of_day = {
            run.as_of: Foretold(
                run_id=run.run_id,
                model_version=run.model_version,
                as_of=run.as_of,
                target=target_of_scoring(run, stated),
            )
            for run in runs
            if not looks_back(run.model_version, run.as_of)
            and (versions is None or run.model_version in versions)
        }
    return list(of_day.values())


def came_of(tables: Tables, scorings: Sequence[Foretold]) -> Mapping[str, Mapping[str, list[Expansion]]]:
    """By scoring and account, the expansions within the scoring's horizon, by the target that it foretold."""
    through = max((scoring.last for scoring in scorings), default=date.min)
    of_target: dict[str, list[Expansion]] = {}
    found: dict[str, dict[str, list[Expansion]]] = {}
    for scoring in scorings:
        kind = scoring.target.fingerprint
        if kind not in of_target:
            of_target[kind] = expansions(tables, scoring.target, through=through)
        found[scoring.run_id] = {}
        for event in of_target[kind]:
            if scoring.as_of < event.day <= scoring.last:
                found[scoring.run_id].setdefault(event.account_id, []).append(event)
    return found


def matured_scores(
    store: Store,
    resolved: Resolved,
    stated: Target,
    today: date,
    *,
    versions: Collection[str] | None = None,
    newest: bool = False,
) -> list[Matured]:
    """Every score of the ledger whose horizon has ended by `today`, by these model versions; of the newest
    scoring alone when `newest`. Accounts merged since count once."""
    chosen = [each for each in foretold(store, stated, versions) if each.last <= today]
    chosen = chosen[-1:] if newest else chosen
    happened = came_of(resolved.tables, chosen)
    found = []
    with store.session() as session:
        for scoring in chosen:
            rows = session.scalars(select(ScoreRow).where(ScoreRow.run_id == scoring.run_id))
            for account, row in one_an_account(rows, resolved.lineage).items():
                if row.is_pipeline or row.probability is None:
                    continue
                events = happened[scoring.run_id].get(account, ())
                found.append(_matured(row, scoring, account, tuple(events)))
    return found


def _matured(row: ScoreRow, run: Foretold, account: str, events: tuple[Expansion, ...]) -> Matured:
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
