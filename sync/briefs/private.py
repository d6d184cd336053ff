"""Free text without what must not leave: addresses, numbers of people and banks, keys, links, names.

It goes by the shape of things, and takes out too much rather than too little: the writer of a brief needs
none of it. Names that are known are replaced by their alias first (`sync.briefs.aliases`).
"""

from __future__ import annotations

import re
from typing import Final

from connectors.redaction import HIDDEN, Redactor

_EMAIL: Final = re.compile(r"[^\s@<>\"'(),;:]+\s?(?:@|\(at\)|\[at\])\s?[^\s@<>\"'(),;:]+\.[^\W\d_]{2,}", re.I)
_LINK: Final = re.compile(
    r"(?:\b[a-z][a-z0-9+.-]{1,12}://|\bwww\.)\S+|\b(?:[a-z0-9-]+\.)+[a-z]{2,10}(?:/\S*)?\b(?!\s?@)", re.I
)
_IBAN: Final = re.compile(r"\b[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{2,4}){3,8}\b")
_CARD: Final = re.compile(r"(?<![\w.])\d(?:[ -]?\d){12,18}(?![\w])")
_PHONE: Final = re.compile(r"(?<![\w])(?:\+|00)?\(?\d{1,4}\)?(?:[ ./()-]{0,2}\d){6,13}(?![\w])")
_ADDRESS: Final = re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b|\b(?:[0-9a-f]{1,4}:){4,7}[0-9a-f]{1,4}\b", re.I)
_NAMED: Final = re.compile(
    r"""(?ix) \b(pass(?:word|wd|code|phrase)?|pwd|pin|secret|token|(?:api|access|private)[ _-]?key|key|login
        |credentials?|kennwort|passwort|mot\ de\ passe|contraseña|clave|пароль|ключ|токен|код)
        (\s*(?:is|ist|est|es|=|:|—|-|–)\s*) ["']? [^\s"',;]+"""
)
_KEY: Final = re.compile(
    r"""(?x) \b(?: (?:sk|pk|rk|ghp|gho|ghs|glpat|xox[abprs]|shpat|AIza|ya29|pat|key|whsec|npm|hf)
        [-_.][\w.-]{8,}
        | AIza[\w-]{20,} | (?:AKIA|ASIA)[A-Z0-9]{12,} | [0-9a-f]{24,} )"""
)
_RUN: Final = re.compile(r"(?=[\w+/=.-]*\d)(?=[\w+/=.-]*[A-Za-z])[\w+/=.-]{20,}")
_SOCIAL: Final = re.compile(r"\b\d{3}-\d{2}-\d{4}\b|\b\d{2}[ .-]?\d{2}[ .-]?\d{2}[ -]\d{4,5}\b")
_BIRTH: Final = re.compile(r"\b(?:\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./]\d{2,4})\b")
_CAPITAL: Final = "A-ZÀ-ÖØ-ÞА-ЯЁ"  # Cyrillic is meant
_SMALL: Final = "a-zß-öø-ÿа-яё"
_NAME: Final = re.compile(
    rf"\b(?:(?:Mrs?|Ms|Dr|Herrn?|Frau|Mme|M|Sra?|Г-н|Г-жа)\.?\s+)?"
    rf"[{_CAPITAL}][{_SMALL}'’-]+(?:\s+(?:van|von|de|der|la|di|da|al|bin))*\s+[{_CAPITAL}][{_SMALL}'’-]+"
    rf"|\b(?:Mrs?|Ms|Dr|Herrn?|Frau|Mme|Sra?)\.?\s+[{_CAPITAL}][{_SMALL}'’-]+"
)

RULES: Final = (
    (_NAMED, rf"\1 {HIDDEN}"),
    (_KEY, HIDDEN),
    (_EMAIL, "[e-mail]"),
    (_LINK, "[link]"),
    (_IBAN, "[bank account]"),
    (_ADDRESS, "[address]"),
    (_SOCIAL, "[number]"),
    (_BIRTH, "[date]"),
    (_CARD, "[card]"),
    (_PHONE, "[phone]"),
    (_RUN, HIDDEN),
    (_NAME, "[name]"),
)
"""What is looked for, the surest first, and what stands in its place."""


def scrub(text: str, *, names: bool = True) -> str:
    """The text on one line, with everything that must not leave replaced by what it was.

    Without `names` what looks like a person's name stays."""
    found = Redactor()(" ".join(text.split()))
    for pattern, instead in RULES if names else RULES[:-1]:
        found = pattern.sub(instead, found)
    return found
