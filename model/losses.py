"""What became of each as-of row's ARR within the horizon: kept, contracted or churned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from model.customers import INVOICE_GRACE_DAYS
from model.expansions import MIN_INCREASE_SHARE
from model.recurring import arr_change, arr_spans

KEPT, CONTRACTED, CHURNED = 0.0, 1.0, 2.0
COLUMNS: Final = ("loss", "lost_share")


def loss_columns(
    sources: Mapping[str, ir.Table], rows: ir.Table, *, horizon_days: int, data_end: int, count: int
) -> dict[str, pa.Array]:
    """Columns `loss` (0 kept, 1 contracted, 2 churned) and `lost_share` of the ARR (0–1), by row number.

    A contraction is a fall of more than `MIN_INCREASE_SHARE`, by which rounding and proration move ARR; a
    step from one currency to another is none. Both are NaN where the row's ARR is unknown, and until
    `INVOICE_GRACE_DAYS` after the horizon: an invoice that is late may still come, and counted as lost, or
    as kept, it would teach what is not known yet."""
    spans = arr_spans(sources, data_end=data_end)
    dated = rows.filter(rows.day + horizon_days + INVOICE_GRACE_DAYS <= data_end)
    dated = dated.select("row", "account_id", "day", later=dated.day + horizon_days)
    change = arr_change(spans, dated).select("row", "before", "after", "same_currency").to_pyarrow()
    before, after = (change[name].to_numpy() for name in ("before", "after"))
    same = change["same_currency"].to_numpy()
    share = np.where(same, np.maximum(0.0, 1 - after / before), 0.0)
    kind = np.select([after == 0, share > MIN_INCREASE_SHARE], [CHURNED, CONTRACTED], KEPT)
    columns = {name: np.full(count, np.nan) for name in COLUMNS}
    at = change["row"].to_numpy()
    columns["loss"][at] = kind
    columns["lost_share"][at] = np.round(np.where(kind == KEPT, 0.0, share), 6)
    return {name: pa.array(values) for name, values in columns.items()}
