"""Webhooks that applications name themselves: what they may hear of, and what is refused."""

from __future__ import annotations

from linarite.domain.errors import GatewayError, ModelError

EVENT_TYPES = (
    "response.completed",
    "response.failed",
    "response.cancelled",
    "response.incomplete",
    "batch.completed",
    "batch.failed",
    "batch.cancelled",
    "batch.expired",
    "limit.threshold.reached",
    "limit.exhausted",
)
"""what an account is told of itself"""


class NoSuchWebhookEndpoint(ModelError):
    """The account has no such endpoint, or none that the caller may see."""

    status = 404

    def __init__(self, endpoint_id: str) -> None:
        """Say the same of another account's."""
        super().__init__(f"Webhook endpoint with id '{endpoint_id[:100]}' not found.", param="id")


class TooManyWebhookEndpoints(GatewayError):
    """As many as an account may have."""

    control = "quota"
    status = 400
    code = "quotaExceeded"

    def __init__(self, most: int) -> None:
        """Name the limit and its setting."""
        super().__init__(
            f"This account has {most} webhook endpoints, which is as many as it may. Delete some, "
            "or raise webhook_endpoints.account_max.",
            hint={"limit": most, "setting": "webhook_endpoints.account_max"},
        )
