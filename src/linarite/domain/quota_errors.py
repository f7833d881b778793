"""Refusals of limits, in Azure's words and with what they were decided upon."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from linarite.domain.errors import GatewayError, ServiceUnavailable, retry_headers
from linarite.domain.ledger import LASTING, Window

if TYPE_CHECKING:
    from linarite.domain.facts import Deployment
    from linarite.domain.ledger import Bucket, Refused

NEVER_S = 86_400.0
"""the wait that Azure tells where no wait helps"""
HEEDED_S = 60.0
"""the longest wait that the official clients heed; told a longer one they come again too soon"""
OWN = "deployment-"
"""how the names of a deployment's own buckets begin"""
_RATES = {
    "tokens": "token rate limit",
    "requests": "call rate limit",
    "concurrent": "concurrent request limit",
    "cost": "budget",
}


class RateLimitReached(GatewayError):
    """Beyond a limit that holds for the call; always with how long to wait and why."""

    control = "quota"
    status = 429
    code = "429"

    def __init__(self, where: Deployment, refused: Refused, *, headers: dict[str, str]) -> None:
        """Azure's sentences; the api-version and operation are filled in by `told_to`."""
        never = math.isinf(refused.wait_s)
        wait_s = NEVER_S if never else refused.wait_s
        told = headers | retry_headers(wait_s) | {"x-ratelimit-reason": reason_of(refused)}
        if wait_s > HEEDED_S:
            told["x-should-retry"] = "false"  # the official clients heed it
        self.where = where
        self.refused = refused
        self.retry_after = told["retry-after"]
        super().__init__(self._azure("the requested"), hint=_hint(refused))
        self.headers = told

    @property
    def limited_by(self) -> str:
        """The bucket that refused, as records keep it."""
        return self.refused.bucket.name

    def told_to(self, operation: str, api_version: str, *, v1: bool) -> None:
        """Word it as the service does for that family of api-versions."""
        if v1:
            self.code = "RateLimitReached"
            self.message = (
                f"Your requests to {self.where.name} for {self.where.model.name} in "
                f"{self.where.region_title or 'this region'} have exceeded {self._limit}. "
                f"Please retry after {self._seconds}."
            )
        else:
            self.message = self._azure(f"the {operation} Operation", api_version)

    @property
    def _limit(self) -> str:
        bucket = self.refused.bucket
        if bucket.name.startswith(OWN):
            return f"{_RATES[bucket.measure]} of your current OpenAI S0 pricing tier"
        quota = bucket.measure == "tokens" and bucket.window in LASTING
        return f"the {'token quota' if quota else _RATES[bucket.measure]} {bucket.name}"

    @property
    def _seconds(self) -> str:
        return f"{self.retry_after} second{'' if self.retry_after == '1' else 's'}"

    def _azure(self, operation: str, api_version: str = "") -> str:
        if self.refused.bucket.window is Window.LEAKY_MINUTE:
            return (
                "Requests have exceeded the throughput limit on your Provisioned-Managed "
                f"deployment '{self.where.name}'. Please retry after {self._seconds}."
            )
        version = f" under Azure OpenAI API version {api_version}" if api_version else ""
        return (
            f"Requests to {operation}{version} have exceeded {self._limit}. "
            f"Please retry after {self._seconds}."
        )


class LedgerUnavailable(ServiceUnavailable):
    """Nobody can tell whether the request is within its limits: it is refused."""

    control = "quota"

    def __init__(self, why: str) -> None:
        """Say what an operator can do."""
        super().__init__(f"the ledger of limits can't be asked: {why}")
        self.hint = {
            "code": "LedgerUnavailable",
            "message": "The server that quota.ledger names must be reached again. To serve without "
            'it meanwhile, each server counting for itself, set quota.on_ledger_failure = "local".',
        }


def reason_of(refused: Refused) -> str:
    """The bucket, its window, what this request would have taken, and what was left."""
    bucket = refused.bucket
    return (
        f"{bucket.name}; limit={bucket.limit}; {_window(bucket)}"
        f"charged={refused.charged}; left={refused.left}"
    )


def _window(bucket: Bucket) -> str:
    """How long it is; nothing of a limit on what runs at the same time."""
    held = bucket.window is Window.HELD
    return "" if held else f"window={bucket.window.value.rpartition(' ')[2]}; "


def _hint(refused: Refused) -> dict[str, str]:
    bucket = refused.bucket
    remedy = bucket.remedy or f"raise the limit {bucket.name}"
    if math.isinf(refused.wait_s):
        what = "tokens" if bucket.measure == "tokens" else f"({bucket.measure})"
        advice = (
            f"The request was estimated at {refused.charged} {what}, and {bucket.name} may take "
            f"{bucket.limit} in its window: no wait helps. Shorten the prompt, lower max_tokens, "
            f"or {remedy}."
        )
    else:
        advice = f"To be let in sooner, {remedy}."
    return {"code": "RateLimitReached", "message": advice}
