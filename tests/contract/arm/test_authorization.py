"""azure-mgmt-authorization against this server's Microsoft.Authorization."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError
from azure.mgmt.authorization import AuthorizationManagementClient

from tests.contract.arm.conftest import SUBSCRIPTION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.arm.conftest import Managed, Sdk

OPENAI_USER = "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"
SUB = f"/subscriptions/{SUBSCRIPTION}"


@pytest.fixture(scope="module")
def roles(managed: Managed) -> Iterator[Sdk]:
    """The client."""
    with managed.client(AuthorizationManagementClient) as client:
        yield client


def test_the_life_of_an_assignment(roles: Sdk, group: str) -> None:
    """Made, read by its id, listed with filters, made twice, deleted."""
    scope = f"{SUB}/resourceGroups/{group}"
    principal = str(uuid4())
    (definition,) = roles.role_definitions.list(
        scope, filter="roleName eq 'Cognitive Services OpenAI User'"
    )
    assert definition.name == OPENAI_USER
    body = {
        "properties": {
            "roleDefinitionId": definition.id,
            "principalId": principal,
            "principalType": "ServicePrincipal",
        }
    }
    made = roles.role_assignments.create(scope, str(uuid4()), body)
    assert made.scope == scope
    assert made.role_definition_id == definition.id
    assert roles.role_assignments.get_by_id(made.id).principal_id == principal
    named = f"principalId eq '{principal}'"
    assert [each.id for each in roles.role_assignments.list_for_scope(scope, filter=named)] == [
        made.id
    ]
    assert [each.id for each in roles.role_assignments.list_for_subscription(filter=named)] == [
        made.id
    ]
    with pytest.raises(ResourceExistsError) as twice:
        roles.role_assignments.create(scope, str(uuid4()), body)
    assert twice.value.error is not None
    assert twice.value.error.code == "RoleAssignmentExists"
    assert roles.role_assignments.delete_by_id(made.id).id == made.id
    assert roles.role_assignments.delete(scope, made.name) is None


def test_the_life_of_a_role(roles: Sdk, group: str) -> None:
    """Made, listed as custom, deleted."""
    scope = f"{SUB}/resourceGroups/{group}"
    name = str(uuid4())
    role = {
        "properties": {
            "roleName": f"Role {name}",
            "description": "for tests",
            "type": "CustomRole",
            "permissions": [{"actions": ["*/read"], "notActions": ["*/keys/read"]}],
            "assignableScopes": [scope],
        }
    }
    made = roles.role_definitions.create_or_update(scope, name, role)
    assert made.role_type == "CustomRole"
    assert made.permissions[0].not_actions == ["*/keys/read"]
    custom = roles.role_definitions.list(scope, filter="type eq 'CustomRole'")
    assert name in [each.name for each in custom]
    assert roles.role_definitions.get_by_id(made.id).name == name
    assert roles.role_definitions.delete(scope, name).name == name
    with pytest.raises(HttpResponseError):
        roles.role_definitions.get(scope, name)


def test_what_one_may_and_who_may_not(roles: Sdk, group: str) -> None:
    """Permissions of the caller, and deny assignments."""
    (everything,) = roles.permissions.list_for_resource_group(group)
    assert everything.actions == ["*"]
    assert list(roles.deny_assignments.list_for_scope(f"{SUB}/resourceGroups/{group}")) == []
