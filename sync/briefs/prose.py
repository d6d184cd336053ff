"""Prose with slots, taken apart: its sentences, their clauses, and the words and slots of each.

Nothing is mended here: what is no word, no slot and no known mark is a `stray`, for the check to refuse.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

SLOT: Final = re.compile(r"\{([a-z][a-z0-9_]{0,40})(?:\.([a-z]{1,12}))?\}")
_WORD: Final = r"[^\W\d_]+(?:['’‑-][^\W\d_]+)*"
_TOKEN: Final = re.compile(rf"(?P<slot>\{{[a-z][a-z0-9_.]{{0,60}}\}})|(?P<word>{_WORD})|(?P<mark>.)", re.S)
MARKS: Final = frozenset(" .,;:!?¡¿'’‘\"“”„«»()–—-…")  # each language has its own
ENDS: Final = frozenset(".!?…")
BREAKS: Final = frozenset(',;:()–—"“”„«»¡¿')


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A `word`, a `slot` (its text with the braces), a known `mark`, or something `stray`."""

    kind: str
    text: str
    low: str = ""  # the word in lower case, with plain apostrophes and hyphens

    @property
    def slot(self) -> str:
        """The name between the braces, without its part."""
        return self.text.strip("{}").partition(".")[0]

    @property
    def part(self) -> str:
        """The part of the slot that is asked for, such as `day`; mostly none."""
        return self.text.strip("{}").partition(".")[2]


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence as its clauses, each a run of words and slots between two marks."""

    clauses: tuple[tuple[Token, ...], ...]

    def __iter__(self) -> Iterator[Token]:
        return (token for clause in self.clauses for token in clause)


@lru_cache(maxsize=256)
def tokens(text: str) -> tuple[Token, ...]:
    """Words, slots, marks and whatever else there is, in order."""
    found = []
    for match in _TOKEN.finditer(text):
        kind, piece = str(match.lastgroup), match[0]
        if kind == "mark" and piece not in MARKS:
            kind = "stray"
        if kind == "slot" and SLOT.fullmatch(piece) is None:
            kind = "stray"
        low = piece.casefold().replace("’", "'").replace("‑", "-") if kind == "word" else ""
        found.append(Token(kind=kind, text=piece, low=low))
    return tuple(found)


@lru_cache(maxsize=256)
def sentences(text: str) -> tuple[Sentence, ...]:
    """The sentences of a text; a colon begins no new one."""
    found: list[Sentence] = []
    clauses: list[tuple[Token, ...]] = []
    clause: list[Token] = []
    for token in [*tokens(text), Token(kind="mark", text=".")]:
        if token.kind in ("word", "slot"):
            clause.append(token)
        elif token.text in BREAKS or token.text in ENDS:
            if clause:
                clauses.append(tuple(clause))
            clause = []
            if token.text in ENDS and clauses:
                found.append(Sentence(tuple(clauses)))
                clauses = []
    return tuple(found)
