"""Why one account has its score: the ledger's reasons, the part of every signal family, and what moved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from connectors.errors import UsageError
from model.breakdown import Breakdown, Step, as_kept, break_down, steps_between
from model.milestones import Milestones, from_json
from model.movement import Said, movements
from sync.briefs.evidence import select
from sync.find_account import NamedAccount, find_account, read_names
from sync.score_history import first_scored, newest_score, score_before
from sync.snapshot_rows import rows_of

if TYPE_CHECKING:
    from sync.loop import Loop


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One account's newest score as the ledger keeps it, taken apart, and why it moved.

    `before` and `steps` are None while the ledger holds no score of an earlier day; `before` has that score's
    log_odds too. `moved` says the steps in a sentence, where both scores kept their parts. `milestones` are
    the model's, by product, and `people` the contacts' names by id.
    """

    account: NamedAccount
    score: dict[str, Any]
    product_names: dict[str, str]
    breakdown: Breakdown
    before: dict[str, Any] | None
    steps: tuple[Step, ...] | None
    moved: str | None
    milestones: Milestones
    people: dict[str, str]


def explain_account(
    loop: Loop, wanted: str, *, moved: bool = True, against: date | None = None
) -> Explanation:
    """The explanation of the account that `wanted` names; `moved` False leaves out what moved.

    It is compared with its newest score as of `against` or before, else with that of an earlier day.
    Raises UsageError for an account that is unknown or not scored, or was not by `against`; ModelError for
    a model that is gone."""
    resolved = loop.tables()
    account = find_account(read_names(resolved.tables), wanted)
    score = newest_score(loop.store, account)
    breakdown = _breakdown(loop, account.account_id, score)
    before = None
    if moved:
        until = score["as_of"] if against is None else against + timedelta(days=1)
        before = score_before(loop.store, account.account_id, until, resolved.lineage)
        if against is not None and (before is None or against >= score["as_of"]):
            first = first_scored(loop.store, account.account_id, resolved.lineage)
            raise _nothing_to_compare(account, against, first or score["as_of"], score["as_of"])
    steps, sentence = None, None
    if before is not None and score["probability"] is not None:
        if before["parts"] and score["parts"]:
            then, now = as_kept(before["parts"]), as_kept(score["parts"])
            sentence = _sentence(before, score)
        else:
            # a score of an older Upswell kept no parts: they come out as the data say today
            then, now = _breakdown(loop, account.account_id, before), breakdown
        before["log_odds"] = then.log_odds
        steps = steps_between(then, now, said_before=before["probability"], said_now=score["probability"])
    contacts = select(resolved.tables, "contacts", ("crm_id", "name"), [account.account_id])
    return Explanation(
        account=account,
        score=score,
        product_names={product.id: product.name for product in loop.products},
        breakdown=breakdown,
        before=before,
        steps=steps,
        moved=sentence,
        milestones=from_json(loop.registry.manifest(score["model_version"])["facts"].get("milestones")),
        people={row["crm_id"]: row["name"] or row["crm_id"] for row in contacts},
    )


def _breakdown(loop: Loop, account_id: str, score: dict[str, Any]) -> Breakdown:
    trained = loop.registry.load(score["model_version"])
    return break_down(trained, rows_of(loop, score["as_of"]).row(account_id))


def _sentence(before: dict[str, Any], score: dict[str, Any]) -> str | None:
    said = Said(probability=before["probability"], parts=before["parts"], codes=before["reason_codes"])
    (found,) = movements(
        [said],
        since=before["as_of"],
        as_of=score["as_of"],
        probability=np.array([score["probability"]]),
        parts=[score["parts"]],
        codes=[score["reason_codes"]],
    )
    return None if found is None else found.sentence


def _nothing_to_compare(account: NamedAccount, against: date, first: date, as_of: date) -> UsageError:
    if against >= as_of:
        return UsageError(
            f"{against} is not before {as_of}, the day of the newest score.",
            record="--against",
            fix="Name an earlier day, or leave it out for the score before.",
        )
    return UsageError(
        f"the ledger holds no score of {account.name} as of {against} or before.",
        record="--against",
        fix=f"Name {first} or a later day."
        if first < as_of
        else f"Wait for the next: its first is of {as_of}.",
    )
