"""The model card: what a model is for, what it learnt from, how good it was on later data, what it can't do.

The headings are those of Mitchell et al., "Model Cards for Model Reporting" (FAT* 2019), as far as they apply
to accounts, which are companies and not people.
"""

from __future__ import annotations

from collections.abc import Mapping

from model.made_with import made_with
from model.scorecard import BLEND_HALF, FULL_EXPANSIONS, MIN_EXPANSIONS, MIN_HISTORY_DAYS
from model.trained import NO_SIGNAL, TrainedModel

_NAMES = {
    "served": "What is served",
    "model": "CatBoost and curves",
    "scorecard": "Rule scorecard",
    "seat_rule": "Seat rule (> 80 % used)",
    "blog_recipe": "Usual recipe, 12 flat columns",
    "last_quarter": "Segment's last rate",
    "base_rate": "Base rate for all",
}
_COLUMNS = ("auc", "pr_auc", "log_loss", "brier", "ece", "lift_20")


def write_card(trained: TrainedModel) -> str:
    """The card in Markdown, with a table of every baseline on the same rows."""
    lines = [f"# Expansion model {trained.version}", "", _standing(trained), ""]
    if trained.facts["has_signal"] is False:
        lines += [
            "**These data do not predict expansion** better than chance: treat the ranking as none.",
            "",
        ]
    for title, body in (
        ("Intended use", _use(trained)),
        ("Target", _target(trained)),
        ("Data", _data(trained)),
        ("How it is made", _making(trained)),
        ("Quality", _quality(trained.metrics)),
        ("Signals left out, or vouched for", _suspects(trained)),
        ("Limits", _limits(trained)),
        ("Made with", ", ".join(f"{name} {version}" for name, version in made_with().items()) + "."),
    ):
        lines += [f"## {title}", "", body, ""]
    return "\n".join(lines).rstrip() + "\n"


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


def _use(trained: TrainedModel) -> str:
    use = (
        "To rank a company's own customers by how likely each is to expand within "
        f"{trained.target.horizon_days} days, and to say how much, what, when and why, so that people who "
        "know the account decide whether to talk to it."
    )
    misuse = (
        "Not for prices, for decisions about persons, for customers of another company, or for prospects who "
        "are no customers yet. A reason says what the model listened to, not what causes an expansion."
    )
    return f"{use}\n\n{misuse}"


def _target(trained: TrainedModel) -> str:
    target = trained.target
    return (
        f"{target.sentence()} (target {target.fingerprint}) A row counts once its horizon has ended; "
        "accounts with an open expansion opportunity are pipeline and are not learnt from."
    )


def _data(trained: TrainedModel) -> str:
    facts = trained.facts
    if facts["first_as_of"] is None:
        span = ", for nothing has matured yet"
    else:
        span = f" of {facts['first_as_of']} to {facts['last_as_of']}, each as it was known on its day"
    return (
        f"{facts['rows']:,} rows{span}; {facts['expansions']:,} expansions in {facts['history_days']} days "
        f"of history; {len(trained.features)} features, of which {len(trained.categorical)} are categories; "
        f"data hash {trained.data_hash[:16]}."
    )


def _making(trained: TrainedModel) -> str:
    if trained.basis == NO_SIGNAL:
        return "The rate of all for everybody: what was learnt said no more, and was not kept."
    if trained.booster is None:
        return "Documented thresholds, each with stated points (docs/features.md); no tree was grown."
    return (
        f"{trained.facts.get('trees', 0)} trees of CatBoost, their number found on a later slice, and "
        "additive curves, half and half on log-odds; no class weights. Every slice is later than the one "
        "before by one horizon; the last fit is on everything that matured. "
        f"Seed {trained.facts.get('seed', 0)}: the same data give the same model."
    )


def _quality(metrics: Mapping[str, Mapping[str, float]]) -> str:
    if "model" not in metrics:
        return "Not measured: no outcomes on a later date yet."
    rows = int(metrics["model"]["rows"])
    lines = [
        (
            f"On the latest matured dates ({rows:,} rows, base rate {metrics['model']['base_rate']:.1%}), "
            "by a model that had seen nothing within one horizon of them:"
        ),
        "",
        "| scored by | AUC | PR-AUC | log loss | Brier | ECE | lift@20 % |",
        "|---|---|---|---|---|---|---|",
    ]
    for key, name in _NAMES.items():
        if key in metrics:
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
    if "risk" in metrics:
        risk = metrics["risk"]
        lines += [
            "",
            (
                f"Risk on {int(risk['rows'])} later rows, of which {risk['base_rate']:.1%} churned or "
                f"contracted: AUC {risk['auc']:.3f}, log loss {risk['log_loss']:.3f}; by past rates alone "
                f"{risk['log_loss_rates']:.3f}."
            ),
        ]
    lines += [
        "",
        (
            "`upswell evaluate --html report.html` judges it on what has matured since, against the recipe "
            "that articles give and last quarter's rate too, in groups, with curves and signals."
        ),
    ]
    return "\n".join(lines)


def _suspects(trained: TrainedModel) -> str:
    left_out, allowed = trained.facts["suspicions"], trained.facts.get("allowed", {})
    lines = []
    if left_out:
        lines += ["Left out, because they look written after the expansion:", ""]
        lines += [f"- {name}: {why}" for name, why in left_out.items()]
    if allowed:
        lines += ["", "Vouched for by the team, though they look written after the expansion:", ""]
        lines += [f"- {name}: {why}" for name, why in allowed.items()]
    return "\n".join(lines) or "None: no signal looks as if it had been written after the expansion."


def _limits(trained: TrainedModel) -> str:
    limits = [
        "It has learnt from this company's past: a new product, price or market is not in it.",
        "It has learnt from whom people talked to as well; only a holdout tells what a conversation adds.",
        "Product follows stated rules, weighed by past expansions; timing a hazard and stated rules.",
        "Health follows stated rules and the risk model.",
        "Priority is a rank among the rows scored together.",
        "An account with little data gets the tier not_enough_data.",
    ]
    if "model" not in trained.metrics:
        limits.insert(0, "How good it is has not been measured: a score only starts a conversation.")
    return "\n".join(f"- {limit}" for limit in limits)
