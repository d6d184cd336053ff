"""A draft with its facts put in: the brief in three lengths, whoever wrote the draft.

Reasons for and against are listed here from the evidence, so that no writer can leave them out or change
them; so are the company's own rules for the play.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sync.briefs.draft import Brief, BriefRequest, Draft
from sync.briefs.slots import Slots
from sync.cells import cut

NEWLINE: Final = "\n"
FIELD_LENGTH: Final = 255
SUBJECT_LENGTH: Final = 255
TASK_LENGTH: Final = 4_000


def render(draft: Draft, request: BriefRequest) -> Brief:
    """The brief. Raises ValueError for a slot whose fact is missing, and for a digit outside a slot."""
    slots = Slots(evidence=request.facts, currency=request.currency)
    reasons = [slots.fill(f"{{reason_{n}}}") for n in (1, 2, 3)]
    against = [slots.fill(f"{{against_{n}}}") for n in (1, 2)]
    sections = {
        "Open with": slots.said(draft.opener),
        "Propose": slots.said(draft.proposal),
        "Why it matters to them": slots.said(draft.impact),
        "Why now": _list(reasons),
        "Speaks against": _list(against),
        "If they say": _list(
            [f'"{slots.said(each.says)}" – {slots.said(each.answer)}' for each in draft.objections]
        ),
        "Ask": slots.said(draft.ask),
        "Whom to reach": slots.said(draft.whom),
        "Don't": _list([*(slots.said(text) for text in draft.avoid), *request.do_not]),
    }
    known = {title: text for title, text in sections.items() if text}
    parts = {title: f"{title}:{text if text[0] == NEWLINE else f' {text}'}" for title, text in known.items()}
    task = "\n\n".join(part for title, part in parts.items() if title != "Speaks against")
    full = "\n\n".join(parts.values())
    return Brief(
        subject=_subject(request, slots),
        field=_field(known, reasons),
        task=cut(task, TASK_LENGTH),
        full=full,
    )


def headline(sentence: str) -> str:
    """The first statement of a reason: `Seats 96 % used, above …` gives `seats 96 % used`."""
    head = sentence.split(" (", 1)[0].split(", ", 1)[0].strip().rstrip(".")
    return head[:1].lower() + head[1:] if head[1:2].islower() else head


def _subject(request: BriefRequest, slots: Slots) -> str:
    expands = request.template != "nurture"
    kind = "Expansion" if expands else "Check-in"
    what = request.offer.product if expands else None
    reason = slots.fill("{reason_1}")
    parts = [part for part in (what, headline(reason) if reason else None) if part]
    text = f"{kind}: {request.account_name} – {', '.join(parts)}"
    return cut(" ".join(text.split()).rstrip(" –"), SUBJECT_LENGTH)


def _field(known: Mapping[str, str], reasons: Sequence[str | None]) -> str:
    first = next((reason for reason in reasons if reason), None)
    parts = [first, known.get("Propose"), known.get("Ask")]
    return cut(
        " ".join(part if part.endswith((".", "!")) else f"{part}." for part in parts if part), FIELD_LENGTH
    )


def _list(lines: Sequence[str | None]) -> str:
    return "".join(f"\n- {line}" for line in lines if line)
