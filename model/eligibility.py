"""Which rows an expression such as `segment != 'Enterprise' and days_since_expansion > 60` lets in.

RevOps states who is eligible, for a target or a product, in terms of features: an account's own fields and
its past, each as it was known on the row's as-of date. The language:

    test      NAME = VALUE   (also == != <> < <= > >=)
              NAME in (VALUE, VALUE …)      NAME not in (…)
              NAME is known                 NAME is missing
              owns 'PRODUCT ID'
    together  test and test    test or test    not test    ( … )
    VALUE     a number (80 % is 0.8), or text in quotes, compared without regard to case

A comparison with what is missing is false, and `!=` and `not in` are the opposite of `=` and `in`. What is
counted in days since something (`days_since_…`) is missing where it never happened: that is longer ago than
any number of days.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from model.errors import ModelError
from model.frame import numbers

COMPARISONS: Final[Mapping[str, Callable[[np.ndarray, float], np.ndarray]]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
NEVER_PREFIX: Final = "days_since_"
Value = float | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Is:
    """The column is one of the values, which are all numbers or all texts."""

    name: str
    values: tuple[Value, ...]

    def holds(self, table: pa.Table) -> np.ndarray:
        if isinstance(self.values[0], str):
            wanted = {_folded(str(value)) for value in self.values}
            return np.array([t is not None and _folded(t) in wanted for t in table[self.name].to_pylist()])
        return np.isin(_figures(table, self.name), np.array(self.values, float))

    def __str__(self) -> str:
        if len(self.values) == 1:
            return f"{self.name} = {_shown(self.values[0])}"
        return f"{self.name} in ({', '.join(map(_shown, self.values))})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compares:
    """The column is below or above a number."""

    name: str
    sign: str
    bound: float

    def holds(self, table: pa.Table) -> np.ndarray:
        found: np.ndarray = COMPARISONS[self.sign](_figures(table, self.name), self.bound)
        return found

    def __str__(self) -> str:
        return f"{self.name} {self.sign} {_shown(self.bound)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The column has a value."""

    name: str

    def holds(self, table: pa.Table) -> np.ndarray:
        column = table[self.name]
        if pa.types.is_string(column.type):
            return np.array([bool(text) for text in column.to_pylist()], bool)
        known: np.ndarray = ~np.isnan(numbers(table, self.name))
        return known

    def __str__(self) -> str:
        return f"{self.name} is known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owns:
    """The account holds the product."""

    product: str

    def holds(self, table: pa.Table) -> np.ndarray:
        return np.array([self.product in (held or ()) for held in table["owned"].to_pylist()], bool)

    def __str__(self) -> str:
        return f"owns {_shown(self.product)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    """The opposite."""

    test: Test

    def holds(self, table: pa.Table) -> np.ndarray:
        return ~self.test.holds(table)

    def __str__(self) -> str:
        match self.test:
            case Is(name=name, values=(value,)):
                return f"{name} != {_shown(value)}"
            case Is(name=name, values=values):
                return f"{name} not in ({', '.join(map(_shown, values))})"
            case Known(name=name):
                return f"{name} is missing"
        return f"not {self.test}" if isinstance(self.test, Owns) else f"not ({self.test})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """All of the tests (`and`) or at least one of them (`or`)."""

    word: str
    tests: tuple[Test, ...]

    def holds(self, table: pa.Table) -> np.ndarray:
        join = np.logical_and if self.word == "and" else np.logical_or
        found: np.ndarray = join.reduce([test.holds(table) for test in self.tests])
        return found

    def __str__(self) -> str:
        parts = [f"({test})" if isinstance(test, Together) else str(test) for test in self.tests]
        return f" {self.word} ".join(parts)


Test = Is | Compares | Known | Owns | Not | Together


@dataclass(frozen=True, slots=True, kw_only=True)
class Eligibility:
    """A parsed expression. `str` gives it back, tidied, and parses to the same again."""

    test: Test

    def holds(self, table: pa.Table) -> np.ndarray:
        """Whether each row of a panel's table is let in; one boolean a row.

        Raises ModelError when the table lacks a column that is named, or it is text where a number is meant.
        """
        for test in _leaves(self.test):
            _check_column(test, table)
        if table.num_rows == 0:
            return np.zeros(0, bool)
        return self.test.holds(table)

    def clauses(self) -> tuple[Eligibility, ...]:
        """The tests that are joined by `and`, each alone: what each one costs can be told."""
        if isinstance(self.test, Together) and self.test.word == "and":
            return tuple(Eligibility(test=test) for test in self.test.tests)
        return (self,)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that it looks at, in the order in which they are named."""
        found = [test.name for test in _leaves(self.test) if not isinstance(test, Owns)]
        return tuple(dict.fromkeys(found))

    def __str__(self) -> str:
        return str(self.test)


def _folded(text: str) -> str:
    return text.strip().casefold()


def _shown(value: Value) -> str:
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    mark = "'" if "'" not in value else '"'
    return f"{mark}{value}{mark}"


def _figures(table: pa.Table, name: str) -> np.ndarray:
    values = numbers(table, name)
    return np.where(np.isnan(values), np.inf, values) if name.startswith(NEVER_PREFIX) else values


def _leaves(test: Test) -> Iterator[Is | Compares | Known | Owns]:
    match test:
        case Not(test=inner):
            yield from _leaves(inner)
        case Together(tests=tests):
            for each in tests:
                yield from _leaves(each)
        case _:
            yield test


def _check_column(test: Is | Compares | Known | Owns, table: pa.Table) -> None:
    name = "owned" if isinstance(test, Owns) else test.name
    if name not in table.column_names:
        raise ModelError(
            f"The eligibility test {str(test)!r} needs {name}, which these rows do not have.",
            fix="Name a feature of docs/features.md.",
        )
    if isinstance(test, (Known, Owns)):
        return
    is_text = pa.types.is_string(table[name].type)
    wants_text = isinstance(test, Is) and isinstance(test.values[0], str)
    if is_text != wants_text:
        kinds = ("text", "a number") if is_text else ("a number", "text")
        raise ModelError(
            f"The eligibility test {str(test)!r} can't be made: {name} is {kinds[0]}, not {kinds[1]}.",
            fix="Put text in quotes, compare it with = != or in, and write numbers without quotes.",
        )
