"""The resource types of Microsoft.Authorization and the ids in which they name roles."""

from __future__ import annotations

ROLE_DEFINITION_TYPE = "Microsoft.Authorization/roleDefinitions"
ROLE_ASSIGNMENT_TYPE = "Microsoft.Authorization/roleAssignments"
DENY_ASSIGNMENT_TYPE = "Microsoft.Authorization/denyAssignments"
LOCK_TYPE = "Microsoft.Authorization/locks"
OPENAI_USER = "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"
"""Cognitive Services OpenAI User"""


def role_guid(role_definition_id: str) -> str:
    """The GUID at the end of a role definition's id, whatever scope stands before it."""
    return role_definition_id.rstrip("/").rpartition("/")[2].lower()
