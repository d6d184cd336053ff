"""What the model raises when it can't do its work: one error that says why and what to do."""

from __future__ import annotations


class ModelError(ValueError):
    """The tables, the target or a saved model can't be used. `fix` says what to do about it."""

    def __init__(self, message: str, *, fix: str) -> None:
        super().__init__(f"{message} Fix: {fix}")
        self.message = message
        self.fix = fix
