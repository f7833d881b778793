"""What settings say about the control plane and its quotas."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class Quota(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much capacity deployments may share."""

    rates: Annotated[
        Literal["exact", "azure", "off"],
        Meta(
            description="How deployments are kept to their tokens a minute: exact counts what was "
            "used, over every minute one may choose; azure counts estimates until a fixed minute "
            "ends, as Azure does; off keeps to none."
        ),
    ] = "exact"
    capacity_max: Annotated[
        int,
        Meta(
            description="Capacity of each pool (subscription, region, model and deployment type) "
            "in units of 1,000 tokens a minute, or in PTUs for provisioned types.",
            ge=0,
        ),
    ] = 1000
    pools: Annotated[
        dict[str, int],
        Meta(description='Pools with another capacity, as `"OpenAI.Standard.gpt-4o" = 300`.'),
    ] = {}
    accounts_max: Annotated[
        int, Meta(description="Accounts in a region; Azure allows 30.", ge=1)
    ] = 30


class ControlPlaneSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who may manage."""

    management_key: Annotated[
        bool,
        Meta(
            description="Whether the management key opens the control plane and the directory, "
            "past every role. Off, only access tokens do; somebody must be Owner before."
        ),
    ] = True
