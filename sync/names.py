"""A name as a text may show it: one line without links, hidden characters and anything else that acts.

Contacts come from web forms, too, so a name or title is what some stranger typed. In the CRM's own field it
is only a name; in the body of a task both vendors would turn an address into a link under our name.
"""

from __future__ import annotations

import re
from typing import Final
from unicodedata import category

from sync.cells import ELLIPSIS, cut

LONGEST: Final = 120  # UTF-16 units: a brief names its people several times
LINK: Final = re.compile(r"\b(?:[a-z][a-z0-9+.-]{0,20}://|www\.|(?:javascript|data|mailto|tel):)\S*", re.I)
JOINERS: Final = "\u200c\u200d"  # of Persian words and of emoji; others only hide or turn text


def plain_name(text: str | None) -> str:
    """The name without what could act, in at most 120 characters; empty where nothing to read is left.

    A domain alone stays: companies are called so."""
    given = text or ""
    visible = given if given.isprintable() else "".join(map(_visible, given))
    name = cut(" ".join(LINK.sub(ELLIPSIS, visible).split()), LONGEST)
    return name if any(char.isalnum() for char in name) else ""


def _visible(char: str) -> str:
    """The character, a blank for a control character, nothing for one that cannot be seen."""
    kind = category(char)
    if kind == "Cc":
        return " "
    return "" if kind in ("Cf", "Cs", "Co", "Cn") and char not in JOINERS else char
