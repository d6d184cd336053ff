"""What a scoring said against what happened: by tier, in total, and how good the probabilities were."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class TierOutcome:
    """Accounts of one tier: how many were expected to expand (sum of probabilities), and how many did."""

    tier: str
    accounts: int
    predicted: float
    expanded: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeReport:
    """One scoring against the outcomes known by `through`; accounts with an open deal are left out.

    `matured` says whether the horizon has ended; before that, `expanded` is so far and the probabilities
    can't be judged, so brier, log_loss and ece are None. AUC is None while all outcomes are the same.
    ARR is in the company's currency per year."""

    run_id: str | None
    model_version: str | None
    as_of: date | None
    through: date
    horizon_days: int
    matured: bool
    tiers: tuple[TierOutcome, ...]
    pipeline: int
    tasks: int
    tasks_expanded: int
    auc: float | None
    brier: float | None
    log_loss: float | None
    ece: float | None
    expected_arr: float
    realised_arr: float
    value_error: float | None  # median of |said − realised| / realised, over accounts that expanded
    unscored: int  # expansions of accounts that this scoring did not hold

    @property
    def accounts(self) -> int:
        """Accounts compared."""
        return sum(tier.accounts for tier in self.tiers)

    @property
    def expanded(self) -> int:
        """Accounts that expanded."""
        return sum(tier.expanded for tier in self.tiers)

    def facts(self) -> dict[str, Any]:
        """The report as plain values, for `--json`."""
        return asdict(self) | {"accounts": self.accounts, "expanded": self.expanded}

    def lines(self) -> list[str]:
        """The report in a few sentences."""
        if self.as_of is None:
            return ["Nothing was scored before today, so there is nothing to compare."]
        ends = "its horizon has ended" if self.matured else "so far, its horizon is still running"
        said = f"Scores as of {self.as_of} ({self.model_version})"
        lines = [f"{said} against what happened by {self.through}, {ends}:"]
        lines += [
            f"  {tier.tier.replace('_', ' ')}: {tier.expanded} of {tier.accounts} accounts expanded"
            f" ({tier.predicted:.0f} expected in {self.horizon_days} days)"
            for tier in self.tiers
        ]
        realised, expected = f"{self.realised_arr:,.0f}", f"{self.expected_arr:,.0f}"
        lines.append(f"  ARR added {realised}; expected in {self.horizon_days} days: {expected}")
        if self.tasks:
            lines.append(f"  Of {self.tasks} accounts with a task, {self.tasks_expanded} expanded.")
        figures = {"AUC": self.auc, "Brier score": self.brier, "calibration error": self.ece}
        known = [f"{name} {value:.3f}" for name, value in figures.items() if value is not None]
        if known:
            lines.append(f"  {', '.join(known)}")
        if self.value_error is not None:
            lines.append(f"  Median error of the value: {self.value_error:.0%}")
        if self.pipeline:
            lines.append(f"  {self.pipeline} accounts had an open expansion deal and are not counted.")
        return lines
