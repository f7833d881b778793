"""From an account's properties to its rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.domain.network import OPEN, NetworkRules

if TYPE_CHECKING:
    from collections.abc import Mapping


def rules_of(properties: Mapping[str, Any]) -> NetworkRules:
    """The rules that the properties of an account state; `OPEN` itself where they exclude nobody.

    Source: `AccountProperties` of Microsoft.CognitiveServices.
    """
    if str(properties.get("publicNetworkAccess") or "Enabled").lower() == "disabled":
        return NetworkRules(public_access=False)
    return OPEN
