"""Web domains as names of companies: the host of an address, and hosts that are nobody's in particular."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_TOP: Final = re.compile(r"[a-z]{2,63}|xn--[a-z0-9-]{1,59}")

SHARED: Final = frozenset(
    (
        # mail for everybody
        *("gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "msn.com", "yahoo.com"),
        *("yahoo.co.uk", "yahoo.co.jp", "icloud.com", "me.com", "mac.com", "aol.com", "proton.me"),
        *("protonmail.com", "gmx.de", "gmx.net", "gmx.com", "web.de", "t-online.de", "mail.ru", "yandex.ru"),
        *("yandex.com", "bk.ru", "list.ru", "inbox.ru", "qq.com", "163.com", "126.com", "orange.fr"),
        *("free.fr", "laposte.net", "libero.it", "zoho.com", "fastmail.com", "hey.com", "mail.com"),
        # sites on which anybody has a page
        *("facebook.com", "linkedin.com", "instagram.com", "twitter.com", "x.com", "youtube.com", "xing.com"),
        *("google.com", "sites.google.com", "github.com", "github.io", "gitlab.io", "medium.com"),
        *("notion.site", "notion.so", "wordpress.com", "blogspot.com", "wixsite.com", "weebly.com"),
        *("squarespace.com", "webflow.io", "myshopify.com", "vk.com", "t.me", "linktr.ee", "herokuapp.com"),
        *("example.com", "example.org", "example.net", "test.com"),
        # endings under which companies register (the commonest of publicsuffix.org)
        *("co.uk", "org.uk", "ac.uk", "gov.uk", "com.au", "net.au", "org.au", "co.nz", "co.jp", "or.jp"),
        *("co.kr", "com.br", "com.mx", "com.ar", "com.tr", "com.cn", "com.hk", "com.sg", "co.in", "co.za"),
        *("co.il", "com.pl", "com.ua", "com.tw", "com.my", "co.id", "co.th", "com.vn", "com.ph", "com.co"),
    )
)
"""Hosts whose name says nothing about which company it is."""


def domain(website: str | None) -> str:
    """The host of a web address without www; empty for none."""
    text = (website or "").strip().lower()
    try:
        host = urlsplit(text if "//" in text else f"//{text}").hostname or ""
    except ValueError:  # brackets where an IPv6 address would stand: nobody's web site
        return ""
    return host.removeprefix("www.")


def company_domain(text: str | None) -> str:
    """The domain that names one company, from a web address, an e-mail address or a bare domain.

    Lower case, in its ASCII form, without www, port, path and final dot. Empty for text that is none, for an
    IP address, and for the SHARED ones. Subdomains count: app.acme.com is not acme.com."""
    host = domain(text).rstrip(".")
    try:
        host = host.encode("idna").decode("ascii")
    except UnicodeError:  # labels that are empty or too long
        return ""
    labels = host.split(".")
    if len(labels) < 2 or not _TOP.fullmatch(labels[-1]) or not all(map(_LABEL.fullmatch, labels)):
        return ""
    return "" if host in SHARED else host
