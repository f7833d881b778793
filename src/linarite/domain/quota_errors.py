"""Refusals of the rate limits, in Azure's words and with what they were decided upon."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import msgspec

from linarite.domain.errors import GatewayError, retry_headers

if TYPE_CHECKING:
    from linarite.domain.facts import Deployment
    from linarite.domain.rate_limits import RateLimits

NEVER_S = 86_400.0
"""the wait that Azure tells where no wait helps"""


class Refused(msgspec.Struct, frozen=True):
    """What did not fit where."""

    bucket: Literal["tokens", "requests"]
    charged: int
    """what the request would have taken"""
    left: int
    wait_s: float
    """infinity where it never fits"""


class RateLimitReached(GatewayError):
    """Beyond the deployment's rate; always with how long to wait and why."""

    control = "quota"
    status = 429
    code = "429"

    def __init__(
        self, where: Deployment, limits: RateLimits, refused: Refused, *, headers: dict[str, str]
    ) -> None:
        """Azure's sentences; the api-version and operation are filled in by `told_to`."""
        never = math.isinf(refused.wait_s)
        wait_s = NEVER_S if never else refused.wait_s
        told = headers | retry_headers(wait_s) | {"x-ratelimit-reason": reason_of(limits, refused)}
        if never:
            told["x-should-retry"] = "false"  # the official clients heed it
        self.where = where
        self.limits = limits
        self.refused = refused
        self.retry_after = told["retry-after"]
        super().__init__(self._azure("the requested"), hint=_hint(where, limits, refused))
        self.headers = told

    def told_to(self, operation: str, api_version: str, *, v1: bool) -> None:
        """Word it as the service does for that family of api-versions."""
        if v1:
            self.code = "RateLimitReached"
            self.message = (
                f"Your requests to {self.where.name} for {self.where.model.name} in "
                f"{self.where.region_title or 'this region'} have exceeded {self._rate} of your "
                f"current OpenAI S0 pricing tier. Please retry after {self._seconds}."
            )
        else:
            self.message = self._azure(f"the {operation} Operation", api_version)

    @property
    def _rate(self) -> str:
        return "token rate limit" if self.refused.bucket == "tokens" else "call rate limit"

    @property
    def _seconds(self) -> str:
        return f"{self.retry_after} second{'' if self.retry_after == '1' else 's'}"

    def _azure(self, operation: str, api_version: str = "") -> str:
        if self.limits.provisioned:
            return (
                "Requests have exceeded the throughput limit on your Provisioned-Managed "
                f"deployment '{self.where.name}'. Please retry after {self._seconds}."
            )
        version = f" under Azure OpenAI API version {api_version}" if api_version else ""
        return (
            f"Requests to {operation}{version} have exceeded {self._rate} of your current OpenAI "
            f"S0 pricing tier. Please retry after {self._seconds}."
        )


def reason_of(limits: RateLimits, refused: Refused) -> str:
    """The bucket, its window, what this request would have taken, and what was left."""
    window = 10 if refused.bucket == "requests" else 60
    limit = limits.requests if refused.bucket == "requests" else limits.tokens
    return (
        f"deployment-{refused.bucket}; limit={limit}; window={window}s; "
        f"charged={refused.charged}; left={refused.left}"
    )


def _hint(where: Deployment, limits: RateLimits, refused: Refused) -> dict[str, str]:
    if math.isinf(refused.wait_s):
        advice = (
            f"The request was estimated at {refused.charged} tokens, and the deployment may take "
            f"{limits.tokens} in a minute: no wait helps. Shorten the prompt, lower max_tokens, or "
            f"raise sku.capacity of '{where.name}'."
        )
    else:
        advice = f"To be let in sooner, raise sku.capacity of the deployment '{where.name}'."
    return {"code": "RateLimitReached", "message": advice}
