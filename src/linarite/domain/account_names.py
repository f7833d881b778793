"""The host names of accounts and of regions.

Source: Azure's endpoints `NAME.openai.azure.com`, `NAME.cognitiveservices.azure.com` and
`NAME.services.ai.azure.com`, the zones of their private endpoints, and the regional endpoint
`REGION.api.cognitive.microsoft.com`; the suffix is this server's own.
"""

from __future__ import annotations

import msgspec

SERVICES = ("openai", "cognitiveservices", "services.ai")
"""what stands between an account's word and the suffix"""
REGIONAL = "api.cognitive"
"""the same behind a region"""
PRIVATE = "privatelink"
NOBODY = "?"
"""in the place of an account's word: a name of that form which no account can have"""


class Site(msgspec.Struct, frozen=True):
    """What a request's Host header names."""

    host: str = ""
    """in lower case, without port and without a dot at its end"""
    account: str = ""
    """the word of an account, which may not exist; "" where it names none"""
    region: str = ""
    """the region, for a regional endpoint"""


ANY_SITE = Site()
"""every name that is neither an account's nor a region's; who that is, is looked at first"""


def hosts_of(domain: str, suffix: str) -> tuple[str, ...]:
    """The names of the account that clients reach under the word `domain`."""
    return tuple(f"{domain}.{service}.{suffix}" for service in SERVICES)


def domain_in(host: str, suffix: str) -> str | None:
    """The word of an account that a host name holds; None for a name of another form."""
    for service in SERVICES:
        word = host.removesuffix(f".{service}.{suffix}")
        if word != host:
            return word
    return None


def site_of(host: str, suffix: str) -> Site:
    """What a host name names, told in lower case, without port and without a dot at its end.

    A private endpoint's own name (`NAME.privatelink…`) leads nowhere, as on Azure: it is what the
    account's name is an alias of.
    """
    word = domain_in(host, suffix)
    if word is not None:
        is_account = word and word != PRIVATE and not word.endswith(f".{PRIVATE}")
        return Site(host=host, account=word if is_account else NOBODY)
    region = host.removesuffix(f".{REGIONAL}.{suffix}")
    return Site(host=host, region=region) if region != host else ANY_SITE


def private_zones(suffix: str) -> tuple[str, ...]:
    """The zones in which private endpoints are found by name."""
    return tuple(f"{PRIVATE}.{service}.{suffix}" for service in SERVICES)
