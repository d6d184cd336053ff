"""Lines of 10 GB are refused in less than 512 MB: as a sparse file, or packed into a few megabytes."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

LIMIT = 512 << 20
SIZE = 10 << 30
HEADER = b"account_key,user_id,event,at\n"
READ = """
import json, re, resource, sys
from pathlib import Path
from connectors.errors import InputError
from connectors.exports.spec import ExportFile, ExportSpec
from connectors.exports.table import iter_export

def read(path, encoding):
    spec = ExportSpec(kind="events", path=str(path), encoding=encoding)
    try:
        rows = sum(batch.num_rows for batch in iter_export(spec, ExportFile(path=path, size=0, sha256="")))
    except InputError as error:
        return error.message
    return f"{rows} rows"

def peak():
    # ru_maxrss begins with what the parent held when it forked; Linux also tells what is the process's own
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(re.search(r"VmHWM:\\s+(\\d+)", status.read_text())[1]) * 1024

told = {path.name: read(path, sys.argv[2]) for path in sorted(Path(sys.argv[1]).iterdir())}
print(json.dumps([told, peak()]))
"""


def told_of(folder: Path, encoding: str = "utf-8") -> dict[str, str]:
    """What is said of each file by a process of its own, which must stay below the limit."""
    done = subprocess.run(
        [sys.executable, "-c", READ, str(folder), encoding], capture_output=True, text=True, check=True
    )
    told, peak = json.loads(done.stdout)
    assert peak < LIMIT
    return dict(told)


def sparse(path: Path, head: bytes) -> None:
    """Ten gigabytes of zeros behind a head, as a broken copy leaves them."""
    with path.open("wb") as stream:
        stream.write(head)
        stream.truncate(SIZE)


def packed(path: Path, head: bytes, block: bytes, times: int) -> None:
    """A block so many times over behind a head, as a gzip file of as many members."""
    path.write_bytes(gzip.compress(head) + gzip.compress(block) * times)


def test_ten_gigabytes_of_zeros_are_refused_at_once(tmp_path: Path) -> None:
    """They are no text, and nothing waits for the end of their line."""
    sparse(tmp_path / "bare.csv", b"")
    sparse(tmp_path / "headed.csv", HEADER)
    told = told_of(tmp_path)
    assert told == {
        "bare.csv": "The file is neither text nor Parquet.",
        "headed.csv": "The text holds NUL bytes.",
    }
    (tmp_path / "bare.csv").unlink()
    assert told_of(tmp_path, "latin-1") == {"headed.csv": "The text holds NUL bytes."}


def test_ten_gigabytes_in_a_line_are_refused_without_being_held(tmp_path: Path) -> None:
    """Ten megabytes of gzip unpack to each: a header, a cell, quoted or not, an object, a row of lines."""
    letters, times = b"a" * (16 << 20), SIZE >> 24
    packed(tmp_path / "header", b"", letters, times)
    packed(tmp_path / "cell", HEADER + b"C-1,", letters, times)
    packed(tmp_path / "quoted", HEADER + b'C-1,"', letters, times)
    packed(tmp_path / "object", b'{"event":"', letters, times)
    packed(tmp_path / "row", HEADER + b'C-1,"', b"a,b,c,d\n" * (1 << 21), times)
    told = told_of(tmp_path)
    assert len(told) == 5
    assert set(told.values()) == {"The line is longer than 16 MiB."}


def test_a_day_of_a_million_events_is_read_batch_by_batch(tmp_path: Path) -> None:
    """One account's; memory does not grow with them."""
    packed(tmp_path / "day", HEADER, b"C-1,u1,login,2026-11-02T09:00:00Z\n" * 10_000, 100)
    assert told_of(tmp_path) == {"day": "1000000 rows"}
