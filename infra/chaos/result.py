"""What came of one run of chaos, as it is printed and judged."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from infra.chaos.checker import Violation
from infra.chaos.evidence import Evidence
from infra.chaos.stage import Stage

CONVERGED: Final = 60.0  # seconds from the last fault until nothing is left
APPLIED: Final = 0.995  # of the operations without a conflict


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of one run, as it is printed."""

    seed: int
    kind: str
    conditional: bool
    operations: int
    outcomes: dict[str, int]
    applied_share: float  # of the operations without a conflict
    faults: dict[str, int]  # writes by the fault that they met; "" for none
    fault_share: float
    workers_killed: int
    children_killed: int
    redis_wipes: int
    edits: int
    run_status: str
    converged_seconds: float
    seconds: float
    violations: tuple[str, ...]
    rollback_violations: tuple[str, ...]

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found, and it converged in time."""
        broken = self.violations or self.rollback_violations or self.run_status not in ("done", "partial")
        return not broken and self.converged_seconds <= CONVERGED and self.applied_share >= APPLIED

    def line(self) -> str:
        """The result as one JSON object."""
        shown = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps({"name": f"chaos_seed_{self.seed}", **shown}, default=str)


def result_of(
    stage: Stage,
    evidence: Evidence,
    violations: Sequence[Violation],
    taken_back: Sequence[Violation],
    converged: float,
    *,
    seconds: float,
) -> Result:
    outcomes: dict[str, int] = {}
    for op in evidence.operations:
        outcomes[str(op.outcome)] = outcomes.get(str(op.outcome), 0) + 1
    writing = {row.request for row in evidence.rows}
    faults: dict[str, int] = {}
    for request in evidence.requests:
        if request.number in writing:
            name = request.fault or ""
            faults[name] = faults.get(name, 0) + 1
    free = len(evidence.operations) - outcomes.get("conflict", 0)
    return Result(
        seed=stage.seed,
        kind=stage.org.kind,
        conditional=bool(stage.crm.capabilities.conditional_write),
        operations=len(evidence.operations),
        outcomes=outcomes,
        applied_share=outcomes.get("applied", 0) / max(free, 1),
        faults=faults,
        fault_share=1 - faults.get("", 0) / max(sum(faults.values()), 1),
        workers_killed=stage.counts["worker"],
        children_killed=stage.counts["child"],
        redis_wipes=stage.counts["wipe"],
        edits=stage.counts["edit"],
        run_status=stage.run_status(),
        converged_seconds=round(converged, 1),
        seconds=round(seconds, 1),
        violations=tuple(map(str, violations)),
        rollback_violations=tuple(map(str, taken_back)),
    )
