"""Why one account has its score: the ledger's reasons, the part of every signal family, and what moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from model.breakdown import Breakdown, Step, break_down, steps_between
from sync.find_account import NamedAccount, find_account, read_names
from sync.score_history import newest_score, score_before
from sync.snapshot_rows import rows_of

if TYPE_CHECKING:
    from sync.loop import Loop


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One account's newest score as the ledger keeps it, taken apart, and why it moved.

    `before` and `steps` are None while the ledger holds no score of an earlier day; `before` has that score's
    log_odds too, as they come out today."""

    account: NamedAccount
    score: dict[str, Any]
    product_names: dict[str, str]
    breakdown: Breakdown
    before: dict[str, Any] | None
    steps: tuple[Step, ...] | None


def explain_account(loop: Loop, wanted: str, *, moved: bool = True) -> Explanation:
    """The explanation of the account that `wanted` names; `moved` False leaves out what moved.

    Raises UsageError for an account that is unknown or not scored, ModelError for a model that is gone."""
    resolved = loop.tables()
    account = find_account(read_names(resolved.tables), wanted)
    score = newest_score(loop.store, account)
    breakdown = _breakdown(loop, account.account_id, score)
    before = None
    if moved:
        before = score_before(loop.store, account.account_id, score["as_of"], resolved.lineage)
    steps = None
    if before is not None and score["probability"] is not None:
        then = _breakdown(loop, account.account_id, before)
        before["log_odds"] = then.log_odds
        steps = steps_between(
            then,
            breakdown,
            said_before=before["probability"],
            said_now=score["probability"],
        )
    return Explanation(
        account=account,
        score=score,
        product_names={product.id: product.name for product in loop.products},
        breakdown=breakdown,
        before=before,
        steps=steps,
    )


def _breakdown(loop: Loop, account_id: str, score: dict[str, Any]) -> Breakdown:
    trained = loop.registry.load(score["model_version"])
    return break_down(trained, rows_of(loop, score["as_of"]).row(account_id))
