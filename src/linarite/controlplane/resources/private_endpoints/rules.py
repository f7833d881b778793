"""What a private endpoint may be. A pure module: facts come in, problems go out."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, cast

import msgspec

from linarite.controlplane.problems import location_key, location_problems, moved_problems
from linarite.controlplane.references import not_found
from linarite.controlplane.surface import Realm
from linarite.domain.arm_errors import Problem
from linarite.domain.private_link import (
    ADDRESS,
    AUTOMATIC,
    CONNECTION,
    ENDPOINT_TYPE,
    GROUP_ID,
    MANUAL,
    MEMBER_NAME,
    account_id_of,
    at,
    connection_sent,
    subnet_id_of,
)
from linarite.domain.resource import ACCOUNT_TYPE, Resource
from linarite.privatelink.networks import Network, Networks

if TYPE_CHECKING:
    from collections.abc import Sequence

JOIN_SUBNET = "Microsoft.Network/virtualNetworks/subnets/join/action"
APPROVE = f"{ACCOUNT_TYPE}/privateEndpointConnectionsApproval/action"
STANDS = ("subnet", AUTOMATIC, MANUAL)
"""what an endpoint is made with, and keeps"""


class EndpointFacts(msgspec.Struct, frozen=True):
    """What is known when a private endpoint is admitted."""

    realm: Realm
    networks: Networks
    accounts: dict[str, Resource]
    """by id, in lower case"""
    subnets: frozenset[str]
    """the ids of those there are, in lower case"""
    taken: dict[str, str]
    """addresses → the endpoint that has each, without this one"""
    guid: str


def complete(new: Resource, old: Resource | None, facts: EndpointFacts) -> Resource:
    """Fill in what Azure fills in; give it an address, which it keeps as long as it is there."""
    properties = dict(new.properties)
    properties["provisioningState"] = "Succeeded"
    properties.setdefault("resourceGuid", facts.guid)
    for word in (AUTOMATIC, MANUAL):
        properties[word] = [_as_sent(each) for each in _list(properties, word)]
    properties["ipConfigurations"] = _list(properties, "ipConfigurations")
    if not properties.get("customNetworkInterfaceName"):
        properties.pop("customNetworkInterfaceName", None)
    new = msgspec.structs.replace(
        new, location=location_key(new.location or "") or None, properties=properties
    )
    if old is None:
        made = f"{account_id_of(new)}/privateEndpointConnections/{new.name}"
        properties[CONNECTION] = f"{made}.{properties['resourceGuid']}"
        properties[ADDRESS] = _address_for(new, facts)
    return new


def admit(new: Resource, old: Resource | None, facts: EndpointFacts) -> list[Problem]:
    """Every problem of the endpoint as it would be."""
    found = [
        *location_problems(new.location, facts.realm, ENDPOINT_TYPE),
        *(moved_problems(old.location, new.location, new.name) if old else []),
    ]
    if old is not None:
        return [*found, *_changed_problems(new, old)]
    return [*found, *_target_problems(new, facts), *_place_problems(new, facts)]


def linked(new: Resource | None, old: Resource | None) -> Sequence[tuple[str, str]]:
    """Who makes one must be allowed into the subnet, and to approve what is not to be asked for."""
    if new is None or old is not None:
        return ()
    sent = connection_sent(new)
    asked = sent is not None and sent[0] == MANUAL
    approve = () if asked else ((APPROVE, account_id_of(new)),)
    return ((JOIN_SUBNET, subnet_id_of(new)), *approve)


def _list(properties: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", properties.get(name) or [])


def _as_sent(link: dict[str, Any]) -> dict[str, Any]:
    """A connection without what clients send back of what they have read."""
    properties = cast("dict[str, Any]", link.get("properties") or {})
    known = ("privateLinkServiceId", "groupIds", "requestMessage")
    kept = {key: properties[key] for key in known if properties.get(key)}
    return {"name": link.get("name"), "properties": {"groupIds": [GROUP_ID], **kept}}


def chosen_address(endpoint: Resource) -> str:
    """The address that a request wants; "" for any."""
    for each in _list(endpoint.properties, "ipConfigurations"):
        text = str(at(each, "properties", "privateIPAddress") or "")
        try:
            return str(ip_address(text))
        except ValueError:
            return text
    return ""


def _address_for(endpoint: Resource, facts: EndpointFacts) -> str:
    network = facts.networks.of_subnet(subnet_id_of(endpoint))
    if network is None:
        return ""
    chosen = chosen_address(endpoint)
    if chosen:
        return chosen
    return next((each for each in network.endpoint_addresses if each not in facts.taken), "")


def _changed_problems(new: Resource, old: Resource) -> list[Problem]:
    changed = [name for name in STANDS if _meaning(new, name) != _meaning(old, name)]
    if chosen_address(new) not in {"", old.properties[ADDRESS]}:
        changed.append("ipConfigurations")
    return [
        Problem(
            "PropertyChangeNotAllowed",
            f"Changing property 'properties.{name}' of a private endpoint is not allowed. Delete "
            f"'{new.name}' and create it anew.",
            f"properties.{name}",
        )
        for name in changed
    ]


def _meaning(endpoint: Resource, name: str) -> object:
    """A property as far as a change of it matters."""
    if name == "subnet":
        return subnet_id_of(endpoint).lower()
    return [
        str(at(each, "properties", "privateLinkServiceId") or "").lower()
        for each in _list(endpoint.properties, name)
    ]


def _target_problems(new: Resource, facts: EndpointFacts) -> list[Problem]:
    count = len(_list(new.properties, AUTOMATIC)) + len(_list(new.properties, MANUAL))
    sent = connection_sent(new)
    if count != 1 or sent is None:
        return [
            Problem(
                "InvalidRequestFormat",
                f"A private endpoint has exactly one connection, in {AUTOMATIC} or in {MANUAL}; "
                f"'{new.name}' has {count}.",
                f"properties.{AUTOMATIC}",
            )
        ]
    where = f"properties.{sent[0]}[0].properties"
    groups = sent[1]["properties"]["groupIds"]
    found: list[Problem] = []
    if groups != [GROUP_ID]:
        found.append(
            Problem(
                "InvalidGroupId",
                f"The group ids {groups!r:.200} are not those of an account: it has one, "
                f"'{GROUP_ID}'.",
                f"{where}.groupIds",
            )
        )
    account_id = account_id_of(new)
    account = facts.accounts.get(account_id.lower())
    if account is None:
        return [*found, not_found(new, account_id, f"{where}.privateLinkServiceId")]
    if not account.properties.get("customSubDomainName"):
        found.append(
            Problem(
                "CustomSubDomainNotSet",
                "Call to Microsoft.CognitiveServices/accounts failed. Error message: private "
                f"endpoints need a custom subdomain, and '{account.name}' has none. Set "
                "properties.customSubDomainName of the account.",
                f"{where}.privateLinkServiceId",
            )
        )
    return found


def _place_problems(new: Resource, facts: EndpointFacts) -> list[Problem]:
    subnet = subnet_id_of(new)
    if subnet.lower() not in facts.subnets:
        return [not_found(new, subnet, "properties.subnet.id")]
    network = facts.networks.of_subnet(subnet)
    if network is None:
        return [
            Problem(
                "SubnetNotOfThisServer",
                f"'{subnet}' is no network around this server, so that it can't listen there. "
                f'Settings declare it: [networks.NAME] with subnet = "{subnet}" and '
                "endpoint_addresses, the addresses of this machine in it.",
                "properties.subnet.id",
            )
        ]
    return [*_member_problems(new), *_address_problems(new, network, facts)]


def _member_problems(new: Resource) -> list[Problem]:
    chosen = _list(new.properties, "ipConfigurations")
    wrong = [
        each
        for each in chosen
        if at(each, "properties", "groupId") not in {None, GROUP_ID}
        or at(each, "properties", "memberName") not in {None, MEMBER_NAME}
    ]
    if not wrong and len(chosen) <= 1:
        return []
    return [
        Problem(
            "InvalidIpConfiguration",
            f"An endpoint of an account has one address: of group '{GROUP_ID}', member "
            f"'{MEMBER_NAME}'.",
            "properties.ipConfigurations",
        )
    ]


def _address_problems(new: Resource, network: Network, facts: EndpointFacts) -> list[Problem]:
    address = new.properties[ADDRESS]
    where = f"{network.setting} endpoint_addresses"
    if not address:
        return [
            Problem(
                "SubnetIsFull",
                f"Subnet '{network.subnet_id}' does not have enough capacity for 1 IP addresses: "
                f"the setting {where} has {len(network.endpoint_addresses)}, and none is free.",
                "properties.subnet.id",
            )
        ]
    if address in facts.taken:
        return [
            Problem(
                "PrivateIPAddressIsAllocated",
                f"The private IP address {address} is already allocated to resource "
                f"{facts.taken[address]}.",
                "properties.ipConfigurations",
            )
        ]
    if address not in network.endpoint_addresses:
        return [
            Problem(
                "PrivateIPAddressNotInSubnet",
                f"Private static IP address {address[:45]} is none of those that the setting "
                f"{where} has for subnet '{network.subnet_id}'.",
                "properties.ipConfigurations",
            )
        ]
    return []
