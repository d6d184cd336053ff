"""What the ledger says about one account's score, now and before."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, case, func, or_, select

from connectors.errors import UsageError
from sync.find_account import NamedAccount
from sync.lineage import Lineage
from sync.store import Store
from sync.store.scores import SCORES, latest_scoring
from sync.store.tables import ModelRunRow, ScoreRow


def newest_score(store: Store, account: NamedAccount) -> dict[str, Any]:
    """The account's row of the newest scoring, with the columns of SCORES, its parts and its run_id.

    Raises UsageError when nothing is scored yet, or this account was not."""
    scoring = latest_scoring(store)
    if scoring is None:
        raise UsageError("nothing is scored yet.", fix="score first: upswell score")
    found = _row(store, account.account_id, scoring.run_id)
    if found is None:
        raise UsageError(
            f"{account.name} was not scored as of {scoring.as_of}: it was no active customer that day, "
            "or came later.",
            record=account.account_id,
            fix="Check its billing and customer_since, then: upswell pull, upswell score",
        )
    return found


def score_before(store: Store, account_id: str, as_of: date, lineage: Lineage) -> dict[str, Any] | None:
    """The account's row of the newest scoring as of an earlier day, or None.

    It may stand under another id: that of a record which was merged into the account's since."""
    query = (
        select(ScoreRow.run_id, ScoreRow.account_id)
        .join(ModelRunRow, ModelRunRow.run_id == ScoreRow.run_id)
        .where(*_scored(account_id, lineage), ScoreRow.as_of < as_of)
        .order_by(
            ScoreRow.as_of.desc(),
            ModelRunRow.scored_at.desc(),
            case((ScoreRow.account_id == account_id, 0), else_=1),
            ScoreRow.probability.desc(),
        )
        .limit(1)
    )
    with store.session() as session:
        found = session.execute(query).first()
    return None if found is None else _row(store, found.account_id, found.run_id)


def first_scored(store: Store, account_id: str, lineage: Lineage) -> date | None:
    """The first day as of which the account, or a record merged into it, has a score."""
    with store.session() as session:
        return session.scalar(select(func.min(ScoreRow.as_of)).where(*_scored(account_id, lineage)))


def _scored(account_id: str, lineage: Lineage) -> tuple[ColumnElement[bool], ...]:
    own = or_(ScoreRow.account_id == account_id, ScoreRow.crm_id.in_(lineage.records(account_id)))
    return own, ScoreRow.probability.is_not(None)


def _row(store: Store, account_id: str, run_id: str) -> dict[str, Any] | None:
    with store.session() as session:
        row = session.get(ScoreRow, (run_id, account_id))
        if row is None:
            return None
        kept = {name: getattr(row, name) for name in (*SCORES.names, "parts")}
        return kept | {"run_id": run_id}
