"""What the company sells and to whom: products, plan tiers, features, departments and industries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

TIERS: Final = ("Starter", "Growth", "Business", "Enterprise")
SEGMENTS: Final = ("SMB", "Mid-Market", "Enterprise")
SEAT_PRICE: Final = np.array([360.0, 600.0, 960.0, 1440.0])  # a seat a year, by tier
API_CALLS_PER_SEAT: Final = np.array([400.0, 700.0, 1200.0, 2200.0])  # included, a seat a month, by tier
STORAGE_PER_SEAT: Final = np.array([2.0, 4.0, 8.0, 16.0])  # GB included a seat, by tier
OVERAGE_PRICE: Final = 0.01  # an API call above the limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One product on the price list; `price` is a year, per seat where `per_seat`."""

    id: str
    name: str
    kind: str  # plan, seat, tier, module, addon, service, commit
    family: str
    price: float
    per_seat: bool = False


PLAN: Final = Product(id="P-PLAN", name="Platform Subscription", kind="plan", family="Plan", price=600.0)

EXPANSIONS: Final = (
    Product(id="P-SEATS", name="Additional Seats", kind="seat", family="Seats", price=600.0, per_seat=True),
    Product(id="P-TIER", name="Plan Upgrade", kind="tier", family="Plan", price=360.0, per_seat=True),
    Product(
        id="P-ANALYTICS", name="Analytics Module", kind="module", family="Module", price=150.0, per_seat=True
    ),
    Product(
        id="P-AUTOMATION",
        name="Automation Module",
        kind="module",
        family="Module",
        price=180.0,
        per_seat=True,
    ),
    Product(
        id="P-AUDIT",
        name="Audit & Compliance Module",
        kind="module",
        family="Module",
        price=210.0,
        per_seat=True,
    ),
    Product(id="P-SUPPORT", name="Premium Support", kind="addon", family="Add-on", price=2400.0),
    Product(id="P-ADOPTION", name="Adoption Programme", kind="service", family="Service", price=5200.0),
    Product(id="P-COMMIT", name="Multi-Year Commitment", kind="commit", family="Commit", price=1800.0),
)
"""What an existing customer can buy more of; the order is the index used in every array of products."""

SEATS, TIER, ANALYTICS, AUTOMATION, AUDIT, SUPPORT, ADOPTION, COMMIT = range(len(EXPANSIONS))
MODULES: Final = (ANALYTICS, AUTOMATION, AUDIT)
PRODUCTS: Final = (PLAN, *EXPANSIONS)

FEATURES: Final = (
    *("tasks", "boards", "comments", "search", "mentions", "calendar", "file_upload", "templates"),
    *("timeline", "forms", "dashboards", "csv_export", "integrations", "guest_access"),
    *("workflow_rules", "api_tokens", "portfolio", "time_tracking", "approvals", "custom_roles"),
    *("single_sign_on", "data_residency", "sandbox_env", "scheduled_reports"),
)
"""Features of the product in order of the tier that includes them."""

INCLUDED: Final = np.array([8, 14, 20, 24])  # how many of FEATURES each tier includes
PREMIUM: Final = ("ai_assistant", "forecasting", "resource_planner", "advanced_permissions")
"""Features above the plan that a customer may try in a preview."""

MODULE_FEATURES: Final = ("analytics_explorer", "automation_builder", "audit_trail")

DEPARTMENTS: Final = (
    *("Operations", "Engineering", "Marketing", "Sales"),
    *("Finance", "People", "Customer Service", "Legal"),
)

INDUSTRIES: Final = (
    *("Logistics", "Manufacturing", "Healthcare", "Retail", "Financial Services"),
    *("Education", "Media", "Energy"),
)

COUNTRIES: Final = (
    ("United States", "America/New_York"),
    ("United Kingdom", "Europe/London"),
    ("Germany", "Europe/Berlin"),
    ("France", "Europe/Paris"),
    ("Sweden", "Europe/Stockholm"),
    ("Canada", "America/Toronto"),
    ("Netherlands", "Europe/Amsterdam"),
    ("Spain", "Europe/Madrid"),
)

ROLES: Final = ("champion", "executive_sponsor", "decision_maker", "finance_admin", "user")

TRIGGERS: Final = (
    *("funding", "executive_hire", "product_launch", "m_and_a", "hiring", "technology_change"),
)
TRIGGER_WEIGHT: Final = np.array([1.2, 0.9, 0.6, 0.8, 1.0, 0.5])

FAMILIES: Final = (
    *("seats", "limits", "usage", "adoption", "departments", "power_users", "people"),
    *("support", "relationship", "contract", "fiscal", "triggers", "peers", "hierarchy"),
)
"""Signal families S1–S14, in order; `effects` switches each one's influence on expansion."""
