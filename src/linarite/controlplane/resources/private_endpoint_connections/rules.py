"""Connections of private endpoints to an account, and their approval.

An endpoint makes its connection; the account's owner decides about it. Sources:
learn.microsoft.com, "Manage Azure private endpoints"; the answers of Azure's providers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from linarite.domain.arm_errors import Problem
from linarite.domain.private_link import CONNECTION_TYPE

if TYPE_CHECKING:
    from linarite.domain.resource import Resource

TYPE = CONNECTION_TYPE
NAME = r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,139}"
READ_ONLY = frozenset(("provisioningState", "privateEndpoint", "groupIds"))
STATE = "privateLinkServiceConnectionState"
MAY_FOLLOW = {"Pending": ("Approved", "Rejected"), "Approved": ("Rejected",), "Rejected": ()}
"""what the owner may make of a connection in each state"""


class ConnectionState(msgspec.Struct, rename="camel"):
    """Whether the account's owner lets it in."""

    status: Literal["Pending", "Approved", "Rejected", "Disconnected"] | None = None
    description: str | None = None
    actions_required: str | None = None


class SentConnection(msgspec.Struct, rename="camel"):
    """What may be set."""

    private_endpoint: dict[str, Any] | None = None
    private_link_service_connection_state: ConnectionState | None = None
    group_ids: list[str] | None = None


def complete(new: Resource, old: Resource | None, facts: None) -> Resource:
    """Fill in what Azure fills in."""
    del facts
    state: dict[str, Any] = new.properties.get(STATE) or {}
    before: dict[str, Any] = (old.properties.get(STATE) if old else None) or {}
    state = {"description": before.get("description", ""), "actionsRequired": "None"} | state
    return msgspec.structs.replace(
        new,
        location=new.location or (old.location if old else None),
        properties={**new.properties, STATE: state, "provisioningState": "Succeeded"},
    )


def admit(new: Resource, old: Resource | None, facts: None) -> list[Problem]:
    """The owner approves what is pending, and rejects what is pending or approved."""
    del facts
    if old is None:
        return [
            Problem(
                "PrivateEndpointConnectionNotFound",
                f"There is no private endpoint connection '{new.name}'. Connections are made by "
                "private endpoints; here they are approved, rejected and deleted.",
                status=404,
            )
        ]
    target = f"properties.{STATE}.status"
    status = new.properties[STATE].get("status")
    before = old.properties[STATE]["status"]
    if not status:
        return [Problem("InvalidRequestContent", f"{target} is missing.", target)]
    if status == before or status in MAY_FOLLOW[before]:
        return []
    if (before, status) == ("Rejected", "Approved"):
        said = (
            "Approving rejected private endpoint connections is not supported. Delete the private "
            "endpoint and create it anew."
        )
    else:
        said = f"A private endpoint connection that is {before} can't become {status}."
    return [Problem("BadRequest", said, target)]
