"""What a single setting must look like: paths, URLs, zones, codes, and names that exist elsewhere.

Each check raises ValueError with a sentence; `sync.config` makes of it a SettingError that names the
setting.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, ValidationInfo

from connectors.canonical import CRM_TABLES, EXPORT_KINDS, FROM_CRM, MAPPED_KINDS, schema_of
from connectors.exports.encodings import known_encoding
from connectors.exports.spec import REQUIRED
from connectors.fields import field_specs
from connectors.mappings import OBJECT

STRICT = ConfigDict(extra="forbid", validate_default=True)
FILE_DATABASES = ("sqlite:///", "duckdb:///")
CRON_FIELDS = 5
_OURS = frozenset({"accounts", "owners", "exchange_rates"})


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A sentence naming the closest known name, else all of them; empty when nothing is known."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return f" Did you mean {close[0]}?"
    return f" Known: {', '.join(names)}." if names else ""


def is_loopback(host: str | None) -> bool:
    """Whether the host can only be this machine."""
    if host is None:
        return False
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _home(info: ValidationInfo) -> Path | None:
    context = info.context
    return context.get("home") if isinstance(context, dict) else None


def _absolute(path: Path, info: ValidationInfo) -> Path:
    home = _home(info)
    path = path.expanduser()
    return path if home is None else home / path


def _absolute_url(url: str, info: ValidationInfo) -> str:
    """A local path made absolute; an object-store URL (s3://, gs://) as it is."""
    return url if not url or "://" in url else str(_absolute(Path(url), info))


def _database(url: str, info: ValidationInfo) -> str:
    scheme, separator, _ = url.partition("://")
    if not separator or not scheme:
        raise ValueError("is no database URL, such as sqlite:///upswell.sqlite")
    for prefix in FILE_DATABASES:
        path = url.removeprefix(prefix)
        if url.startswith(prefix) and path and path != ":memory:":
            return f"{prefix}{_absolute(Path(path), info)}"
    return url


def _warehouse(url: str, info: ValidationInfo) -> str:
    return url and _database(url, info)


def _http(url: str) -> str:
    if not url:
        return url
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        raise ValueError("is no URL") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise ValueError("is no URL beginning with https://")
    if parts.username or parts.password:
        raise ValueError("holds a user name or password, which do not belong in a URL")
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError(f"uses plain http to {host}; only this machine may be reached without https")
    return url.rstrip("/")


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("is no IANA time zone, such as America/New_York") from None
    return name


def _encoding(name: str) -> str:
    try:
        return known_encoding(name)
    except ValueError:
        raise ValueError("is no text encoding, such as latin-1, cp1252 or utf-16") from None


def _shaped(pattern: str, sentence: str) -> AfterValidator:
    """A check that the whole text matches, with a sentence for when it does not."""
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        if compiled.fullmatch(text) is None:
            raise ValueError(sentence)
        return text

    return AfterValidator(check)


def _cron(line: str) -> str:
    from cronsim import CronSim, CronSimError

    if not line:
        return line
    if len(line.split()) != CRON_FIELDS:
        raise ValueError('is no cron line of five fields, such as "0 6 * * 1-5"')
    try:
        CronSim(line, datetime(2026, 1, 1))  # noqa: DTZ001  # the day is of no account: only the line is read
    except CronSimError as error:
        raise ValueError(f"is no cron line: {error}") from None
    return line


def seconds_of(interval: str) -> int:
    """Seconds of an interval such as 90s, 15m, 6h or 1d. Raises ValueError for another text."""
    found = re.fullmatch(r"([1-9]\d{0,5})([smhd])", interval)
    if found is None:
        raise ValueError("is no interval, such as 90s, 15m, 6h or 1d")
    return int(found[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[found[2]]


def _interval(text: str) -> str:
    if text:
        seconds_of(text)
    return text


FilePath = Annotated[Path, AfterValidator(_absolute)]
OptionalFile = Annotated[FilePath | None, BeforeValidator(lambda value: value or None)]  # "" is none
FileUrl = Annotated[str, AfterValidator(_absolute_url)]
DatabaseUrl = Annotated[str, AfterValidator(_database)]
WarehouseUrl = Annotated[str, AfterValidator(_warehouse)]
HttpUrl = Annotated[str, AfterValidator(_http)]
ZoneName = Annotated[str, Field(min_length=1), AfterValidator(_zone)]
TextEncoding = Annotated[str, Field(min_length=1), AfterValidator(_encoding)]
CurrencyCode = Annotated[str, _shaped(r"[A-Z]{3}", "is no ISO 4217 currency code, such as USD")]
LanguageTag = Annotated[str, _shaped(r"[a-z]{2,3}(-[A-Z]{2})?", "is no language tag, such as en or pt-BR")]
CronLine = Annotated[str, AfterValidator(_cron)]
Interval = Annotated[str, AfterValidator(_interval)]
QuietHours = Annotated[
    str,
    _shaped(r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d", "are no quiet hours, such as 20:00-07:00"),
]
ApiVersion = Annotated[str, _shaped(r"\d{2,3}\.0", "is no Salesforce API version, such as 68.0")]
RedisUrl = Annotated[
    str, _shaped(r"|(rediss?|unix)://\S+", "is no Redis URL, such as redis://localhost:6379/0")
]


def check_export_columns(kind: str, columns: Mapping[str, str]) -> None:
    """Raise ValueError when a name on the left of `columns` is no canonical column of the kind."""
    known = schema_of(EXPORT_KINDS[kind]).names
    for column in columns:
        if column not in known:
            raise ValueError(f"columns: {kind} has no column {column}.{did_you_mean(column, known)}")


def _check_object(table: str, columns: Mapping[str, str]) -> None:
    """Raise ValueError for rows of an object that would belong to no account or say nothing."""
    if table in _OURS and OBJECT in columns:
        raise ValueError(f"{table} can't come from another object: Upswell writes to the CRM's own")
    if table not in MAPPED_KINDS or not columns:
        return
    if OBJECT not in columns:
        raise ValueError(f'{table} names no object of the CRM, such as object = "Usage__c"')
    if not {"account_key", "account_crm_id"} & columns.keys():
        raise ValueError(f"{table} needs account_crm_id (the field that leads to the account) or account_key")
    for name in REQUIRED[table]:
        if name != "account_key" and name not in columns:
            raise ValueError(f'{table} needs {name}: a field, or "=" and what it is in every row')


def check_mapping(mapping: Mapping[str, Mapping[str, str]]) -> Mapping[str, Mapping[str, str]]:
    """The mapping itself; raises ValueError for a table, column or field of ours that does not exist, and for
    a table that no object of the CRM can deliver as it is mapped."""
    tables = [*CRM_TABLES, *MAPPED_KINDS, "fields"]
    for table, columns in mapping.items():
        if table not in tables:
            raise ValueError(f"there is no table {table} to map.{did_you_mean(table, tables)}")
        if table == "fields":
            known = list(field_specs())
        else:
            known = [*FROM_CRM[MAPPED_KINDS.get(table, table)].names, OBJECT]
            _check_object(table, columns)
        for column, theirs in columns.items():
            if column not in known:
                raise ValueError(f"{table} has no {column}.{did_you_mean(column, known)}")
            if not theirs:
                raise ValueError(f"{table}.{column} names no CRM field")
    return mapping
