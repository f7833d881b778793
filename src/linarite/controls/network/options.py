"""What settings say about the networks around this machine."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class NetworkRuleSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the network rules of all accounts have in common."""

    trusted_services: Annotated[
        list[str],
        Meta(
            description="Object ids of the managed identities and service principals that count "
            "as Azure's trusted services: with a token they pass the network rules of an account "
            "whose networkAcls.bypass is AzureServices."
        ),
    ] = []


class NetworkSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A network whose clients are known by their addresses. One `[networks.NAME]` table each.

    To Azure Resource Manager it is a subnet: rules of accounts name it, private endpoints lie in
    it.
    """

    addresses: Annotated[
        list[str],
        Meta(
            description="Ranges such as 10.1.0.0/24: who comes from there is in this network, and "
            "alone may use its private endpoints."
        ),
    ]
    subnet: Annotated[
        str,
        Meta(
            description="Resource id of the subnet that it is. Empty: the subnet `default` of a "
            "virtual network with this network's name, beside the declared account."
        ),
    ] = ""
    endpoint_addresses: Annotated[
        list[str],
        Meta(
            description="Addresses of this machine in that network (single ones, or FIRST-LAST) on "
            "which private endpoints listen, one each. Empty: none can be made there."
        ),
    ] = []
    endpoint_port: Annotated[
        int, Meta(description="TCP port of its private endpoints.", ge=1, le=65535)
    ] = 443
    dns: Annotated[
        str,
        Meta(
            description="ADDRESS or ADDRESS:PORT on which names are answered to that network: "
            "accounts with a private endpoint there by its address. Empty: not answered."
        ),
    ] = ""
