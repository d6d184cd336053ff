"""A draft with its facts put in: the brief in three lengths, whoever wrote the draft.

Reasons for and against are listed here from the evidence, so that no writer can leave them out or change
them; so are the company's own rules for the play. A text too long for its place loses whole parts first,
those that matter least.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sync.briefs.draft import Brief, BriefRequest, Draft
from sync.briefs.languages import Language, speak
from sync.briefs.said import say_source
from sync.briefs.slots import Slots
from sync.briefs.template import helps, topics
from sync.cells import cut, units

FIELD_LENGTH: Final = 255
SUBJECT_LENGTH: Final = 255
TASK_LENGTH: Final = 4_000
MOST_FOR, MOST_AGAINST = 3, 2
ORDER: Final = (
    *("opener", "proposal", "why_now", "weighs", "impact", "objections", "ask", "steps", "whom", "avoid"),
    *("against", "strengths"),
)
FULL_ONLY: Final = frozenset({"against", "strengths"})
DROPPED_FIRST: Final = ("steps", "objections", "impact", "whom", "why_now", "weighs", "proposal")
"""What a task's body gives up when it is too long; opener, ask and what not to say stay."""


def render(draft: Draft, request: BriefRequest, *, task_length: int = TASK_LENGTH) -> Brief:
    """The brief. Raises ValueError for a slot whose fact is missing, and for a digit outside a slot."""
    language = speak(request.language)
    slots = Slots(evidence=request.facts, language=language, currency=request.currency)
    parts = _parts(draft, request, slots)
    blocks = {name: _block(language, name, lines) for name in ORDER if (lines := parts.get(name))}
    return Brief(
        subject=_subject(request, slots),
        field=_field(parts, slots.fill(f"{{{'against' if helps(request) else 'reason'}_1}}") or ""),
        task=_within(blocks, task_length),
        full="\n\n".join(blocks.values()),
    )


def _parts(draft: Draft, request: BriefRequest, slots: Slots) -> dict[str, list[str]]:
    """The lines of each part, in its order; a part of several lines is a list."""
    quote = slots.language.texts.quote
    said = slots.said

    def quoted(text: str) -> str:
        return quote.format(text=said(text))

    sides = [_reasons(slots, "reason", MOST_FOR), _reasons(slots, "against", MOST_AGAINST)]
    names = ("why_now", "against")
    if helps(request):
        names = ("strengths", "weighs")
        sides[1] = sides[1] or [said(text) for text in slots.sayable(slots.language.texts.weighs)][:MOST_FOR]
    return dict(zip(names, sides, strict=True)) | {
        "opener": [quoted(draft.opener)] if draft.opener else [],
        "proposal": _known(said(draft.proposal)),
        "impact": _known(said(draft.impact)),
        "objections": [f"{quoted(each.says)} – {said(each.answer)}" for each in draft.objections],
        "ask": _known(said(draft.ask)),
        "steps": list(request.do),
        "whom": _known(said(draft.whom)),
        "avoid": [*(said(text) for text in draft.avoid), *request.do_not],
    }


LISTS: Final = FULL_ONLY | {"why_now", "weighs", "objections", "steps", "avoid"}


def _block(language: Language, name: str, lines: Sequence[str]) -> str:
    """A part under its title, a line that ends with a colon; a list's lines begin with a dash."""
    title = language.texts.title.format(title=language.texts.titles.get(name, name))
    mark = "- " if name in LISTS else ""
    return "\n".join([title, *(f"{mark}{' '.join(line.split())}" for line in lines)])


def _reasons(slots: Slots, side: str, most: int) -> list[str]:
    found = []
    for place in range(1, most + 1):
        fact = slots.evidence.get(f"{side}_{place}")
        sentence = slots.fill(f"{{{side}_{place}}}")
        if fact is not None and sentence:
            found.append(say_source(fact, sentence, slots.language))
    return found


def _within(blocks: dict[str, str], length: int) -> str:
    """The parts of a task's body, as many as fit; what speaks against it is for the full brief only."""
    kept = {name: text for name, text in blocks.items() if name not in FULL_ONLY}
    for name in DROPPED_FIRST:
        if units("\n\n".join(kept.values())) <= length:
            break
        kept.pop(name, None)
    return cut("\n\n".join(kept.values()), length)


def _subject(request: BriefRequest, slots: Slots) -> str:
    texts = slots.language.texts.subject
    for topic in topics(request):
        if subject := slots.choose(texts.get(topic, ()), request.account_id):
            return cut(" ".join(slots.said(subject).split()), SUBJECT_LENGTH)
    return cut(request.account_name, SUBJECT_LENGTH)


def _field(parts: dict[str, list[str]], reason: str) -> str:
    """Reason, proposal and ask; where there is no room for all three, reason and ask."""
    proposal, ask = (next(iter(parts[name]), "") for name in ("proposal", "ask"))
    whole = _sentences(reason, proposal, ask)
    return whole if units(whole) <= FIELD_LENGTH else cut(_sentences(reason, ask), FIELD_LENGTH)


def _sentences(*texts: str) -> str:
    return " ".join(text if text[-1] in ".!?…»”" else f"{text}." for text in texts if text)


def _known(text: str) -> list[str]:
    return [text] if text else []
