"""The kinds and SKUs of accounts and deployments that this server has."""

from __future__ import annotations

ACCOUNT_KINDS = ("OpenAI", "AIServices")
ACCOUNT_SKUS = ("S0",)
DEPLOYMENT_SKUS = (
    "Standard",
    "GlobalStandard",
    "DataZoneStandard",
    "GlobalBatch",
    "DataZoneBatch",
    "ProvisionedManaged",
    "GlobalProvisionedManaged",
    "DataZoneProvisionedManaged",
    "DeveloperTier",
)
"""Azure's deployment types"""
