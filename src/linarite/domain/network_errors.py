"""Refusals of the network rules and of names, in Azure's words.

    GatewayError
    ├── NetworkDenied                403
    │   ├── OutboundAccessDenied     403  `allowedFqdnList`
    │   ├── AddressDenied            403  no rule of `networkAcls` names it
    │   ├── PerimeterDenied          403  no rule of its network security perimeter names it
    │   ├── PublicAccessDisabled     403  `publicNetworkAccess`
    │   └── NotFromApprovedEndpoint  403  by another account's private endpoint
    ├── SubdomainUnknown             404  a name of that form that no account has
    ├── SubdomainContradicted        404  the host is of one account, the path of another
    ├── HostUnknown                  421  a name that this server does not have
    ├── HostMisdirected              421  TLS was set up for another account
    └── HostMalformed                400  no Host header, several, or none that names a host

Source: the bodies that clients of Azure OpenAI were seen to get; code and status are the same.
Azure's front end has no words for a foreign name: 421 is what RFC 9110, 15.5.20 has for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from linarite.domain.errors import GatewayError

if TYPE_CHECKING:
    from linarite.domain.perimeter import Category


class NetworkDenied(GatewayError):
    """A way to the account that its owner has not allowed."""

    status = 403
    code = "403"
    control = "network"
    rule = ""
    """what decided, as explanations name it"""
    trusted: frozenset[str] = frozenset()
    """object ids of the services that pass all the same"""
    category: Category | Literal[""] = ""
    """of the perimeter's access log, if it goes there"""


class AddressDenied(NetworkDenied):
    """`networkAcls.defaultAction` is Deny, and no rule names the client's address."""

    def __init__(self, client_address: str = "") -> None:
        """Azure's words, and the address that was judged: the client's own."""
        super().__init__(
            "Access denied due to Virtual Network/Firewall rules.",
            hint=_judged(client_address, "networkAcls"),
        )


class PublicAccessDisabled(NetworkDenied):
    """`publicNetworkAccess` is Disabled, and the request came by the public side."""

    def __init__(self, client_address: str = "") -> None:
        """Azure's words."""
        super().__init__(
            "Public access is disabled. Please configure private endpoint.",
            hint=_judged(client_address, "publicNetworkAccess"),
        )


class PerimeterDenied(NetworkDenied):
    """The perimeter around the account is enforced, and no inbound rule names the address."""

    def __init__(self, client_address: str = "") -> None:
        """Azure's words for addresses, and where the rules are."""
        came = f"from {client_address}" if client_address else "from an address nobody can tell"
        super().__init__(
            "Access denied due to Network Security Perimeter rules.",
            hint={
                "code": "NetworkSecurityPerimeter",
                "message": f"The request came {came}. The account is in a network security "
                "perimeter that is enforced: an inbound access rule of its profile would have to "
                "name the address, or the caller use a managed identity of the same perimeter.",
            },
        )


class NotFromApprovedEndpoint(NetworkDenied):
    """It came by a private endpoint of another account, or by one that is not approved."""

    def __init__(self) -> None:
        """Azure's words."""
        super().__init__("Traffic is not from an approved private endpoint.")


class OutboundAccessDenied(NetworkDenied):
    """Serving the request takes a host that the account's owner doesn't allow to be reached."""

    code = "OutboundAccessDenied"


def _judged(client_address: str, where: str) -> dict[str, str]:
    """What a refused client is told: nothing of any address but its own."""
    came = f"from {client_address}" if client_address else "from an address that nobody can tell"
    return {
        "code": "NetworkRules",
        "message": f"The request came {came}. The account's owner decides by properties.{where}; "
        "who may read the server's records sees what decided: `linarite explain` with this "
        "answer's apim-request-id.",
    }


class SubdomainUnknown(GatewayError):
    """A host name of the form that accounts have, which none has, or which does not lead here."""

    status = 404
    code = "404"
    control = "network"

    def __init__(self, hint: str = "") -> None:
        """Azure's words."""
        told = {"code": "SubdomainUnknown", "message": hint} if hint else None
        super().__init__("Subdomain does not map to a resource.", hint=told)


class SubdomainContradicted(GatewayError):
    """The host name is of one account and the path names another."""

    status = 404
    code = "404"
    control = "network"

    def __init__(self, by_host: str, by_path: str) -> None:
        """Say which two: both are the client's own words."""
        super().__init__(
            "Resource not found",
            hint={
                "code": "AccountContradicted",
                "message": f"The host name is that of the account '{by_host}', and the path begins "
                f"with '{by_path[:100]}'. Leave the account out of the path, or call the server "
                "by a name of its own.",
            },
        )


class HostUnknown(GatewayError):
    """A Host header with a name that this server does not have."""

    status = 421
    code = "421"

    def __init__(self, host: str) -> None:
        """Name the setting that would make it known."""
        super().__init__(
            f"This server does not answer to the name '{host[:200]}'. If it is to, add the name to "
            "the setting server.hosts.",
            hint={"code": "HostUnknown", "setting": "server.hosts"},
        )


class HostMisdirected(GatewayError):
    """TLS was set up for one account's name, and the Host header is not that account's."""

    status = 421
    code = "421"

    def __init__(self, by_tls: str, host: str) -> None:
        """Say which two: both are the client's own words."""
        super().__init__(
            f"The connection was made for '{by_tls[:200]}' (SNI), and the request is for "
            f"'{host[:200]}'. Make another connection for it.",
            hint={"code": "HostMisdirected"},
        )


class HostMalformed(GatewayError):
    """What HTTP/1.1 asks of the Host header is not met."""

    status = 400
    code = "BadRequest"

    def __init__(self, what: str) -> None:
        """`what` is wrong with it."""
        super().__init__(f"{what} (RFC 9112, 3.2).")
