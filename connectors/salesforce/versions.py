"""Which versions of its API the org answers to, asked when none of our calls is answered well.

REST API Developer Guide, "Versions": a list at /services/data, without a session and outside the quota. To a
version that it does not know Salesforce answers 404, as to a resource that does not exist.
"""

from __future__ import annotations

from typing import Final

from connectors.errors import RemoteError, SettingError
from connectors.salesforce.settings import SalesforceSettings
from connectors.transport import HttpDoor

_SHOWN: Final = 5


def versions_of(instance_url: str, door: HttpDoor) -> list[str]:
    """The org's versions, oldest first; none where it does not tell."""
    try:
        reply = door.request("GET", f"{instance_url}/services/data/", headers={"Accept": "application/json"})
        told = reply.json() if reply.status_code == 200 else None
    except (RemoteError, ValueError):
        return []
    items = told if isinstance(told, list) else []
    found = [str(each["version"]) for each in items if isinstance(each, dict) and "version" in each]
    return sorted((each for each in found if each.replace(".", "", 1).isdigit()), key=float)


def check_version(settings: SalesforceSettings, instance_url: str, door: HttpDoor) -> None:
    """Raises SettingError when the org tells its versions, and the one of the settings is not among them."""
    versions = versions_of(instance_url, door)
    if not versions or settings.api_version in versions:
        return
    raise SettingError(
        f"{instance_url} does not answer to version {settings.api_version} of its API; it has "
        f"{versions[0]} to {versions[-1]}.",
        setting="crm.salesforce.api_version",
        searched=(f"{instance_url}/services/data/",),
        fix=f"Use one of its newest: {', '.join(versions[-_SHOWN:])}.",
    )
