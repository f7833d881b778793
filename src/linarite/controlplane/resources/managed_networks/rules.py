"""Managed networks of accounts and their outbound rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from linarite.controlplane.problems import missing_problems
from linarite.domain.arm_errors import Problem

if TYPE_CHECKING:
    from linarite.domain.resource import Resource

TYPE = "Microsoft.CognitiveServices/accounts/managedNetworks"
RULE_TYPE = f"{TYPE}/outboundRules"
NAME = r"[a-zA-Z0-9][a-zA-Z0-9_-]{2,32}"
OF_THE_SERVER = (
    "networkId",
    "changeableIsolationModes",
    "firewallPublicIpAddress",
    "provisioningState",
    "status",
)
"""what only the server sets below `managedNetwork`"""
RULE_READ_ONLY = frozenset(("status", "errorInformation", "parentRuleNames"))


class ManagedNetwork(msgspec.Struct, rename="camel"):
    """How closed the network is."""

    isolation_mode: (
        Literal["Disabled", "AllowInternetOutbound", "AllowOnlyApprovedOutbound"] | None
    ) = None
    firewall_sku: Literal["Standard", "Basic"] | None = None
    managed_network_kind: Literal["V1", "V2"] | None = None
    outbound_rules: dict[str, Any] | None = None


class SentNetwork(msgspec.Struct, rename="camel"):
    """What may be set of a network."""

    managed_network: ManagedNetwork | None = None


class SentRule(msgspec.Struct):
    """What may be set of a rule."""

    type: Literal["FQDN", "PrivateEndpoint", "ServiceTag"] | None = None
    category: Literal["Required", "Recommended", "UserDefined", "Dependency"] | None = None
    destination: str | dict[str, Any] | None = None
    fqdns: list[str] | None = None


class ServiceTagDestination(msgspec.Struct, rename="camel"):
    """Where a rule of type ServiceTag leads."""

    service_tag: str | None = None
    protocol: str | None = None
    port_ranges: str | None = None
    action: Literal["Allow", "Deny"] | None = None
    address_prefixes: list[str] | None = None


class PrivateEndpointDestination(msgspec.Struct, rename="camel"):
    """Where a rule of type PrivateEndpoint leads."""

    service_resource_id: str
    subresource_target: str | None = None


DESTINATIONS: dict[str, Any] = {
    "FQDN": str,
    "PrivateEndpoint": PrivateEndpointDestination,
    "ServiceTag": ServiceTagDestination,
}


def complete(new: Resource, old: Resource | None, facts: None) -> Resource:
    """Nothing is provisioned here: the network is written down, and inactive."""
    del old, facts
    sent: dict[str, Any] = new.properties.get("managedNetwork") or {}
    kept = {key: value for key, value in sent.items() if key not in OF_THE_SERVER}
    network = {"isolationMode": "Disabled", **kept, "status": {"status": "Inactive"}}
    properties = {"managedNetwork": network, "provisioningState": "Succeeded"}
    return msgspec.structs.replace(new, properties=new.properties | properties)


def admit(new: Resource, old: Resource | None, facts: None) -> list[Problem]:
    """Rules are resources of their own; the newer kind of network stays one."""
    del facts
    target = "properties.managedNetwork"
    network = new.properties["managedNetwork"]
    found: list[Problem] = []
    if network.get("outboundRules"):
        text = (
            f"{target}.outboundRules can't be set here: make each rule as a resource of its own, "
            f"{TYPE}/{new.name}/outboundRules/{{rule}}."
        )
        found.append(Problem("InvalidRequestContent", text, f"{target}.outboundRules"))
    before = old.properties["managedNetwork"].get("managedNetworkKind") if old else None
    if before == "V2" and network.get("managedNetworkKind") != "V2":
        text = "A managed network of kind V2 can't be changed back to V1."
        found.append(Problem("InvalidRequestContent", text, f"{target}.managedNetworkKind"))
    return found


def complete_rule(new: Resource, old: Resource | None, facts: None) -> Resource:
    """Fill in what Azure fills in."""
    del old, facts
    return msgspec.structs.replace(
        new, properties={"category": "UserDefined", **new.properties, "status": "Inactive"}
    )


def admit_rule(new: Resource, old: Resource | None, facts: None) -> list[Problem]:
    """A rule leads somewhere, as its type says."""
    del old, facts
    if missing := missing_problems(new.properties, "type", "destination"):
        return missing
    kind = str(new.properties["type"])
    try:
        msgspec.convert(new.properties["destination"], DESTINATIONS[kind])
    except msgspec.ValidationError as problem:
        target = "properties.destination"
        text = f"The value of '{target}' is wrong for a rule of type {kind}: {problem}."
        return [Problem("InvalidRequestContent", text, target)]
    return []
