"""What the settings say to the model: what counts as an expansion, the catalogue, the team's thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from model.product import Product
from model.target import Target
from sync.settings import Settings


def target_of(settings: Settings) -> Target:
    """What counts as an expansion."""
    given = settings.target
    named = {"opportunity_types": given.opportunity_types} if given.opportunity_types else {}
    return Target(
        horizon_days=given.horizon_days,
        stages=given.stages,
        min_amount=given.min_amount,
        eligible=given.eligible,
        count_arr_changes=given.count_arr_changes,
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
