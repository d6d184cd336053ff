"""The day inside a model version."""

from __future__ import annotations

from datetime import date, datetime

from connectors.errors import StateError


def version_day(version: str) -> date:
    """The day in a model version such as 2026.11.02-1. Raises StateError for any other name."""
    try:
        return datetime.strptime(version.partition("-")[0], "%Y.%m.%d").date()  # noqa: DTZ007 - a day
    except ValueError:
        raise StateError(
            "this is no model version such as 2026.11.02-1.", record=version, fix="train anew: upswell train"
        ) from None


def looks_back(model_version: str, as_of: date) -> bool:
    """Whether a scoring as of a day was made by a model that knew later days: no forecast, a look back."""
    return version_day(model_version) > as_of
