"""What a check-up of a connection finds, and the part of it that is the same for every CRM."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from connectors.errors import SetupError

if TYPE_CHECKING:
    from connectors.mappings import Mappings  # which knows the values of a CRM, as this does not

REQUIRED: Final = frozenset({"accounts"})  # without them there is nothing to score
RATES: Final = "exchange_rates"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One thing that was looked at. With a `fix` it is worth knowing, and a fault where it must be mended."""

    area: str
    name: str
    found: str
    fix: str | None = None
    is_fault: bool = False


class Source(Protocol):
    """What a connector's tables say of one object that they read."""

    @property
    def object(self) -> str:
        """Its name at the vendor."""
        ...

    @property
    def columns(self) -> Mapping[str, str]:
        """Canonical column -> the vendor's field."""
        ...


def check_tables(
    sources: Mapping[str, Sequence[Source]], mappings: Mappings, holds: Callable[[str, str], bool]
) -> Iterator[Remark]:
    """Whether our user sees each object and field that a pull reads; mapped ones are checked by themselves.

    `holds` says so of an object's field, and raises SetupError for an object that is not there. A currency or
    its rates that are nowhere to be seen are no loss: then there is only one."""
    seen: set[tuple[str, frozenset[str]]] = set()  # some tables are read from the same fields
    for table, objects in sources.items():
        if table in mappings.objects:  # the settings name another, which is checked with what they map
            continue
        lost = f"{table} are not read" if len(objects) == 1 else f"{table} come without it"
        left_out = {"currency", *mappings.columns(table)}
        for source in objects:
            wanted = {column: path for column, path in source.columns.items() if column not in left_out}
            fields = (source.object, frozenset(wanted.values()))
            if fields in seen:
                continue
            seen.add(fields)
            try:
                unseen = [
                    f"{column} ({path})" for column, path in wanted.items() if not holds(source.object, path)
                ]
            except SetupError as error:
                if table == RATES:
                    continue
                yield Remark(
                    area="Objects",
                    name=source.object,
                    found=f"hidden from our user, so {lost}: {error.message}",
                    fix=error.fix or "Let our user read it.",
                    is_fault=table in REQUIRED,
                )
                continue
            found = f"{table}: {len(wanted) - len(unseen)} of {len(wanted)} fields"
            if unseen:
                yield Remark(
                    area="Objects",
                    name=source.object,
                    found=f"{found}; these columns stay empty: {', '.join(unseen)}",
                    fix="Let our user read these fields, or map others under [mapping].",
                )
            else:
                yield Remark(area="Objects", name=source.object, found=found)
