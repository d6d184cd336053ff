"""Settings of forecast rows: how often a snapshot is written to the CRM, and how much of it stands alone."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from sync.settings_checks import STRICT


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class ForecastSettings:
    """When a plan brings rows of the forecast, and which amounts have a row of their own account.

    Rows are written once; docs/forecast.md says what they hold and what they take of the CRM's storage."""

    # weekly: with the first plan of a calendar week, and with the first of a fiscal quarter
    rows: Literal["weekly", "off"] = "weekly"
    # predictions: of each account what is said of itself; all: its part of run rates as well, some forty rows
    detail: Literal["predictions", "all"] = "predictions"
    rows_from: Annotated[float, Field(ge=0)] = 100.0  # ARR; a smaller prediction is put together with others
