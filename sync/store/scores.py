"""Scores in and out of the ledger: one row an account and scoring, as in the model's prediction table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

import pyarrow as pa
from sqlalchemy import insert, select

from connectors.errors import StateError
from model.shapes import LIKE_THIS, MILESTONE, MOVED, PRODUCT, REAL, REASON, TEXT, WHOM
from model.target import Target
from sync.store.engine import Store
from sync.store.tables import ModelRunRow, ScoreRow

SCORES: Final = pa.schema(
    [
        ("account_id", TEXT),
        ("crm_id", TEXT),
        ("as_of", pa.date32()),
        ("probability", REAL),
        ("tier", TEXT),
        ("arr_if_expands", REAL),
        ("arr_low", REAL),
        ("arr_high", REAL),
        ("expected_arr", REAL),
        ("product", TEXT),
        ("product_2", TEXT),
        ("timing", TEXT),
        ("health", TEXT),
        ("health_reasons", pa.list_(TEXT)),
        ("churn", REAL),
        ("contraction", REAL),
        ("priority", pa.int64()),
        ("reasons", pa.list_(REASON)),
        ("against", pa.list_(REASON)),
        ("reason_codes", pa.list_(TEXT)),
        ("products", pa.list_(PRODUCT)),
        ("moved", MOVED),
        ("like_this", LIKE_THIS),
        ("milestones", pa.list_(MILESTONE)),
        ("whom", WHOM),
        ("data_completeness", REAL),
        ("basis", TEXT),
        ("is_pipeline", pa.bool_()),
        ("model_version", TEXT),
    ]
)

MAY_LACK: Final = ("products", "moved", "like_this", "milestones", "whom")  # null where nobody says it
_LISTS: Final = ("health_reasons", "reasons", "against", "reason_codes")  # none is an empty one
_BATCH: Final = 5000  # rows that are in memory as dicts at a time


def save_scores(
    store: Store,
    run_id: str,
    scores: pa.Table,
    *,
    as_of: date,
    model_version: str,
    data_hash: str,
    now: datetime,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Keep a scoring and its rows, all or nothing; columns beyond those of `SCORES` and `parts` stay out.

    Raises StateError when the run has scored already, or a column is missing that isn't in `MAY_LACK`."""
    missing = [name for name in SCORES.names if name not in (*scores.column_names, *MAY_LACK)]
    if missing:
        raise StateError(
            f"the scores have no column {', '.join(missing)}.", record=run_id, fix="score with this version"
        )
    kept = scores.select([name for name in (*SCORES.names, "parts") if name in scores.column_names])
    with store.begin() as session:
        if session.get(ModelRunRow, run_id) is not None:
            raise StateError("this run has its scores already.", record=run_id, fix="start a new run")
        session.add(
            ModelRunRow(
                run_id=run_id,
                as_of=as_of,
                model_version=model_version,
                data_hash=data_hash,
                accounts=kept.num_rows,
                scored_at=now,
                detail=dict(detail or {}),
            )
        )
        session.flush()
        for start in range(0, kept.num_rows, _BATCH):
            rows = kept.slice(start, _BATCH).to_pylist()
            # as plain rows of the database: nobody needs them as objects
            session.connection().execute(
                insert(ScoreRow), [{"run_id": run_id, **_as_kept(row)} for row in rows]
            )


def target_of_scoring(run: ModelRunRow, stated: Target) -> Target:
    """The target that a scoring was about; the stated one where an older Upswell kept none."""
    kept = run.detail.get("target")
    return stated if kept is None else Target.from_json(kept)


def _as_kept(row: dict[str, Any]) -> dict[str, Any]:
    # health reasons may be sentences or structs with one: the ledger keeps what the model says, as JSON
    for name in _LISTS:
        row[name] = row[name] or []
    if row.get("parts") is not None:
        row["parts"] = dict(row["parts"])
    return row


def load_scores(store: Store, run_id: str) -> pa.Table:
    """The scores of a run, with the columns of `SCORES`, by priority and account.

    Raises StateError when the run scored nothing."""
    columns = [getattr(ScoreRow, name) for name in SCORES.names]
    query = select(*columns).where(ScoreRow.run_id == run_id)
    with store.session() as session:
        if session.get(ModelRunRow, run_id) is None:
            raise StateError("this run has no scores.", record=run_id, fix="score first: upswell score")
        rows = session.execute(query.order_by(ScoreRow.priority.nulls_last(), ScoreRow.account_id)).mappings()
        return pa.Table.from_pylist([dict(row) for row in rows], schema=SCORES)


def has_scores(store: Store, run_id: str) -> bool:
    """Whether the run has its scores."""
    with store.session() as session:
        return session.get(ModelRunRow, run_id) is not None


def latest_scoring(store: Store, *, before: date | None = None) -> ModelRunRow | None:
    """The scoring as of the latest day (of that day the one done last), or of the latest day before `before`.

    A look back, made today as of an earlier day, is never taken for how things stand."""
    newest = (ModelRunRow.as_of.desc(), ModelRunRow.scored_at.desc(), ModelRunRow.run_id.desc())
    query = select(ModelRunRow).order_by(*newest).limit(1)
    if before is not None:
        query = query.where(ModelRunRow.as_of < before)
    with store.session() as session:
        return session.scalars(query).first()
