"""What counts as an expansion: the prediction target that RevOps states."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any, Final

from model.eligibility import Eligibility
from model.eligibility_text import parse_eligibility
from model.errors import ModelError

ELIGIBLE: Final = "[target] eligible"

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
    empty), it is in one of `pipelines` (any when empty), it is won (its stage is one of `stages`, or the
    CRM's own flag when `stages` is empty) and its amount is at least `min_amount`. With `count_arr_changes`,
    an ARR increase in billing that no such opportunity explains counts as well; with `count_seat_changes`, so
    does an increase of the seats billed that neither explains. Rows count only while `eligible` lets them in
    (model/eligibility.py). Raises ModelError for a horizon outside 7–730 days, a negative amount, or an
    expression that can't be read.
    """

    horizon_days: int = 90
    opportunity_types: tuple[str, ...] = ()
    pipelines: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    min_amount: float = 0.0
    eligible: str = ""
    count_arr_changes: bool = True
    count_seat_changes: bool = False

    def __post_init__(self) -> None:
        if not 7 <= self.horizon_days <= 730:
            raise ModelError(
                f"[target] horizon_days is {self.horizon_days}.", fix="Use a horizon between 7 and 730 days."
            )
        if not self.min_amount >= 0:
            raise ModelError(f"[target] min_amount is {self.min_amount}.", fix="Use 0 or more.")
        self.eligibility()

    def eligibility(self, names: Collection[str] = ()) -> Eligibility | None:
        """Who is let in, None when everybody is. `names` are the columns that there are, to check against."""
        if not self.eligible.strip():
            return None
        return parse_eligibility(self.eligible, what=ELIGIBLE, names=names)

    @property
    def fingerprint(self) -> str:
        """Eight characters that differ when the target does, however its settings are written."""
        tidy = self.as_json() | {
            "opportunity_types": sorted(self.kinds),
            "eligible": str(self.eligibility() or ""),
        }
        tidy |= {name: sorted(tidy[name]) for name in ("pipelines", "stages")}
        return hashlib.sha256(json.dumps(tidy, sort_keys=True).encode()).hexdigest()[:8]

    def sentence(self, currency: str = "") -> str:
        """The target in one sentence."""
        kinds = _listed(self.opportunity_types) or "a usual expansion type"
        deal = (
            f"an opportunity of type {kinds} is won"
            if self.opportunity_types
            else f"an opportunity of {kinds} is won"
        )
        if self.stages:
            deal += f" (stage {_listed(self.stages)})"
        if self.pipelines:
            deal += f" in pipeline {_listed(self.pipelines)}"
        if self.min_amount:
            deal += f" for at least {self.min_amount:,.0f} {currency}".rstrip()
        ways = [deal]
        if self.count_arr_changes:
            ways.append("its ARR rises in billing without one")
        if self.count_seat_changes:
            ways.append("its billed seats do")
        happens = f"An account expands when, within {self.horizon_days} days, {', or '.join(ways)}"
        allowed = self.eligibility()
        return f"{happens}; it counts while {allowed}." if allowed else f"{happens}."

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


def _listed(values: tuple[str, ...]) -> str:
    return values[0] if len(values) == 1 else f"{', '.join(values[:-1])} or {values[-1]}" if values else ""
