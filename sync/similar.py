"""What became of accounts scored alike: by the newest scoring whose horizon has ended, else by training."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
from sqlalchemy import select

from model.similar import Matured, like_this, matured
from model.trained import TrainedModel
from model.wordsmith import write_day
from sync.identity import Resolved
from sync.lineage import one_an_account
from sync.matured import came_of, foretold
from sync.store import Store
from sync.store.tables import ScoreRow


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
    """The newest scoring for the same target whose horizon had ended by `as_of`, with what happened."""
    target = trained.target
    ended = [
        scoring
        for scoring in foretold(store, target)
        if scoring.last <= as_of and scoring.target.fingerprint == target.fingerprint
    ]
    if not ended:
        return None
    newest = ended[-1]
    columns = (ScoreRow.account_id, ScoreRow.crm_id, ScoreRow.probability, ScoreRow.is_pipeline)
    wanted = (ScoreRow.run_id == newest.run_id, ScoreRow.probability.is_not(None))
    with store.session() as session:
        said = one_an_account(session.execute(select(*columns).where(*wanted)), resolved.lineage)
    grown = came_of(resolved.tables, [newest])[newest.run_id]
    counted = [account for account, row in said.items() if not row.is_pipeline]
    return matured(
        np.array([said[account].probability for account in counted], float),
        np.array([account in grown for account in counted], float),
        f"scores of {write_day(newest.as_of, as_of)}",
    )
