"""The names that a play's trigger may use, and the trigger itself, read from its text.

The language is that of model/eligibility.py. A reason code holds its share of the score in percent where it
is said of the account, and is missing where it is not: `SEATS_FULL is known`, `SEATS_FULL >= 20`.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import pyarrow as pa

from model.eligibility import Eligibility
from model.eligibility_text import parse_eligibility
from model.errors import ModelError
from model.reason_codes import CODES
from sync.occasions import LIMITS, SEATS

TEXTS: Final = ("tier", "timing", "health", "product", "product_2", "product_type", "segment")
NUMBERS: Final = (
    "probability", "arr_if_expands", "expected_arr", "churn", "contraction", "data_completeness",
    "days_to_renewal", "milestones_reached", SEATS, LIMITS,
)  # fmt: skip

OF_TRIGGERS: Final = {
    "no feature": "no name that a trigger knows",
    "Name a feature": "Use a name",
    "docs/features.md": "docs/tasks.md",
    "days_since_expansion > 60": "seat_utilisation >= 95 %",
    "The eligibility test": "The trigger",
}
"""What the language of tests says of features, and what is true of triggers."""


@cache
def schema_of_triggers() -> pa.Schema:
    """Every name with its kind."""
    numbers = (*NUMBERS, *(each.code for each in CODES))
    return pa.schema([*((name, pa.string()) for name in TEXTS), *((name, pa.float64()) for name in numbers)])


def parse_trigger(text: str, *, what: str) -> Eligibility:
    """The trigger in `text`. Raises ModelError that names `what` and the place where it can't be read."""
    schema = schema_of_triggers()
    try:
        trigger = parse_eligibility(text, what=what, names=schema.names)
        trigger.holds(schema.empty_table())
    except ModelError as error:
        message, fix = error.message, error.fix
        for theirs, ours in OF_TRIGGERS.items():
            message, fix = message.replace(theirs, ours), fix.replace(theirs, ours)
        raise ModelError(message, fix=fix) from None
    return trigger
