"""Export files that hold the same events under other bytes: exports whose times overlap, a CSV and its JSON.

Within a file, events with the vendor's own id count once. Between files nothing is taken away: which of two
files is right can't be known, so the share that counts twice is told, as the samples of `event_sample` have
it. The same bytes in two files are another matter, and count once (`export_copies`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select

from sync.event_sample import EventSample
from sync.store import Store
from sync.store.tables import ExportFileRow

WORTH_TELLING: Final = (
    0.02  # of a file's events; a product may log a few events twice in the same microsecond
)
SHOWN: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """A file of events: its name, from when to when, and its sample."""

    path: str
    first_at: datetime
    last_at: datetime
    sample: EventSample


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """A file of events of which a part, 0 to 1, stands in other files too; those with the most come first."""

    path: str
    share: float
    others: tuple[str, ...]

    def __str__(self) -> str:
        """A sentence for people."""
        more = len(self.others) - SHOWN
        others = ", ".join(self.others[:SHOWN]) + (f" and {more} more" if more > 0 else "")
        return (
            f"{self.path}: about {self.share:.0%} of its events stand in {others} too, and count twice. "
            "Export times that don't overlap, or take one of the files out of path."
        )


def overlaps(held: Sequence[Sampled], among: Collection[str] | None = None) -> list[Overlap]:
    """Each file (of `among`, where given) with events that an earlier one of the list holds too.

    Of two files only the one that begins later is named, so that a fault is told once."""
    found = []
    ordered = sorted(held, key=lambda one: (one.first_at, one.path))
    for place, one in enumerate(ordered):
        before = [other for other in ordered[:place] if other.last_at >= one.first_at]
        shares = [(one.sample.share_in(other.sample), other) for other in before]
        sharing = sorted(
            ((share, other) for share, other in shares if share > 0),
            key=lambda pair: (-pair[0], pair[1].path),
        )
        share = one.sample.share_in(*(other.sample for _, other in sharing))
        names = tuple(other.path for _, other in sharing)
        if share >= WORTH_TELLING and (among is None or not {one.path, *names}.isdisjoint(among)):
            found.append(Overlap(path=one.path, share=share, others=names))
    return found


def sampled_files(store: Store) -> list[Sampled]:
    """The files of events that count, as far as they have a sample."""
    query = select(
        ExportFileRow.path,
        ExportFileRow.first_at,
        ExportFileRow.last_at,
        ExportFileRow.sample,
        ExportFileRow.sample_bits,
    ).where(ExportFileRow.kind == "events", ExportFileRow.rows > 0, ExportFileRow.sample.is_not(None))
    with store.session() as session:
        return [
            Sampled(
                path=path, first_at=first, last_at=last, sample=EventSample.from_bytes(sample or b"", bits)
            )
            for path, first, last, sample, bits in session.execute(query)
            if first is not None and last is not None
        ]
