"""What a book expects of each account, span by span, in whole cents: sums of them are the forecast.

Every item of the book that is cut by product is rounded to cents in each span, and everything that is shown
or written is a sum of these. So rows, whatever they are summed by, come to the forecast's figures exactly,
which rounding each sum by itself would not do. It moves a total by 0.3 cents times the root of its items.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from model.book import BASES, Book

CENTS = 100
Amounts = tuple[float, ...]
"""Expected ARR in each span of a book, in order."""


def cents(arr: np.ndarray) -> np.ndarray:
    """ARR in whole cents."""
    whole: np.ndarray = np.rint(CENTS * arr).astype(np.int64)
    return whole


def cents_of(book: Book) -> np.ndarray:
    """items × spans: what each is expected to add, in whole cents."""
    return cents(book.chance * book.arr[:, None])


def amounts_by_account(book: Book, *, bases: Collection[str] = BASES) -> dict[str, Amounts]:
    """Expected ARR of each account that has an item of these bases; their sum is what the book expects."""
    found = sums_by_account(book, bases=bases)
    return {account: tuple((parts / CENTS).tolist()) for account, parts in found.items()}


def sums_by_account(book: Book, *, bases: Collection[str] = BASES) -> dict[str, np.ndarray]:
    """The same in whole cents."""
    sums: dict[str, np.ndarray] = {}
    for account, basis, parts in zip(book.accounts, book.bases, cents_of(book), strict=True):
        if basis in bases:
            sums[account] = sums[account] + parts if account in sums else parts
    return sums
