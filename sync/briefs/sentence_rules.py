"""What is wrong with one sentence around its slots: each rule fails closed, and says why in a few words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from sync.briefs.lexicon import Lexicon
from sync.briefs.prose import Sentence, Token
from sync.briefs.terms import GOAL, MEASURED, PERSON, SAID, Term, Terms

ACRONYMS: Final = frozenset({"QBR", "CRM", "API", "IT", "CSM", "SLA", "ROI", "OK", "KPI"})
LONGEST: Final = 40  # letters of a word
SPELLED: Final = 3  # letters in a row that stand alone: a word spelled out

PRICE: Final = "price in a check-in"
Problem = tuple[str, str]
"""A rule, and the word that breaks it."""


def problems_in(sentence: Sentence, terms: Terms, lexicon: Lexicon) -> Iterator[Problem]:
    """Every rule that the sentence breaks."""
    words = [token for token in sentence if token.kind == "word"]
    yield from _words(sentence, words, terms, lexicon)
    slots = [(token, terms.slots.get(token.slot)) for token in sentence if token.kind == "slot"]
    known = [(token, term) for token, term in slots if term is not None]
    measured = [(token, term) for token, term in known if term.group in MEASURED]
    yield from (("unknown slot", token.text) for token, term in slots if term is None)
    yield from _days(known)
    yield from _directions(words, [term for _, term in measured], lexicon)
    if measured:
        yield from (("unit beside a fact", word.low) for word in words if lexicon.has("units", word.low))
    if any(term.group == PERSON for _, term in known):
        yield from (("role beside a person", word.low) for word in words if lexicon.has("roles", word.low))
    for clause in sentence.clauses:
        yield from _clause(clause, terms, lexicon)
        yield from _cues(clause, sentence, terms, lexicon)
    yield from _range([token.slot for token, _ in measured])


def _words(sentence: Sentence, words: Sequence[Token], terms: Terms, lexicon: Lexicon) -> Iterator[Problem]:
    first = next(iter(sentence), None)
    for word in words:
        low = word.low
        is_ours = frozenset(low) <= lexicon.letters | {"'", "-"} and len(low) <= LONGEST
        if not is_ours and word.text not in ACRONYMS:
            yield "letters of another script", low
        if lexicon.has("numbers", low):
            yield "number in words", low
        if lexicon.has("times", low) or word.text in lexicon.dates:
            yield "time or date in words", low
        if lexicon.has("links", low):
            yield "link", low
        if terms.no_price and lexicon.has("price", low):
            yield PRICE, low
        if word.text != word.text.lower() and not _may_be_capital(word, word is first, lexicon):
            yield "name or capital", word.text
    yield from _names(words, terms, lexicon)
    letters = [len(word.text) == 1 for word in words]
    if any(all(letters[start : start + SPELLED]) for start in range(len(letters) - SPELLED + 1)):
        yield "word spelled out", ""


def _may_be_capital(word: Token, is_first: bool, lexicon: Lexicon) -> bool:
    text = word.text
    if text in ACRONYMS or text in lexicon.capitals:
        return True
    plain = all(part[1:] == part[1:].lower() for part in text.replace("’", "-").replace("'", "-").split("-"))
    if not plain or not text[0].isupper():
        return False
    return (is_first and lexicon.opens(word.low)) or lexicon.is_noun(word.low)


def _names(words: Sequence[Token], terms: Terms, lexicon: Lexicon) -> Iterator[Problem]:
    """Names that are known, however they are written."""
    lows = [word.low for word in words]
    said = f" {' '.join(lows)} "
    for name in (*terms.names, *terms.people):
        spoken = " ".join(name.casefold().split())
        if spoken and f" {spoken} " in said and not lexicon.is_common(spoken):
            yield "name", spoken
    known = {part for name in terms.people for part in name.casefold().split() if len(part) > 2}
    yield from (("name", low) for low in lows if low in known and not lexicon.is_common(low))


def _days(slots: Sequence[tuple[Token, Term]]) -> Iterator[Problem]:
    """A day belongs to the fact that was named just before it."""
    last = None
    for token, term in slots:
        if not token.part:
            last = term.name
        elif token.part != "day" or not term.has_day:
            yield "unknown slot", token.text
        elif last != term.name:
            yield "day of another fact", token.text


def _directions(words: Sequence[Token], measured: Sequence[Term], lexicon: Lexicon) -> Iterator[Problem]:
    """A direction is said by a fact that has it, or not at all."""
    known = {term.direction for term in measured}
    denied = any(lexicon.has("not", word.low) for word in words)
    for word in words:
        for direction in ("up", "down"):
            if lexicon.has(direction, word.low) and (known != {direction} or denied):
                yield "direction that no fact has", word.low


def _clause(clause: Sequence[Token], terms: Terms, lexicon: Lexicon) -> Iterator[Problem]:
    words = [token.low for token in clause if token.kind == "word"]
    found = [
        terms.slots[token.slot] for token in clause if token.kind == "slot" and token.slot in terms.slots
    ]
    facts = [term for term in found if term.group in MEASURED or term.group in SAID or term.group == GOAL]
    if found:  # also of a name: whom not to reach is no answer to whom
        yield from (("negation beside a slot", word) for word in words if lexicon.has("not", word))
    if not facts:
        return
    if words and any(term.group in SAID for term in facts):
        yield "words in the clause of a reason", words[0]
    for word in words:
        if lexicon.has("about", word) or lexicon.has("up_near", word) or lexicon.has("down_near", word):
            yield "comparison beside a fact", word


def _cues(clause: Sequence[Token], sentence: Sentence, terms: Terms, lexicon: Lexicon) -> Iterator[Problem]:
    """Each fact has one of its own words in its clause (a goal: in its sentence)."""
    near = [token.low for token in clause if token.kind == "word"]
    wide = [token.low for token in sentence if token.kind == "word"]
    for token in clause:
        term = terms.slots.get(token.slot) if token.kind == "slot" and not token.part else None
        if term is None or term.group not in {*MEASURED, GOAL}:
            continue
        cues = lexicon.cues.get(term.name)
        words = wide if term.group == GOAL else near
        if cues is None or not any(word in cues for word in words):
            yield "fact without its own words", token.text


def _range(names: Sequence[str]) -> Iterator[Problem]:
    """Both ends of the range stand together, the lower one first."""
    ends = [name for name in names if name in ("arr_low", "arr_high")]
    if ends and ends != ["arr_low", "arr_high"]:
        yield "range turned round", " ".join(ends)
