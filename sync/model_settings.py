"""What the settings say to the model: what counts as an expansion, the catalogue, the team's thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from difflib import get_close_matches

from connectors.errors import UsageError
from model.features.families import CATALOGUE
from model.product import Product
from model.target import Target
from sync.settings import Settings


def target_of(settings: Settings) -> Target:
    """What counts as an expansion."""
    given = settings.target
    named = {"opportunity_types": given.opportunity_types} if given.opportunity_types else {}
    return Target(
        horizon_days=given.horizon_days,
        pipelines=given.pipelines,
        stages=given.stages,
        min_amount=given.min_amount,
        eligible=given.eligible,
        count_arr_changes=given.count_arr_changes,
        count_seat_changes=given.count_seat_changes,
        **named,
    )


def products_of(settings: Settings) -> tuple[Product, ...]:
    """The catalogue."""
    return tuple(
        Product(
            id=product.id,
            name=product.name,
            type=product.type,
            price=product.price,
            unit=product.unit,
            eligible=product.eligible,
            replaces=product.replaces,
            keywords=product.keywords,
        )
        for product in settings.products
    )


def signals_of(settings: Settings) -> Mapping[str, float]:
    """The team's thresholds."""
    return {name: float(value) for name, value in asdict(settings.signals).items()}


def tiers_of(settings: Settings) -> Mapping[str, float]:
    """The cut-offs on the probability."""
    given = settings.tiers
    return {"very_high": given.very_high, "high": given.high, "medium": given.medium}


def allowed_features(settings: Settings) -> tuple[str, ...]:
    """The suspects that the team vouches for. Raises UsageError for a name that is no feature."""
    allowed = settings.model.allow_suspects
    for name in allowed:
        if name not in CATALOGUE:
            near = " or ".join(get_close_matches(name, CATALOGUE))
            raise UsageError(
                f"[model] allow_suspects names {name!r}, which is no feature."
                + (f" Did you mean {near}?" if near else ""),
                record="[model]",
                fix="use names that `upswell train` gave, or those of docs/features.md",
            )
    return allowed
