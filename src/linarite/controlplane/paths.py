"""What the tables share: the paths under which resources lie, names in braces; usual verbs."""

from __future__ import annotations

from linarite.domain.application_key import APPLICATION_KEY_TYPE
from linarite.domain.resource import ACCOUNT_TYPE
from linarite.domain.usage_limits import USAGE_LIMIT_TYPE

SUBSCRIPTION = "/subscriptions/{subscription}"
GROUP = f"{SUBSCRIPTION}/resourceGroups/{{resource_group}}"
COGNITIVE = f"{SUBSCRIPTION}/providers/Microsoft.CognitiveServices"
ACCOUNTS = f"{GROUP}/providers/{ACCOUNT_TYPE}"
ACCOUNT = f"{ACCOUNTS}/{{account}}"
BLOCKLIST = f"{ACCOUNT}/raiBlocklists/{{blocklist}}"
APPLICATION_KEY = f"{ACCOUNT}/providers/{APPLICATION_KEY_TYPE}/{{key}}"
APPLICATION_KEYS_GRANTED = f"{ACCOUNT_TYPE}/applicationKeys"
"""what their permissions begin with: who may manage an account, may manage these"""
USAGE_LIMIT = f"/{{scope}}/providers/{USAGE_LIMIT_TYPE}/{{limit}}"
USAGE_LIMITS_GRANTED = "Microsoft.CognitiveServices/usageLimits"
"""what their permissions begin with, on accounts and on subscriptions"""
PROJECT = f"{ACCOUNT}/projects/{{project}}"
NETWORK = "providers/Microsoft.Network"
"""the provider of networks, below a group or the subscription"""
NETWORK_NAME = r"[a-zA-Z0-9]([a-zA-Z0-9_.-]{0,78}[a-zA-Z0-9_])?"
"""what most of its resources may be called; a letter is one of ASCII, as on Azure"""
VIRTUAL_NETWORK = f"{GROUP}/{NETWORK}/virtualNetworks/{{network}}"
ENDPOINT = f"{GROUP}/{NETWORK}/privateEndpoints/{{endpoint}}"
ZONE = f"{GROUP}/{NETWORK}/privateDnsZones/{{zone}}"

WITHOUT_PATCH = frozenset(("GET", "LIST", "PUT", "DELETE"))
"""verbs of the many types that Azure has no PATCH for"""
