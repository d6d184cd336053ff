"""A small sample of a file's events by which the same events are found in another file.

Every event has a hash of 64 bits over who did what and when. A file keeps those hashes whose first `bits`
bits are zero, with just so many bits that some thousand are left. Which events a file keeps does not depend
on what else is in it, so two files that share events keep the same hashes of them, and the part of the one
sample that stands in the other is, by chance alone, near the part of the events: of 1,024 hashes, ±3 points
at one half (two standard errors). The hash is BLAKE2b mixed by multiplication, the same on each machine.

Most events are passed over by their time, without a look at their names, which makes a tenth of the cost. So
the first 24 bits are of the time alone where it is finer than minutes (whole minutes, hours and days are too
few to choose among), and of everything else too where it is not.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

SIZE: Final = 1024  # hashes that a sample keeps at least, where a file has as many events; 8 kB to 16 kB
COLUMNS: Final = ("account_key", "user_id", "event", "feature", "session_id")
_ODD: Final = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio: Fibonacci hashing, Knuth 6.4
_SHIFT: Final = np.uint64(29)
_FIRST: Final = np.uint64(0xFFFFFF << 40)
_MOST_BITS: Final = 24
_MINUTE: Final = 60_000_000  # microseconds

Hashes = npt.NDArray[np.uint64]


@dataclass(slots=True, kw_only=True)
class EventSample:
    """The hashes kept so far, sorted, each once; those that begin with `bits` zero bits."""

    bits: int = 0
    hashes: Hashes = field(default_factory=lambda: np.empty(0, np.uint64))

    def add(self, events: pa.RecordBatch) -> None:
        """Keep what belongs into the sample."""
        at = events["at"].cast(pa.int64()).fill_null(0).to_numpy()
        is_fine, by_time = at % _MINUTE != 0, _mix(at.view(np.uint64))
        wanted = ~is_fine | self._begins(by_time, self.bits)
        if not wanted.any():
            return
        chosen = np.flatnonzero(wanted)
        whole = _hashes(events.take(pa.array(chosen)), by_time[chosen])
        first = np.where(is_fine[chosen], by_time[chosen], whole)
        fresh = (first & _FIRST) | (whole & ~_FIRST)
        self.hashes = np.union1d(self.hashes, self._kept(fresh, self.bits))
        while len(self.hashes) > 2 * SIZE and self.bits < _MOST_BITS:
            self.bits += 1
            self.hashes = self._kept(self.hashes, self.bits)

    def share_in(self, *others: EventSample) -> float:
        """The part of these events that stands in the others too, 0 to 1, as far as the samples tell."""
        if not others:
            return 0.0
        bits = max(self.bits, *(other.bits for other in others))
        own = self._kept(self.hashes, bits)
        if not len(own):
            return 0.0
        theirs = np.concatenate([self._kept(other.hashes, bits) for other in others])
        return float(np.isin(own, theirs).mean())

    def to_bytes(self) -> bytes:
        """As the manifest keeps it, beside `bits`."""
        return self.hashes.astype("<u8").tobytes()

    @classmethod
    def from_bytes(cls, held: bytes, bits: int) -> Self:
        """What `to_bytes` kept."""
        return cls(bits=bits, hashes=np.frombuffer(held, "<u8").astype(np.uint64))

    @staticmethod
    def _kept(hashes: Hashes, bits: int) -> Hashes:
        return hashes[EventSample._begins(hashes, bits)]

    @staticmethod
    def _begins(hashes: Hashes, bits: int) -> npt.NDArray[np.bool_]:
        """Whether each begins with so many zero bits."""
        if bits == 0:
            return np.ones(len(hashes), np.bool_)
        begins: npt.NDArray[np.bool_] = hashes >> np.uint64(64 - bits) == 0
        return begins


def _hashes(events: pa.RecordBatch, by_time: Hashes) -> Hashes:
    """A hash of each event, made of that of its time."""
    mixed = by_time
    for name in COLUMNS:
        coded = pc.dictionary_encode(events[name], null_encoding="encode")
        words = np.array([_word(text) for text in coded.dictionary.to_pylist()], np.uint64)
        mixed = _mix(mixed ^ words[coded.indices.to_numpy()])
    return mixed


def _mix(numbers: Hashes) -> Hashes:
    """Spread each number over all 64 bits."""
    spread = numbers * _ODD
    spread ^= spread >> _SHIFT
    return spread * _ODD ^ (spread >> np.uint64(32))


def _word(text: str | None) -> int:
    if text is None:
        return 0
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")
