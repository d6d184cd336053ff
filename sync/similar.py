"""What became of accounts scored alike: by the newest scoring whose horizon has ended, else by training."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
from sqlalchemy import select

from model.similar import Matured, like_this, matured
from model.trained import TrainedModel
from model.wordsmith import write_day
from sync.identity import Resolved
from sync.lineage import one_an_account
from sync.outcomes import expansions
from sync.store import Store
from sync.store.tables import ModelRunRow, ScoreRow
from sync.versions import looks_back


def with_like_this(
    store: Store, resolved: Resolved, scores: pa.Table, trained: TrainedModel, as_of: date
) -> pa.Table:
    """The scores with `like_this` beside them; null where too few accounts were scored alike."""
    past = _matured(store, resolved, trained, as_of)
    if past is None and (bands := trained.facts.get("bands")):
        past = Matured.from_json(bands)
    column = like_this(scores["probability"].to_numpy(), past, trained.target.horizon_days)
    return scores.append_column("like_this", column)


def _matured(store: Store, resolved: Resolved, trained: TrainedModel, as_of: date) -> Matured | None:
    """The newest scoring whose horizon had ended by `as_of`, with what happened; one made in hindsight, by a
    model that had seen the outcome, does not count."""
    horizon = timedelta(days=trained.target.horizon_days)
    newest = (ModelRunRow.as_of.desc(), ModelRunRow.scored_at.desc())
    columns = (ScoreRow.account_id, ScoreRow.crm_id, ScoreRow.probability, ScoreRow.is_pipeline)
    with store.session() as session:
        runs = session.scalars(
            select(ModelRunRow).where(ModelRunRow.as_of <= as_of - horizon).order_by(*newest)
        )
        run = next((run for run in runs if not looks_back(run.model_version, run.as_of)), None)
        if run is None:
            return None
        wanted = (ScoreRow.run_id == run.run_id, ScoreRow.probability.is_not(None))
        said = one_an_account(session.execute(select(*columns).where(*wanted)), resolved.lineage)
    last = run.as_of + horizon
    grown = {
        event.account_id
        for event in expansions(resolved.tables, trained.target, through=last)
        if event.day > run.as_of
    }
    counted = [account for account, row in said.items() if not row.is_pipeline]
    return matured(
        np.array([said[account].probability for account in counted], float),
        np.array([account in grown for account in counted], float),
        f"scores of {write_day(run.as_of, as_of)}",
    )
