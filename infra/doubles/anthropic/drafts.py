"""Sound drafts in five languages, put together from varied prose and the slots that there are."""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Callable, Collection
from functools import cache
from importlib.resources import files
from typing import Any

SLOT = re.compile(r"\{([a-z0-9_]+)")


@cache
def prose(language: str) -> dict[str, Any]:
    """Sentences by part of the draft."""
    file = files(__package__) / "prose" / f"{language.partition('-')[0]}.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


def sound_draft(
    language: str, slots: Collection[str], chance: random.Random, *, price: bool = True
) -> dict[str, Any]:
    """A draft as the model's JSON: whatever part has no facts for any of its sentences is left empty.

    Without `price` nothing is sold."""
    known = frozenset(slots)
    every = prose(language)
    said: dict[str, list[Any]] = every if price else {**every, **every["check_in"]}

    def usable(text: str) -> bool:
        return set(SLOT.findall(text)) <= known

    def one(part: str) -> str:
        fitting = [text for text in said[part] if usable(text)]
        return chance.choice(fitting) if fitting else ""

    pairs = [pair for pair in said["objection"] if usable(pair[0]) and usable(pair[1])]
    avoid: list[str] = said["avoid"]
    return {
        "opener": one("opener"),
        "proposal": one("proposal"),
        "impact": one("impact"),
        "objections": [
            {"says": says, "answer": answer}
            for says, answer in chance.sample(pairs, min(len(pairs), chance.choice((2, 3))))
        ],
        "ask": one("ask"),
        "whom": one("whom"),
        "avoid": chance.sample(avoid, chance.choice((1, 2))),
    }


def texts(draft: dict[str, Any], change: Callable[[str, str], str]) -> dict[str, Any]:
    """The draft with each of its texts changed by (part, text)."""
    return {part: change(part, draft[part]) for part in ("opener", "proposal", "impact", "ask", "whom")} | {
        "objections": [
            {"says": change("says", each["says"]), "answer": change("answer", each["answer"])}
            for each in draft["objections"]
        ],
        "avoid": [change("avoid", text) for text in draft["avoid"]],
    }
