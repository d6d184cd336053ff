"""Of the objects that deliver a table together, those that our user sees, and why not the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from connectors.errors import SetupError


class Delivers(Protocol):
    """A source of a table's rows."""

    @property
    def object(self) -> str:
        """The CRM's object."""
        ...


S = TypeVar("S", bound=Delivers)


def seen(sources: Sequence[S], describe: Callable[[str], object]) -> tuple[list[S], dict[str, str]]:
    """The sources that can be described, and for each object that can't be, why.

    Raises SetupError where not one can: the table is then not there for us at all."""
    found: list[S] = []
    hidden: dict[str, SetupError] = {}
    for source in sources:
        try:
            describe(source.object)
        except SetupError as error:
            hidden[source.object] = error
        else:
            found.append(source)
    if not found and hidden:
        raise next(iter(hidden.values()))
    return found, {name: str(error) for name, error in hidden.items()}
