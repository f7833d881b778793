"""Refusals that go with a service tier."""

from __future__ import annotations

from linarite.domain.errors import GatewayError, InvalidRequest, RequestTimedOut, retry_headers


class NoFlexCapacity(GatewayError):
    """Flex takes what others leave, and now they leave nothing. Nothing is charged for it.

    Status and code are Azure's (learn.microsoft.com, "Flex processing"); it does not fall back to
    another tier by itself.
    """

    control = "place"
    status = 429
    code = "no_capacity"

    def __init__(self, reason: str, retry_after_s: float) -> None:
        """Azure's sentence first, then the reason in ours."""
        super().__init__(
            "The service is temporarily unable to process your request. Please try again later. "
            f"({reason}; or ask for service_tier 'default'.)",
            headers=retry_headers(retry_after_s),
        )


class FlexTimedOut(RequestTimedOut):
    """A flex request that waited in the queue for as long as it may."""

    control = "place"


class FlexNotSupported(InvalidRequest):
    """The deployment has no flex tier."""

    code = "invalid_value"

    def __init__(self, deployment: str, sku: str, skus: str) -> None:
        """Say where there is one."""
        super().__init__(
            f"Invalid value for 'service_tier': 'flex' is not supported by the deployment "
            f"'{deployment}', whose type is {sku}. Flex is for deployments of the type {skus}.",
            param="service_tier",
        )
