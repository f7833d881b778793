"""Managed identities come and go with the resources that have them.

The directory follows the store: a resource that is written with an identity of its own has a
service principal before its writer goes on, and one that is removed has none any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.domain.directory import FEDERATED_TYPE, IDENTITY_TYPE
from linarite.domain.resource import ACCOUNT_TYPE
from linarite.signin.directory.records import MANAGED_IDENTITY, ServicePrincipal

if TYPE_CHECKING:
    from linarite.domain.resource import Committed, Resource, ResourceStore
    from linarite.signin.directory.writing import DirectoryWriter

OF_SUBSCRIPTIONS = "/subscriptions/"


def has_identity(resource: Resource) -> bool:
    """Whether a resource is an identity, or has one of its own."""
    if resource.type.lower() == IDENTITY_TYPE.lower():
        return True
    return "systemassigned" in str((resource.identity or {}).get("type", "")).lower()


class IdentityFollower:
    """What keeps the directory's managed identities in step with the store."""

    def __init__(self, resources: ResourceStore, directory: DirectoryWriter) -> None:
        """Call `catch_up` before the first request, and subscribe `follow`."""
        self._resources = resources
        self._directory = directory

    async def catch_up(self) -> None:
        """Make and forget what a power cut has kept from being made or forgotten."""
        for kind in (IDENTITY_TYPE, ACCOUNT_TYPE):
            for resource in await self._resources.list_under("", kind):
                if has_identity(resource):
                    await self._directory.ensure_managed_identity(resource.id)
        for principal in self._of_subscriptions():
            resource = await self._resources.get(principal.resource_id)
            if resource is None or not has_identity(resource):
                await self._directory.forget_managed_identity(principal.resource_id)
        for resource in await self._resources.list_under("", FEDERATED_TYPE):
            self._directory.book.trust(resource)

    async def follow(self, committed: Committed) -> None:
        """What a store's subscriber is told."""
        for root in committed.removed:
            await self._forget_under(root)
        for resource_id in committed.written:
            if not resource_id.lower().startswith(OF_SUBSCRIPTIONS):
                continue
            resource = await self._resources.get(resource_id)
            if resource is None:
                continue
            if resource.type.lower() == FEDERATED_TYPE.lower():
                self._directory.book.trust(resource)
            elif has_identity(resource):
                await self._directory.ensure_managed_identity(resource.id)
            else:
                await self._directory.forget_managed_identity(resource.id)

    async def _forget_under(self, root: str) -> None:
        below = f"{root.lower()}/"
        if not below.startswith(OF_SUBSCRIPTIONS):
            return
        self._directory.book.distrust_under(root)
        for principal in self._of_subscriptions():
            if f"{principal.resource_id.lower()}/".startswith(below):
                await self._directory.forget_managed_identity(principal.resource_id)

    def _of_subscriptions(self) -> list[ServicePrincipal]:
        return [
            each
            for each in self._directory.book.all(ServicePrincipal)
            if each.kind == MANAGED_IDENTITY
            and each.resource_id.lower().startswith(OF_SUBSCRIPTIONS)
        ]
