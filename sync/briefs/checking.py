"""Whether what Claude wrote may go out: every rule that a draft breaks, none where it is sound.

The rules fail closed. Prose is made of letters of its language and plain marks; whatever a reader could take
for a fact (a number, a date, a name, a direction, a unit, a link) stands in a slot, which our code fills in.
A word that only looks like one of these is refused too: the template is never far.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from sync.briefs.copied import Heard
from sync.briefs.draft import Draft
from sync.briefs.lexicon import Lexicon, languages, lexicon
from sync.briefs.prose import sentences, tokens
from sync.briefs.sentence_rules import PRICE, problems_in
from sync.briefs.terms import GOAL, MET, PERSON, PRODUCT, REASON, USAGE, Terms

LONGEST: Final = {
    "opener": 500,
    "proposal": 500,
    "impact": 500,
    "says": 160,
    "answer": 320,
    "ask": 280,
    "whom": 240,
    "avoid": 200,
}
"""Characters of a part, its slots unfilled."""
FEWEST_WORDS: Final = 2
OBJECTIONS: Final = (2, 3)
MOST_AVOID: Final = 4
SENTENCES_OF_ASK: Final = 2
SHARE_OF_STOP_WORDS: Final = 0.12
LONG_ENOUGH: Final = 7  # words from which on a text shows its language


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One rule that a part of the draft breaks; `word` is told to the model, and to nobody else."""

    part: str
    rule: str
    word: str = ""

    def __str__(self) -> str:
        return f"{self.part}: {self.rule}"


def check(draft: Draft, terms: Terms) -> tuple[Refusal, ...]:
    """Every rule that the draft breaks. Raises KeyError for a language that the check does not know."""
    known = lexicon(terms.language)
    heard = Heard.of(terms.untrusted)
    found = [*_shape(draft, terms)]
    for part, text in parts_of(draft):
        found += _text(part, text, terms, known, heard)
    found += _language(parts_of(draft), known)
    return tuple(dict.fromkeys(found))


def parts_of(draft: Draft) -> list[tuple[str, str]]:
    """Every text of the draft with its part."""
    objections = [
        pair for each in draft.objections for pair in (("says", each.says), ("answer", each.answer))
    ]
    return [
        ("opener", draft.opener),
        ("proposal", draft.proposal),
        ("impact", draft.impact),
        *objections,
        ("ask", draft.ask),
        ("whom", draft.whom),
        *(("avoid", text) for text in draft.avoid),
    ]


def _shape(draft: Draft, terms: Terms) -> Iterator[Refusal]:
    """Which parts there have to be, and which facts each has to name."""
    for part in ("opener", "proposal", "ask"):
        if not getattr(draft, part).strip():
            yield Refusal(part=part, rule="empty")
    if not OBJECTIONS[0] <= len(draft.objections) <= OBJECTIONS[1]:
        yield Refusal(part="objections", rule="two or three are needed")
    if not 1 <= len(draft.avoid) <= MOST_AVOID:
        yield Refusal(part="avoid", rule="one to four are needed")
    if len(sentences(draft.ask)) > SENTENCES_OF_ASK:
        yield Refusal(part="ask", rule="more than one ask")
    for part, text, groups in (
        ("opener", draft.opener, (USAGE, MET, REASON)),
        ("proposal", draft.proposal, (PRODUCT,)),
        ("impact", draft.impact, (GOAL,)),
        ("whom", draft.whom, (PERSON,)),
    ):
        offered = {term.name for term in terms.in_part(part) if term.group in groups}
        named = {token.slot for token in tokens(text) if token.kind == "slot"}
        if offered and not offered & named:
            yield Refusal(part=part, rule="names none of its facts", word=" ".join(sorted(offered)))
    if draft.whom.strip() and not terms.in_part("whom"):
        yield Refusal(part="whom", rule="nobody is known to reach")


def _text(part: str, text: str, terms: Terms, known: Lexicon, heard: Heard) -> Iterator[Refusal]:
    if len(text) > LONGEST[part]:
        yield Refusal(part=part, rule="too long")
    if text != unicodedata.normalize("NFC", text):
        yield Refusal(part=part, rule="letters put together from pieces")
    found = tokens(text)
    for token in found:
        if token.kind == "stray":
            yield Refusal(part=part, rule="forbidden character", word=_shown(token.text))
    yield from _glued(part, text)
    words = sum(token.kind == "word" for token in found)
    if text.strip() and words < FEWEST_WORDS and not any(token.kind == "slot" for token in found):
        yield Refusal(part=part, rule="too short")
    allowed = {term.name for term in terms.in_part(part)}
    for token in found:
        if token.kind == "slot" and token.slot in terms.slots and token.slot not in allowed:
            yield Refusal(part=part, rule="slot of another part", word=token.text)
    for sentence in sentences(text):
        for rule, word in problems_in(sentence, terms, known):
            if part == "avoid" and rule == PRICE:
                continue  # not to name it is what is said there
            yield Refusal(part=part, rule=rule, word=word)
    if heard.repeats(text, known):
        yield Refusal(part=part, rule="repeats what somebody wrote")


def _glued(part: str, text: str) -> Iterator[Refusal]:
    """Marks or slots without a blank beside words: how a domain, or a word around a slot, is written."""
    found = tokens(text)
    for left, middle, right in zip(found, found[1:], found[2:], strict=False):
        if middle.text in ".:;!?" and middle.kind == "mark" and {left.kind, right.kind} <= {"word", "slot"}:
            yield Refusal(part=part, rule="mark inside a word", word=f"{left.text}{middle.text}{right.text}")
    for left, right in pairwise(found):
        kinds = {left.kind, right.kind}
        if kinds in ({"slot"}, {"slot", "word"}) or (
            kinds == {"slot", "mark"} and {left.text, right.text} & set("-'’")
        ):
            yield Refusal(part=part, rule="word joined to a slot", word=f"{left.text}{right.text}")


def _language(texts: Sequence[tuple[str, str]], known: Lexicon) -> Iterator[Refusal]:
    """The words by which a language is known: enough of ours, and in no long text more of another's."""
    every = {name: lexicon(name).lists["stop"] for name in languages()}
    total, ours = 0, 0
    for part, text in texts:
        words = [token.low for token in tokens(text) if token.kind == "word"]
        counts = {name: sum(word in stop for word in words) for name, stop in every.items()}
        own = counts.pop(known.language)
        total, ours = total + len(words), ours + own
        if len(words) >= LONG_ENOUGH and max(counts.values(), default=0) > own + 1:
            yield Refusal(part=part, rule="another language")
    if total and ours < total * SHARE_OF_STOP_WORDS:
        yield Refusal(part="brief", rule="another language")


def _shown(character: str) -> str:
    """A character by its name, so that none that can't be seen gets anywhere."""
    return unicodedata.name(character, f"U+{ord(character):04X}")
