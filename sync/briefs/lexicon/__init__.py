"""What the check of a brief knows of each language: its letters, and the words that may mislead.

A language is one TOML file here; without it Claude writes no brief in that language, and the template does.
In the lists `word*` stands for every word that begins so.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

LISTS: Final = (
    *("stop", "openers", "nouns", "numbers", "times", "up", "down", "up_near", "down_near"),
    *("not", "about", "units", "roles", "price", "links", "orders", "goal_numbers", "goals"),
)
ENDINGS: Final = ("", "e", "n", "en", "er", "ern", "s", "es")  # of a German noun, in the plural or a case


@dataclass(frozen=True, slots=True)
class Words:
    """A list of words and beginnings of words."""

    whole: frozenset[str] = frozenset()
    begun: tuple[str, ...] = ()

    def __contains__(self, word: str) -> bool:
        return word in self.whole or (bool(self.begun) and word.startswith(self.begun))

    @classmethod
    def of(cls, text: str) -> Words:
        """The words of a text, split at white space."""
        every = text.split()
        return cls(
            frozenset(word for word in every if word[-1] != "*"),
            tuple(sorted(word[:-1] for word in every if word[-1] == "*")),
        )


NOT_COMMON: Final = frozenset({"orders", "goals"})  # lists for what people write, which may hold names


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """One language: `letters` in lower case, `capitals` that may stand inside a sentence, lists of words.

    `cues` holds by fact id the words of which one has to stand beside the fact, so that it can't be passed
    off as another."""

    language: str
    letters: frozenset[str]
    capitals: frozenset[str]
    a_year: str  # said by our code after money that is a year's
    dates: frozenset[str]  # in capitals only: May and March are words too
    lists: Mapping[str, Words] = field(default_factory=dict)
    cues: Mapping[str, Words] = field(default_factory=dict)
    example: Mapping[str, Any] = field(default_factory=dict)  # a sound draft, as the model writes it

    def has(self, name: str, word: str) -> bool:
        """Whether the list holds the word (in lower case), or a part of it between hyphens or apostrophes."""
        words = self.lists[name]
        if word in words:
            return True
        return ("-" in word or "'" in word) and any(part in words for part in parts(word))

    def is_common(self, word: str) -> bool:
        """Whether any list holds the word: then it is no name."""
        return any(word in words for name, words in self.lists.items() if name not in NOT_COMMON)

    def is_noun(self, word: str) -> bool:
        """Whether a capital is no more than good spelling: a known noun, or a compound that ends with one."""
        nouns = self.lists["nouns"].whole
        stems = [word.removesuffix(ending) for ending in ENDINGS if word.endswith(ending)]
        return any(stem[start:] in nouns for stem in stems for start in range(max(len(stem) - 2, 0)))

    def opens(self, word: str) -> bool:
        """Whether a sentence may begin with the word (in lower case)."""
        words = self.lists["openers"]
        head, apostrophe, _ = word.partition("'")
        whole = word in words or word.partition("-")[0] in words
        return whole or (bool(apostrophe) and head + apostrophe in words)


def parts(word: str) -> tuple[str, ...]:
    """What stands between the hyphens and apostrophes of a word."""
    return tuple(part for part in word.replace("'", "-").split("-") if part)


def languages() -> tuple[str, ...]:
    """The languages that the check knows, by their tag."""
    return tuple(sorted(f.name[:-5] for f in files(__name__).iterdir() if f.name.endswith(".toml")))


def knows(language: str) -> bool:
    """Whether the check knows the language; `pt-BR` goes by `pt`."""
    return language.partition("-")[0] in languages()


@cache
def lexicon(language: str) -> Lexicon:
    """What is known of the language. Raises KeyError for one that the check does not know."""
    name = language.partition("-")[0]
    if name not in languages():
        raise KeyError(language)
    read = tomllib.loads((files(__name__) / f"{name}.toml").read_text(encoding="utf-8"))
    return Lexicon(
        language=name,
        letters=frozenset(read["letters"]),
        capitals=frozenset(read["capitals"].split()),
        a_year=read["a_year"],
        dates=frozenset(read["dates"].split()),
        lists=MappingProxyType({key: Words.of(read.get(key, "")) for key in LISTS}),
        cues=MappingProxyType({key: Words.of(words) for key, words in read["cues"].items()}),
        example=MappingProxyType(_draft(read["example"])),
    )


def _draft(example: Mapping[str, Any]) -> dict[str, Any]:
    """The example with its objections in pairs."""
    pairs = zip(example["says"], example["answer"], strict=True)
    objections = [{"says": says, "answer": answer} for says, answer in pairs]
    told = {key: text for key, text in example.items() if key not in ("says", "answer")}
    return told | {"objections": objections}
