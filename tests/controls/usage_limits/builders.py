"""Limits for tests."""

from __future__ import annotations

from linarite.domain.resource import Resource
from linarite.domain.usage_limits import USAGE_LIMIT_TYPE, UsageLimit, usage_limit

SUBSCRIPTION = "/subscriptions/s"
ACCOUNT = f"{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/One"
OTHER = f"{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/Two"


def limit(
    name: str, kind: str, subject: str = "", scope: str = ACCOUNT, **said: object
) -> UsageLimit:
    """A limit of 100 tokens a minute, unless more is `said`."""
    applies = {"kind": kind} | ({"name": subject} if subject else {})
    said = said or {"tokensPerMinute": 100}
    return usage_limit(
        Resource(
            id=f"{scope}/providers/{USAGE_LIMIT_TYPE}/{name}",
            type=USAGE_LIMIT_TYPE,
            name=name,
            properties={"appliesTo": applies, **said},
        )
    )
