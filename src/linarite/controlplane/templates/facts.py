"""What expressions may ask of the world: where the template is deployed, and what exists there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from linarite.controlplane.templates.values import Value


class Surroundings(msgspec.Struct, frozen=True):
    """Where, when and under which name the template is deployed."""

    subscription: dict[str, Any]
    """what `subscription()` answers: id, subscriptionId, tenantId, displayName"""
    deployment: dict[str, Any]
    """what `deployment()` answers, without the template: name, location, properties"""
    resource_group: dict[str, Any] | None = None
    """what `resourceGroup()` answers; None for a deployment at a subscription"""
    environment: dict[str, Any] = {}
    """what `environment()` answers: name, resourceManager, suffixes …"""
    deployer: dict[str, Any] = {}
    """what `deployer()` answers: objectId, tenantId"""
    now: datetime = datetime(1970, 1, 1, tzinfo=UTC)

    @property
    def scope_id(self) -> str:
        """The id of the resource group or the subscription that is deployed to."""
        group = self.resource_group
        return str(self.subscription["id"] if group is None else group["id"])


class Fact(msgspec.Struct, frozen=True):
    """One thing to be read when the deployment comes to it.

    `action` is empty for the resource itself, else the POST to make on it (`listKeys`).
    """

    resource_id: str
    api_version: str
    action: str = ""
    body: bytes = b""
    """the action's body as JSON"""

    @property
    def key(self) -> Fact:
        """The same with its id in the form that ids are compared in."""
        return msgspec.structs.replace(self, resource_id=self.resource_id.lower().rstrip("/"))


class FactWanted(Exception):
    """An evaluation came to a fact that it was not given: read it and evaluate again."""

    def __init__(self, fact: Fact) -> None:
        """Say what to read."""
        super().__init__(fact.resource_id)
        self.fact = fact


Facts = dict[Fact, "Value"]
