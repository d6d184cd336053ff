"""Elements of metadata files, and how they become bytes: packed for a deploy, or laid out for a project."""

from __future__ import annotations

from typing import Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

NAMESPACE: Final = "http://soap.sforce.com/2006/04/metadata"


def root_of(kind: str) -> Element:
    """The outermost element of a file: CustomObject, PermissionSet …"""
    return Element(kind, xmlns=NAMESPACE)


def add(parent: Element, tag: str, text: str | bool) -> Element:
    """A child with this text, True and False in the schema's words; the child."""
    child = SubElement(parent, tag)
    child.text = str(text).lower() if isinstance(text, bool) else text
    return child


def packed(root: Element) -> bytes:
    """The file as a package holds it."""
    return bytes(tostring(root, encoding="UTF-8", xml_declaration=True))


def laid_out(root: Element) -> bytes:
    """The file as a project holds it, which people read: four blanks a level, as Salesforce's tools write."""
    indent(root, " " * 4)
    declaration = b'<?xml version="1.0" encoding="UTF-8"?>\n'
    return declaration + bytes(tostring(root, encoding="UTF-8", xml_declaration=False)) + b"\n"
