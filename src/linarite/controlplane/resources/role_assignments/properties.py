"""The shape of role assignments."""

from __future__ import annotations

import msgspec


class SentRoleAssignment(msgspec.Struct, rename="camel"):
    """What a client may say of a role assignment."""

    role_definition_id: str | None = None
    principal_id: str | None = None
    principal_type: str | None = None
    condition: str | None = None
    condition_version: str | None = None
    description: str | None = None
    delegated_managed_identity_resource_id: str | None = None


READ_ONLY = frozenset(("scope", "createdOn", "updatedOn", "createdBy", "updatedBy"))
PRINCIPAL_TYPES = {
    name.lower(): name for name in ("User", "Group", "ServicePrincipal", "ForeignGroup", "Device")
}
