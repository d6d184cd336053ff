"""SOQL text cut into tokens.

Source: "SOQL SELECT Syntax", "Quoted String Escape Sequences" and "Date Formats and Date Literals", SOQL and
SOSL Reference.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from connectors.sandbox.salesforce.errors import RefusalError

_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<string>'(?:[^'\\]|\\.)*')
  | (?P<datetime>\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2}))
  | (?P<date>\d{4}-\d{2}-\d{2}(?![\dT]))
  | (?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?![A-Za-z_]))
  | (?P<name>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)
  | (?P<symbol><=|>=|!=|<>|=|<|>|\(|\)|,|:)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """One token: `kind` is string, datetime, date, number, name, symbol or end."""

    kind: str
    text: str
    position: int

    def word(self) -> str:
        """The token in upper case when it could be a keyword."""
        return self.text.upper() if self.kind == "name" else self.text


def malformed(soql: str, position: int, message: str, code: str = "MALFORMED_QUERY") -> RefusalError:
    """A refusal that points at a place of the query, in the vendor's layout."""
    before = soql[:position]
    row = before.count("\n") + 1
    column = position - (before.rfind("\n") + 1) + 1
    line = soql[max(0, position - 40) : position + 40].replace("\n", " ")
    caret = " " * min(position, 40) + "^"
    return RefusalError(400, code, f"\n{line}\n{caret}\nERROR at Row:{row}:Column:{column}\n{message}")


def tokens(soql: str) -> list[Token]:
    """The query's tokens, closed by one of kind end. Raises RefusalError MALFORMED_QUERY."""
    found = []
    position = 0
    while position < len(soql):
        match = _TOKEN.match(soql, position)
        if match is None:
            if soql[position] == "'":
                raise malformed(soql, position, "unexpected EOF: string literal is not closed")
            raise malformed(soql, position, f"unexpected token: '{soql[position]}'")
        kind = str(match.lastgroup)
        if kind != "space":
            found.append(Token(kind=kind, text=match.group(), position=position))
        position = match.end()
    found.append(Token(kind="end", text="<EOF>", position=len(soql)))
    return found


def string_value(soql: str, token: Token, *, pattern: bool = False) -> str:
    """The text inside a string token; in a LIKE pattern an escaped _ or % keeps its backslash."""
    value = []
    body = token.text[1:-1]
    i = 0
    while i < len(body):
        letter = body[i]
        if letter != "\\":
            value.append(letter)
            i += 1
            continue
        escaped = body[i + 1]
        if escaped in "_%":
            value.append("\\" + escaped if pattern else escaped)
        elif escaped.lower() == "u" and re.match(r"[0-9A-Fa-f]{4}", body[i + 2 : i + 6]):
            value.append(chr(int(body[i + 2 : i + 6], 16)))
            i += 4
        elif escaped.lower() in _ESCAPES:
            plain = _ESCAPES[escaped.lower()]
            value.append("\\\\" if pattern and plain == "\\" else plain)
        else:
            raise malformed(
                soql,
                token.position,
                f"Invalid string literal {token.text}. Illegal character sequence '\\{escaped}'",
            )
        i += 2
    return "".join(value)
