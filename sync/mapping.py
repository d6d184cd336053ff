"""Scores as field values: which of our fields goes to which CRM field, and what is written there.

`field_map` reads the org's own definitions and refuses what could not be written, before anything is.
A RevOps team may name their own field for any of ours in `[mapping.fields]`; an empty name leaves the
field out. A picklist holds our own word ("very_high") as `install` creates it, or the label ("Very high")
where RevOps' own picklist knows only that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, Final

from connectors.crm import Crm, FieldSchema, FieldType, ObjectSchema, Value
from connectors.errors import SettingError, SetupError
from connectors.fields import FieldSpec, field_specs
from sync.beside import QUARTERS, Beside
from sync.cells import as_held
from sync.plays import play_of_score
from sync.store.storable import storable_json

COMPATIBLE: Final[Mapping[str, frozenset[FieldType]]] = MappingProxyType(
    {
        "text": frozenset({FieldType.TEXT, FieldType.LONG_TEXT}),
        "long_text": frozenset({FieldType.LONG_TEXT}),
        "number": frozenset({FieldType.NUMBER}),
        "currency": frozenset({FieldType.CURRENCY, FieldType.NUMBER}),
        "percent": frozenset({FieldType.PERCENT}),
        "picklist": frozenset({FieldType.PICKLIST, FieldType.TEXT}),
        "multi_picklist": frozenset({FieldType.MULTI_PICKLIST}),
        "checkbox": frozenset({FieldType.CHECKBOX}),
        "date": frozenset({FieldType.DATE}),
        "datetime": frozenset({FieldType.DATETIME}),
    }
)
"""Kinds of CRM field that can hold each of our kinds without changing what the value means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedField:
    """One of our fields and the CRM field that holds it, as the org defines it now."""

    spec: FieldSpec
    schema: FieldSchema

    @property
    def name(self) -> str:
        """The vendor's name of the field."""
        return self.schema.name


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldMap:
    """The account fields that we write (`written`) and only read (`read`), by our key."""

    object: str
    written: Mapping[str, MappedField]
    read: Mapping[str, MappedField]
    schemas: Mapping[str, FieldSchema]  # the written ones again, by the vendor's name: the allow-list

    @property
    def names(self) -> tuple[str, ...]:
        """Vendor names of everything that a plan reads."""
        return tuple(field.name for group in (self.written, self.read) for field in group.values())

    def definitions(self, only: Collection[str] | None = None) -> dict[str, dict[str, Any]]:
        """What a plan was made against, as JSON: definitions of written fields (all, or `only` those of our
        keys), names of those only read."""
        written = {
            key: _definition(field.schema)
            for key, field in self.written.items()
            if only is None or key in only
        }
        return written | {key: {"name": field.name} for key, field in self.read.items()}

    @property
    def mapping_hash(self) -> str:
        """Changes when one of our fields goes to another CRM field."""
        return digest([self.object, {key: field.name for key, field in self.written.items()}])

    @property
    def schema_hash(self) -> str:
        """Changes when the org defines one of the written fields another way."""
        return digest(self.definitions())


def field_map(
    crm: Crm, overrides: Mapping[str, str] | None = None, *, only: Collection[str] | None = None
) -> FieldMap:
    """Our account fields as this org holds them; `only` names the ones to write where not all are.

    Raises SetupError for a field that is missing, of another kind or not writable, and SettingError for
    a `[mapping.fields]` entry that names no field of ours, or a CRM field twice."""
    object_schema = crm.describe(crm.object_name("accounts"))
    specs = {key: spec for key, spec in field_specs().items() if spec.object == "accounts"}
    names = _names(crm, specs, overrides or {})
    written, read = {}, {}
    for key, name in names.items():
        if specs[key].owner == "machine":
            if only is not None and key not in only:
                continue
            written[key] = MappedField(spec=specs[key], schema=_writable(specs[key], name, object_schema))
        elif name in object_schema.fields:
            read[key] = MappedField(spec=specs[key], schema=object_schema.fields[name])
    return FieldMap(
        object=object_schema.name,
        written=MappingProxyType(written),
        read=MappingProxyType(read),
        schemas=MappingProxyType({field.name: field.schema for field in written.values()}),
    )


def refuse_changed_schema(planned: Mapping[str, Mapping[str, Any]], current: FieldMap) -> None:
    """Nothing when each field is defined as it was when the plan was made; else raises SetupError."""
    now = current.definitions()
    for key, definition in planned.items():
        if (found := now.get(key)) == definition:
            continue
        changed = [part for part in definition if found is None or found.get(part) != definition[part]]
        raise SetupError(
            f"the field is defined differently since the plan was made ({', '.join(changed)})",
            record=f"{current.object}.{definition['name']}",
            fix="Make a new plan: upswell plan.",
        )


def values_of(
    score: Mapping[str, Any],
    fields: FieldMap,
    *,
    product_names: Mapping[str, str],
    beside: Beside,
    scored_at: datetime,
) -> dict[str, Value]:
    """What the CRM should hold for one scored account, by our field key, as it will hold it."""
    for_it, against = _sentences(score["reasons"]), _sentences(score["against"])
    values: dict[str, Value] = {
        "score": _percentage_points(score["probability"]),
        "play": play_of_score(score).value,
        "product": product_names.get(score["product"] or "", score["product"]),
        "product_2": product_names.get(score["product_2"] or "", score["product_2"]),
        "reason_1": _at(for_it, 0),
        "reason_2": _at(for_it, 1),
        "reason_3": _at(for_it, 2),
        "against_1": _at(against, 0),
        "against_2": _at(against, 1),
        "reason_codes": tuple(score["reason_codes"] or ()),
        "change": _points(score),
        "why_moved": _told(score, "moved", "sentence"),
        "like_this": _told(score, "like_this", "sentence"),
        "next_milestone": _next_milestone(score, product_names),
        "whom_to_reach": beside.whom_to_reach,
        "brief": beside.brief,
        "scored_at": scored_at,
        "data_as_of": _day(score["as_of"]),
    }
    for key in (
        "tier", "probability", "expected_arr", "arr_low", "arr_high",
        "timing", "health", "priority", "model_version",
    ):  # fmt: skip
        values[key] = score[key]
    for position in range(QUARTERS):
        values[f"arr_quarter_{position + 1}"] = beside.quarters[position] if beside.quarters else None
    return {
        key: as_held(option_for(field, values[key]), field.schema) for key, field in fields.written.items()
    }


def option_for(field: MappedField, value: Value) -> Value:
    """The picklist's own word for our value; a text field gets the label; anything else is left as it is.

    Of several, those that the org's picklist lacks are left out: a code that is new must not keep back the
    rest of the record."""
    if isinstance(value, tuple):
        known = tuple(str(option_for(field, each)) for each in value)
        return tuple(each for each in known if not field.schema.restricted or each in field.schema.options)
    if not isinstance(value, str) or value not in field.spec.options or value in field.schema.options:
        return value
    label = field.spec.options[value]
    return label if label in field.schema.options or field.schema.type is FieldType.TEXT else value


def said_by(field: MappedField, value: Value) -> Value:
    """Our value for what a person picked, whether the picklist holds our word or the label."""
    ours = {label: key for key, label in field.spec.options.items()}
    return ours.get(value, value) if isinstance(value, str) else value


def digest(content: object) -> str:
    """SHA-256 over the content's canonical JSON."""
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()


def digest_of_list(items: Iterable[object]) -> str:
    """The `digest` of a list of these items, of which only one at a time need be in memory."""
    whole = hashlib.sha256(b"[")
    for position, item in enumerate(items):
        whole.update(b"," if position else b"")
        whole.update(canonical_json(item).encode())
    whole.update(b"]")
    return whole.hexdigest()


def canonical_json(content: object) -> str:
    """JSON that is the same for equal content, before and after the ledger: keys sorted, no blanks."""
    return storable_json(content, sort_keys=True, separators=(",", ":"), default=str)


def _names(crm: Crm, specs: Mapping[str, FieldSpec], overrides: Mapping[str, str]) -> dict[str, str]:
    names: dict[str, str] = {}
    for key in overrides:
        if key not in specs:
            raise SettingError(
                "no field of ours has this name",
                setting=f"mapping.fields.{key}",
                searched=("connectors/fields.toml",),
                fix=f"Use one of: {', '.join(specs)}.",
            )
    for key, spec in specs.items():
        name = overrides.get(key, crm.field_name(spec))
        if not name:
            continue
        if name in names.values():
            raise SettingError(
                f"the CRM field {name} is used for two of our fields",
                setting=f"mapping.fields.{key}",
                searched=(),
                fix="Name a field of its own for each.",
            )
        names[key] = name
    return names


def _writable(spec: FieldSpec, name: str, object_schema: ObjectSchema) -> FieldSchema:
    """The org's definition, once it can hold what we write. Raises SetupError otherwise."""
    record = f"{object_schema.name}.{name}"
    schema = object_schema.fields.get(name)
    if schema is None:
        raise SetupError(
            f"the field for {spec.label} is missing, or the integration user can't see it",
            record=record,
            fix="Run `upswell install`, or give the integration user access to the field.",
        )
    if schema.type not in COMPATIBLE[spec.type]:
        raise SetupError(
            f"{spec.label} needs a field of type {spec.type}, and this one is {schema.type}",
            record=record,
            fix=f"Name another field under [mapping.fields] {spec.key}, or leave ours in place.",
        )
    if schema.calculated or not schema.updateable:
        raise SetupError(
            f"the integration user may not edit the field for {spec.label}",
            record=record,
            fix="Give the integration user edit access to the field (permission set Upswell Integration).",
        )
    missing = {key for key, label in spec.options.items() if not {key, label} & set(schema.options)}
    if schema.type is FieldType.PICKLIST and schema.restricted and missing:
        raise SetupError(
            f"the picklist for {spec.label} lacks the values {', '.join(sorted(missing))}",
            record=record,
            fix="Add the values to the picklist, or run `upswell install` for a field of ours.",
        )
    # HubSpot's numbers have no scale and its text no length: there our own definition decides
    return replace(
        schema,
        scale=spec.scale if schema.scale is None else schema.scale,
        length=min((n for n in (schema.length, spec.length) if n is not None), default=None),
    )


def _definition(schema: FieldSchema) -> dict[str, Any]:
    relevant = ("name", "type", "length", "precision", "scale", "options", "restricted", "updateable")
    return {name: value for name, value in _plain(asdict(schema)).items() if name in relevant}


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """As JSON gives it back, so that a kept definition equals a fresh one."""
    loaded: dict[str, Any] = json.loads(json.dumps(values))
    return loaded


def _percentage_points(probability: float | None) -> float | None:
    return None if probability is None else 100 * probability


def _sentences(reasons: Sequence[Mapping[str, Any]] | None) -> list[str]:
    return [reason["sentence"] for reason in reasons or ()]


def _at(sentences: Sequence[str], position: int) -> str | None:
    return sentences[position] if position < len(sentences) else None


def _told(score: Mapping[str, Any], column: str, part: str) -> Any:
    """A part of what may be told beside a score; None where nothing is told."""
    told = score.get(column)
    return None if told is None else told[part]


def _points(score: Mapping[str, Any]) -> int | None:
    """The score's change in whole points, rounded as the sentence says it."""
    points = _told(score, "moved", "points")
    return None if points is None else round(points)


def _next_milestone(score: Mapping[str, Any], product_names: Mapping[str, str]) -> str | None:
    """The next step before the product that is proposed, or before the second, with how far it has come."""
    for each in score.get("milestones") or ():
        if each["next"]:
            name = product_names.get(each["product"], each["product"])
            return f"{each['next']}; {len(each['reached'])} of {each['of']} reached before {name}"
    return None


def _day(moment: date) -> date:
    return moment.date() if isinstance(moment, datetime) else moment
