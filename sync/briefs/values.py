"""A fact's value in the words of a language: money, percentages, days, and numbers with their nouns.

Numbers, dates and plurals follow CLDR (through Babel); money is shown in whole units.
"""

from __future__ import annotations

import math
import re
from datetime import date
from typing import Final

from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, format_percent

from sync.briefs.facts import Fact
from sync.briefs.languages import Language

COUNTED: Final = frozenset({"seats", "users", "count", "days", "weeks", "months"})
DECIMALS: Final = re.compile(r"[.,]0+")
CODE_BEFORE_DIGIT: Final = re.compile(r"(?<=[^\W\d_])(?=\d)")  # CLDR wants a space there, Babel sets none
NBSP: Final = "\u00a0"
MODEL: Final = "model"  # the source of estimates
PLUS, MINUS = "+", "−"


def say_value(fact: Fact, language: Language, currency: str, *, form: str = "", size: bool = False) -> str:
    """The value in words: `96 seats`, `$120,000`, `20 Nov 2026`, `+12%`.

    `form` names another form of the noun, such as a case; `size` leaves a change its figure without sign, and
    so does a `form`: the sentence around it says the direction.
    Raises KeyError for a form that the language lacks."""
    value = fact.value
    if isinstance(value, date):
        return say_day(value, language)
    if isinstance(value, bool) or not isinstance(value, int | float):
        text = " ".join(str(value).split())
        return language.texts.words.get(fact.id, {}).get(text, text)
    if not math.isfinite(value):
        raise ValueError(f"{fact.id} is no number: {value}")
    amount = abs(value) if size or form else value
    match fact.unit:
        case "money":
            return say_money(_rough(amount) if fact.source == MODEL else amount, language, currency)
        case "percent":
            share = format_percent(abs(amount), locale=language.cldr)
            sign = MINUS if amount < 0 else PLUS if fact.direction and not size else ""
            return f"{sign}{share}"
        case unit if unit in COUNTED:
            return _counted(fact, round(amount), language, form)
        case _:
            return format_decimal(round(amount, 1), locale=language.cldr)


def say_money(amount: float, language: Language, currency: str) -> str:
    """Money in whole units: `$120,000`, `120 000 ₽`."""
    pattern = DECIMALS.sub("", language.cldr.currency_formats["standard"].pattern)
    text = format_currency(round(amount), currency, pattern, locale=language.cldr, currency_digits=False)
    return CODE_BEFORE_DIGIT.sub(NBSP, text)


def _rough(amount: float) -> float:
    """An estimate in two digits that count: more would promise what no model knows."""
    return float(f"{amount:.1e}")


def say_day(day: date, language: Language) -> str:
    """A day with its year, as the language or its region writes it."""
    wanted = "medium" if language.has_region else language.texts.day
    return format_date(day, wanted, locale=language.cldr)


def _counted(fact: Fact, number: int, language: Language, form: str) -> str:
    said = format_decimal(number, locale=language.cldr)
    nouns = language.texts.nouns
    suffix = f":{form}" if form else ""
    forms = nouns.get(fact.id + suffix) or nouns.get(fact.unit + suffix)
    if forms is None:
        if form:
            raise KeyError(f"{language.tag} has no form {form!r} of {fact.id}")
        return said
    category = language.cldr.plural_form(number)
    return forms.get(category, forms["other"]).replace("{n}", said)
