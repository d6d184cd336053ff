"""What a book expects of each account, span by span: the same items that the forecast sums."""

from __future__ import annotations

from collections.abc import Collection

from model.book import BASES, Book

Amounts = tuple[float, ...]
"""Expected ARR in each span of a book, in order."""


def amounts_by_account(book: Book, *, bases: Collection[str] = BASES) -> dict[str, Amounts]:
    """Expected ARR of each account that has an item of these bases; their sum is what the book expects."""
    sums: dict[str, list[float]] = {}
    expected = (book.chance * book.arr[:, None]).tolist()
    for account, basis, parts in zip(book.accounts, book.bases, expected, strict=True):
        if basis in bases:
            held = sums.setdefault(account, [0.0] * len(parts))
            for at, part in enumerate(parts):
                held[at] += part
    return {account: tuple(parts) for account, parts in sums.items()}
