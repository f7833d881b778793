"""Connections of private endpoints to an account, and their approval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from linarite.domain.arm_errors import Problem

if TYPE_CHECKING:
    from linarite.domain.resource import Resource

TYPE = "Microsoft.CognitiveServices/accounts/privateEndpointConnections"
NAME = r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,99}"


class ConnectionState(msgspec.Struct, rename="camel"):
    """Whether the account's owner lets it in."""

    status: Literal["Pending", "Approved", "Rejected"] | None = None
    description: str | None = None
    actions_required: str | None = None


class SentConnection(msgspec.Struct, rename="camel"):
    """What may be set."""

    private_endpoint: dict[str, Any] | None = None
    private_link_service_connection_state: ConnectionState | None = None
    group_ids: list[str] | None = None


def complete(new: Resource, old: Resource | None, facts: None) -> Resource:
    """Fill in what Azure fills in."""
    del old, facts
    return msgspec.structs.replace(
        new,
        properties={"groupIds": ["account"], **new.properties, "provisioningState": "Succeeded"},
    )


def admit(new: Resource, old: Resource | None, facts: None) -> list[Problem]:
    """A connection is pending, approved or rejected."""
    del old, facts
    state: dict[str, Any] = new.properties.get("privateLinkServiceConnectionState") or {}
    if state.get("status"):
        return []
    target = "properties.privateLinkServiceConnectionState"
    return [Problem("InvalidRequestContent", f"{target}.status is missing.", target)]
