"""One account scored as it is and as it would be: side by side, and never kept or written anywhere."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from model.assumptions import read_assumptions
from model.breakdown import Step, break_down, steps_between
from model.predict import predict_range
from model.what_if import Change, assume
from sync.find_account import NamedAccount, find_account, read_names
from sync.score_history import newest_score
from sync.snapshot_rows import rows_of

if TYPE_CHECKING:
    from sync.loop import Loop


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """An account's prediction of today's data, `actual`, beside the one under the assumptions, `assumed`.

    `changes` are the features that are otherwise, `steps` why the probability is; `unused` names assumed
    features at which the model does not look."""

    account: NamedAccount
    as_of: date
    product_names: dict[str, str]
    actual: dict[str, Any]
    assumed: dict[str, Any]
    changes: tuple[Change, ...]
    steps: tuple[Step, ...]
    unused: tuple[str, ...]


def assume_of(loop: Loop, wanted: str, text: str) -> WhatIf:
    """The account that `wanted` names under the assumptions of `text`, by the model of its newest score.

    Raises UsageError for an account that is unknown or not scored, ModelError for an assumption that can't
    be."""
    assumptions = read_assumptions(text)
    account = find_account(read_names(loop.tables().tables), wanted)
    score = newest_score(loop.store, account)
    trained = loop.registry.load(score["model_version"])
    day = rows_of(loop, score["as_of"])
    row = day.row(account.account_id)
    then, changes = assume(row, assumptions)
    cutoffs = loop.settings.tiers
    told = predict_range(
        trained,
        replace(day.rows, table=pa.concat_tables([row, then])),
        tiers={"very_high": cutoffs.very_high, "high": cutoffs.high, "medium": cutoffs.medium},
        products=loop.products,
    )
    actual, assumed = told.drop_columns(["parts"]).to_pylist()
    return WhatIf(
        account=account,
        as_of=score["as_of"],
        product_names={product.id: product.name for product in loop.products},
        actual=actual,
        assumed=assumed,
        changes=changes,
        steps=steps_between(
            break_down(trained, row),
            break_down(trained, then),
            said_before=actual["probability"],
            said_now=assumed["probability"],
        ),
        unused=tuple(change.feature for change in changes if change.feature not in trained.features),
    )
