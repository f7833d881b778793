"""The port of the directory: whom this server itself knows."""

from __future__ import annotations

from typing import Protocol

import msgspec


class DirectoryEntry(msgspec.Struct, frozen=True):
    """A user, group or service principal of this server's own tenant."""

    object_id: str
    """a GUID in lower case: what roles are assigned to"""
    kind: str
    """User, Group or ServicePrincipal, as role assignments write `principalType`"""
    name: str
    """display name"""
    app_id: str = ""
    """of a service principal: the client id"""
    enabled: bool = True


IDENTITY_TYPE = "Microsoft.ManagedIdentity/userAssignedIdentities"
FEDERATED_TYPE = f"{IDENTITY_TYPE}/federatedIdentityCredentials"


class Directory(Protocol):
    """What the control plane needs of the directory.

    Managed identities come and go with the resources that have them: the directory follows the
    store, and has each change before the writer of a resource goes on.
    """

    def entry(self, object_id: str) -> DirectoryEntry | None:
        """Whom an object id means; None for nobody of this tenant."""
        ...

    def groups_of(self, object_id: str) -> frozenset[str]:
        """The groups that somebody is in, also through other groups."""
        ...

    def managed_identity(self, resource_id: str) -> DirectoryEntry | None:
        """The service principal of a resource's identity; None where it has none."""
        ...

    async def ensure_managed_identity(self, resource_id: str) -> DirectoryEntry:
        """The service principal of a resource's identity, made if there is none yet."""
        ...

    async def forget_managed_identity(self, resource_id: str) -> None:
        """Remove it: its tokens are void at once. Nothing happens when there is none."""
        ...
