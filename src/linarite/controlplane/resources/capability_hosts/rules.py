"""Capability hosts: which connections the agents of an account or a project are to use.

Source: learn.microsoft.com, "Capability hosts": one for each account and project, not changed
once it is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from linarite.domain.arm_errors import Problem
from linarite.domain.arm_id import parent_id

if TYPE_CHECKING:
    from linarite.controlplane.request import Target
    from linarite.controlplane.surface import Surface
    from linarite.domain.resource import Resource

OF_ACCOUNT = "Microsoft.CognitiveServices/accounts/capabilityHosts"
OF_PROJECT = "Microsoft.CognitiveServices/accounts/projects/capabilityHosts"
CONNECTIONS = (
    "Microsoft.CognitiveServices/accounts/connections",
    "Microsoft.CognitiveServices/accounts/projects/connections",
)
NAME = r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,254}"
LISTS = (
    "aiServicesConnections",
    "storageConnections",
    "threadStorageConnections",
    "vectorStoreConnections",
)
"""properties that name connections"""


class SentHost(msgspec.Struct, rename="camel"):
    """What may be set."""

    capability_host_kind: Literal["Agents"] | None = None
    customer_subnet: str | None = None
    description: str | None = None
    tags: dict[str, str] | None = None
    enable_public_hosting_environment: bool | None = None
    ai_services_connections: list[str] | None = None
    storage_connections: list[str] | None = None
    thread_storage_connections: list[str] | None = None
    vector_store_connections: list[str] | None = None


class HostFacts(msgspec.Struct, frozen=True):
    """What is known when a capability host is admitted."""

    others: tuple[str, ...]
    """names of hosts that the same account or project has"""
    connections: frozenset[str]
    """lower-cased names of the account's connections and of the project's own"""


async def gather(surface: Surface, target: Target) -> HostFacts:
    """The account's or project's other hosts, and the connections that it may name."""
    scope = parent_id(target.path)
    kind = OF_PROJECT if target["project"] else OF_ACCOUNT
    hosts = [
        each
        for each in await surface.resources.list_under(scope, kind)
        if each.id.lower() != target.path.lower()
    ]
    account = parent_id(scope) if target["project"] else scope
    named = [
        *await surface.resources.list_under(account, CONNECTIONS[0]),
        *await surface.resources.list_under(scope, CONNECTIONS[1]),
    ]
    return HostFacts(
        others=tuple(each.name for each in hosts),
        connections=frozenset(each.name.lower() for each in named),
    )


def complete(new: Resource, old: Resource | None, facts: HostFacts) -> Resource:
    """Fill in what Azure fills in."""
    del old, facts
    defaults: dict[str, Any] = {"capabilityHostKind": "Agents"} if new.type == OF_ACCOUNT else {}
    return msgspec.structs.replace(
        new, properties=defaults | new.properties | {"provisioningState": "Succeeded"}
    )


def admit(new: Resource, old: Resource | None, facts: HostFacts) -> list[Problem]:
    """One for each scope, as it was made, over connections that are there."""
    if old is not None and old.properties != new.properties:
        return [
            Problem(
                "CapabilityHostUpdateNotSupported",
                f"The capability host '{old.name}' can't be changed; delete it and make it anew.",
            )
        ]
    if facts.others:
        return [
            Problem(
                "CapabilityHostExists",
                f"There is already a capability host, '{facts.others[0]}'; an account and a "
                "project have one each.",
                status=409,
            )
        ]
    return [
        Problem(
            "ConnectionNotFound",
            f"There is no connection '{str(name)[:100]}' here.",
            f"properties.{listed}[{place}]",
        )
        for listed in LISTS
        for place, name in enumerate(new.properties.get(listed) or [])
        if str(name).rpartition("/")[2].lower() not in facts.connections
    ]
