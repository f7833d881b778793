"""The rows of Microsoft.Network: virtual networks, private endpoints, private DNS."""

from __future__ import annotations

from linarite.controlplane.api_versions import NETWORK as VERSIONS
from linarite.controlplane.api_versions import PRIVATE_DNS
from linarite.controlplane.paths import (
    ENDPOINT,
    GROUP,
    NETWORK,
    NETWORK_NAME,
    SUBSCRIPTION,
    VIRTUAL_NETWORK,
    WITHOUT_PATCH,
    ZONE,
)
from linarite.controlplane.resource_type import Action, ResourceType, reading
from linarite.controlplane.resources.network_interfaces import reads as interface_reads
from linarite.controlplane.resources.private_dns_zone_groups import rules as zone_group_rules
from linarite.controlplane.resources.private_dns_zones import rules as zone_rules
from linarite.controlplane.resources.private_endpoints import effects as endpoint_effects
from linarite.controlplane.resources.private_endpoints import properties as endpoint_properties
from linarite.controlplane.resources.private_endpoints import rules as endpoint_rules
from linarite.controlplane.resources.private_endpoints import view as endpoint_view
from linarite.controlplane.resources.record_sets import rules as record_rules
from linarite.controlplane.resources.subnets import rules as subnet_rules
from linarite.controlplane.resources.virtual_network_links import rules as link_rules
from linarite.controlplane.resources.virtual_networks import effects as network_effects
from linarite.controlplane.resources.virtual_networks import rules as network_rules
from linarite.controlplane.subnets import READ_ONLY as SUBNET_READ_ONLY
from linarite.controlplane.subnets import SentSubnet
from linarite.domain.private_link import (
    ENDPOINT_TYPE,
    INTERFACE_TYPE,
    RECORDS,
    SUBNET_TYPE,
    VIRTUAL_NETWORK_TYPE,
    ZONE_GROUP_TYPE,
    ZONE_LINK_TYPE,
    ZONE_TYPE,
)

OF_SUBSCRIPTION = f"{SUBSCRIPTION}/{NETWORK}"
READING = frozenset(("GET", "LIST"))
STATE = frozenset(("provisioningState",))

NETWORK_TYPES: tuple[ResourceType, ...] = (
    ResourceType(
        type=VIRTUAL_NETWORK_TYPE,
        template=VIRTUAL_NETWORK,
        collections=(f"{OF_SUBSCRIPTION}/virtualNetworks",),
        versions=VERSIONS,
        tracked=True,
        name_pattern=network_rules.NAME,
        sent_properties=network_rules.SentNetwork,
        read_only=network_rules.READ_ONLY,
        gather=network_effects.gather,
        complete=network_rules.complete,
        admit=network_rules.admit,
        show=network_rules.show,
        beside=network_effects.beside,
        keep=network_effects.keep,
        partial="the ranges, peerings and DNS servers are kept and shown; a subnet acts as the "
        "network of settings that it is",
    ),
    ResourceType(
        type=SUBNET_TYPE,
        template=f"{VIRTUAL_NETWORK}/subnets/{{subnet}}",
        versions=VERSIONS,
        verbs=WITHOUT_PATCH,
        name_pattern=NETWORK_NAME,
        sent_properties=SentSubnet,
        read_only=SUBNET_READ_ONLY,
        gather=subnet_rules.gather,
        complete=subnet_rules.complete,
        admit=subnet_rules.admit,
        show=subnet_rules.show,
        beside=subnet_rules.beside,
        keep=subnet_rules.keep,
        remove=subnet_rules.remove,
        partial="its ranges, service endpoints and policies are kept and shown; it acts as the "
        "network of settings that it is",
    ),
    ResourceType(
        type=INTERFACE_TYPE,
        template=f"{GROUP}/{NETWORK}/networkInterfaces/{{interface}}",
        collections=(f"{OF_SUBSCRIPTION}/networkInterfaces",),
        versions=VERSIONS,
        verbs=READING,
        derived=interface_reads.derived,
    ),
    ResourceType(
        type=ENDPOINT_TYPE,
        template=ENDPOINT,
        collections=(f"{OF_SUBSCRIPTION}/privateEndpoints",),
        versions=VERSIONS,
        tracked=True,
        name_pattern=NETWORK_NAME,
        sent_properties=endpoint_properties.SentEndpoint,
        read_only=endpoint_properties.READ_ONLY,
        hidden=endpoint_properties.HIDDEN,
        gather=endpoint_effects.gather,
        complete=endpoint_rules.complete,
        admit=endpoint_rules.admit,
        linked=endpoint_rules.linked,
        show=endpoint_view.show,
        beside=endpoint_effects.beside,
        remove=endpoint_effects.remove,
    ),
    ResourceType(
        type=ZONE_GROUP_TYPE,
        template=f"{ENDPOINT}/privateDnsZoneGroups/{{group}}",
        versions=VERSIONS,
        verbs=WITHOUT_PATCH,
        name_pattern=NETWORK_NAME,
        sent_properties=zone_group_rules.SentZoneGroup,
        read_only=STATE,
        gather=zone_group_rules.gather,
        complete=zone_group_rules.complete,
        admit=zone_group_rules.admit,
        linked=zone_group_rules.linked,
        show=zone_group_rules.show,
    ),
    ResourceType(
        type=ZONE_TYPE,
        template=ZONE,
        collections=(f"{OF_SUBSCRIPTION}/privateDnsZones",),
        versions=PRIVATE_DNS,
        tracked=True,
        name_pattern=zone_rules.NAME,
        read_only=zone_rules.READ_ONLY,
        complete=zone_rules.complete,
        admit=zone_rules.admit,
        show=zone_rules.show,
        keep=zone_rules.keep,
    ),
    ResourceType(
        type=ZONE_LINK_TYPE,
        template=f"{ZONE}/virtualNetworkLinks/{{link}}",
        versions=PRIVATE_DNS,
        tracked=True,
        name_pattern=link_rules.NAME,
        sent_properties=link_rules.SentLink,
        read_only=link_rules.READ_ONLY,
        gather=link_rules.gather,
        complete=link_rules.complete,
        admit=link_rules.admit,
        linked=link_rules.linked,
        partial="registrationEnabled is kept and shown: there are no virtual machines to register",
    ),
    *(
        ResourceType(
            type=f"{ZONE_TYPE}/{word}",
            template=f"{ZONE}/{word}/{{record}}",
            versions=PRIVATE_DNS,
            verbs=READING if word == "SOA" else READING | {"PUT", "PATCH", "DELETE"},
            name_pattern=record_rules.NAME,
            sent_properties=record_rules.SentRecordSet,
            read_only=record_rules.READ_ONLY,
            derived=record_rules.derived_of(word),
            complete=record_rules.complete,
            admit=record_rules.admit,
            show=record_rules.show,
            keep=record_rules.keep,
        )
        for word in RECORDS
    ),
)

NETWORK_ACTIONS: tuple[Action, ...] = tuple(
    reading(f"{ZONE}/{word}", PRIVATE_DNS, f"{ZONE_TYPE}/{word}", record_rules.list_all, lists=True)
    for word in ("ALL", "recordsets")
)
