"""The brief for one account when somebody asks for it, whether it gets a task or not, with its evidence."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from model.stakeholders import whom_to_reach
from sync.brief_desk import open_desk
from sync.briefs.draft import BriefRequest
from sync.briefs.evidence import read_evidence
from sync.briefs.facts import Fact
from sync.briefs.writing import Written, write_briefs
from sync.context import Account, read_accounts
from sync.find_account import NamedAccount, find_account, read_names
from sync.plays import Play
from sync.score_history import newest_score
from sync.tasks import Candidate, refusal, request_of

if TYPE_CHECKING:
    from sync.loop import Loop

ON_REQUEST: Final = {Play.NONE: Play.EXPAND}
"""What a brief on request is about where no play fits: what would be talked about in an expansion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountBrief:
    """A brief, what it was asked for with, and why no task would be made, if so.

    What people wrote in the CRM (opt-out, status, not before) is not looked at here: the plan does that."""

    account: NamedAccount
    score: dict[str, Any]
    request: BriefRequest
    written: Written
    no_task: str | None

    @property
    def facts(self) -> tuple[Fact, ...]:
        """What the brief may be made of, by id."""
        return tuple(sorted(self.request.facts.values(), key=lambda fact: fact.id))


def brief_account(loop: Loop, wanted: str, *, language: str = "", style: str = "") -> AccountBrief:
    """The brief for the account that `wanted` names, from its newest score and the lake.

    `language` and `style` go before those of the settings; Claude writes where [briefs]
    says so. Raises UsageError for an account that is unknown or not scored, SettingError for a language
    without texts."""
    tables = loop.tables().tables
    named = find_account(read_names(tables), wanted)
    score = newest_score(loop.store, named)
    as_of = score["as_of"]
    loop.tell("Gather the evidence", 0, None)
    account = read_accounts(tables, as_of).get(named.account_id) or Account(
        account_id=named.account_id, name=named.name
    )
    candidate = Candidate(score=score, account=account, said={}, reach=whom_to_reach(account.contacts, as_of))
    evidence = read_evidence(tables, [score], as_of)[named.account_id]
    play = ON_REQUEST.get(candidate.play, candidate.play)
    request = request_of(candidate, evidence, play, loop.settings)
    request = replace(request, language=language or request.language, style=style or request.style)
    refused = refusal(candidate, as_of)
    with open_desk(
        loop.settings.briefs,
        loop.store,
        run_id=f"brief-{secrets.token_hex(8)}",  # a run of its own, for the cap of a run
        clock=loop.clock,
        sleep=time.sleep,
        tell=lambda what: loop.tell(what, 0, None),
        notice=loop.notice,
    ) as desk:
        written = write_briefs([request], desk)[named.account_id]
    return AccountBrief(
        account=named,
        score=score,
        request=request,
        written=written,
        no_task=None if refused is None else refused[1],
    )
