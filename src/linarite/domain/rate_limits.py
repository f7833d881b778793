"""How many tokens and requests a deployment may take, from its SKU's capacity.

Sources: learn.microsoft.com, "Azure OpenAI quotas and limits" (requests for each 1,000 tokens a
minute, by model) and "Manage Azure OpenAI quota" (requests are checked over one or ten seconds).
"""

from __future__ import annotations

import msgspec

from linarite.domain.ledger import Window

TOKENS_A_UNIT = 1000
"""a minute, for each unit of capacity"""
TOKENS_WINDOW_S = 60.0
SECONDS = 60
"""in a minute"""
RATE_LIMITED = "rateLimited"
"""a property that the server keeps to itself: False for what settings declare without a capacity"""
REQUESTS_A_UNIT = 6.0
"""a minute, for each unit of capacity, of a model that is not below"""
_REQUESTS_A_UNIT = (
    ("o3-mini", 0.1),
    ("o1-mini", 0.1),
    ("o3-pro", 0.1),
    ("o1", 1 / 6),
    ("o3", 1.0),
    ("o4-mini", 1.0),
    ("gpt-4.1", 1.0),
    ("gpt-5-mini", 1.0),
    ("gpt-5-nano", 1.0),
    ("gpt-5.5", 1.0),
    ("gpt-5.6", 1.0),
    ("gpt-6", 1.0),
    ("gpt-5", 10.0),
)
"""the first whose name a model's begins with"""


class RateLimits(msgspec.Struct, frozen=True):
    """The limits of one deployment."""

    tokens: int
    """in a minute; of a provisioned deployment: what its bucket holds and loses in a minute"""
    requests: int
    """in their window; 0: any number"""
    provisioned: bool = False
    output_weight: float = 1.0
    """of a provisioned one: as how many tokens of a prompt one of output counts"""
    requests_window: Window = Window.TEN_SECONDS


def is_provisioned(sku: str) -> bool:
    """Whether a deployment type reserves PTUs."""
    return sku.endswith("ProvisionedManaged")


def pool_name(sku: str, model: str) -> str:
    """The quota pool from which a deployment draws; `OpenAI.Standard.gpt-4o`."""
    return f"OpenAI.{sku}" if is_provisioned(sku) else f"OpenAI.{sku}.{model}"


def rate_limits(
    model: str, capacity: int, requests_window: Window = Window.TEN_SECONDS
) -> RateLimits:
    """The limits that go with a capacity of a SKU that is paid by the token.

    Where there is less than one request for each second, ten of them are counted together.
    """
    tokens, a_minute = capacity * TOKENS_A_UNIT, _requests_a_minute(model, capacity)
    if requests_window is Window.SECOND and a_minute >= SECONDS:
        return RateLimits(tokens, int(a_minute / SECONDS), requests_window=Window.SECOND)
    return RateLimits(tokens, max(1, round(a_minute * 10 / SECONDS)))


def provisioned_limits(tokens_per_second: float, output_weight: float = 1.0) -> RateLimits:
    """The limits of a reserved throughput of generated tokens: they alone, or prompts instead."""
    tokens = max(1, round(tokens_per_second * TOKENS_WINDOW_S * output_weight))
    return RateLimits(tokens, 0, provisioned=True, output_weight=output_weight)


def _requests_a_minute(model: str, capacity: int) -> float:
    found = (ratio for prefix, ratio in _REQUESTS_A_UNIT if model.startswith(prefix))
    return next(found, REQUESTS_A_UNIT) * capacity
