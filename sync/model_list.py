"""The saved models side by side, as their manifests tell them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from model.errors import ModelError
from model.target import Target
from sync.store.tables import ModelRunRow
from sync.versions import version_day

if TYPE_CHECKING:
    from sync.workplace import Workplace


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedModel:
    """One version. `fault` says what is wrong with its manifest, and then nothing else is known.

    `target` counts the installation's different targets; AUC and log loss are of the slice on which it was
    judged at training, `log_loss_base` is the base rate's there. `scorings` is how often it scored."""

    version: str
    day: date
    current: bool
    fault: str | None = None
    basis: str = ""
    target: int = 0
    features: int = 0
    rows: int = 0
    expansions: int = 0
    seed: int = 0
    auc: float | None = None
    log_loss: float | None = None
    log_loss_base: float | None = None
    scorings: int = 0
    verdict: dict[str, Any] | None = None


def list_models(work: Workplace) -> list[SavedModel]:
    """Every saved version, the newest first."""
    with work.store.session() as session:
        counted = select(ModelRunRow.model_version, func.count().label("times")).group_by(
            ModelRunRow.model_version
        )
        scorings = {row.model_version: row.times for row in session.execute(counted)}
    current, targets = work.registry.current, dict[str, int]()
    found = []
    for version in work.registry.versions():
        day = version_day(version)
        try:
            manifest = work.registry.manifest(version)
        except ModelError as error:
            found.append(
                SavedModel(version=version, day=day, current=version == current, fault=error.message)
            )
            continue
        target = Target.from_json(dict(manifest["target"])).fingerprint
        facts, metrics = manifest["facts"], manifest["metrics"]
        verdict = work.registry.verdict(version)
        found.append(
            SavedModel(
                version=version,
                day=day,
                current=version == current,
                basis=manifest["basis"],
                target=targets.setdefault(target, len(targets) + 1),
                features=len(manifest["features"]),
                rows=facts["rows"],
                expansions=facts["expansions"],
                seed=facts["seed"],
                auc=metrics.get("served", {}).get("auc"),
                log_loss=metrics.get("served", {}).get("log_loss"),
                log_loss_base=metrics.get("base_rate", {}).get("log_loss"),
                scorings=scorings.get(version, 0),
                verdict=None if verdict is None else dict(verdict),
            )
        )
    return found[::-1]
