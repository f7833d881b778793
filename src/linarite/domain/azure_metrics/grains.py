"""What is kept of the requests of a minute: counts and spreads, by their dimensions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

MINUTE_S = 60
HOUR_S = 3600


class Series(msgspec.Struct, frozen=True, array_like=True):
    """What tells the tallies of a minute apart. All values come from what is deployed."""

    account_key: str
    """id of the account, in lower case"""
    region: str = ""
    deployment: str = ""
    """"" where none was reached; then model and version are, too"""
    model: str = ""
    model_version: str = ""
    operation: str = ""
    api_version: str = ""
    """"" where no deployment was reached: nobody has looked whether there is such a version"""
    streamed: bool = False
    status: int = 0
    """0 for what is no request: the use of provisioned throughput"""
    spilled: bool = False
    """a provisioned deployment had no room, and another served"""
    tier_asked: str = ""
    tier: str = ""


class Spread(msgspec.Struct, array_like=True, gc=False):
    """Measured values, as far as Azure Monitor's aggregations need them."""

    count: int = 0
    total: float = 0.0
    least: float = 0.0
    most: float = 0.0

    def take(self, values: Sequence[float], scale: float = 1.0) -> None:
        """Count values, each of them multiplied by `scale`."""
        if not values:
            return
        least, most = min(values) * scale, max(values) * scale
        self.least = min(self.least, least) if self.count else least
        self.most = max(self.most, most) if self.count else most
        self.count += len(values)
        self.total += sum(values) * scale

    def add(self, other: Spread) -> None:
        """Take in another's values."""
        if not other.count:
            return
        self.least = min(self.least, other.least) if self.count else other.least
        self.most = max(self.most, other.most) if self.count else other.most
        self.count += other.count
        self.total += other.total


class Tally(msgspec.Struct, array_like=True, gc=False):
    """The requests of one series in one minute, or hour. Times are in milliseconds.

    Fields are only ever added at the end: what is on disk is read by their order.
    """

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    audio_prompt_tokens: int = 0
    audio_completion_tokens: int = 0
    active_tokens: Spread = msgspec.field(default_factory=Spread)
    """of each request: prompt and completion less what was cached"""
    to_response: Spread = msgspec.field(default_factory=Spread)
    to_last_byte: Spread = msgspec.field(default_factory=Spread)
    to_first_byte_per_token: Spread = msgspec.field(default_factory=Spread)
    """divided by the tokens of the prompt"""
    between_tokens: Spread = msgspec.field(default_factory=Spread)
    tokens_per_second: Spread = msgspec.field(default_factory=Spread)
    cache_match: Spread = msgspec.field(default_factory=Spread)
    """percent of the prompt's tokens that were cached"""
    utilization: Spread = msgspec.field(default_factory=Spread)
    """percent of a provisioned deployment's throughput, looked at several times a minute"""

    def add(self, other: Tally) -> None:
        """Take in another's requests."""
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in _SPREADS:
            getattr(self, name).add(getattr(other, name))


_COUNTS = tuple(name for name in Tally.__struct_fields__ if Tally.__annotations__[name] == "int")
_SPREADS = tuple(name for name in Tally.__struct_fields__ if name not in _COUNTS)


class Grain(msgspec.Struct, frozen=True):
    """The tally of one series from a moment on, for a minute or an hour."""

    at_s: int
    """when it begins: seconds since the epoch"""
    series: Series
    tally: Tally


class GrainQuery(msgspec.Struct, frozen=True):
    """Which grains are wanted."""

    account_key: str
    since_s: int
    until_s: int
    """not included"""
    span_s: int = MINUTE_S
    """or HOUR_S; hours are told of by when they begin"""


class MetricStore(Protocol):
    """Keeps grains by minute and by hour."""

    async def add(self, grains: Sequence[Grain]) -> None:
        """Count in what came in these minutes, all or nothing; what is there is added to.

        Raises ServiceUnavailable.
        """
        ...

    async def read(self, query: GrainQuery) -> list[Grain]:
        """Those that begin in the time asked for, the oldest first. Raises ServiceUnavailable."""
        ...

    async def tidy(self, now_s: float) -> int:
        """Forget what is kept no longer; how many grains that were. Raises ServiceUnavailable."""
        ...

    async def close(self) -> None:
        """Let go of the file."""
        ...


class MetricReader(Protocol):
    """Tells grains, up to the request that ended last."""

    async def read(self, query: GrainQuery) -> list[Grain]:
        """As `MetricStore.read`."""
        ...
