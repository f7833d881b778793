"""A deployment's own rate: its buckets, what its answers are like, and what clients are told."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from linarite.controls.quota.amounts import provisioned_at_most
from linarite.domain.ledger import SLIDING_S, Bucket, Charge, Window
from linarite.domain.rate_limits import TOKENS_WINDOW_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.domain.facts import Deployment
    from linarite.domain.quota import Price
    from linarite.domain.rate_limits import RateLimits
    from linarite.domain.usage import Usage

Mode = Literal["exact", "azure", "off"]
UNSAID_COMPLETION = 16
"""tokens that Azure charges a request which sets no `max_tokens`"""
LEARNED_SHARE = 0.1
LEARNED_MAX = 4096


class Rate:
    """Of one deployment."""

    def __init__(self, where: Deployment, mode: Mode, wait_s: float = 0.0) -> None:
        """`wait_s`: for how long what has begun may wait for more."""
        self.wait_s = wait_s
        self.grows = mode != "azure"
        """whether answers without a bound reserve more as they go on; Azure's do not"""
        limits = self.limits = where.limits
        self.buckets = () if limits is None or mode == "off" else _buckets(where, mode)
        """none where it is not limited; else tokens, and requests unless they are any number"""
        self.request = tuple(Charge(bucket, 1) for bucket in self.buckets[1:])
        """what every request is charged beside its tokens"""
        self.provisioned = limits is not None and limits.provisioned
        self._template = b"" if limits is None or not self.buckets else rate_template(limits)
        self._mode: Mode = mode
        self._completion = float(UNSAID_COMPLETION)
        self._cached_share = 0.0

    def fit(self, where: Deployment) -> None:
        """Take other limits; what was admitted still counts."""
        self.limits = where.limits
        fitted = Rate(where, self._mode)
        self.buckets, self.request = fitted.buckets, fitted.request
        self.provisioned, self._template = fitted.provisioned, fitted._template

    @property
    def unsaid_completion(self) -> int:
        """What an answer is thought to take whose length the request does not bound."""
        learned = 0 if self._mode == "azure" else math.ceil(self._completion)
        return max(UNSAID_COMPLETION, learned)

    def estimate(self, price: Price) -> int:
        """What the bucket of a provisioned deployment is charged."""
        limits = self.limits
        assert limits is not None  # noqa: S101 - it is provisioned
        return provisioned_at_most(
            price, self.unsaid_completion, limits.output_weight, self._cached_share
        )

    def lines(self, left: Sequence[int]) -> bytes:
        """The header lines of an answer; `left` begins with what the deployment's buckets have."""
        limits, template = self.limits, self._template
        if not template or limits is None:
            return b""
        if self.provisioned:
            return template % ((1 - left[0] / limits.tokens) * 100)
        return template % (left[1], left[0])

    def headers(self, left: Sequence[int]) -> dict[str, str]:
        """The same for a refusal."""
        lines = self.lines(left).decode().splitlines()
        return {name: value for name, _, value in (line.partition(": ") for line in lines)}

    def learn(self, usage: Usage) -> None:
        """An answer took so much."""
        made = min(usage.completion_tokens, LEARNED_MAX)
        self._completion += (made - self._completion) * LEARNED_SHARE
        cached = min(1.0, usage.cached_tokens / max(1, usage.prompt_tokens))
        self._cached_share += (cached - self._cached_share) * LEARNED_SHARE


def rate_template(limits: RateLimits) -> bytes:
    """The header lines of an answer, but for what is left."""
    if limits.provisioned:
        return b"azure-openai-deployment-utilization: %.1f%%\r\n"
    return (
        b"x-ratelimit-limit-requests: %d\r\nx-ratelimit-limit-tokens: %d\r\n"
        b"x-ratelimit-remaining-requests: %%d\r\nx-ratelimit-remaining-tokens: %%d\r\n"
        b"x-ratelimit-reset-requests: %d\r\nx-ratelimit-reset-tokens: %d\r\n"
        % (
            limits.requests,
            limits.tokens,
            SLIDING_S[limits.requests_window],
            TOKENS_WINDOW_S,
        )
    )


def _buckets(where: Deployment, mode: Mode) -> tuple[Bucket, ...]:
    limits = where.limits
    assert limits is not None  # noqa: S101 - asked above
    own = where.id.lower()
    remedy = f"raise sku.capacity of the deployment '{where.name}'"
    window = Window.FIXED_MINUTE if mode == "azure" else Window.MINUTE
    if limits.provisioned:
        window = Window.LEAKY_MINUTE
    tokens = Bucket(
        f"tokens:{own}",
        "deployment-tokens",
        "tokens",
        limits.tokens,
        window,
        remedy,
        limits.output_weight if limits.provisioned else 0.0,
    )
    if not limits.requests:
        return (tokens,)
    requests = Bucket(
        f"requests:{own}",
        "deployment-requests",
        "requests",
        limits.requests,
        limits.requests_window,
        remedy,
    )
    return tokens, requests
