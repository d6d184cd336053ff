"""The walk along the chain: which links are missing, changed or put in, and what the sound ones say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sync.chain import ENTRIES, ERASURE, OPENING, fingerprint, is_ours

Run = tuple[int, int, Any]
"""First and last entry of a run, and the link that names it."""

FIX: Final = "Restore the ledger from a backup, and find out who can write to it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is not as we wrote it. `code` is changed, missing, inserted or forged_erasure."""

    code: str
    record: str
    message: str
    fix: str = FIX


@dataclass(slots=True, kw_only=True)
class LinkCheck:
    """Links go in, in the order of their numbers; faults and what sound links cover come out."""

    key: bytes
    faults: list[Fault] = field(default_factory=list)
    sound: list[Any] = field(default_factory=list)
    macs: dict[int, str] = field(default_factory=dict)
    covered: list[Run] = field(default_factory=list)
    doubtful: list[Run] = field(default_factory=list)  # named by a link that was changed
    erasures: list[Run] = field(default_factory=list)
    erased_operations: set[str] = field(default_factory=set)
    unjournalled: list[str] = field(default_factory=list)
    sealed: int = 0
    knows_key: bool = False
    _before: Any = None

    def look(self, link: Any) -> None:
        """Take the next link in."""
        last = 0 if self._before is None else self._before.seq
        if link.seq > last + 1:
            self._missing(last + 1, link.seq - 1)
        self.macs[link.seq] = link.mac
        ours = is_ours(self.key, link)
        if not ours:
            self._fault(link, "changed", "it was changed, moved or put in after it was made.")
        elif self._is_out_of_place(link):
            self._fault(link, "changed", "it does not follow the link before it.")
        if link.seq == 1 and link.previous == fingerprint(self.key):
            self.knows_key = True
        if ours:
            self.knows_key = True
            self.sound.append(link)
            self._note(link)
        elif link.kind in (ENTRIES, OPENING):
            # what it covers is not put in by that alone: one fault, not ten thousand
            self.doubtful += [(first, last, link) for first, last in runs_of(link.ref)]
        self._before = link

    def _is_out_of_place(self, link: Any) -> bool:
        if link.seq == 1:
            return bool(link.previous != fingerprint(self.key))
        before = self._before
        return before is not None and before.seq == link.seq - 1 and bool(link.previous != before.mac)

    def _note(self, link: Any) -> None:
        if link.kind in (ENTRIES, OPENING):
            self.covered += [(first, last, link) for first, last in runs_of(link.ref)]
        if link.kind == OPENING:
            self.sealed += sum(last - first + 1 for first, last in runs_of(link.ref))
            self.unjournalled += link.ref["unjournalled"]
        if link.kind == ERASURE:
            self.erasures += [(first, last, link) for first, last in runs_of(link.ref)]
            self.erased_operations.update(link.ref["operations"])

    def _missing(self, first: int, last: int) -> None:
        name = f"link {first}" if first == last else f"links {first}–{last}"
        self.faults.append(Fault(code="missing", record=name, message="removed from the chain."))

    def _fault(self, link: Any, code: str, message: str) -> None:
        self.faults.append(Fault(code=code, record=f"link {link.seq}", message=message))


def runs_of(ref: Mapping[str, Any]) -> Iterator[tuple[int, int]]:
    """The runs of entries that a link names; whatever else a changed link holds there is passed over."""
    runs = ref.get("entries") if isinstance(ref, dict) else None
    for run in runs if isinstance(runs, list) else ():
        match run:
            case [int(first), int(last)] if first <= last:
                yield first, last
