"""Eligibility expressions read from text, with errors that point at the place; see `model/eligibility.py`."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection
from difflib import get_close_matches
from typing import Final, NoReturn

from model.eligibility import COMPARISONS, Compares, Eligibility, Is, Known, Not, Owns, Test, Together, Value
from model.errors import ModelError

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)(?P<percent>\s*%)?"
    r"|(?P<text>'[^']*'|\"[^\"]*\")|(?P<sign><=|>=|<>|!=|==|[<>=(),])|(?P<word>[^\W\d]\w*))"
)
_WORDS: Final = frozenset({"and", "or", "not", "in", "is", "known", "missing", "owns"})
_DEEPEST: Final = 50  # parentheses within parentheses


def parse_eligibility(text: str, *, what: str, names: Collection[str] = ()) -> Eligibility:
    """The expression in `text`; `what` names the setting in errors, `names` the columns that there are.

    Raises ModelError that points at the place where it can't be read, or names what is close to an unknown
    name.
    """
    return _Reader(text, what, frozenset(names)).read()


class _Reader:
    """Reads one expression from left to right."""

    def __init__(self, text: str, what: str, names: frozenset[str]) -> None:
        self._text, self._what, self._names = text, what, names
        self._at = 0
        self._depth = 0
        self._kind, self._token, self._start = "", "", 0
        self._value = 0.0
        self._next()

    def read(self) -> Eligibility:
        test = self._any()
        if self._kind:
            self._refuse("and, or, or the end")
        return Eligibility(test=test)

    def _any(self) -> Test:
        return self._joined("or", self._all)

    def _all(self) -> Test:
        return self._joined("and", self._one)

    def _joined(self, word: str, part: Callable[[], Test]) -> Test:
        tests = [part()]
        while self._is_word(word):
            self._next()
            tests.append(part())
        return tests[0] if len(tests) == 1 else Together(word=word, tests=tuple(tests))

    def _one(self) -> Test:
        self._depth += 1
        if self._depth > _DEEPEST:
            self._refuse(f"at most {_DEEPEST} tests inside one another")
        try:
            if self._is_word("not"):
                self._next()
                inner = self._one()
                return inner.test if isinstance(inner, Not) else Not(test=inner)
            if self._is_sign("("):
                self._next()
                test = self._any()
                self._close()
                return test
            return self._test()
        finally:
            self._depth -= 1

    def _test(self) -> Test:
        if self._is_word("owns"):
            self._next()
            if self._kind != "text":
                self._refuse("a product id in quotes")
            return Owns(product=self._text_value())
        name = self._name()
        if self._is_word("is"):
            self._next()
            missing = self._is_word("missing")
            if not missing and not self._is_word("known"):
                self._refuse("known or missing")
            self._next()
            return Not(test=Known(name=name)) if missing else Known(name=name)
        if self._is_word("not"):
            self._next()
            if not self._is_word("in"):
                self._refuse("in")
            return Not(test=self._among(name))
        if self._is_word("in"):
            return self._among(name)
        sign = self._token
        if self._kind != "sign" or sign in "(),":
            self._refuse("= != < <= > >= in or is")
        self._next()
        if sign in COMPARISONS:
            if self._kind != "number":
                self._refuse("a number")
            return Compares(name=name, sign=sign, bound=self._number())
        same = Is(name=name, values=(self._any_value(),))
        return Not(test=same) if sign in ("!=", "<>") else same

    def _among(self, name: str) -> Is:
        self._next()
        if not self._is_sign("("):
            self._refuse("( and a list of values")
        self._next()
        values = [self._any_value()]
        while self._is_sign(","):
            self._next()
            if self._kind != ("text" if isinstance(values[0], str) else "number"):
                self._refuse("a value of the same kind as the first")
            values.append(self._any_value())
        self._close()
        return Is(name=name, values=tuple(values))

    def _name(self) -> str:
        if self._kind != "word" or self._token.lower() in _WORDS:
            self._refuse("the name of a feature")
        name = self._token
        if self._names and name not in self._names:
            close = get_close_matches(name, self._names, n=3)
            raise ModelError(
                f"{self._what} names {name!r}, which is no feature.",
                fix=f"Did you mean {' or '.join(close)}?" if close else "Use a name of docs/features.md.",
            )
        self._next()
        return name

    def _any_value(self) -> Value:
        if self._kind == "number":
            return self._number()
        if self._kind != "text":
            self._refuse("a number, or text in quotes")
        return self._text_value()

    def _number(self) -> float:
        value = self._value
        if not math.isfinite(value):
            self._refuse("a number that can be counted to")
        self._next()
        return value

    def _text_value(self) -> str:
        value = self._token[1:-1]
        self._next()
        return value

    def _close(self) -> None:
        if not self._is_sign(")"):
            self._refuse(")")
        self._next()

    def _is_word(self, word: str) -> bool:
        return self._kind == "word" and self._token.lower() == word

    def _is_sign(self, sign: str) -> bool:
        return self._kind == "sign" and self._token == sign

    def _next(self) -> None:
        rest = self._text[self._at :]
        self._start = self._at + len(rest) - len(rest.lstrip())
        if not rest.strip():
            self._kind, self._token = "", ""
            return
        found = _TOKEN.match(self._text, self._at)
        if found is None:
            self._token = self._text[self._start]
            self._refuse("a name, a value or a sign")
        self._at = found.end()
        self._kind = found.lastgroup or ""
        if self._kind == "percent":
            self._kind = "number"
        self._token = found[self._kind]
        if self._kind == "number":
            self._value = float(self._token) / (100 if found["percent"] else 1)

    def _refuse(self, wanted: str) -> NoReturn:
        seen = repr(self._token) if self._token else "the end"
        raise ModelError(
            f"{self._what} = {self._text!r} can't be read at character {self._start + 1}: "
            f"{seen} stands where {wanted} is wanted.",
            fix="Write for example: segment != 'Enterprise' and days_since_expansion > 60",
        )
