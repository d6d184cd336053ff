"""Secrets and personal data, each in a sentence as people write it, and what of it must not leave."""

from __future__ import annotations

from typing import Final

PLANTED: Final = {
    "e-mail": ("Ask dana.ortiz@northwind.example for it", "dana.ortiz"),
    "hidden e-mail": ("Reachable as j.doe (at) corp.example", "j.doe"),
    "phone": ("Best on +1 (415) 555-0173 after lunch", "555-0173"),
    "phone in Europe": ("Ruf an: 030 / 901820-17", "901820"),
    "mobile": ("Mobil 0171 2345678", "2345678"),
    "API key": ("They use sk-live-4f9aQx77LmTz20pQ in production", "4f9aQx77LmTz20pQ"),
    "cloud key": ("AWS AKIAIOSFODNN7EXAMPLE is in the ticket", "AKIAIOSFODNN7EXAMPLE"),
    "token": ("token: ghp_16C7e42F292c6912E7710c838347Ae178B4a", "16C7e42F292c6912E7710c838347Ae178B4a"),
    "JSON web token": (
        "Session eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N",
        "eyJzdWIiOiIxMjM0In0",
    ),
    "bearer": ("Sent Authorization: Bearer abcd1234efgh5678ijkl", "abcd1234efgh5678ijkl"),
    "password": ("The password is Tr0ub4dor&3 until they change it", "Tr0ub4dor"),
    "Kennwort": ("Kennwort: Sommer2026!", "Sommer2026"),
    "пароль": ("Пароль: Zima2026 для входа", "Zima2026"),
    "card": ("Paid with 4111 1111 1111 1111", "1111 1111"),
    "IBAN": ("Account DE89 3704 0044 0532 0130 00", "3704 0044"),
    "social security": ("SSN 078-05-1120 on file", "078-05-1120"),
    "address of a machine": ("Their gateway is 203.0.113.57", "203.0.113.57"),
    "link": ("See https://intranet.northwind.example/hr/salaries", "intranet"),
    "private key": ("-----BEGIN RSA PRIVATE KEY-----\nMIIEow8Bk\n-----END RSA PRIVATE KEY-----", "MIIEow8Bk"),
    "name": ("Dana Ortiz and Priya Natarajan are pleased with the rollout", "Natarajan"),
    "birth date": ("Born 1984-03-12, works from home", "1984-03-12"),
}
