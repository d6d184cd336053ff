"""What counts as an expansion: the prediction target that RevOps states."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from model.errors import ModelError

# The picklist values that Salesforce and HubSpot ship, and the ones teams add most; compared in lower case.
EXPANSION_TYPES = (
    "expansion",
    "upsell",
    "up-sell",
    "cross-sell",
    "cross sell",
    "upgrade",
    "add-on",
    "existing customer - upgrade",
    "existing customer - expansion",
    "existing business",
    "existingbusiness",
    "seat expansion",
    "tier upgrade",
    "services",
    "multi-year",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An expansion within `horizon_days` after the as-of date.

    An opportunity counts when its type is one of `opportunity_types` (any case; EXPANSION_TYPES when
    empty), it is won (its stage is one of `stages`, or the CRM's own flag when `stages` is empty) and its
    amount is at least `min_amount`. With `count_arr_changes`, an ARR increase in billing that no such
    opportunity explains counts as well. Raises ModelError for a horizon outside 7–730 days, or an
    eligibility expression.
    """

    horizon_days: int = 90
    opportunity_types: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    min_amount: float = 0.0
    eligible: str = ""
    count_arr_changes: bool = True

    def __post_init__(self) -> None:
        if not 7 <= self.horizon_days <= 730:
            raise ModelError(
                f"[target] horizon_days is {self.horizon_days}.", fix="Use a horizon between 7 and 730 days."
            )
        if self.eligible:
            raise ModelError(
                f"[target] eligible = {self.eligible!r}: eligibility expressions are not supported.",
                fix="Remove it; every active customer without an open expansion opportunity is eligible.",
            )

    @property
    def kinds(self) -> tuple[str, ...]:
        """The opportunity types that count, in lower case."""
        return tuple(kind.strip().lower() for kind in self.opportunity_types or EXPANSION_TYPES)

    def as_json(self) -> dict[str, Any]:
        """The target as plain JSON values, for manifests."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Target:
        """The target that `as_json` wrote."""
        fields: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in values.items()}
        return cls(**fields)
