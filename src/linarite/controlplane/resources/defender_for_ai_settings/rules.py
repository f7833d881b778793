"""Whether Microsoft Defender for AI watches an account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from linarite.domain.resource import Resource

TYPE = "Microsoft.CognitiveServices/accounts/defenderForAISettings"
NAME = r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}"


class SentSetting(msgspec.Struct):
    """What may be set."""

    state: Literal["Enabled", "Disabled"] | None = None


def complete(new: Resource, old: Resource | None, facts: None) -> Resource:
    """Off, unless it is said."""
    del old, facts
    return msgspec.structs.replace(new, properties={"state": "Disabled", **new.properties})
