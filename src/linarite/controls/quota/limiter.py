"""The control: admits a request to a deployment, or says when it may come again."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Literal

from linarite.controls.quota.lease import NO_LEASE, Lease
from linarite.controls.quota.meters import FixedWindow, LeakyBucket, SlidingWindow
from linarite.domain.quota_errors import RateLimitReached, Refused
from linarite.domain.rate_limits import REQUESTS_WINDOW_S, TOKENS_WINDOW_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.controls.quota.meters import Meter
    from linarite.domain.facts import Deployment
    from linarite.domain.quota import Priced
    from linarite.domain.rate_limits import RateLimits

Mode = Literal["exact", "azure", "off"]
UNSAID_COMPLETION = 16
"""tokens that Azure charges a request which sets no `max_tokens`"""
LEARNED_SHARE = 0.1
LEARNED_MAX = 4096


KEPT_MAX = 1024
"""meters kept before those are forgotten that have nothing to remember"""


class Meters:
    """The meters of one deployment, and what its answers are like."""

    def __init__(self, limits: RateLimits, mode: Mode) -> None:
        self.limits = limits
        window = FixedWindow if mode == "azure" else SlidingWindow
        self.tokens: Meter = (
            LeakyBucket(limits.tokens, TOKENS_WINDOW_S)
            if limits.provisioned
            else window(limits.tokens, TOKENS_WINDOW_S)
        )
        self.requests = SlidingWindow(limits.requests, REQUESTS_WINDOW_S)
        self._mode = mode
        self._completion = float(UNSAID_COMPLETION)

    def fit(self, limits: RateLimits) -> None:
        """Take other limits; what was admitted still counts."""
        self.limits = limits
        self.tokens.limit, self.requests.limit = limits.tokens, limits.requests

    def idle(self, now: float) -> bool:
        """Whether new ones would admit the same."""
        limits = self.limits
        return self.tokens.left(now) == limits.tokens and self.requests.left(now) == limits.requests

    @property
    def unsaid_completion(self) -> int:
        """What an answer is thought to take whose length the request does not bound."""
        return UNSAID_COMPLETION if self._mode == "azure" else math.ceil(self._completion)

    def learn(self, completion_tokens: int) -> None:
        """An answer took so many tokens."""
        self._completion += (min(completion_tokens, LEARNED_MAX) - self._completion) * LEARNED_SHARE


class Limiter:
    """Keeps all deployments to their limits, in this process."""

    def __init__(self, mode: Mode = "exact", clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` tells seconds and never goes back, whatever happens to the time of day."""
        self._mode: Mode = mode
        self._clock = clock
        self._by_deployment: dict[str, Meters] = {}

    def reserve(self, where: Deployment, asked: Priced) -> Lease:
        """Admit a request, with what it may use at most. Raises RateLimitReached."""
        limits = where.limits
        if limits is None or self._mode == "off":
            return NO_LEASE
        meters = self._meters(where.id.lower(), limits)
        price = asked.price()
        bound = price.completion_tokens
        if bound is None:
            bound = meters.unsaid_completion
        amount = max(1, price.prompt_tokens + bound * price.answers)
        now = self._clock()
        if limits.requests and (wait := meters.requests.wait(1, now)):
            raise self._refusal(where, meters, Refused("requests", 1, 0, wait), now)
        tokens = meters.tokens
        if wait := tokens.wait(amount, now):
            left = tokens.left(now)
            raise self._refusal(where, meters, Refused("tokens", amount, left, wait), now)
        mark = tokens.take(amount, now)
        if limits.requests:
            meters.requests.take(1, now)
        return Lease(asked, (tokens, mark), _lines(meters, now), self._clock, meters.learn)

    def _meters(self, key: str, limits: RateLimits) -> Meters:
        found = self._by_deployment.get(key)
        if found is None or found.limits.provisioned is not limits.provisioned:
            self._forget_idle()
            found = self._by_deployment[key] = Meters(limits, self._mode)
        elif found.limits != limits:
            found.fit(limits)
        return found

    def _forget_idle(self) -> None:
        """Deployments come and go: what is left of those that are gone takes no memory for ever."""
        if len(self._by_deployment) >= KEPT_MAX:
            now = self._clock()
            kept = {key: each for key, each in self._by_deployment.items() if not each.idle(now)}
            self._by_deployment = kept

    def _refusal(
        self, where: Deployment, meters: Meters, refused: Refused, now: float
    ) -> RateLimitReached:
        return RateLimitReached(where, meters.limits, refused, headers=_headers(meters, now))


def _lines(meters: Meters, now: float) -> bytes:
    """The header lines of an answer."""
    if isinstance(meters.tokens, LeakyBucket):
        return b"azure-openai-deployment-utilization: %.1f%%\r\n" % (
            meters.tokens.utilization(now) * 100
        )
    limits = meters.limits
    return (
        b"x-ratelimit-limit-requests: %d\r\nx-ratelimit-limit-tokens: %d\r\n"
        b"x-ratelimit-remaining-requests: %d\r\nx-ratelimit-remaining-tokens: %d\r\n"
        b"x-ratelimit-reset-requests: %d\r\nx-ratelimit-reset-tokens: %d\r\n"
        % (
            limits.requests,
            limits.tokens,
            meters.requests.left(now),
            meters.tokens.left(now),
            REQUESTS_WINDOW_S,
            TOKENS_WINDOW_S,
        )
    )


def _headers(meters: Meters, now: float) -> dict[str, str]:
    """The same for a refusal."""
    lines = _lines(meters, now).decode().splitlines()
    return {name: value for name, _, value in (line.partition(": ") for line in lines)}
