"""The model card: what this model is, how good it was on later data, and what it can't do."""

from __future__ import annotations

from collections.abc import Mapping

from model.scorecard import BLEND_HALF, FULL_EXPANSIONS, MIN_EXPANSIONS, MIN_HISTORY_DAYS
from model.trained import TrainedModel

_NAMES = {
    "served": "What is served",
    "model": "CatBoost and curves",
    "scorecard": "Rule scorecard",
    "seat_rule": "Seat rule (> 80 % used)",
    "base_rate": "Base rate for all",
}
_COLUMNS = ("auc", "pr_auc", "log_loss", "brier", "ece", "lift_20")


def write_card(trained: TrainedModel) -> str:
    """The card in Markdown, with a table of every baseline on the same rows."""
    facts = trained.facts
    target = trained.target
    lines = [
        f"# Expansion model {trained.version}",
        "",
        (
            f"Predicts an expansion within {target.horizon_days} days of the as-of date. {target.sentence()} "
            f"(target {target.fingerprint})"
        ),
        "",
        _standing(trained),
        "",
        (
            f"Data: {facts['rows']:,} rows of {facts['first_as_of']} to {facts['last_as_of']}, "
            f"{facts['expansions']:,} expansions in {facts['history_days']} days of history; "
            f"{len(trained.features)} features; data hash {trained.data_hash[:16]}."
        ),
        "",
    ]
    if facts["suspects"]:
        lines += ["Left out, because they look written after the expansion:", ""]
        lines += [f"- {name}: {why}" for name, why in facts["suspicions"].items()]
        lines += [""]
    if facts.get("allowed"):
        lines += ["Vouched for by the team, though they look written after the expansion:", ""]
        lines += [f"- {name}: {why}" for name, why in facts["allowed"].items()]
        lines += [""]
    lines += _quality(trained.metrics)
    if facts["has_signal"] is False:
        lines += [
            "",
            "**These data do not predict expansion** better than chance: treat the ranking as none.",
        ]
    lines += [
        "",
        "## Limits",
        "",
        "- Accounts with an open expansion opportunity are pipeline: scored, but not trained on.",
        "- Product follows stated rules, weighed by past expansions; timing a hazard and stated rules.",
        "- Health follows stated rules and the risk model.",
        "- Priority is a rank among the rows scored together.",
    ]
    return "\n".join(lines) + "\n"


def _standing(trained: TrainedModel) -> str:
    n = trained.facts["expansions"]
    match trained.basis:
        case "scorecard":
            return (
                f"**Scored by the rule scorecard.** There are {n} expansions in "
                f"{trained.facts['history_days']} days; a model needs {MIN_EXPANSIONS} expansions, "
                f"{MIN_HISTORY_DAYS} days and outcomes on later dates."
            )
        case "no_signal":
            return "**Not ranked.** Every account has the rate of all; see below."
        case "blend":
            return (
                f"**Scored by rules and model together**, the model at {trained.weight:.0%} on log-odds "
                f"(n / (n + {BLEND_HALF})); it leads alone from {FULL_EXPANSIONS + 1} expansions, "
                f"and there are {n}."
            )
        case _:
            return f"**Scored by the model.** There are {n} past expansions to learn from."


def _quality(metrics: Mapping[str, Mapping[str, float]]) -> list[str]:
    if "model" not in metrics:
        return ["## Quality", "", "Not measured: no outcomes on a later date yet."]
    rows = int(metrics["model"]["rows"])
    lines = [
        "## Quality",
        "",
        (
            f"On the latest matured dates ({rows:,} rows, base rate {metrics['model']['base_rate']:.1%}), "
            "by a model that had seen nothing within one horizon of them:"
        ),
        "",
        "| scored by | AUC | PR-AUC | log loss | Brier | ECE | lift@20 % |",
        "|---|---|---|---|---|---|---|",
    ]
    for key, name in _NAMES.items():
        figures = " | ".join(f"{metrics[key][column]:.3f}" for column in _COLUMNS)
        lines.append(f"| {name} | {figures} |")
    if "value" in metrics:
        value = metrics["value"]
        lines += [
            "",
            (
                f"Value on {int(value['value_rows'])} later expansions: "
                f"median error {value['value_median_error']:.0%}, WAPE {value['value_wape']:.0%}, "
                f"P10–P90 range covers {value['value_coverage']:.0%} (nominal 80 %)."
            ),
        ]
    if "product" in metrics:
        product = metrics["product"]
        lines += [
            "",
            (
                f"Product on {int(product['rows'])} later expansions: the first named is right in "
                f"{product['first_right']:.0%}, one of both in {product['two_right']:.0%}; the commonest for "
                f"all would be in {product['commonest']:.0%}."
            ),
        ]
    return lines
