"""Faults that a sandbox shows on purpose, as rules in `DIR/faults.json` (re-read when it changes).

The file is a list of objects. A rule says which requests it is about, when it strikes and what happens:

    {"endpoint": "collections.update", "method": "PATCH", "request": [2, 5], "kind": "reset_after"}
    {"endpoint": "query*", "probability": 0.05, "seed": 7, "kind": "status", "status": 503, "times": 3}
    {"endpoint": "*", "request": 3, "kind": "expire_session"}
    {"endpoint": "collections.update", "kind": "lock", "share": 0.1, "seed": 1, "times": 1}
    {"endpoint": "collections.update", "request": 1, "kind": "edit",
     "edit": {"object": "Account", "id": "001...", "values": {"Name": "Changed by a person"}}}
    {"endpoint": "collections.*|composite", "method": "PATCH", "kind": "late", "seconds": 3, "wait": 0.5}
    {"endpoint": "ingest.close", "kind": "halt", "rows": 30}
    {"endpoint": "composite", "kind": "part", "part": 2, "status": 400, "code": "JSON_PARSER_ERROR"}

`endpoint` is a glob, or several with | between, over the endpoint's name (Salesforce's are in `ROUTES` of its
dialect) or the path; `request` counts the requests that match endpoint and method, from 1; without `request`
and `probability` the rule strikes every time; `times` ends it; `carries` narrows it to requests that write
one record. Rules of one seed, whose `above` and `probability` follow one another, share a chance: at most one
of them strikes a request. `late` gives no reply, cuts the connection after `wait` seconds if the client has
not, and handles the request `seconds` after it came.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal, get_args

Kind = Literal[
    "status", "reset_before", "reset_after", "late", "delay", "lock", "expire_session", "edit", "part", "halt"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What a person changes just before the request is handled."""

    object: str
    id: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRule:
    """One rule. Raises ValueError for a kind or a combination that can never strike."""

    kind: Kind
    endpoint: str = "*"
    method: str = "*"
    request: tuple[int, ...] = ()  # which of the matching requests, from 1
    probability: float | None = None
    above: float = 0.0  # strikes where the chance lies in [above, probability)
    seed: int = 0
    times: int | None = None  # strikes at most so often
    status: int = 503
    code: str = "SERVER_UNAVAILABLE"
    message: str = "The server is temporarily unavailable."
    body: str | None = None  # sent as it is instead of the vendor's error shape
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0  # that a delay waits, or after which a late request is handled
    wait: float = 0.0  # that the connection of a late request stays open
    share: float = 1.0  # of the rows that a lock holds
    ids: tuple[str, ...] = ()  # rows that a lock holds, instead of a share
    edit: Edit | None = None
    carries: str | None = None  # only requests that write this record
    rows: int = 0  # of a job that are processed before it halts
    part: int = 0  # which of a composite call's subrequests is refused, from 1

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"fault kind {self.kind!r} is unknown: use one of {', '.join(get_args(Kind))}")
        if self.kind == "edit" and self.edit is None:
            raise ValueError('a fault of kind "edit" needs "edit": {"object", "id", "values"}')
        if self.kind == "part" and self.part < 1:
            raise ValueError('a fault of kind "part" needs "part": which subrequest, from 1')
        if self.probability is not None and self.above >= self.probability:
            raise ValueError(f"no chance lies in [{self.above}, {self.probability}): above must be lower")

    @classmethod
    def parse(cls, entry: Mapping[str, object]) -> FaultRule:
        """The rule behind one object of faults.json."""
        unknown = entry.keys() - {f.name for f in fields(cls)}
        if unknown:
            raise ValueError(f"fault rule {dict(entry)} has unknown keys {sorted(unknown)}")
        values = dict(entry)
        if "request" in values:
            numbers = values["request"]
            values["request"] = tuple(numbers) if isinstance(numbers, list) else (numbers,)
        if "ids" in values:
            values["ids"] = tuple(values["ids"])  # type: ignore[arg-type]  # a JSON list
        if isinstance(values.get("edit"), dict):
            values["edit"] = Edit(**values["edit"])  # type: ignore[arg-type]  # a JSON object
        return cls(**values)  # type: ignore[arg-type]  # __post_init__ checks what JSON could get wrong

    def about(self, endpoint: str, method: str, path: str, ids: Collection[str] = ()) -> bool:
        """Whether the rule is about this request, which writes records with these ids, at all."""
        if self.carries is not None and self.carries not in ids:
            return False
        globs = self.endpoint.split("|")
        named = any(fnmatchcase(endpoint, glob) or fnmatchcase(path, glob) for glob in globs)
        return named and self.method in ("*", method)

    def strikes(self, nth: int, struck: int) -> bool:
        """Whether the rule strikes the nth request that it is about, having struck so often before."""
        if self.times is not None and struck >= self.times:
            return False
        if self.request:
            return nth in self.request
        return self.probability is None or self.above <= _chance(self.seed, nth) < self.probability

    def locks(self, index: int, record_id: str) -> bool:
        """Whether a lock of this rule holds the row."""
        if self.ids:
            return record_id in self.ids
        return _chance(self.seed, f"{index}:{record_id}") < self.share


def _chance(seed: int, what: object) -> float:
    """A number in [0, 1) that depends on nothing else, so that a run can be repeated."""
    digest = hashlib.blake2b(f"{seed}:{what}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


class Faults:
    """The rules in force and how often each was met and struck."""

    def __init__(self, path: Path | None = None, rules: Sequence[FaultRule] = ()) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._read: tuple[int, int] | None = None
        self._rules: list[FaultRule] = []
        self._met: list[int] = []
        self._struck: list[int] = []
        self.replace(rules)

    def replace(self, rules: Sequence[FaultRule]) -> None:
        """Put other rules in force; counting starts again."""
        with self._lock:
            self._rules = list(rules)
            self._met = [0] * len(rules)
            self._struck = [0] * len(rules)

    def add(self, **rule: Any) -> None:
        """Put one more rule in force: the keys of `FaultRule`."""
        parsed = FaultRule.parse(rule)
        with self._lock:
            self._rules.append(parsed)
            self._met.append(0)
            self._struck.append(0)

    def clear(self) -> None:
        """No faults from here on."""
        self.replace(())

    def strike(self, *, endpoint: str, method: str, path: str, ids: Collection[str] = ()) -> list[FaultRule]:
        """The rules that strike this request, in the order in which they were given."""
        self._reload()
        hits = []
        with self._lock:
            for i, rule in enumerate(self._rules):
                if rule.about(endpoint, method, path, ids):
                    self._met[i] += 1
                    if rule.strikes(self._met[i], self._struck[i]):
                        self._struck[i] += 1
                        hits.append(rule)
        return hits

    def _reload(self) -> None:
        if self._path is None:
            return
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            if self._read is not None:
                self._read = None
                self.clear()
            return
        version = (stat.st_mtime_ns, stat.st_size)
        if version != self._read:
            try:
                entries = json.loads(self._path.read_text(encoding="utf-8"))
                self.replace([FaultRule.parse(entry) for entry in entries])
            except (ValueError, TypeError, AttributeError) as error:
                raise ValueError(f"{self._path} is no list of fault rules: {error}") from None
            self._read = version
