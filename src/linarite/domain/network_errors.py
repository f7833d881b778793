"""Refusals of the network rules, in Azure's words.

Source: the bodies that clients of Azure OpenAI were seen to get; code and status are the same.
"""

from __future__ import annotations

from linarite.domain.errors import GatewayError


class NetworkDenied(GatewayError):
    """A way to the account that its owner has not allowed."""

    status = 403
    code = "403"
    control = "network"


class PublicAccessDisabled(NetworkDenied):
    """`publicNetworkAccess` is Disabled, and the request came by the public side."""

    def __init__(self) -> None:
        """Azure's words."""
        super().__init__("Public access is disabled. Please configure private endpoint.")


class NotFromApprovedEndpoint(NetworkDenied):
    """It came by a private endpoint of another account, or by one that is not approved."""

    def __init__(self) -> None:
        """Azure's words."""
        super().__init__("Traffic is not from an approved private endpoint.")


class OutboundAccessDenied(NetworkDenied):
    """Serving the request takes a host that the account's owner doesn't allow to be reached."""

    code = "OutboundAccessDenied"
