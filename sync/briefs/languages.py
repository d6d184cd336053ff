"""The languages that briefs are written in: one file of texts each, in `locales/`.

A file `it.toml` there adds Italian: its texts, and by its name the rules of CLDR for numbers, money, days
and plurals. A tag with a region (`pt-BR`) takes the file of that name, or else of the language alone, and
always the region's own formats.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import field
from functools import cache
from pathlib import Path
from typing import Final

from babel import Locale, UnknownLocaleError
from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from connectors.errors import SettingError
from sync.settings_checks import STRICT

FOLDER: Final = Path(__file__).parent / "locales"

Forms = Mapping[str, str]
"""A noun with its number by plural category of CLDR (one, few, many, other): `{n} seats`."""

Tiers = tuple[tuple[str, ...], ...]
"""Sentences to choose from: of the first row with any whose facts are all known, one by account."""


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class Answered:
    """An objection and its answers, the one that names most first."""

    says: str
    answers: Tiers


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class ReasonTexts:
    """A reason as a sentence (`says`, or of `variants` by pattern of its feature), and `short` inside one.

    `none` is the sentence where the first figure is nothing at all."""

    says: str
    short: str
    none: str = ""
    variants: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class Texts:
    """Everything that a brief says in one language; parts are keyed by style, then product type or template.

    `other` is the product type that stands for all that have no texts of their own."""

    name: str
    day: str = "medium"  # of CLDR: a format's name, or a pattern such as `d MMM y`
    quote: str = "“{text}”"
    sourced: str = "{sentence} ({source}, {day})"
    title: str = "{title}:"
    nouns: Mapping[str, Forms] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # of a fact's values, by its id
    sources: Mapping[str, str] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)
    subject: Mapping[str, Tiers] = field(default_factory=dict)
    opener: Mapping[str, Mapping[str, Tiers]] = field(default_factory=dict)
    proposal: Mapping[str, Tiers] = field(default_factory=dict)
    size: Tiers = ()
    impact: Mapping[str, Tiers] = field(default_factory=dict)
    worth: Mapping[str, Tiers] = field(default_factory=dict)
    objections: Mapping[str, tuple[Answered, ...]] = field(default_factory=dict)
    ask: Mapping[str, Mapping[str, Tiers]] = field(default_factory=dict)
    whom: tuple[Tiers, ...] = ()  # sentences one after the other
    signals: tuple[str, ...] = ()  # what not to say, where the facts are known
    weighs: tuple[str, ...] = ()  # what weighs on a customer of whom no reason against is told
    avoid: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reasons: Mapping[str, ReasonTexts] = field(default_factory=dict)
    families: Mapping[str, str] = field(default_factory=dict)
    general: Mapping[str, str] = field(default_factory=dict)  # of a reason without texts, by side


@dataclass(frozen=True, slots=True, kw_only=True, config={"arbitrary_types_allowed": True})
class Language:
    """A language with its texts and CLDR's rules."""

    tag: str
    texts: Texts
    cldr: Locale

    @property
    def has_region(self) -> bool:
        """Whether the tag names a region, whose formats are CLDR's."""
        return self.cldr.territory is not None


_TEXTS: Final = TypeAdapter(Texts)


def languages(folder: Path = FOLDER) -> tuple[str, ...]:
    """The tags of all languages that there are texts for."""
    return tuple(sorted(path.stem for path in folder.glob("*.toml")))


@cache
def speak(tag: str, folder: Path = FOLDER) -> Language:
    """The language of a tag such as `ru` or `pt-BR`.

    Raises SettingError when there are no texts for it, or its file is not what it should be."""
    known = languages(folder)
    base = tag.partition("-")[0]
    found = next((name for name in (tag, base) if name in known), None)
    if found is None:
        raise SettingError(
            f"no brief can be written in {tag!r}: there are no texts for it.",
            setting="briefs.language",
            searched=(),
            fix=f"Use one of {', '.join(known)}, or add sync/briefs/locales/{base}.toml, "
            "with the texts of en.toml translated.",
        )
    path = folder / f"{found}.toml"
    try:
        texts = _TEXTS.validate_python(tomllib.loads(path.read_text(encoding="utf-8")))
        cldr = Locale.parse(tag, sep="-")
    except (tomllib.TOMLDecodeError, ValidationError, UnknownLocaleError, ValueError) as error:
        raise SettingError(
            f"the texts of {tag!r} can't be used: {_first_line(error)}.",
            setting="briefs.language",
            searched=(),
            fix=f"Put {path.name} right: its parts are those of en.toml.",
        ) from error
    return Language(tag=tag, texts=texts, cldr=cldr)


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return str(error).splitlines()[0].rstrip(".")
