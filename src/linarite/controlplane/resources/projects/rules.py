"""Projects: parts of an AIServices account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from linarite.domain.arm_errors import Problem
from linarite.domain.arm_id import parent_id, segments_of
from linarite.domain.resource import Resource

if TYPE_CHECKING:
    from linarite.controlplane.request import Target
    from linarite.controlplane.surface import Showing, Surface

TYPE = "Microsoft.CognitiveServices/accounts/projects"
NAME = r"[a-zA-Z0-9][a-zA-Z0-9_.-]{1,63}"


class SentProject(msgspec.Struct, rename="camel"):
    """What may be set."""

    display_name: str | None = None
    description: str | None = None


class ProjectFacts(msgspec.Struct, frozen=True):
    """What is known when a project is admitted."""

    account: Resource | None


async def gather(surface: Surface, target: Target) -> ProjectFacts:
    """The account."""
    return ProjectFacts(await surface.resources.get(parent_id(target.path)))


def complete(new: Resource, old: Resource | None, facts: ProjectFacts) -> Resource:
    """A project lies where its account lies."""
    del old
    return msgspec.structs.replace(
        new,
        location=new.location or (facts.account.location if facts.account else None),
        properties=new.properties | {"provisioningState": "Succeeded"},
    )


def admit(new: Resource, old: Resource | None, facts: ProjectFacts) -> list[Problem]:
    """Only AIServices accounts that allow it have projects."""
    del new, old
    account = facts.account
    if account is None or account.properties.get("allowProjectManagement"):
        return []
    return [
        Problem(
            "ProjectManagementNotAllowed",
            f"The account '{account.name}' does not allow projects: set its "
            "properties.allowProjectManagement to true.",
        )
    ]


def show(project: Resource, showing: Showing) -> dict[str, Any]:
    """The stored properties, and the endpoint below the account's."""
    account = segments_of(project.id)[-3]
    below = showing.endpoint(account.lower(), "services.ai")
    endpoint = f"{below}/api/projects/{project.name}"
    return project.properties | {"isDefault": False, "endpoints": {"AI Foundry API": endpoint}}
