"""Figures that are worked out for all accounts on one as-of day after another, brought to their rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa

from model.features.feature import Inputs

Figures = Mapping[str, np.ndarray]
"""By name, a figure of every account in the order of their codes."""


def rows_of_days(inputs: Inputs, figures: Callable[[int], Figures], *, known: str) -> pa.Table:
    """`figures` of each as-of day at the rows of that day, where the figure `known` is above 0."""
    found: dict[str, np.ndarray] = {}
    for day in inputs.days:
        rows = np.flatnonzero((inputs.day == day) & (inputs.account >= 0))
        for name, values in figures(day).items():
            column = found.setdefault(name, np.full(len(inputs.day), np.nan))
            column[rows] = values[inputs.account[rows]]
    held = np.flatnonzero(found[known] > 0)
    return pa.table({"row": held} | {name: values[held] for name, values in found.items()})


def account_count(inputs: Inputs, account: np.ndarray) -> int:
    """How many codes of accounts there are, in the rows and among these."""
    return 1 + max(int(codes.max(initial=0)) for codes in (inputs.account, account))


def over(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """The quotient, NaN where the divisor is not above 0."""
    share: np.ndarray = np.divide(top, bottom, out=np.full(np.shape(top), np.nan), where=bottom > 0)
    return share
