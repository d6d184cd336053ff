"""The synthetic company behind the sandbox: `generate` writes it, `advance` moves it on."""

from connectors.sandbox.company.lifecycle import CompanySummary, advance, generate

__all__ = ["CompanySummary", "advance", "generate"]
