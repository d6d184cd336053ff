"""In which language and style an account's briefs are written.

The style is dealt out by chance among those of the settings, always the same for an account. Chance makes the
accounts of two styles comparable, so that a report can say which of them converted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from connectors.errors import SettingError
from sync.briefs.languages import speak
from sync.briefs.slots import pick
from sync.settings import Settings

PLAIN: Final = "plain"
QUESTION_LED: Final = "question-led"  # opens and asks with a question
STYLES: Final = (PLAIN, QUESTION_LED)


def language_of(settings: Settings) -> str:
    """The tag of the language that briefs are written in."""
    return settings.briefs.language or settings.company.language


def style_of(account_id: str, styles: Sequence[str], seed: int) -> str:
    """The account's style; another seed deals them out anew."""
    return styles[pick(f"{seed}:{account_id}", len(styles))]


def check_styles(names: Iterable[str]) -> None:
    """Raise SettingError for a style that there is none of."""
    unknown = next((name for name in names if name not in STYLES), None)
    if unknown is not None:
        raise SettingError(
            f"there is no style {unknown!r}.",
            setting="briefs.styles",
            searched=(),
            fix=f"Use {' or '.join(STYLES)}.",
        )


def check_briefs(settings: Settings) -> None:
    """Raise SettingError for a language without texts, and for a style that there is none of."""
    speak(language_of(settings))
    check_styles(settings.briefs.styles)
