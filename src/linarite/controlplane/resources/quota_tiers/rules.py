"""The quota tier: always the one that settings make, whatever Azure's tiers are called."""

from __future__ import annotations

from typing import Literal

import msgspec

from linarite.domain.resource import Resource

TYPE = "Microsoft.CognitiveServices/quotaTiers"


class SentTier(msgspec.Struct, rename="camel"):
    """What may be set."""

    tier_upgrade_policy: Literal["OnceUpgradeIsAvailable", "NoAutoUpgrade"] | None = None


def built_in(subscription: str) -> tuple[Resource, ...]:
    """The tier before anyone has changed it."""
    return (
        Resource(
            id=f"{subscription}/providers/{TYPE}/default",
            type=TYPE,
            name="default",
            properties={"tierUpgradePolicy": "NoAutoUpgrade", "currentTierName": "Settings"},
        ),
    )
