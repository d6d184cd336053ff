"""Text with its secrets taken out: what may be logged, shown or stored.

Two nets: patterns that catch a credential by its shape or by the name before it, and the values of
this process's own credentials, learnt when they are read.
"""

from __future__ import annotations

import logging
import re
from typing import Final

HIDDEN: Final = "[hidden]"

_NAMED: Final = re.compile(
    r"""(?ix)
    (\b(?:client_secret|assertion|refresh_token|access_token|id_token|session_?id|sid|password|api_key|code
        |signature)\b ["']? \s* (?:=|:|%3D|>) \s* ["']?)
    ([^\s"'&<>,;}\[]+)
    """
)
_SCHEME: Final = re.compile(r"(?i)\b(Bearer|Basic|OAuth)\s+[A-Za-z0-9!._~+/=-]{8,}")
_SALESFORCE_SESSION: Final = re.compile(r"\b00D[A-Za-z0-9]{12,15}![A-Za-z0-9._]+")
_JWT: Final = re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?")
_PEM: Final = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.S
)
_SHORTEST_SECRET: Final = 6  # a shorter value would blot out ordinary words


class Redactor:
    """Takes secrets out of text; `learn` adds values that no pattern would know."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def learn(self, *secrets: str | None) -> None:
        """Hide these values from now on, wherever they turn up."""
        self._known.update(s for s in secrets if s is not None and len(s) >= _SHORTEST_SECRET)

    def __call__(self, text: str) -> str:
        """The text with every credential replaced by `[hidden]`."""
        for secret in sorted(self._known, key=len, reverse=True):
            text = text.replace(secret, HIDDEN)
        text = _PEM.sub(HIDDEN, text)
        text = _SALESFORCE_SESSION.sub(HIDDEN, text)
        text = _JWT.sub(HIDDEN, text)
        text = _SCHEME.sub(rf"\1 {HIDDEN}", text)
        return _NAMED.sub(rf"\1{HIDDEN}", text)


class RedactingFilter(logging.Filter):
    """A logging filter that redacts the finished message of each record."""

    def __init__(self, redact: Redactor) -> None:
        super().__init__()
        self._redact = redact

    def filter(self, record: logging.LogRecord) -> bool:
        """Always True: the record stays, its secrets go."""
        record.msg = self._redact(record.getMessage())
        record.args = None
        return True
