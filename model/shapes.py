"""The Arrow types of what is told beside a score; the ledger keeps them as JSON."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

TEXT: Final = pa.string()
REAL: Final = pa.float64()
WHOLE: Final = pa.int64()

FIGURE: Final = pa.struct([("name", TEXT), ("value", REAL), ("unit", TEXT)])
REASON: Final = pa.struct(
    [
        ("code", TEXT),
        ("family", TEXT),
        ("share", REAL),
        ("sentence", TEXT),
        ("feature", TEXT),  # what the sentence is made of, so that it can be said in another language
        ("source", TEXT),
        ("day", TEXT),
        ("values", pa.list_(FIGURE)),
    ]
)
PRODUCT: Final = pa.struct(
    [("id", TEXT), ("probability", REAL), ("arr", REAL), ("low", REAL), ("high", REAL)]
)
PARTS: Final = pa.map_(TEXT, REAL)  # what each signal family, and the base, adds to the log-odds
MOVED: Final = pa.struct(
    [
        ("since", TEXT),
        ("points", REAL),
        ("sentence", TEXT),
        ("steps", pa.list_(pa.struct([("family", TEXT), ("points", REAL)]))),
    ]
)
LIKE_THIS: Final = pa.struct(
    [
        ("expanded", WHOLE),
        ("accounts", WHOLE),
        ("low", REAL),
        ("high", REAL),
        ("source", TEXT),
        ("sentence", TEXT),
    ]
)
MILESTONE: Final = pa.struct([("product", TEXT), ("reached", pa.list_(TEXT)), ("next", TEXT), ("of", WHOLE)])
WHOM: Final = pa.struct(
    [
        ("reach", pa.list_(pa.struct([("contact", TEXT), ("reason", TEXT)]))),
        ("missing", pa.list_(TEXT)),
    ]
)
