"""Objects of a store (S3, Google Cloud Storage, Azure) as files of this machine, each brought over once.

Credentials come from the environment, the way each vendor's own tools take them; the settings name an
endpoint at most. Listing tells size and version of each object, so one that was read before in the same
version is not brought over again. A download that breaks off is thrown away.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from connectors.errors import InputError, SettingError, TransientError, UpswellError
from connectors.exports.depot import Depot, StoreSettings
from connectors.exports.listing import listed, nothing_there
from connectors.exports.spec import ExportFile, ExportSpec

EXTRAS: Final[Mapping[str, str]] = {
    "s3": "s3",
    "gs": "gcs",
    "gcs": "gcs",
    "az": "azure",
    "abfs": "azure",
    "abfss": "azure",
}
"""The scheme of an address, and the extra of Upswell that installs what reads it."""
CREDENTIALS: Final[Mapping[str, str]] = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or a role of the machine",
    "gcs": "GOOGLE_APPLICATION_CREDENTIALS, or a service account of the machine",
    "azure": "AZURE_STORAGE_ACCOUNT_NAME with AZURE_STORAGE_ACCOUNT_KEY, or an identity of the machine",
}
_TAGS: Final = ("ETag", "etag", "generation", "md5Hash")
_SECONDS: Final = 60  # that a store may take to connect, or to go on


def bring(spec: ExportSpec, depot: Depot) -> list[ExportFile]:
    """The objects that the address names, sorted by address, those that are new on this machine.

    Raises InputError when there are none or we may not read them, SettingError for a store that can't be
    reached with what is installed and set, TransientError when the network fails."""
    extra = _extra(spec.path)
    with _told(spec.path, extra):
        store = _open(spec.path, extra, depot.stores)
        found = store.glob(spec.path, detail=True)
        objects = sorted((name, facts) for name, facts in found.items() if facts["type"] == "file")
    if not objects:
        raise nothing_there(spec)
    scheme = spec.path.partition("://")[0]
    files = []
    for number, (name, facts) in enumerate(objects):
        address, size, tag = f"{scheme}://{name}", int(facts["size"]), _tag(facts)
        spooled = depot.spool / f"{spec.kind}-{number}"
        sha256 = depot.held(spec, address, size, tag) if tag else None
        if sha256 is not None:
            files.append(ExportFile(path=spooled, size=size, sha256=sha256, address=address, tag=tag))
            continue
        with _told(address, extra):
            _download(store, name, spooled, size, tag)
        files.append(listed(spooled, address=address, tag=tag))
    return files


def _download(store: Any, name: str, spooled: Path, size: int, tag: str) -> None:
    """Bring one object over, whole and in the version that was listed, or nothing."""
    try:
        store.get_file(name, str(spooled))
        if spooled.stat().st_size != size or _tag(store.info(name)) != tag:
            raise TransientError(
                "the object changed while it was read, or broke off.",
                record=name,
                fix="nothing of it was used; read it again: upswell pull",
            )
    except BaseException:
        spooled.unlink(missing_ok=True)
        raise


def _open(address: str, extra: str, settings: StoreSettings) -> Any:
    """The store's file system. Listings are not kept: an object may be new since the last one."""
    import fsspec

    options: dict[str, Any] = {"skip_instance_cache": True, "use_listings_cache": False}
    if extra == "s3":
        options |= {
            "anon": settings.anonymous,
            "endpoint_url": settings.s3_endpoint or None,
            "config_kwargs": {
                "connect_timeout": _SECONDS,
                "read_timeout": _SECONDS,
                "retries": {"max_attempts": 2},
            },
        }
    elif extra == "gcs":
        options |= {"token": "anon" if settings.anonymous else None}
        options |= {"endpoint_url": settings.gcs_endpoint} if settings.gcs_endpoint else {}
    else:
        options |= {"anon": settings.anonymous}
    return fsspec.filesystem(address.partition("://")[0], **options)


def _extra(address: str) -> str:
    scheme = address.partition("://")[0]
    if scheme not in EXTRAS:
        raise InputError(
            f"Addresses that begin with {scheme}:// can't be read.",
            record=address,
            fix=f"Use a path, or one of: {', '.join(f'{name}://' for name in EXTRAS)}.",
        )
    return EXTRAS[scheme]


def _tag(facts: Mapping[str, Any]) -> str:
    """What the store calls this version of an object; empty where it has no word for it."""
    return next((str(facts[name]).strip('"') for name in _TAGS if facts.get(name)), "")


@contextmanager
def _told(address: str, extra: str) -> Iterator[None]:
    """Say each library's trouble in our terms."""
    try:
        yield
    except UpswellError:
        raise
    except ImportError as error:
        raise SettingError(
            f"reading {address} needs {error.name or 'a package'}, which is not installed.",
            setting="[[exports]] path",
            searched=(),
            fix=f"install it with: pip install 'upswell[{extra}]'",
        ) from None
    except FileNotFoundError:
        raise InputError(
            "The object is not there.", record=address, fix="Correct path in [[exports]], or export it again."
        ) from None
    except PermissionError as error:
        raise InputError(
            f"The store refuses us: {_words(error)}.",
            record=address,
            fix=f"Give the right to list and read to whom the environment names: {CREDENTIALS[extra]}.",
        ) from None
    except Exception as error:  # noqa: BLE001  # each store's library has its own tree of errors
        if "credential" in type(error).__name__.lower():
            raise SettingError(
                f"there are no credentials for {address}.",
                setting="[[exports]] path",
                searched=(f"environment: {CREDENTIALS[extra]}",),
                fix="set them, or [stores] anonymous = true for a public bucket",
            ) from None
        raise TransientError(
            f"the store can't be reached: {_words(error)}.",
            record=address,
            fix="nothing of it was used; see that the address in [stores] is right, then: upswell pull",
        ) from None


def _words(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0].rstrip(". ")[:300] or type(error).__name__
