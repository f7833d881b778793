"""Agent applications: what a project offers of its agents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.domain.resource import Resource

TYPE = "Microsoft.CognitiveServices/accounts/projects/applications"
NAME = r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}"
READ_ONLY = frozenset(("provisioningState", "isEnabled"))


class AgentReference(msgspec.Struct, rename="camel"):
    """An agent of the project."""

    agent_id: str | None = None
    agent_name: str | None = None


class AuthorizationPolicy(msgspec.Struct):
    """Who may use it."""

    type: Literal["Default", "OrganizationScope", "Channels", "Custom"]


class TrafficRule(msgspec.Struct, rename="camel"):
    """How much goes to a deployment."""

    rule_id: str | None = None
    description: str | None = None
    deployment_id: str | None = None
    traffic_percentage: Annotated[int, Meta(ge=0, le=100)] | None = None


class TrafficPolicy(msgspec.Struct):
    """How requests are shared out."""

    protocol: Literal["FixedRatio"] | None = None
    rules: list[TrafficRule] | None = None


class SentApplication(msgspec.Struct, rename="camel"):
    """What may be set."""

    display_name: str | None = None
    description: str | None = None
    tags: dict[str, str] | None = None
    base_url: str | None = None
    agents: list[AgentReference] | None = None
    agent_identity_blueprint: dict[str, Any] | None = None
    default_instance_identity: dict[str, Any] | None = None
    authorization_policy: AuthorizationPolicy | None = None
    traffic_routing_policy: TrafficPolicy | None = None


def complete(new: Resource, old: Resource | None, facts: None) -> Resource:
    """An application is enabled until it is disabled."""
    del old, facts
    return msgspec.structs.replace(
        new, properties={"isEnabled": True, **new.properties, "provisioningState": "Succeeded"}
    )


def wanted(query: dict[str, str]) -> Callable[[Resource], bool]:
    """Those of some names, or with a text in their name, where the list's query says so."""
    names = {name.strip().lower() for name in query.get("names", "").split(",") if name.strip()}
    text = query.get("searchtext", "").lower()

    def fits(application: Resource) -> bool:
        name = application.name.lower()
        return (not names or name in names) and text in name

    return fits
