"""The brief for one account when somebody asks for it, whether it gets a task or not, with its evidence."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from model.stakeholders import whom_to_reach
from sync.brief_desk import open_desk
from sync.briefs.draft import BriefRequest
from sync.briefs.evidence import read_evidence
from sync.briefs.facts import Fact
from sync.briefs.writing import Written, write_briefs
from sync.context import Account, read_accounts
from sync.find_account import NamedAccount, find_account, read_names
from sync.model_settings import target_of
from sync.occasions import read_occasions
from sync.play_rules import PlayRules
from sync.plays import Play
from sync.score_history import newest_score
from sync.tasks import Candidate, forbidden, request_of, unready
from sync.team import Team

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
    settings = loop.settings
    accounts = read_accounts(tables, as_of, sold_as=target_of(settings).kinds)
    account = accounts.get(named.account_id) or Account(account_id=named.account_id, name=named.name)
    candidate = Candidate(score=score, account=account, said={}, reach=whom_to_reach(account.contacts, as_of))
    evidence = read_evidence(tables, [score], as_of)[named.account_id]
    rules = PlayRules.of(settings)
    occasions = read_occasions(tables, as_of, rules.wanted) if rules.wanted else {}
    (fits,) = rules.fits([candidate], occasions, as_of)
    if fits:  # as the plan would have it
        play = max(fits, key=lambda fit: fit.weight).play
        request = request_of(candidate, evidence, rules.template(play), settings, play=play)
    else:
        request = request_of(candidate, evidence, ON_REQUEST.get(candidate.play, candidate.play), settings)
    request = replace(request, language=language or request.language, style=style or request.style)
    team = Team.read(tables, settings.owners, settings.company.timezone)
    with open_desk(
        settings.briefs,
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
        no_task=_no_task(candidate, team, as_of, fits=bool(fits)),
    )


def _no_task(candidate: Candidate, team: Team, today: date, *, fits: bool) -> str | None:
    """Why the account gets no task, the first reason that holds, whatever slots and tasks there are."""
    refused = forbidden(candidate, today) or (None if fits else unready(candidate))
    if refused is not None:
        return refused[1]
    _, nobody = team.takers(candidate.account)
    return nobody or None
