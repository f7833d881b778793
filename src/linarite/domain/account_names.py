"""The host names of accounts.

Source: Azure's endpoints `NAME.openai.azure.com`, `NAME.cognitiveservices.azure.com` and
`NAME.services.ai.azure.com`, and the zones of their private endpoints; the suffix `azure.com` is
this server's own.
"""

from __future__ import annotations

SERVICES = ("openai", "cognitiveservices", "services.ai")
"""what stands between an account's word and the suffix"""


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


def private_zones(suffix: str) -> tuple[str, ...]:
    """The zones in which private endpoints are found by name."""
    return tuple(f"privatelink.{service}.{suffix}" for service in SERVICES)
