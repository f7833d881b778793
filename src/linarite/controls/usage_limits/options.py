"""What settings say about usage limits."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from linarite.domain.usage_limits import Kind

Count = Annotated[int, Meta(ge=0)]
Money = Annotated[float, Meta(ge=0)]


class UsageLimitSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much somebody may use. One `[[usage_limits]]` table each."""

    name: Annotated[
        str,
        Meta(description="Its name.", pattern=r"^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$"),
    ]
    kind: Annotated[Kind, Meta(description="Whose use is counted together.")]
    subject: Annotated[
        str,
        Meta(
            description="The one that is limited: a deployment's, key's or project's name, an "
            "object id, an end user, `team=search` of a tag. Empty: each of its kind, apart."
        ),
    ] = ""
    set_on: Annotated[
        Literal["account", "subscription"],
        Meta(description="Whether it counts the declared account's calls, or those of all."),
    ] = "account"
    deployments: Annotated[
        list[str], Meta(description="The only deployments whose calls count. Empty: all.")
    ] = []
    tokens_per_minute: Annotated[Count, Meta(description="0: any number.")] = 0
    requests_per_minute: Annotated[Count, Meta(description="0: any number.")] = 0
    concurrent_requests: Annotated[Count, Meta(description="0: any number.")] = 0
    tokens_per_day: Annotated[Count, Meta(description="In a day of UTC; 0: any number.")] = 0
    tokens_per_month: Annotated[Count, Meta(description="In a month of UTC; 0: any number.")] = 0
    cost_per_day: Annotated[
        Money, Meta(description="In the price book's currency; 0: any amount.")
    ] = 0.0
    cost_per_month: Annotated[
        Money, Meta(description="In the price book's currency; 0: any amount.")
    ] = 0.0
    warn_at: Annotated[
        list[Annotated[int, Meta(ge=1, le=100)]],
        Meta(description="Percentages of each bound at which somebody is told."),
    ] = []

    @property
    def properties(self) -> dict[str, Any]:
        """The same, as the resource has it."""
        said: dict[str, Any] = {
            "appliesTo": {"kind": self.kind.value}
            | ({"name": self.subject} if self.subject else {}),
            "deployments": self.deployments,
            "tokensPerMinute": self.tokens_per_minute,
            "requestsPerMinute": self.requests_per_minute,
            "concurrentRequests": self.concurrent_requests,
            "tokensPerDay": self.tokens_per_day,
            "tokensPerMonth": self.tokens_per_month,
            "costPerDay": self.cost_per_day,
            "costPerMonth": self.cost_per_month,
            "warnAt": sorted(set(self.warn_at)),
        }
        return {name: value for name, value in said.items() if value}
