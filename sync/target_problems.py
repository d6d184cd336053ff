"""What can be wrong with a target, judged by what it counts: each with its figure and what to do about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from model.eligibility import NEVER_PREFIX
from model.scorecard import FULL_EXPANSIONS, MIN_EXPANSIONS
from model.target import Target

if TYPE_CHECKING:
    from sync.outcomes import Expansion
    from sync.target_check import Kind

ENOUGH: Final = 200
"""Expansions from which on a model stands on firm ground (PRODUCT.md, P8)."""
HISTORY_DAYS: Final = 365
ONE_DAY_SHARE: Final = 0.15
"""More of all expansions than this on one day were typed in together, not decided together. Rule of thumb."""
MANY: Final = 0.3
"""A share of events that lack something from which on it shapes what is learnt. Rule of thumb."""
RARE: Final = 0.01
COMMON: Final = 0.5
"""Base rates outside these two leave nothing to rank: nobody expands, or everybody does. Rule of thumb."""
QUIET_MONTHS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong, and what to do. `stops` says that nothing can be learnt while it is so."""

    message: str
    fix: str
    stops: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the problems are told by; `unknown` has the share of customers that lack an eligibility column,
    `unoffered` the products that no customer can be offered."""

    target: Target
    today: date
    expansions: Sequence[Expansion]
    kinds: Sequence[Kind]
    stages: frozenset[str]
    products: frozenset[str]
    customers: int
    eligible: int
    unknown: Mapping[str, float]
    amountless: int
    unoffered: tuple[str, ...] = ()


def find_problems(known: Known) -> Iterator[Problem]:
    """The problems, those that stop everything first."""
    yield from _names(known)
    if not known.expansions:
        yield _nothing(known)
        return
    yield from _eligible(known)
    yield from _amount_of_history(known)
    yield from _events(known)


def _names(known: Known) -> Iterator[Problem]:
    """Names in the settings that match nothing in the CRM."""
    if not known.kinds:
        yield Problem(
            message="The lake holds no opportunities, so no deal can count.",
            fix="Let our user read them in the CRM (upswell doctor), then: upswell pull",
        )
        return
    types = {kind.opportunity_type for kind in known.kinds}
    pipelines = {kind.pipeline for kind in known.kinds}
    for what, named, there in (
        ("opportunity_types", known.target.opportunity_types, types),
        ("pipelines", known.target.pipelines, pipelines),
        ("stages", known.target.stages, known.stages),
    ):
        # stages are compared to the letter, as the CRM does
        held = set(there) if what == "stages" else {name.strip().lower() for name in there}
        for name in named:
            if (name if what == "stages" else name.strip().lower()) in held:
                continue
            close = get_close_matches(name, [each for each in there if each], n=3, cutoff=0.5)
            near = f" Did you mean {' or '.join(close)}?" if close else ""
            yield Problem(
                message=f"[target] {what}: no opportunity has {name!r}.{near}",
                fix=f"Correct or remove it; the CRM has {_some(there)}.",
            )


def _nothing(known: Known) -> Problem:
    won = [kind for kind in known.kinds if kind.won and not kind.counted]
    if won:
        names = _some([kind.opportunity_type or "(no type)" for kind in won])
        return Problem(
            message=f"Not a single expansion counts, while opportunities of type {names} are won.",
            fix="Name those that are expansions under [target] opportunity_types.",
            stops=True,
        )
    return Problem(
        message="Not a single expansion counts: no opportunity is won, and no ARR rises in billing.",
        fix="Map opportunities and give a billing export, then: upswell pull",
        stops=True,
    )


def _eligible(known: Known) -> Iterator[Problem]:
    if known.customers and not known.eligible:
        yield Problem(
            message=f"[target] eligible lets in none of {known.customers:,} customers.",
            fix="See below what each part of it lets in, and loosen it.",
            stops=True,
        )
    elif known.eligible < 0.1 * known.customers:
        share = known.eligible / known.customers
        yield Problem(
            message=f"[target] eligible lets in only {share:.0%} of {known.customers:,} customers.",
            fix="See below what each part of it lets in.",
        )
    for name, share in known.unknown.items():
        if share > MANY and not name.startswith(NEVER_PREFIX):
            yield Problem(
                message=f"{name}, on which eligibility hangs, is unknown for {share:.0%} of the customers.",
                fix=f"Map it, or say what holds then: … or {name} is missing",
            )


def _amount_of_history(known: Known) -> Iterator[Problem]:
    count = len(known.expansions)
    days = (known.today - known.expansions[0].day).days
    if count < MIN_EXPANSIONS:
        yield Problem(
            message=f"{count} expansions are too few to learn from (fewer than {MIN_EXPANSIONS}): "
            "the rule scorecard scores.",
            fix="Count more kinds of expansion, or pull more history.",
        )
    elif count < ENOUGH:
        who = "rules and model score together" if count <= FULL_EXPANSIONS else "the model scores"
        yield Problem(
            message=f"{count} expansions are not many (fewer than {ENOUGH}): {who}, and its figures waver.",
            fix="Count more kinds of expansion, or pull more history.",
        )
    if days < HISTORY_DAYS:
        yield Problem(
            message=f"The expansions reach back {days} days, less than a year: no season is seen twice.",
            fix="Pull more history.",
        )
    horizons = max(days / known.target.horizon_days, 1)
    rate = count / horizons / max(known.customers, 1)
    if not RARE <= rate <= COMMON:
        yield Problem(
            message=f"About {rate:.1%} of the customers expand within {known.target.horizon_days} days: "
            f"{'hardly any' if rate < RARE else 'most of them'}, which leaves little to rank.",
            fix="Change horizon_days, or what counts.",
        )


def _events(known: Known) -> Iterator[Problem]:
    events = known.expansions
    count = len(events)
    day, on_it = Counter(event.day for event in events).most_common(1)[0]
    if on_it >= MIN_EXPANSIONS and on_it > ONE_DAY_SHARE * count:
        yield Problem(
            message=f"{on_it} of {count} expansions are dated {day}: that looks like an import.",
            fix="Give their true close dates, or leave them out by stage or pipeline.",
        )
    billed = sum(event.source == "billing" for event in events)
    if billed > MANY * count:
        yield Problem(
            message=f"{billed} of {count} expansions are increases in billing that no won deal explains.",
            fix="If they are uplifts by contract, set count_arr_changes = false; if deals, see that "
            "opportunity_types names their types.",
        )
    deals = [event for event in events if event.source != "billing"]
    nameless = sum(event.product_id is None for event in deals)
    if nameless > MANY * max(len(deals), 1):
        yield Problem(
            message=f"{nameless} of {len(deals)} won expansion opportunities name no product: "
            "which product to offer is told by rules then.",
            fix="Add product lines to opportunities, or map the field that names the product.",
        )
    foreign = Counter(e.product_id for e in deals if e.product_id and e.product_id not in known.products)
    if foreign:
        yield Problem(
            message=f"{foreign.total()} expansions are of products that no [[products]] names: "
            f"{_some(name or '' for name in foreign)}.",
            fix="Add them to the catalogue, so that they can be recommended.",
        )
    if known.unoffered:
        yield Problem(
            message=f"No customer can be offered {_some(known.unoffered)} today.",
            fix="See replaces and eligible under [[products]]; replaces is a plan tier as the CRM writes it.",
        )
    if known.amountless:
        yield Problem(
            message=f"{known.amountless} won expansion opportunities have no amount"
            + (", so are below min_amount." if known.target.min_amount else ": they count, but not in ARR."),
            fix="Fill the amount in the CRM, or map the field that holds it.",
        )
    yield from _silence(known)


def _silence(known: Known) -> Iterator[Problem]:
    last = known.expansions[-1].day
    months = (known.today.year - last.year) * 12 + known.today.month - last.month
    if months > QUIET_MONTHS and len(known.expansions) >= MIN_EXPANSIONS:
        yield Problem(
            message=f"The last expansion was on {last}, {months} months ago, after {len(known.expansions)}.",
            fix="See whether a type, a stage or a feed was renamed or stopped since.",
        )


def _some(names: Iterable[str], most: int = 5) -> str:
    """The first few names in order, and how many more."""
    ordered = sorted({name or "(none)" for name in names})
    more = f" and {len(ordered) - most} more" if len(ordered) > most else ""
    return ", ".join(ordered[:most]) + more
