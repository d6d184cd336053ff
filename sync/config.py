"""The settings of this installation: `upswell.toml`, overridden by the environment, as frozen values.

A setting that is wrong or missing raises SettingError, which names the setting, every place that was
looked at, in order, and the fix. `UPSWELL_<SECTION>__<KEY>` sets one key; a list or table is written
there as TOML writes it: UPSWELL_TARGET__STAGES='["Closed Won"]'.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args, get_type_hints

from pydantic import SecretStr, TypeAdapter, ValidationError

from connectors.errors import SettingError
from sync.settings import Settings
from sync.settings_checks import did_you_mean

PREFIX = "UPSWELL_"
FILE_VARIABLE = "UPSWELL_CONFIG"
DEFAULT_FILE = "upswell.toml"

Location = tuple[int | str, ...]
ALTERNATIVE = re.compile(r"(?:function-\w+|literal)\[.*\]|constrained-\w+", re.S)


def load(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """The settings from `path`, else from $UPSWELL_CONFIG, else from ./upswell.toml, else environment only.

    Environment variables win over the file. Raises SettingError for the first thing that is wrong."""
    file = _find(path, environ)
    raw = {} if file is None else _read(file)
    origin = _overlay(raw, environ)
    home = Path.cwd() if file is None else file.resolve().parent
    for section in ("crm", "state", "lake"):
        raw.setdefault(section, {})  # so that a default path starts from `home`, and crm.kind is asked for
    try:
        return TypeAdapter(Settings).validate_python(raw, context={"home": home})
    except ValidationError as error:
        raise _explain(error, file, origin) from None


def config_hash(settings: Settings) -> str:
    """A sha256 in hex over every setting except secrets: equal settings, equal hash."""
    text = json.dumps(dataclasses.asdict(settings), sort_keys=True, default=_plain)
    text = re.sub(r"(://)[^/@\"\s]+@", r"\1", text)  # user and password inside a database URL
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: object) -> str | None:
    return None if isinstance(value, SecretStr) else str(value)


def _find(path: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The configuration file, or None when none was named and the default is absent."""
    named = [("--config", str(path))] if path is not None else []
    if not named and environ.get(FILE_VARIABLE):
        named = [(f"${FILE_VARIABLE}", environ[FILE_VARIABLE])]
    for setting, name in named:
        file = Path(name).expanduser()
        if not file.is_file():
            raise SettingError(
                f"there is no file {name}.",
                setting=setting,
                searched=(str(file.absolute()),),
                fix=f"correct the path, or write a first {DEFAULT_FILE} with: upswell init",
            )
        return file
    default = Path(DEFAULT_FILE)
    return default if default.is_file() else None


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingError(
            f"this file can't be read as TOML: {error}.",
            setting=str(file),
            searched=(),
            fix="correct the file at the place named; strings stand in double quotes",
        ) from None


def _overlay(raw: dict[str, Any], environ: Mapping[str, str]) -> dict[Location, str]:
    """Put each UPSWELL_SECTION__KEY into `raw`; gives the variable's name by the setting it set."""
    origin: dict[Location, str] = {}
    whole = {section.name for section in dataclasses.fields(Settings)}
    for variable in sorted(environ):
        keys = tuple(variable.removeprefix(PREFIX).lower().split("__"))
        if not variable.startswith(PREFIX) or (len(keys) == 1 and keys[0] not in whole):
            continue  # UPSWELL_CONFIG and others' variables
        node = raw
        for key in keys[:-1]:
            inner = node.setdefault(key, {})
            if not isinstance(inner, dict):
                raise SettingError(
                    f"{variable} sets a key of {key}, which is no section.",
                    setting=".".join(keys),
                    searched=(f"environment {variable}",),
                    fix=f"unset {variable}, or give the whole of {key} as TOML in {PREFIX}{key.upper()}",
                )
            node = inner
        node[keys[-1]] = _value(variable, environ[variable], ".".join(keys))
        origin[keys] = variable
    return origin


def _value(variable: str, text: str, setting: str) -> Any:
    """The variable's text, or what it holds when it is written as a TOML list or table."""
    if not text.lstrip().startswith(("[", "{")):
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError as error:
        raise SettingError(
            f"the list or table can't be read as TOML: {error}.",
            setting=setting,
            searched=(f"environment {variable}",),
            fix='write it as in upswell.toml, such as ["Closed Won"]',
        ) from None


def _explain(error: ValidationError, file: Path | None, origin: Mapping[Location, str]) -> SettingError:
    """The first fault as one sentence that names the setting, the places looked at, and the fix."""
    faults = error.errors(include_url=False, include_context=False)
    fault = faults[0]
    places = dict.fromkeys(_named(each["loc"]) for each in faults)
    location = next(iter(places))
    setting = _dotted(location)
    more = f" ({len(places) - 1} more after this one)" if len(places) > 1 else ""
    searched = _places(location, file, origin)
    match fault["type"]:
        case "missing":
            message = f"this setting is missing{more}."
            fix = f"set it in {file or DEFAULT_FILE}, or as {_variable(location)} in the environment"
            if file is None:
                fix += f"; a first {DEFAULT_FILE} is written by: upswell init"
        case "unexpected_keyword_argument":
            known = _known(location[:-1])
            message = f"there is no such setting{more}.{did_you_mean(str(location[-1]), known)}"
            fix = "correct the name or remove it"
        case _:
            reason = fault["msg"].removeprefix("Value error, ")
            message = f"{_shown(fault['input'], location)}{reason[:1].lower()}{reason[1:]}{more}"
            message += "" if message.endswith((".", "?")) else "."
            fix = "correct the value"
    return SettingError(message, setting=setting, searched=searched, fix=fix)


def _named(location: Location) -> Location:
    """The location without what pydantic calls the alternatives of a type, which nobody has written."""
    return tuple(part for part in location if isinstance(part, int) or not ALTERNATIVE.fullmatch(part))


def _shown(value: object, location: Location) -> str:
    """The value in quotes, unless it may be secret or is a whole section."""
    name = str(location[-1]) if location else ""
    hidden = re.search(r"secret|token|key|password|webhook|url", name) is not None
    return "" if hidden or not isinstance(value, str | int | float) else f"{json.dumps(value)}: "


def _places(location: Location, file: Path | None, origin: Mapping[Location, str]) -> tuple[str, ...]:
    named = [variable for keys, variable in origin.items() if location[: len(keys)] == keys]
    environment = named[0] if named else _variable(location)
    return (f"environment {environment}", f"./{DEFAULT_FILE} (absent)" if file is None else str(file))


def _variable(location: Location) -> str:
    names: list[str] = []
    for part in location:
        if isinstance(part, int):  # an element of a list is set by giving the whole list
            break
        names.append(part.upper())
    return PREFIX + "__".join(names)


def _dotted(location: Location) -> str:
    text = ""
    for part in location:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text or DEFAULT_FILE


def _known(location: Location) -> list[str]:
    """The names that the section at `location` knows."""
    section: Any = Settings
    for part in location:
        if isinstance(part, str) and dataclasses.is_dataclass(section):
            hint = get_type_hints(section)[part]
            section = _section_in(hint) or hint
    return [f.name for f in dataclasses.fields(section)] if dataclasses.is_dataclass(section) else []


def _section_in(hint: Any) -> Any:
    """The section class inside an annotation such as tuple[Export, ...], or None."""
    if dataclasses.is_dataclass(hint):
        return hint
    return next((found for arg in get_args(hint) if (found := _section_in(arg)) is not None), None)
