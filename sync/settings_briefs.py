"""Settings of briefs: who writes them, in which language and style, and the most that it may cost."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic.dataclasses import dataclass

from sync.briefs.cost import PRICES
from sync.settings_checks import STRICT, HttpUrl, LanguageTag, OptionalFile

NO_KEY = SecretStr("")
Provider = Literal["template", "anthropic"]
Dollars = Annotated[float, Field(ge=0, le=1_000_000)]


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class BriefPrice:
    """What a model costs, in US dollars for a million tokens; a batch costs half."""

    input: Dollars
    output: Dollars
    cache_write: Dollars | None = None  # of the fixed part of a prompt; as a rule 1.25 × input
    cache_read: Dollars | None = None  # as a rule 0.1 × input


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class BriefSettings:
    """Who writes the briefs, and the most that a run and a day may spend on it (in US dollars).

    With `anthropic` nothing is sent beyond the caps: the template writes what is left."""

    provider: Provider = "template"
    language: LanguageTag | Literal[""] = ""  # empty: the company's
    styles: Annotated[tuple[str, ...], Field(min_length=1)] = ("plain",)  # several: one by chance an account
    style_seed: int = 0  # another one deals the styles out anew
    model: Annotated[str, Field(min_length=1)] = "claude-sonnet-5-5"
    effort: Literal["", "low", "medium", "high"] = "low"  # empty for models that know no effort
    price: BriefPrice | None = None  # needed for a model that the price list does not know
    api_key: SecretStr = NO_KEY
    api_key_file: OptionalFile = None
    base_url: HttpUrl = "https://api.anthropic.com"
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 60.0  # of one try, of which there are two
    max_tokens: Annotated[int, Field(ge=500, le=64_000)] = 4000  # of one answer
    max_cost_per_run: Dollars = 5.0
    max_cost_per_day: Dollars = 20.0
    max_tokens_per_run: Annotated[int, Field(ge=0)] = 2_000_000  # what is read and written together
    batch_from: Annotated[int, Field(ge=1)] = (
        20  # briefs from which on they go as one batch, at half the price
    )
    batch_wait_minutes: Annotated[float, Field(ge=0, le=1440)] = 30.0  # then the template goes out

    @model_validator(mode="after")
    def _price_is_known(self) -> Self:
        if self.provider == "anthropic" and self.price is None and self.model not in PRICES:
            raise ValueError(
                f"the price of {self.model} is not known: set briefs.price, such as "
                "{ input = 2.0, output = 10.0 }, or use one of " + ", ".join(sorted(PRICES))
            )
        return self
