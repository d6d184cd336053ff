"""Where briefs by Claude are written: what is kept is used again, the rest is asked for within the caps.

Each account gets exactly one brief. Whatever keeps Claude's from being sound (a fault, a cap, the check), the
template writes it, and the report says how many and why.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sync.briefs.batches import Batches
from sync.briefs.checking import Refusal, check
from sync.briefs.claude import LASTING, Answer, Claude, Fault
from sync.briefs.cost import Usage, dollars, micros, usual
from sync.briefs.draft import BriefRequest, Draft
from sync.briefs.kept import Kept, keep, read_kept
from sync.briefs.languages import speak
from sync.briefs.lexicon import knows, lexicon
from sync.briefs.prompt import Question, draft_of, messages_of, question_of
from sync.briefs.spend import Purse
from sync.settings_briefs import BriefSettings
from sync.store import Store

_BARE_GOAL: Final = re.compile(r"""(?:["“„«'’]\s?)?\{goal\}(?:\s?["”“»'’])?""")
_YEARLY: Final = re.compile(r"\{(?:arr|arr_high)\}")
NOT_SCHEMA: Final = Refusal(part="brief", rule="not of the schema")


@dataclass(slots=True, kw_only=True)
class BriefReport:
    """What was asked, at what cost, and who wrote how many. Money in millionths of a US dollar."""

    model: str
    briefs: int = 0
    kept: int = 0  # answers that were paid for before
    asked: int = 0
    in_batch: bool = False
    tokens_guessed: int = 0
    guessed: int = 0
    may_spend: int = 0
    by_claude: int = 0
    by_template: Counter[str] = field(default_factory=Counter)  # by fault
    refused: Counter[str] = field(default_factory=Counter)  # rules that drafts broke, at any try
    spent: int = 0
    tokens: int = 0

    def as_json(self) -> dict[str, Any]:
        """What the plan's summary holds."""
        return {
            "model": self.model,
            "briefs": self.briefs,
            "kept": self.kept,
            "asked": self.asked,
            "in_batch": self.in_batch,
            "tokens_guessed": self.tokens_guessed,
            "usd_guessed": float(dollars(self.guessed)),
            "usd_left": float(dollars(self.may_spend)),
            "by_claude": self.by_claude,
            "by_template": dict(self.by_template.most_common()),
            "refused": dict(self.refused.most_common()),
            "usd_spent": float(dollars(self.spent)),
            "tokens": self.tokens,
        }

    def estimate(self) -> str:
        """What is said before anything is sent."""
        if not self.asked:
            return f"Briefs by {self.model}: nothing to ask, {self.kept} kept"
        way = "in a batch at half the price" if self.in_batch else "one by one"
        return (
            f"Briefs by {self.model}: ask for {self.asked} {way}, {self.kept} kept; about "
            f"{self.tokens_guessed:,} tokens, USD {dollars(self.guessed):.2f}; the caps leave USD "
            f"{dollars(self.may_spend):.2f}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """A sound draft of Claude's with what it cost, or why there is none."""

    draft: Draft | None = None
    fault: Fault | None = None
    cost: Decimal = Decimal(0)


@dataclass(slots=True, kw_only=True)
class Desk:
    """One run's desk. `notice` says what it is going to cost, before anything is sent."""

    settings: BriefSettings
    store: Store
    purse: Purse
    claude: Claude
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]
    tell: Callable[[str], None] = lambda _: None  # how it goes on
    notice: Callable[[str], None] = lambda _: None  # what it is going to cost
    report: BriefReport = field(init=False)

    def __post_init__(self) -> None:
        self.report = BriefReport(model=self.settings.model)

    def draft(self, requests: Sequence[BriefRequest]) -> Mapping[str, Brought]:
        """A sound draft, or the reason for none, by account_id."""
        questions = {
            each.account_id: question_of(each, self.settings.model) for each in requests if _is_known(each)
        }
        brought = {each.account_id: Brought(fault=Fault.LANGUAGE) for each in requests if not _is_known(each)}
        self.report.briefs = len(requests)
        every = list(questions.values())
        batches = Batches(
            claude=self.claude,
            store=self.store,
            clock=self.clock,
            look=lambda: self.tell("Wait for the batch of briefs"),
        )
        waiting = batches.under_way()
        kept = read_kept(self.store, [each.key for each in every])
        todo = [each for each in every if each.key not in kept and each.key not in waiting]
        self._estimate(every, todo, kept)
        waited = {each.key for each in every} & waiting
        if len(todo) >= self.settings.batch_from:
            no_room = batches.send(todo, self.purse)
            waited |= {each.key for each in todo} - {each.key for each in no_room}
            brought |= {each.request.account_id: Brought(fault=Fault.CAP) for each in no_room}
            todo = []
        late = batches.wait(waited, self.settings.batch_wait_minutes, self.sleep) if waited else set()
        kept |= read_kept(self.store, sorted(waited - late))
        brought |= {
            each.request.account_id: Brought(fault=Fault.WAITING if each.key in late else Fault.REJECTED)
            for each in every
            if each.key in waited and each.key not in kept
        }
        for number, each in enumerate(every):
            if each.key in kept:
                brought[each.request.account_id] = self._sound(each, kept[each.key])
            elif each in todo:
                self.tell(f"Brief {number + 1} of {len(every)}")
                brought[each.request.account_id] = self._ask(each)
        self._count(brought)
        return brought

    def _estimate(
        self, every: Sequence[Question], todo: Sequence[Question], kept: Mapping[str, Kept]
    ) -> None:
        report = self.report
        report.kept, report.asked = sum(each.key in kept for each in every), len(todo)
        report.in_batch = len(todo) >= self.settings.batch_from
        fixed = todo[0].fixed_bytes if todo else 0
        guess: Usage = usual(fixed, sum(each.own_bytes for each in todo), len(todo))
        report.tokens_guessed = guess.tokens
        report.guessed = micros(guess, self.claude.price, batch=report.in_batch)
        report.may_spend = self.purse.left()
        self.notice(report.estimate())

    def _ask(self, question: Question) -> Brought:
        answer = self.claude.ask(question, messages_of(question), self.purse)
        return self._judged(question, answer, tries=1)

    def _sound(self, question: Question, kept: Kept) -> Brought:
        """What is kept, checked again: the rules may have become stricter, or it comes from a batch."""
        if kept.text is None:
            return Brought(fault=Fault.UNSOUND if kept.problems == "" else _fault(kept.problems))
        return self._judged(question, Answer(text=kept.text, cost=kept.cost), tries=kept.tries, is_kept=True)

    def _judged(self, question: Question, answer: Answer, *, tries: int, is_kept: bool = False) -> Brought:
        """The draft where it is sound; else asked for once more with the reasons; else none."""
        if answer.fault is not None and answer.fault not in (Fault.CUT, Fault.NOT_JSON):
            if answer.fault in LASTING:
                self._keep(question, None, answer.fault.value, tries, answer.cost)
            return Brought(fault=answer.fault, cost=dollars(answer.cost))
        draft, why = _read(question, answer)
        self.report.refused.update(str(each) for each in why)
        if draft is not None and not why:
            if not is_kept:
                self._keep(question, answer.text, "", tries, answer.cost)
            return Brought(
                draft=finished(draft, question.request.language), cost=dollars(0 if is_kept else answer.cost)
            )
        if tries > 1:
            fault = answer.fault or Fault.UNSOUND
            self._keep(question, None, fault.value, tries, answer.cost)
            return Brought(fault=fault, cost=dollars(answer.cost))
        messages = messages_of(question, answer.text, why) if answer.text else messages_of(question)
        second = self.claude.ask(question, messages, self.purse)
        both = Answer(
            text=second.text, fault=second.fault, cost=second.cost + (0 if is_kept else answer.cost)
        )
        return self._judged(question, both, tries=tries + 1)

    def _keep(self, question: Question, text: str | None, problems: str, tries: int, cost: int) -> None:
        kept = Kept(
            key=question.key,
            account_id=question.request.account_id,
            model=self.settings.model,
            text=text,
            problems=problems,
            tries=tries,
            cost=cost,
        )
        keep(self.store, [kept], self.clock())

    def _count(self, brought: Mapping[str, Brought]) -> None:
        report = self.report
        report.by_claude = sum(each.draft is not None for each in brought.values())
        report.by_template.update(str(each.fault) for each in brought.values() if each.fault is not None)
        report.spent, report.tokens = self.purse.spent()


def _read(question: Question, answer: Answer) -> tuple[Draft | None, tuple[Refusal, ...]]:
    """The draft of an answer, and the rules that it breaks."""
    try:
        read = json.loads(answer.text) if answer.fault is None else None
        draft = draft_of(read if isinstance(read, dict) else {})
    except ValueError:
        return None, (NOT_SCHEMA,)
    return draft, check(draft, question.terms)


def finished(draft: Draft, language: str) -> Draft:
    """The draft with what no writer may leave out: quotation marks around a customer's words, and a year
    beside money of a year."""
    mark = speak(language).texts.quote.format(text="{goal}")
    year = lexicon(language).a_year

    def finish(text: str) -> str:
        return _YEARLY.sub(rf"\g<0> {year}", _BARE_GOAL.sub(mark, text))

    return replace(
        draft,
        opener=finish(draft.opener),
        proposal=finish(draft.proposal),
        impact=finish(draft.impact),
        objections=tuple(replace(each, answer=finish(each.answer)) for each in draft.objections),
    )


def _is_known(request: BriefRequest) -> bool:
    return knows(request.language)


def _fault(name: str) -> Fault:
    return Fault(name) if name in set(Fault) else Fault.UNSOUND
