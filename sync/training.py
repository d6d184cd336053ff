"""Training a model, holding it against the one in use, and deciding which of them scores from now on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from model.challenge import Verdict, challenge
from model.errors import ModelError
from model.panel import Panel, build_panel
from model.promotion import Decision, Policy, decide
from model.target import Target
from model.train import train
from model.trained import TrainedModel
from model.watch import slipped
from sync.matured import matured_scores
from sync.model_settings import allowed_features
from sync.versions import version_day

if TYPE_CHECKING:
    from sync.workplace import Workplace


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainReport:
    """A model that was trained: its version, what it was trained on, and how good it is out of time.

    `champion` was in use before, None when there was none; `verdict` is None when they could not be compared.
    """

    version: str
    panel: Panel
    trained: TrainedModel
    champion: str | None
    verdict: Verdict | None
    decision: Decision


def train_model(work: Workplace, as_of: date, *, seed: int = 0, promote: bool = False) -> TrainReport:
    """A model trained on every matured row up to `as_of`, kept, and made the current one by the policy of
    [model], or by whoever asked for it with `promote`."""
    tables = work.tables().tables
    allow = allowed_features(work.settings)
    work.tell("Build the panel", 0, None)
    panel = build_panel(tables, as_of=as_of, target=work.target, products=work.products, signals=work.signals)
    work.tell("Train", 0, None)
    trained = train(panel, target=work.target, products=work.products, seed=seed, allow=allow)
    champion = work.registry.current
    version = work.registry.save(trained, as_of)
    verdict, why_not = None, ""
    fault = None if champion is None else unusable(work, champion)
    if champion is not None and fault is None:
        work.tell(f"Compare with {champion}", 0, None)
        try:
            verdict = compare_models(work, champion, version, panel)
        except ModelError as error:
            why_not = f"they can't be compared: {error.message.rstrip('.')}"
        else:
            work.registry.keep_verdict(version, verdict)
    age = None if champion is None else (as_of - version_day(champion)).days
    decision = (
        Decision(promote=True, why=f"{work.who()} asked for it")
        if promote
        else decide(
            policy_of(work),
            verdict,
            age_days=age,
            why_not=why_not,
            fault=fault,
            retargeted=fault is None and other_target(work) is not None,
            learnt=panel.expansions,
        )
    )
    if decision.promote:
        work.registry.promote(version)
    return TrainReport(
        version=version,
        panel=panel,
        trained=trained,
        champion=champion,
        verdict=verdict,
        decision=decision,
    )


def compare_models(work: Workplace, champion: str, challenger: str, panel: Panel) -> Verdict:
    """The verdict on two saved versions. Raises ModelError when they can't be compared, or one is damaged."""
    return challenge(
        work.registry.load(champion),
        work.registry.load(challenger),
        panel,
        trained_on=version_day(champion),
        products=work.products,
    )


def unusable(work: Workplace, version: str) -> str | None:
    """Why a version can't score any more: damaged, gone, or of a format that this Upswell does not read."""
    try:
        work.registry.load(version)
    except ModelError as error:
        return error.message.rstrip(".")
    return None


def policy_of(work: Workplace) -> Policy:
    """Who decides which model is in use, by [model]."""
    given = work.settings.model
    return Policy(automatic=given.promotion == "auto", refresh_days=given.refresh_days)


def why_train(work: Workplace, as_of: date) -> str | None:
    """Why a model should be trained now, in a sentence's end; None while the current one will do."""
    current = work.registry.current
    if current is None:
        return "there is no model yet"
    if (fault := unusable(work, current)) is not None:
        return f"the one in use can't score: {fault}"
    if _waits(work, current, as_of):
        return None
    if other_target(work) is not None:
        return f"model {current} was trained for another target"
    age = as_of - version_day(current)
    if age >= timedelta(days=work.settings.model.retrain_days):
        return f"model {current} is {age.days} days old"
    return slip(work, current, as_of)


def _waits(work: Workplace, current: str, as_of: date) -> bool:
    """Whether a version beside the current one is fresh and of the stated target: it was kept aside, or waits
    for a person, and another of today would fare no better."""
    newest = work.registry.versions()[-1]
    if newest == current or (as_of - version_day(newest)).days >= work.settings.model.retrain_days:
        return False
    try:
        learnt = Target.from_json(dict(work.registry.manifest(newest)["target"]))
    except ModelError:
        return False
    return learnt.fingerprint == work.target.fingerprint


def other_target(work: Workplace) -> str | None:
    """The target of the current model in a sentence, where [target] has changed since; else None."""
    current = work.registry.current
    if current is None:
        return None
    learnt = Target.from_json(dict(work.registry.manifest(current)["target"]))
    same = learnt.fingerprint == work.target.fingerprint
    return None if same else learnt.sentence(work.settings.company.currency)


def slip(work: Workplace, version: str, as_of: date) -> str | None:
    """What has slipped of a version's newest scoring whose horizon has ended, and not for a retrained one."""
    found = matured_scores(work.store, work.tables(), work.target, as_of, versions=(version,), newest=True)
    if not found:
        return None
    outcome = np.array([row.expanded for row in found], float)
    said = np.array([row.probability for row in found], float)
    return slipped(outcome, said, _skill(work.registry.manifest(version)["metrics"]))


def _skill(metrics: dict[str, Any]) -> float | None:
    if "served" not in metrics or "base_rate" not in metrics:
        return None
    return 1 - float(metrics["served"]["log_loss"]) / float(metrics["base_rate"]["log_loss"])
