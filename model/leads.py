"""Whether a model is better than simpler ways to tell by more than noise, on the rows it was judged on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from model.backtest import Judgement
from model.challenge import paired_gain


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """By how much the model's mean log loss is lower than another's, with the 95 % interval by accounts.

    Above 0 the model is better; an interval that holds 0 may be noise."""

    gain: float
    low: float
    high: float


def leads(found: Judgement) -> Mapping[str, Lead]:
    """Upswell's lead over each of the others."""
    accounts, ours = found.rows["account_id"].to_pylist(), found.probability
    told = {}
    for name, each in found.said.items():
        if name != "upswell":
            gain, low, high = paired_gain(found.outcome, each.probability, ours, accounts)
            told[name] = Lead(gain=gain, low=low, high=high)
    return told
