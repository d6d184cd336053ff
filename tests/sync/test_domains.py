"""Which web domain names a company."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.domains import SHARED, company_domain


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("acme.com", "acme.com"),
        ("https://www.Acme.com:443/about?x=1", "acme.com"),
        ("ACME.COM.", "acme.com"),
        ("jo@acme.com", "acme.com"),
        ("müller.de", "xn--mller-kva.de"),
        ("xn--mller-kva.de", "xn--mller-kva.de"),
        ("app.acme.com", "app.acme.com"),  # another host, perhaps another company
        ("acme.co.uk", "acme.co.uk"),
        ("acme.myshopify.com", "acme.myshopify.com"),
    ],
)
def test_a_domain_is_its_host_however_it_is_written(text: str, host: str) -> None:
    """Web address, e-mail address or bare name, in any case, with or without www."""
    assert company_domain(text) == host


@pytest.mark.parametrize(
    "text",
    [
        *("jo@gmail.com", "https://linkedin.com/company/acme", "co.uk", "C-00042", "12.5", "10.0.0.1", ""),
        *("acme", "acme..com", "-acme.com", "[::1]", "a b.com", "localhost", "acme.c", "NA", "001"),
        "x" * 80 + ".com",
    ],
)  # fmt: skip
def test_what_names_no_company_is_no_domain(text: str) -> None:
    """Mail for everybody, sites for everybody, endings, ids, numbers and addresses."""
    assert company_domain(text) == ""


@given(st.text(max_size=40))
@settings(derandomize=True, deadline=None, max_examples=300)
def test_a_domain_of_any_text_is_stable(text: str) -> None:
    """Whatever stands in the web site field, it raises nothing, and its domain is its own domain."""
    host = company_domain(text)
    assert company_domain(host) == host
    assert host not in SHARED
    assert host == host.lower().strip()
