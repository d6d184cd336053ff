"""What a brief by Claude costs: tokens guessed before, counted after, in millionths of a US dollar.

A guess errs on the dear side, so that a cap holds: fewer bytes a token than any prose of our five languages
has, no reading from the cache, and an answer as long as it may be.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from types import MappingProxyType
from typing import Final

MILLION: Final = 1_000_000
BYTES_A_TOKEN: Final = 2  # at most so dear: English has about 4, JSON and Cyrillic about 3
USUAL_BYTES_A_TOKEN: Final = 3.5
USUAL_ANSWER: Final = 900  # tokens of a brief, of which 600 are its text
BATCH_SHARE: Final = Decimal("0.5")
CACHE_WRITE: Final = Decimal("1.25")  # of the price of input, for five minutes
CACHE_READ: Final = Decimal("0.1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """US dollars for a million tokens."""

    input: Decimal
    output: Decimal
    cache_write: Decimal
    cache_read: Decimal

    @classmethod
    def of(
        cls,
        input_price: float | str,
        output_price: float | str,
        *,
        cache_write: float | str | None = None,
        cache_read: float | str | None = None,
    ) -> Price:
        """A price whose cache costs what it costs as a rule, unless given."""
        base = Decimal(str(input_price))
        return cls(
            input=base,
            output=Decimal(str(output_price)),
            cache_write=base * CACHE_WRITE if cache_write is None else Decimal(str(cache_write)),
            cache_read=base * CACHE_READ if cache_read is None else Decimal(str(cache_read)),
        )


PRICED_ON: Final = "2026-11-27"
PRICES: Final[Mapping[str, Price]] = MappingProxyType(
    {
        "claude-sonnet-5-5": Price.of("2", "10"),
        "claude-sonnet-5": Price.of("2", "10"),
        "claude-sonnet-4-6": Price.of("3", "15"),
        "claude-opus-5-5": Price.of("4", "20"),
        "claude-opus-5": Price.of("5", "25"),
        "claude-haiku-4-5": Price.of("1", "5"),
    }
)
"""The vendor's list as of `PRICED_ON`; another model, or another contract, needs `[briefs] price`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one answer, as the vendor counts them: `input` leaves out those of the cache."""

    input: int = 0
    output: int = 0
    cache_write: int = 0
    cache_read: int = 0

    @property
    def tokens(self) -> int:
        """All of them."""
        return self.input + self.output + self.cache_write + self.cache_read


def micros(usage: Usage, price: Price, *, batch: bool = False) -> int:
    """Millionths of a US dollar, rounded up: dollars for a million tokens are that for one."""
    cost = (
        usage.input * price.input
        + usage.output * price.output
        + usage.cache_write * price.cache_write
        + usage.cache_read * price.cache_read
    )
    return int((cost * (BATCH_SHARE if batch else 1)).to_integral_value(ROUND_CEILING))


def most(prompt_bytes: int, max_tokens: int) -> Usage:
    """The most that an answer to a prompt can use: its prompt is written to the cache, its answer is full."""
    return Usage(cache_write=-(-prompt_bytes // BYTES_A_TOKEN), output=max_tokens)


def usual(fixed_bytes: int, own_bytes: int, count: int) -> Usage:
    """What so many briefs use as a rule: the fixed part is written to the cache once, and then read."""
    fixed = round(fixed_bytes / USUAL_BYTES_A_TOKEN)
    return Usage(
        input=round(own_bytes / USUAL_BYTES_A_TOKEN),
        output=USUAL_ANSWER * count,
        cache_write=fixed if count else 0,
        cache_read=fixed * max(count - 1, 0),
    )


def dollars(amount: int) -> Decimal:
    """Millionths as dollars."""
    return Decimal(amount) / MILLION
