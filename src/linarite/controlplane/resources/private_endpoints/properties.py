"""A private endpoint's properties with their types, as the specification of 2024-07-01 has them."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from linarite.controlplane.references import Reference
from linarite.domain.private_link import ADDRESS, CONNECTION

READ_ONLY = frozenset(
    ("provisioningState", "resourceGuid", "networkInterfaces", "customDnsConfigs", "ipVersionType")
)
HIDDEN = frozenset((ADDRESS, CONNECTION))
"""what the server keeps beside"""


class LinkProperties(msgspec.Struct, rename="camel"):
    """What a connection leads to."""

    private_link_service_id: str | None = None
    group_ids: list[str] | None = None
    request_message: Annotated[str, Meta(max_length=140)] | None = None


class Link(msgspec.Struct):
    """A connection that is asked for."""

    name: str | None = None
    properties: LinkProperties | None = None


class IpProperties(msgspec.Struct, rename="camel"):
    """A chosen address."""

    private_ip_address: Annotated[str, Meta(max_length=45)] | None = msgspec.field(
        default=None, name="privateIPAddress"
    )
    group_id: str | None = None
    member_name: str | None = None


class IpConfiguration(msgspec.Struct):
    """A chosen address for one part of the account."""

    name: str | None = None
    properties: IpProperties | None = None


class SentEndpoint(msgspec.Struct, rename="camel"):
    """What may be set."""

    subnet: Reference | None = None
    private_link_service_connections: list[Link] | None = None
    manual_private_link_service_connections: list[Link] | None = None
    ip_configurations: list[IpConfiguration] | None = None
    custom_network_interface_name: (
        Annotated[str, Meta(pattern=r"^([a-zA-Z0-9][a-zA-Z0-9_.-]{0,79})?\Z")] | None
    ) = None
    application_security_groups: list[dict[str, Any]] | None = None
