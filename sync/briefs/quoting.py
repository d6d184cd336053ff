"""Whether somebody's own words may be quoted in a brief, or be read by a model at all.

A quotation is set by our code, in quotation marks, with the day and under the customer's name. It holds no
link, no number but a quarter or a year, nothing that reads like an order to a machine or to the reader, and
something that customers aim at. Whoever writes notes can't smuggle in what to do; the price is that some
honest goals are passed over.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from typing import Final

from sync.briefs.draft import BriefRequest
from sync.briefs.facts import Fact
from sync.briefs.lexicon import languages, lexicon, parts
from sync.briefs.private import scrub
from sync.briefs.prose import MARKS, sentences, tokens

LONGEST: Final = 240
_TIME: Final = re.compile(r"\bQ[1-4]\b|\b(?:19|20)\d\d\b|\bH[12]\b")
HIDING: Final = frozenset({"Cf", "Cc", "Co", "Cn"})  # characters that can't be seen
_OF_A_PERSON: Final = frozenset({"notes", "tickets", "surveys"})


def is_free_text(fact: Fact) -> bool:
    """Whether people wrote it: it is quoted or left out, and never followed."""
    return fact.unit == "text" and fact.source in _OF_A_PERSON


def gives_orders(text: str) -> bool:
    """Whether the text reads like an order in any language that is known, or hides something."""
    plain = unicodedata.normalize("NFKC", text)
    hidden = any(unicodedata.category(letter) in HIDING for letter in plain if letter not in "\n\r\t")
    return hidden or any(_is_mixed(word) for word in plain.split()) or _holds(plain, "orders")


def is_quotable(text: str) -> bool:
    """Whether our code may set the text in quotation marks."""
    plain = _TIME.sub("", unicodedata.normalize("NFKC", text))
    if not text.strip() or len(text) > LONGEST or gives_orders(text):
        return False
    if not all(character.isalpha() or character in MARKS or character in "/&" for character in plain):
        return False
    if scrub(plain, names=False) != " ".join(plain.split()) or len(sentences(plain)) > 1:
        return False
    if _holds(plain, "links") or _holds(plain, "numbers", but="goal_numbers") or _shouts(plain):
        return False
    return _holds(plain, "goals")


def quotable_only(request: BriefRequest) -> BriefRequest:
    """The request without free text that may not be quoted."""
    kept = {
        name: fact
        for name, fact in request.evidence.items()
        if not is_free_text(fact) or is_quotable(str(fact.value))
    }
    return request if len(kept) == len(request.evidence) else replace(request, evidence=kept)


def _holds(text: str, name: str, but: str = "") -> bool:
    """Whether a list of any language holds a word of the text, and none holds it as an exception."""
    every = [lexicon(language).lists for language in languages()]
    words = {token.low for token in tokens(text) if token.kind == "word"}
    words |= {part for word in words for part in parts(word)}
    allowed = {word for word in words if but and any(word in lists[but] for lists in every)}
    return any(word in lists[name] for word in words - allowed for lists in every)


def _shouts(text: str) -> bool:
    """Words in capitals beyond abbreviations."""
    return sum(len(word) > 1 and word.isupper() for word in text.split()) > 2


def _is_mixed(word: str) -> bool:
    """Latin and Cyrillic letters in one word: made to look like another."""
    scripts = {unicodedata.name(letter, "").partition(" ")[0] for letter in word if letter.isalpha()}
    return len(scripts) > 1
