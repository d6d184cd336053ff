"""The vocabulary of reason codes, read from reason_codes.toml: what each means, and for which side it speaks.

`python -m model.reason_codes` writes docs/reasons.md.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from model.features.families import CATALOGUE, FAMILIES
from model.features.feature import Feature, Phrase
from model.wordsmith import write_value

_FILE: Final = Path(__file__).with_suffix(".toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonCode:
    """One code: its family, whether it `supports` expansion, its words inside a sentence, its meaning."""

    code: str
    family: str
    supports: bool
    words: str
    meaning: str
    retired: bool = False


def _read() -> Iterator[ReasonCode]:
    for code, told in tomllib.loads(_FILE.read_text(encoding="utf-8")).items():
        yield ReasonCode(
            code=code,
            family=told["family"],
            supports={"for": True, "against": False}[told["speaks"]],
            words=told["words"],
            meaning=told["meaning"],
            retired=told.get("retired", False),
        )


CODES: Final = tuple(_read())
CODE_OF: Final[Mapping[str, ReasonCode]] = MappingProxyType({each.code: each for each in CODES})

INTRODUCTION: Final = """\
# Reason codes

Written by `make docs` from `model/reason_codes.toml` and the phrases in `model/features/`; a test fails when
it is not what they say. {count} codes. A code keeps its meaning for ever, so that a CRM report may group by
it: one that is no longer said stays here as *retired*.

A family of signals speaks through the feature that moved the score most; `from` is the value at which it may
say so. Each sentence ends with its source table and a day: the day on which that happened of which it tells,
where it is known, else the last day of which the table tells anything. Up to three reasons for and two
against are said of an account; families that move its score by less than 2 % of all movement stay silent.
"""


def page() -> str:
    """The whole of docs/reasons.md."""
    parts = [INTRODUCTION.format(count=len(CODES))]
    for family in FAMILIES:
        rows = [_row(each) for each in CODES if each.family == family.name]
        if rows:
            head = "| code | speaks | meaning | sentence | from |\n|---|---|---|---|---|"
            parts.append("\n".join([f"## {family.title}\n", head, *rows, ""]))
    return "\n".join(parts)


def spoken() -> list[tuple[Feature, Phrase]]:
    """Every phrase of the catalogue with its feature."""
    return [(feature, phrase) for feature in CATALOGUE.values() for phrase in feature.phrases]


def _row(code: ReasonCode) -> str:
    phrases = [(feature, phrase) for feature, phrase in spoken() if phrase.code == code.code]
    side = "for" if code.supports else "against"
    texts = "; ".join(dict.fromkeys(f"“{phrase.text}”" for _, phrase in phrases))
    bounds = "; ".join(
        dict.fromkeys(f"`{feature.name}` {_bound(feature, phrase)}" for feature, phrase in phrases)
    )
    meaning = code.meaning + (" (*retired*)" if code.retired else "")
    return f"| `{code.code}` | {side} | {meaning} | {texts} | {bounds} |"


def _bound(feature: Feature, phrase: Phrase) -> str:
    if phrase.at_least is not None:
        return f"≥ {write_value(phrase.at_least, feature.unit)}"
    return "" if phrase.at_most is None else f"≤ {write_value(phrase.at_most, feature.unit)}"


if __name__ == "__main__":
    sys.stdout.write(page())
