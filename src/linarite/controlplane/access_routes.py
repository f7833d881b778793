"""The rows of Microsoft.Authorization, which every scope has, and of management groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controlplane.access_shapes import GUID
from linarite.controlplane.api_versions import AUTHORIZATION, MANAGEMENT
from linarite.controlplane.resource_type import Action, ResourceType, reading
from linarite.controlplane.resources.deny_assignments import reads as denial_reads
from linarite.controlplane.resources.deny_assignments import rules as denial_rules
from linarite.controlplane.resources.locks import reads as lock_reads
from linarite.controlplane.resources.locks import rules as lock_rules
from linarite.controlplane.resources.management_groups import reads as management_groups
from linarite.controlplane.resources.permissions import reads as permission_reads
from linarite.controlplane.resources.role_assignments import effects as assignment_effects
from linarite.controlplane.resources.role_assignments import properties as assignment_properties
from linarite.controlplane.resources.role_assignments import reads as assignment_reads
from linarite.controlplane.resources.role_assignments import rules as assignment_rules
from linarite.controlplane.resources.role_definitions import effects as definition_effects
from linarite.controlplane.resources.role_definitions import reads as definition_reads
from linarite.controlplane.resources.role_definitions import rules as definition_rules
from linarite.controlplane.role_catalogue import built_in_at, place_of_role
from linarite.controlplane.router import SCOPE
from linarite.domain.arm_id import MANAGEMENT_GROUP_TYPE
from linarite.domain.roles import (
    DENY_ASSIGNMENT_TYPE,
    LOCK_TYPE,
    ROLE_ASSIGNMENT_TYPE,
    ROLE_DEFINITION_TYPE,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from linarite.controlplane.request import Answer, ArmRequest, Target
    from linarite.controlplane.surface import Surface

    Act = Callable[[ArmRequest, Target, Surface], Awaitable[Answer]]

VERBS = frozenset(("GET", "PUT", "DELETE"))
PERMISSIONS_TYPE = "Microsoft.Authorization/permissions"
MANAGEMENT_GROUPS = f"/providers/{MANAGEMENT_GROUP_TYPE}"


def extension(kind: str, name: str = "") -> str:
    """The template of an extension resource, or without a name of their collection."""
    return f"/{SCOPE}/providers/{kind}{f'/{{{name}}}' if name else ''}"


AUTHORIZATION_TYPES: tuple[ResourceType, ...] = (
    ResourceType(
        type=ROLE_DEFINITION_TYPE,
        tells_deleted=True,
        template=extension(ROLE_DEFINITION_TYPE, "role"),
        versions=AUTHORIZATION,
        verbs=VERBS,
        name_pattern=GUID,
        sent_properties=definition_rules.SentRoleDefinition,
        read_only=definition_rules.READ_ONLY,
        built_in=built_in_at,
        place=place_of_role,
        linked=definition_rules.linked,
        gather=definition_effects.gather,
        complete=definition_rules.complete,
        admit=definition_rules.admit,
        show=definition_rules.show,
        keep=definition_effects.keep,
    ),
    ResourceType(
        type=ROLE_ASSIGNMENT_TYPE,
        tells_deleted=True,
        template=extension(ROLE_ASSIGNMENT_TYPE, "assignment"),
        versions=AUTHORIZATION,
        verbs=VERBS,
        name_pattern=GUID,
        sent_properties=assignment_properties.SentRoleAssignment,
        read_only=assignment_properties.READ_ONLY,
        attributes=assignment_effects.attributes,
        gather=assignment_effects.gather,
        complete=assignment_rules.complete,
        admit=assignment_rules.admit,
        show=assignment_rules.show,
    ),
    ResourceType(
        type=DENY_ASSIGNMENT_TYPE,
        template=extension(DENY_ASSIGNMENT_TYPE, "denial"),
        versions=AUTHORIZATION,
        verbs=VERBS,
        name_pattern=GUID,
        sent_properties=denial_rules.SentDenyAssignment,
        read_only=denial_rules.READ_ONLY,
        admit=denial_rules.admit,
        show=denial_rules.show,
    ),
    ResourceType(
        type=LOCK_TYPE,
        template=extension(LOCK_TYPE, "lock"),
        versions=AUTHORIZATION,
        verbs=VERBS,
        name_pattern=lock_rules.NAME,
        sent_properties=lock_rules.SentLock,
        complete=lock_rules.complete,
        admit=lock_rules.admit,
    ),
)


def _list(kind: str, act: Act) -> Action:
    return reading(extension(kind), AUTHORIZATION, kind, act, lists=True)


def _of_group(template: str, act: Act) -> Action:
    return reading(template, MANAGEMENT, MANAGEMENT_GROUP_TYPE, act, entry="anyone")


AUTHORIZATION_ACTIONS: tuple[Action, ...] = (
    _list(ROLE_DEFINITION_TYPE, definition_reads.list_definitions),
    _list(ROLE_ASSIGNMENT_TYPE, assignment_reads.list_assignments),
    _list(DENY_ASSIGNMENT_TYPE, denial_reads.list_denials),
    _list(LOCK_TYPE, lock_reads.list_locks),
    reading(
        extension(PERMISSIONS_TYPE),
        AUTHORIZATION,
        PERMISSIONS_TYPE,
        permission_reads.list_permissions,
        entry="anyone",
    ),
    _of_group(MANAGEMENT_GROUPS, management_groups.list_groups),
    _of_group(f"{MANAGEMENT_GROUPS}/{{group}}", management_groups.get_group),
    _of_group(f"{MANAGEMENT_GROUPS}/{{group}}/descendants", management_groups.list_descendants),
)
