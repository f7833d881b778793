"""A deployment's properties with their types, as the specification of 2026-07-01 has them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from linarite.domain.rate_limits import RATE_LIMITED

READ_ONLY = frozenset(
    (
        "provisioningState",
        "capabilities",
        "callRateLimit",
        "rateLimits",
        "currentCapacity",
    )
)
HIDDEN = frozenset(("instance", RATE_LIMITED))
"""what the server keeps beside"""


class SentModel(msgspec.Struct, rename="camel"):
    """The model that answers."""

    format: str | None = None
    name: str | None = None
    version: str | None = None
    publisher: str | None = None
    source: str | None = None
    source_account: str | None = None


class ScaleSettings(msgspec.Struct, rename="camel"):
    """The older way to say what `sku` says."""

    scale_type: Literal["Standard", "Manual"] | None = None
    capacity: Annotated[int, Meta(ge=0)] | None = None


class SentDeployment(msgspec.Struct, rename="camel"):
    """What may be set; properties that are not here are kept as they come."""

    model: SentModel | None = None
    scale_settings: ScaleSettings | None = None
    rai_policy_name: str | None = None
    version_upgrade_option: (
        Literal["OnceNewDefaultVersionAvailable", "OnceCurrentVersionExpired", "NoAutoUpgrade"]
        | None
    ) = None
    capacity_settings: dict[str, Any] | None = None
    parent_deployment_name: str | None = None
    spillover_deployment_name: str | None = None
    dynamic_throttling_enabled: bool | None = None
    service_tier: Literal["Default", "Priority"] | None = None
    deployment_state: Literal["Running", "Paused"] | None = None
    runtime: Literal["llamacpp", "openvino"] | None = None
    """which engine must run it: not Azure's, but for the word, which its arcDeployments have"""
