"""The aliases: names of resource properties that rules may use, spelled as Azure spells them.

Source: `az provider show --namespace Microsoft.CognitiveServices --expand
resourceTypes/aliases`, as far as Linarite's resources have the property.
"""

from __future__ import annotations

from difflib import get_close_matches

import msgspec

ACCOUNT = "Microsoft.CognitiveServices/accounts"
DEPLOYMENT = f"{ACCOUNT}/deployments"
DATA_DEPLOYMENT = "Microsoft.CognitiveServices.Data/accounts/deployments"
"""what deployments are called in mode Microsoft.CognitiveServices.Data"""
NEAR_MAX = 5


class Alias(msgspec.Struct, frozen=True):
    """A property of one resource type."""

    name: str
    type: str
    path: tuple[str, ...]
    """property names from the resource's top; `[*]` for every member of an array"""
    modifiable: bool = False
    """whether `modify` may set it"""


_ACCOUNTS = """
kind sku.name* sku.tier apiProperties apiProperties.statisticsEnabled
capabilities capabilities[*] capabilities[*].name capabilities[*].value
customSubDomainName* disableLocalAuth* dynamicThrottlingEnabled* endpoint isMigrated
encryption encryption.keySource encryption.keyVaultProperties
encryption.keyVaultProperties.keyName encryption.keyVaultProperties.keyVaultUri
encryption.keyVaultProperties.keyVersion encryption.keyVaultProperties.identityClientId
networkAcls networkAcls.defaultAction* networkAcls.bypass*
networkAcls.ipRules* networkAcls.ipRules[*] networkAcls.ipRules[*].value
networkAcls.virtualNetworkRules* networkAcls.virtualNetworkRules[*]
networkAcls.virtualNetworkRules[*].id
networkAcls.virtualNetworkRules[*].ignoreMissingVnetServiceEndpoint
privateEndpointConnections privateEndpointConnections[*] privateEndpointConnections[*].id
privateEndpointConnections[*].privateEndpoint.id privateEndpointConnections[*].provisioningState
privateEndpointConnections[*].privateLinkServiceConnectionState
privateEndpointConnections[*].privateLinkServiceConnectionState.status
privateEndpointConnections[*].privateLinkServiceConnectionState.description
provisioningState publicNetworkAccess* restrictOutboundNetworkAccess*
allowedFqdnList* allowedFqdnList[*] allowProjectManagement*
userOwnedStorage userOwnedStorage[*] userOwnedStorage[*].resourceId
"""
_DEPLOYMENTS = """
model model.format model.name model.publisher model.version model.source
sku.name* sku.capacity* sku.tier
raiPolicyName* versionUpgradeOption* provisioningState spilloverDeploymentName serviceTier*
scaleSettings scaleSettings.scaleType scaleSettings.capacity
callRateLimit callRateLimit.count capabilities
"""
_OTHERS = {
    f"{ACCOUNT}/raiPolicies": """
mode* basePolicyName* type contentFilters contentFilters[*] contentFilters[*].name
contentFilters[*].enabled contentFilters[*].blocking contentFilters[*].severityThreshold
contentFilters[*].source customBlocklists customBlocklists[*] customBlocklists[*].blocklistName
customBlocklists[*].blocking customBlocklists[*].source
""",
    f"{ACCOUNT}/raiBlocklists": "description*",
    f"{ACCOUNT}/projects": "displayName* description* isDefault",
    f"{ACCOUNT}/privateEndpointConnections": """
privateEndpoint.id privateLinkServiceConnectionState privateLinkServiceConnectionState.status
privateLinkServiceConnectionState.description provisioningState groupIds groupIds[*]
""",
    "Microsoft.Network/privateEndpoints": """
subnet subnet.id provisioningState customNetworkInterfaceName
privateLinkServiceConnections privateLinkServiceConnections[*]
privateLinkServiceConnections[*].privateLinkServiceId
privateLinkServiceConnections[*].groupIds privateLinkServiceConnections[*].groupIds[*]
manualPrivateLinkServiceConnections manualPrivateLinkServiceConnections[*]
manualPrivateLinkServiceConnections[*].privateLinkServiceId
manualPrivateLinkServiceConnections[*].groupIds
manualPrivateLinkServiceConnections[*].groupIds[*]
""",
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups": """
privateDnsZoneConfigs privateDnsZoneConfigs[*] privateDnsZoneConfigs[*].privateDnsZoneId
""",
    "Microsoft.Network/virtualNetworks": """
addressSpace.addressPrefixes addressSpace.addressPrefixes[*]
subnets subnets[*] subnets[*].name subnets[*].addressPrefix
""",
    "Microsoft.Network/virtualNetworks/subnets": """
addressPrefix addressPrefixes addressPrefixes[*] privateEndpointNetworkPolicies
""",
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks": """
virtualNetwork.id registrationEnabled resolutionPolicy
""",
    DATA_DEPLOYMENT: "model.publisher model.assetId model.name model.version",
    "Microsoft.Authorization/roleAssignments": """
principalId principalType roleDefinitionId description condition scope
""",
}
_TOP = ("kind", "sku")
"""what does not lie below `properties`"""


def _read(type_: str, words: str) -> list[Alias]:
    read: list[Alias] = []
    for word in words.split():
        modifiable = word.endswith("*")
        name = word.removesuffix("*")
        path = tuple(name.replace("[*]", ".[*]").split("."))
        if path[0] not in _TOP:
            path = ("properties", *path)
        read.append(Alias(f"{type_}/{name}", type_, path, modifiable))
    return read


ALIASES: dict[str, Alias] = {
    alias.name.lower(): alias
    for type_, words in {ACCOUNT: _ACCOUNTS, DEPLOYMENT: _DEPLOYMENTS, **_OTHERS}.items()
    for alias in _read(type_, words)
}


def near(name: str) -> list[str]:
    """Aliases that may have been meant, the nearest first; of a known type, else of all."""
    wanted = name.lower()
    of_type = [key for key, alias in ALIASES.items() if wanted.startswith(f"{alias.type}/".lower())]
    longest = max((ALIASES[key].type for key in of_type), key=len, default="")
    pool = [key for key in of_type if ALIASES[key].type == longest] or list(ALIASES)
    found = get_close_matches(wanted, pool, n=NEAR_MAX, cutoff=0.5)
    return [ALIASES[key].name for key in found or pool[:NEAR_MAX]]
