"""A schema that changed in mid-run: every row is refused for a reason that no row can help.

sObject Collections answer 200 and refuse each row by itself (REST API Developer Guide, "Update Records Using
sObject Collections"), also when the field is gone or the permission was taken away. Field-level security is
the same for all records, so that is no matter of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from connectors.crm import Change, RowOutcome, RowResult
from connectors.errors import SetupError
from connectors.salesforce.schema import Schemas

_OF_FIELDS: Final = frozenset({"INVALID_FIELD", "INVALID_FIELD_FOR_INSERT_UPDATE"})


def stop_at_drift(changes: Sequence[Change], results: Sequence[RowResult], schemas: Schemas) -> None:
    """Raise SetupError where Salesforce refuses in all rows fields that it had described as ours to write.

    The object is then described anew when it is needed next."""
    refused = [result for result in results if result.outcome is RowOutcome.REFUSED]
    if not refused or len(refused) < len(changes) or {r.vendor_code for r in refused} - _OF_FIELDS:
        return
    known = schemas[changes[0].object].schema
    written = {name for change in changes for name in change.values}
    if any(name not in known.fields or not known.fields[name].updateable for name in written):
        return  # refused here, before anything was sent
    schemas.forget(known.name)
    raise SetupError(
        f"The org no longer lets our user write fields that it had shown: {refused[0].message}",
        record=known.name,
        fix="Restore the field, or give our user edit access by the permission set; then make a new plan.",
    )
