"""A reason of the model in the words of a language, from its code and figures.

A reason whose code has no text in the language is said in general, by what its family of signals is called
there. One of which only the English sentence is known, from a score made by an earlier version, is said by
the short words of its code; only English itself takes the sentence.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from string import Formatter
from typing import Final

from model.reason_codes import CODE_OF
from sync.briefs.facts import Fact
from sync.briefs.languages import Language, ReasonTexts
from sync.briefs.values import say_day, say_value

ENGLISH: Final = "en"
FOR: Final = "up"


def say_reason(fact: Fact, language: Language, currency: str, *, short: bool = False) -> str:
    """The reason as a sentence without its full stop, or `short` as words inside one, perhaps none."""
    texts = language.texts.reasons.get(fact.code)
    if texts is not None:
        text = texts.short if short else _says(texts, fact)
        if (said := _fill(text, fact, language, currency)) is not None:
            return said
    return _general(fact, language, short=short)


def say_source(fact: Fact, sentence: str, language: Language) -> str:
    """The reason's sentence with the table that it comes from and the day of which it tells."""
    source = language.texts.sources.get(fact.source)
    if fact.day is None or source is None or not fact.figures:
        return sentence
    day = say_day(fact.day, language)
    return language.texts.sourced.format(sentence=sentence, source=source, day=day)


def _says(texts: ReasonTexts, fact: Fact) -> str:
    if texts.none and fact.feature and not any(round(float(str(f.value)), 3) for f in fact.figures[:1]):
        return texts.none
    variants = texts.variants.items()
    return next((text for pattern, text in variants if fnmatchcase(fact.feature, pattern)), texts.says)


def _fill(text: str, fact: Fact, language: Language, currency: str) -> str | None:
    """The text with the reason's figures; `{value}` is the first of them. None when one is missing."""
    figures = {figure.id: figure for figure in fact.figures}
    if fact.figures:
        figures["value"] = fact.figures[0]
    filled = []
    for prose, slot, form, _ in Formatter().parse(text):
        filled.append(prose)
        if slot is None:
            continue
        if slot not in figures:
            return None
        filled.append(
            say_value(
                figures[slot],
                language,
                currency,
                form="" if form in (None, "size") else form or "",
                size=form == "size",
            )
        )
    return "".join(filled)


def _general(fact: Fact, language: Language, *, short: bool) -> str:
    """What is said without the language's own texts: in English the sentence that the score holds."""
    if language.cldr.language == ENGLISH:
        return headline(str(fact.value)) if short else str(fact.value)
    known = CODE_OF.get(fact.code)
    family = language.texts.families.get(known.family, "") if known is not None else ""
    if short:
        return family
    side = "for" if fact.direction == FOR else "against"
    general = language.texts.general
    return general.get(side, "").format(family=family) if family else general.get(f"{side}_unnamed", "")


def headline(sentence: str) -> str:
    """The first statement of a sentence: `Seats 96 % used, above …` gives `seats 96 % used`."""
    head = sentence.split(" (", 1)[0].split(", ", 1)[0].strip().rstrip(".")
    return head[:1].lower() + head[1:] if head[1:2].islower() else head
