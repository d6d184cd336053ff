"""Why every score moved since the scoring before, from what the ledger kept of it."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
from sqlalchemy import select

from model.movement import Said, moved_column, movements
from sync.lineage import Lineage, one_an_account
from sync.store import Store
from sync.store.scores import latest_scoring
from sync.store.tables import ScoreRow


def with_movement(store: Store, scores: pa.Table, as_of: date, lineage: Lineage | None = None) -> pa.Table:
    """The scores with `moved` beside them: null for an account that the scoring before did not know.

    The scoring before is the newest as of an earlier day. An account merged since goes by its own row there,
    else by that of the record that it took in."""
    before = latest_scoring(store, before=as_of)
    earlier = {} if before is None else _said(store, before.run_id, lineage or Lineage())
    ids = scores["account_id"].to_pylist()
    return scores.append_column(
        "moved",
        moved_column(
            movements(
                [earlier.get(account_id) for account_id in ids],
                since=as_of if before is None else before.as_of,
                as_of=as_of,
                probability=scores["probability"].to_numpy(),
                parts=[dict(row) for row in scores["parts"].to_pylist()],
                codes=scores["reason_codes"].to_pylist(),
            )
        ),
    )


def _said(store: Store, run_id: str, lineage: Lineage) -> dict[str, Said]:
    """What that scoring said, by what the account is now."""
    columns = (
        ScoreRow.account_id,
        ScoreRow.crm_id,
        ScoreRow.probability,
        ScoreRow.parts,
        ScoreRow.reason_codes,
    )
    wanted = (ScoreRow.run_id == run_id, ScoreRow.probability.is_not(None))
    with store.session() as session:
        rows = one_an_account(session.execute(select(*columns).where(*wanted)), lineage)
    return {
        account: Said(probability=row.probability, parts=row.parts, codes=row.reason_codes)
        for account, row in rows.items()
        if row.parts is not None
    }
