"""The feature dictionary in Markdown, from the catalogue itself: `make docs` writes docs/features.md."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Final

from model.features.families import CATALOGUE, FAMILIES
from model.features.feature import Family, Feature, Phrase, Trace
from model.health import WARNINGS
from model.scorecard import RULES
from model.signals import DEFAULTS
from model.wordsmith import write_value

RULE_OF_THUMB: Final = "rule of thumb"
ALIKE: Final[Mapping[tuple[str, ...], str]] = {
    ("all",): "of all accounts",
    ("siblings",): "of the group's other accounts",
    ("group",): "of the group",
}

INTRODUCTION: Final = """\
# Feature dictionary

Written by `make docs` from the families in `model/features/`; a test fails when it is not what they say.
{count} features in {families} families. A feature as of a day uses only what was known before that day
(`known_from`); `upswell features ACCOUNT` shows an account's values with the rows that made them.

* **Unit**: `share` 0–1 · `change` a difference of shares, or relative to before (0.1 is +10 %) · `ratio` a
  quotient · `count` · `days`, `weeks`, `months` · `money` in the company's currency, ARR a year · `points` on
  the scale stated · `flag` yes or no · `category` text.
* **Made of**: the source rows, and how many days back they reach; without days, all that were known. What no
  row tells is *missing*, which is not 0.
* **Favours**: the direction that usually favours expansion, as customer-success practice has it; `either`
  where practice does not say. The model learns its own direction from outcomes.
* **Threshold**: from which value on a reason may say so, for expansion or against it, and where that comes
  from; then the points of the rule scorecard and the signs of health. A name in brackets is a setting of
  `[signals]`.
"""


@functools.cache
def dictionary() -> str:
    """The whole of docs/features.md."""
    head = INTRODUCTION.format(count=len(CATALOGUE), families=len(FAMILIES))
    return "\n".join([head, *map(_section, FAMILIES)])


def _section(family: Family) -> str:
    module = import_module(family.build.__module__)
    about = (module.__doc__ or "").strip()
    rows = [
        f"| `{each.name}` | {each.unit} | {_made_of(family.traced(each))} | {each.favours} "
        f"| {_threshold(family, each)} | {_meaning(each)} |"
        for each in family.features
    ]
    return "\n".join(
        [
            f"## {family.title}\n\n{about}\n",
            "| feature | unit | made of | favours | threshold | meaning |",
            "|---|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _meaning(feature: Feature) -> str:
    notes = []
    if feature.present:
        notes.append("as the CRM has it now")
    if feature.groups:
        notes.append(f"alike: same {' and '.join(feature.groups)}")
    return feature.about + (f" ({'; '.join(notes)})" if notes else "")


def _made_of(traces: Iterable[Trace]) -> str:
    return "; ".join(dict.fromkeys(map(_rows, traces))) or "the calendar"


def _rows(trace: Trace) -> str:
    words = [f"`{trace.table}`"]
    words += [f"with {column} {' or '.join(values)}" for column, values in trace.where.items()]
    words += [f"that are {flag.removeprefix('is_')}" for flag in trace.flags]
    if trace.roles:
        words.append(f"by {' or '.join(trace.roles)}")
    if trace.pages:
        words.append("of billing and plan pages")
    if trace.newest:
        words.append("the newest")
    if trace.alike:
        words.append(ALIKE.get(trace.alike, f"of accounts with the same {' and '.join(trace.alike)}"))
    if trace.days is not None:
        words.append(f"{trace.days} days" if trace.day == "at" else f"{trace.days} days from {trace.day}")
    return ", ".join(words)


def _threshold(family: Family, feature: Feature) -> str:
    parts = list(dict.fromkeys(_bound(phrase, feature.unit) for phrase in feature.phrases))
    if parts:
        parts = [f"{', '.join(parts)} ({family.origins.get(feature.name, RULE_OF_THUMB)})"]
    for rule in RULES:
        if rule.feature == feature.name:
            points = f"{rule.points:+g}".replace("-", "−")
            parts.append(f"scorecard {points} at {_limit(rule.bound, feature.unit, below=rule.below)}")
    for sign in WARNINGS:
        if sign.feature == feature.name:
            parts.append(f"health sign at {_limit(sign.bound, feature.unit, below=sign.below)}")
    return "; ".join(parts)


def _bound(phrase: Phrase, unit: str) -> str:
    side = "for" if phrase.supports else "against"
    below = phrase.at_least is None
    bound = phrase.at_most if below else phrase.at_least
    assert bound is not None, phrase.code
    return f"{side} {_limit(bound, unit, below=below)}"


def _limit(bound: float | str, unit: str, *, below: bool) -> str:
    value = DEFAULTS[bound] if isinstance(bound, str) else bound
    named = f" [{bound}]" if isinstance(bound, str) else ""
    return f"{'≤' if below else '≥'} {write_value(value, unit)}{named}"


if __name__ == "__main__":
    sys.stdout.write(dictionary())
