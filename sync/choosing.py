"""Which accounts get a task: those that fit a play, that nothing speaks against, and that are worth most
within their owners' slots of the week. Every other account says why not.

An account gets at most one task at a time. A key is never used twice, an open task keeps its account out
whatever its quarter or play, and after a task the account is left in peace for some days.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Final
from zoneinfo import ZoneInfo

from sync.capacity import Bid, Missed, allot
from sync.planned import Skip, SkipReason
from sync.play_rules import Fit
from sync.settings import Settings
from sync.task_book import TaskBook
from sync.task_keys import key_of, task_key
from sync.tasks import Candidate, Chosen, Refusal, forbidden, unready
from sync.team import Team
from sync.workdays import Workdays

WORKWEEK: Final = 5  # days
Fits = Mapping[str, Sequence[Fit]]
"""The plays that fit, by account_id."""


@dataclass(frozen=True, kw_only=True)
class Week:
    """What choosing goes by: the day of the scores, the moment, the people, and the tasks there are."""

    settings: Settings
    team: Team
    book: TaskBook
    as_of: date
    now: datetime

    @property
    def today(self) -> date:
        """The company's date."""
        return self.now.astimezone(self.zone).date()

    @property
    def zone(self) -> ZoneInfo:
        """The company's zone."""
        return ZoneInfo(self.settings.company.timezone)

    @cached_property
    def workdays(self) -> Workdays:
        """The days on which people work."""
        return Workdays.of(self.settings.owners.holidays)

    @cached_property
    def holidays(self) -> int:
        """Days from Monday to Friday of this week on which nobody works."""
        monday = self.today - timedelta(days=self.today.weekday())
        return sum(not self.workdays.is_workday(monday + timedelta(days=day)) for day in range(WORKWEEK))

    def slots(self, person: str) -> int:
        """Tasks that the person takes this week: a holiday takes its fifth of them, to the nearest task."""
        return round(self.team.slots(person) * (WORKWEEK - self.holidays) / WORKWEEK)


@dataclass(slots=True, kw_only=True)
class _Contest:
    """Candidates with the plays that are left to them, and what became of the others."""

    week: Week
    open: dict[str, tuple[Candidate, dict[str, Fit]]] = field(default_factory=dict)  # by account; fits by key
    takers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    skips: list[Skip] = field(default_factory=list)

    def skip(self, candidate: Candidate, refused: Refusal) -> None:
        reason, detail = refused
        self.skips.append(
            Skip(
                account_id=candidate.account.account_id,
                record_id=candidate.score["crm_id"],
                subject="task",
                reason=reason,
                detail=detail,
            )
        )

    def bids(self) -> list[Bid]:
        return [
            Bid(
                account=account_id,
                play=fit.play,
                worth=candidate.worth(fit),
                takers=self.takers[account_id],
                rank=_rank(candidate),
            )
            for account_id, (candidate, fits) in self.open.items()
            for fit in fits.values()
        ]

    def drop(self, keys: Set[str]) -> None:
        """Take keys out that have their task already."""
        for account_id, (candidate, fits) in list(self.open.items()):
            left = {key: fit for key, fit in fits.items() if key not in keys}
            if not left:
                del self.open[account_id]
                self.skip(
                    candidate, (SkipReason.TASK_EXISTS, f"its task {next(iter(fits))} was made already")
                )
            else:
                self.open[account_id] = (candidate, left)


def choose(
    candidates: Sequence[Candidate], fits: Fits, week: Week, taken: Callable[[Sequence[str]], Set[str]]
) -> tuple[list[Chosen], list[Skip]]:
    """The accounts to make a task for, best rank first, and the others with the reason.

    `taken` says which of some keys have their task already although the ledger does not know it."""
    contest = _Contest(week=week)
    for candidate in sorted(candidates, key=lambda each: (_rank(each), each.account.account_id)):
        refused = _enter(contest, candidate, fits.get(candidate.account.account_id, ()))
        if refused is not None:
            contest.skip(candidate, refused)
    used = week.book.used_slots(week.today, week.settings.company.timezone)
    people = {person for takers in contest.takers.values() for person in takers}
    room = {person: week.slots(person) - used[person] for person in sorted(people)}
    asked: set[str] = set()
    while True:
        found = allot(contest.bids(), room)
        keys = {place.account: _key(week, place.account, place.play) for place in found.places}
        unknown = [key for key in keys.values() if key not in asked]
        made = taken(unknown) if unknown else frozenset()
        if not made:
            break
        asked.update(unknown)
        contest.drop(made)
    turns: Counter[str] = Counter()
    chosen = []
    for place in sorted(found.places, key=lambda each: _rank(contest.open[each.account][0])):
        candidate, plays = contest.open[place.account]
        turns[place.taker] += 1
        chosen.append(
            Chosen(
                candidate=candidate,
                fit=plays[keys[place.account]],
                key=keys[place.account],
                owner_id=place.taker,
                turn=turns[place.taker],
                slots=week.slots(place.taker),
            )
        )
    for missed in found.missed:
        words = _missed(missed, week, used)
        contest.skip(contest.open[missed.account][0], (SkipReason.CAPACITY, words))
    return chosen, contest.skips


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 11th."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{ending}"


def _enter(contest: _Contest, candidate: Candidate, fits: Sequence[Fit]) -> Refusal | None:
    """Let a candidate compete; or why it does not."""
    week, account_id = contest.week, candidate.account.account_id
    keys = {_key(week, account_id, fit.play): fit for fit in fits}
    new = {key: fit for key, fit in keys.items() if key not in week.book.keys}
    left = {key: fit for key, fit in new.items() if not _is_used(week, account_id, fit)}
    refused = (
        forbidden(candidate, week.today)
        or (None if fits else _no_play(candidate))
        or _open_task(week, account_id, keys)
        or (None if new else _made_already(keys))
        or (None if left else (SkipReason.TASK_EXISTS, "what starts its play had its task already"))
        or _cool_off(week, account_id)
    )
    if refused is not None:
        return refused
    takers, nobody = week.team.takers(candidate.account)
    if not takers:
        return SkipReason.NO_OWNER, nobody
    contest.takers[account_id] = takers
    contest.open[account_id] = (candidate, left)
    return None


def _no_play(candidate: Candidate) -> Refusal:
    plain = (SkipReason.TIMING, f"its play is {candidate.play}, which makes no task")
    return unready(candidate) or plain


def _open_task(week: Week, account_id: str, keys: Mapping[str, Fit]) -> Refusal | None:
    made = next(iter(week.book.open_of(account_id)), None)
    if made is None:
        return None
    is_this_one = key_of(account_id, made.play, made.cycle) in keys  # it may bear the id of an earlier day
    reason = SkipReason.TASK_EXISTS if is_this_one else SkipReason.TASK_OPEN
    return reason, f"its task {made.key} is open"


def _made_already(keys: Mapping[str, Fit]) -> Refusal:
    return SkipReason.TASK_EXISTS, f"its task {next(iter(keys))} was made already"


def _is_used(week: Week, account_id: str, fit: Fit) -> bool:
    """Whether the event that starts the play had a task since."""
    return fit.since is not None and any(
        task.play == fit.play and task.created_at.astimezone(week.zone).date() >= fit.since
        for task in week.book.by_account.get(account_id, ())
    )


def _cool_off(week: Week, account_id: str) -> Refusal | None:
    days, last = week.settings.owners.cool_off_days, week.book.last_at(account_id)
    if last is None or not days:
        return None
    last_day = last.astimezone(week.zone).date()
    until = last_day + timedelta(days=days)
    if until <= week.today:
        return None
    when = f"its last task was made or ended on {last_day.isoformat()}"
    return SkipReason.COOL_OFF, f"cool-off until {until.isoformat()}: {when}"


def _missed(missed: Missed, week: Week, used: Mapping[str, int]) -> str:
    """How far the account was from a slot, in words."""
    who, all_slots = week.team.called(missed.takers), sum(week.slots(each) for each in missed.takers)
    have = "has" if len(missed.takers) == 1 else "have"
    if not all_slots:
        return f"{who} {have} no slots" + (" in this week of holidays" if week.holidays else "")
    slots = f"{all_slots} {'slot' if all_slots == 1 else 'slots'} this week"
    if any(used.get(each) for each in missed.takers):
        slots += f", {missed.room} left"
    words = f"{ordinal(missed.position)} of {missed.rivals} for {who}, who {have} {slots}"
    if missed.short is None:
        return words
    more = f"{missed.short} more {'slot' if missed.short == 1 else 'slots'}"
    return f"{words}: {more} would reach it"


def _key(week: Week, account_id: str, play: str) -> str:
    return task_key(account_id, play, week.as_of, week.settings.company.fiscal_year_start)


def _rank(candidate: Candidate) -> float:
    priority = candidate.score["priority"]
    return float("inf") if priority is None else float(priority)
