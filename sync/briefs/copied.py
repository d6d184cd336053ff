"""Whether a text repeats what somebody wrote in a note or ticket: then it may be an instruction obeyed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sync.briefs.lexicon import Lexicon
from sync.briefs.prose import Token, sentences, tokens

RUN: Final = 3  # words in a row, of which at least
CONTENT: Final = 2  # say something by themselves


@dataclass(frozen=True, slots=True)
class Heard:
    """The words of untrusted texts, run by run."""

    texts: tuple[str, ...]  # each as its words in lower case, between blanks

    @classmethod
    def of(cls, texts: Iterable[str]) -> Heard:
        """What was heard, ready to be looked up."""
        return cls(tuple(f" {' '.join(_words(tokens(text)))} " for text in texts))

    def repeats(self, text: str, lexicon: Lexicon) -> bool:
        """Whether the text holds a run of words, or a whole sentence, that was heard."""
        for sentence in sentences(text):
            words = _words(tuple(sentence))
            if len(words) > 1 and self._holds(words) and _content(words, lexicon):
                return True
            runs = (words[start : start + RUN] for start in range(len(words) - RUN + 1))
            if any(len(_content(run, lexicon)) >= CONTENT and self._holds(run) for run in runs):
                return True
        return False

    def _holds(self, words: Sequence[str]) -> bool:
        run = f" {' '.join(words)} "
        return any(run in text for text in self.texts)


def _words(found: Sequence[Token]) -> list[str]:
    return [token.low for token in found if token.kind == "word"]


def _content(words: Sequence[str], lexicon: Lexicon) -> list[str]:
    """The words that say something: no function words of the language."""
    return [word for word in words if word not in lexicon.lists["stop"]]
