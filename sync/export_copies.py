"""Export files whose bytes are known already: moved to another place, or lying there twice.

The same events under two names would count twice, so a file is what its bytes say, wherever it lies.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import update
from sqlalchemy.orm import Session

from sync.store.tables import ExportFileRow, SegmentRow

Key = tuple[str, str]
"""(kind, path) of an export file."""
COUNTED: Final = "counted:"
Content = tuple[str, str, str]
"""(kind, sha256, spec hash): what a file says, and how it is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """New paths by what they hold: bytes never seen, that moved here, or that stand elsewhere too."""

    unseen: tuple[Key, ...]
    moved: Mapping[Key, Key]  # new -> old, which is gone
    copies: Mapping[Key, Key]  # new -> the file that counts


def sort_by_content(
    fresh: Mapping[Key, Content], known: Mapping[Key, ExportFileRow], present: Collection[Key]
) -> Found:
    """Which of the fresh paths must be read; one that is known with other bytes always is."""
    held: dict[Content, list[Key]] = {}
    for key, row in known.items():
        if key not in fresh:
            held.setdefault((row.kind, row.sha256, row.spec_hash), []).append(key)
    unseen: list[Key] = []
    moved: dict[Key, Key] = {}
    copies: dict[Key, Key] = {}
    for key, content in sorted(fresh.items()):
        places = held.get(content, [])
        standing = [place for place in places if place in present]
        if key in known or not places:
            unseen.append(key)
        elif standing:
            copies[key] = standing[0]
            continue
        else:
            moved[key] = places.pop(0)
        held.setdefault(content, []).append(key)
    return Found(unseen=tuple(unseen), moved=moved, copies=copies)


def note_moves(session: Session, moved: Mapping[Key, Key]) -> None:
    """Let the manifest and the lake's segments follow the files, in the caller's transaction."""
    for (kind, path), (_, old) in moved.items():
        session.execute(
            update(ExportFileRow)
            .where(ExportFileRow.kind == kind, ExportFileRow.path == old)
            .values(path=path, status="read")
        )
        for named in (source_of, counted_source):
            session.execute(
                update(SegmentRow).where(SegmentRow.source == named(old)).values(source=named(path))
            )


def source_of(path: str | Path) -> str:
    """The name under which the lake knows the rows of a file."""
    return f"file:{path}"


def counted_source(path: str | Path) -> str:
    """The name under which it knows what a warehouse counted of events that stay there."""
    return f"{COUNTED}{path}"


def copy_warnings(copies: Mapping[Key, Key]) -> Sequence[str]:
    """One sentence for each file that is not read because another one says the same."""
    return [copy_warning(path, other) for (_, path), (_, other) in copies.items()]


def copy_warning(path: str, other: str) -> str:
    """A sentence about a file that says what another says."""
    return f"{path} holds the same bytes as {other}; it counts once."
