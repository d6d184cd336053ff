"""The walk along the journal: which entries are missing, changed, put in, or emptied without an erasure."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sync.audit_links import Fault, LinkCheck, Run
from sync.chain import line_of_entry
from sync.entry_digest import commitment, digest_of, kept_commitment

CHANGED = "it is not what was written."
EMPTIED = "it was emptied, and no link says why."


@dataclass(slots=True, kw_only=True)
class EntryCheck:
    """Entries go in by ascending id; `end` tells what is missing. Neighbours are told as one."""

    key: bytes
    chain: LinkCheck
    faults: list[Fault] = field(default_factory=list)
    erased: int = 0
    knows_key: bool = False
    _covered: _Runs = field(init=False)
    _doubtful: _Runs = field(init=False)
    _erasures: _Runs = field(init=False)
    _next: dict[int, int] = field(init=False)  # by the first entry of a run: the one to come
    _hashes: dict[int, Any] = field(init=False)  # by the number of the link
    _faulty: set[int] = field(default_factory=set)  # numbers of links with a fault among their entries
    _loose: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._covered = _Runs(self.chain.covered)
        self._doubtful = _Runs(self.chain.doubtful)
        self._erasures = _Runs(self.chain.erasures)
        self._next = {first: first for first, _, _ in self.chain.covered}
        self._hashes = {link.seq: hashlib.sha256() for _, _, link in self.chain.covered}

    def look(self, row: Any) -> None:
        """Take the next entry in."""
        self.erased += row.erased_at is not None
        fault = self._fault(row)
        self.knows_key = self.knows_key or fault is None
        run = self._covered.of(row.id)
        if run is not None:
            first, _, link = run
            self._gap(link.seq, self._next[first], row.id - 1)
            self._next[first] = row.id + 1
            self._hashes[link.seq].update(line_of_entry(row.id, row.digest))
        elif self._doubtful.of(row.id) is None:
            self._put_in(row.id)
            return
        if fault is not None:
            self.faults.append(fault)
            if run is not None:
                self._faulty.add(run[2].seq)

    def end(self) -> None:
        """Tell what is missing, what is loose, and which links cover something else."""
        self._put_in(None)
        for first, last, link in self.chain.covered:
            self._gap(link.seq, self._next[first], last)
        for link in {link.seq: link for _, _, link in self.chain.covered}.values():
            if link.seq not in self._faulty and self._hashes[link.seq].hexdigest() != link.digest:
                self.faults.append(
                    Fault(
                        code="changed",
                        record=f"link {link.seq}",
                        message="its entries are not those that it covers.",
                    )
                )

    def _fault(self, row: Any) -> Fault | None:
        erasure = self._erasures.of(row.id)
        if row.erased_at is None:
            kept = None if row.salt is None else commitment(row.salt, row.before, row.after)
        else:
            kept = None if row.salt is not None else kept_commitment(row.before, row.after)
        if kept is None or row.digest != digest_of(self.key, row, kept):
            return _entry_fault("changed", row.id, CHANGED)
        if row.erased_at is None and erasure is not None:
            message = f"link {erasure[2].seq} erased it, and it holds content again."
            return _entry_fault("changed", row.id, message)
        if row.erased_at is not None and (erasure is None or erasure[2].at != row.erased_at):
            return _entry_fault("forged_erasure", row.id, EMPTIED)
        return None

    def _gap(self, seq: int, first: int, last: int) -> None:
        if first <= last:
            self._faulty.add(seq)
            message = f"removed from what link {seq} covers."
            self.faults.append(Fault(code="missing", record=_name(first, last), message=message))

    def _put_in(self, number: int | None) -> None:
        """Gather neighbours that no link covers, and tell them when another one follows, or None."""
        loose = self._loose
        if loose and number != loose[-1] + 1:
            message = "no link covers it: it was put in, or its link was removed."
            self.faults.append(Fault(code="inserted", record=_name(loose[0], loose[-1]), message=message))
            loose.clear()
        if number is not None:
            loose.append(number)


class _Runs:
    """Runs of entries that do not overlap, looked up by an entry in them."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self._runs = sorted(runs, key=lambda run: run[0])
        self._firsts = [first for first, _, _ in self._runs]

    def of(self, number: int) -> Run | None:
        """The run that holds an entry."""
        place = bisect_right(self._firsts, number) - 1
        if place < 0 or number > self._runs[place][1]:
            return None
        return self._runs[place]


def _entry_fault(code: str, number: int, message: str) -> Fault:
    return Fault(code=code, record=_name(number, number), message=message)


def _name(first: int, last: int) -> str:
    return f"journal entry {first}" if first == last else f"journal entries {first}–{last}"
