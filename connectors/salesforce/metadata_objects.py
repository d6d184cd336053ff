"""Our own objects as elements of the Metadata API.

Metadata API Developer Guide: "CustomObject". Rows are private: who sees them, a permission set says.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement

from connectors.fields import ObjectSpec
from connectors.salesforce.elements import add, root_of
from connectors.salesforce.metadata_fields import fill_field


def custom_object(spec: ObjectSpec, *, with_fields: bool) -> Element:
    """One CustomObject in the schema's order; in a project, its fields are files of their own."""
    root = root_of("CustomObject")
    add(root, "deploymentStatus", "Deployed")
    add(root, "description", spec.help)
    add(root, "enableReports", True)
    if with_fields:
        for field in spec.fields.values():
            fill_field(SubElement(root, "fields"), field, is_tracked=False)
    add(root, "label", spec.label)
    name = SubElement(root, "nameField")
    add(name, "displayFormat", spec.number)
    add(name, "label", f"{spec.label} Number")
    add(name, "type", "AutoNumber")
    add(root, "pluralLabel", spec.plural)
    add(root, "sharingModel", "Private")
    return root
