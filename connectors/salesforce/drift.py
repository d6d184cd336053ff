"""A schema that changed in mid-run: rows are refused for a reason that no row can help.

sObject Collections answer 200 and refuse each row by itself (REST API Developer Guide, "Update Records Using
sObject Collections"), also when the field is gone or the permission was taken away. Field-level security is
the same for all records, so that is no matter of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from connectors.crm import Change, ObjectSchema, RowOutcome, RowResult
from connectors.errors import SetupError
from connectors.salesforce.schema import Schemas

_OF_FIELDS: Final = frozenset({"INVALID_FIELD", "INVALID_FIELD_FOR_INSERT_UPDATE"})


def stop_at_drift(changes: Sequence[Change], results: Sequence[RowResult], schemas: Schemas) -> None:
    """Raise SetupError where Salesforce applied nothing and refuses fields that it showed as ours to write.

    A row with a fate of its own, as one that is deleted or locked, changes nothing about that; one of which
    nothing is known does. The object is then described anew when it is needed next."""
    if len(results) < len(changes) or any(each.outcome is RowOutcome.APPLIED for each in results):
        return
    refused = {each.key: each for each in results if each.vendor_code in _OF_FIELDS}
    known = schemas[changes[0].object].schema if refused else None
    for change in changes:
        if known is not None and change.key in refused and _all_ours(change, known):
            schemas.forget(known.name)
            said = refused[change.key].message
            raise SetupError(
                f"The org no longer lets our user write fields that it had shown: {said}",
                record=known.name,
                fix="Restore the field, or give our user edit access by the permission set, and plan anew.",
            )


def _all_ours(change: Change, known: ObjectSchema) -> bool:
    """Whether it was sent: a field that was described otherwise is refused here."""
    return all(name in known.fields and known.fields[name].updateable for name in change.values)
