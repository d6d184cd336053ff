"""The products that can be sold, as the team states them."""

from __future__ import annotations

from dataclasses import dataclass

from model.errors import ModelError

PRODUCT_TYPES = ("seat", "tier", "module", "addon", "service", "commit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One product of the catalogue. `price` is ARR per `unit`; `replaces` is the tier that it follows."""

    id: str
    name: str
    type: str
    price: float = 0.0
    unit: str = ""
    eligible: str = ""
    replaces: str = ""

    def __post_init__(self) -> None:
        if self.type not in PRODUCT_TYPES:
            raise ModelError(
                f"Product {self.id!r} has the type {self.type!r}.", fix=f"Use one of {', '.join(PRODUCT_TYPES)}."
            )
        if self.eligible:
            raise ModelError(
                f"Product {self.id!r}: eligible = {self.eligible!r}: eligibility expressions are not supported.",
                fix="Remove it; a product is eligible when the account does not own it yet.",
            )
