"""Deployments of an application's agents. Nothing here runs agents: none is started."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from linarite.controlplane.problems import missing_problems

if TYPE_CHECKING:
    from linarite.domain.arm_errors import Problem
    from linarite.domain.resource import Resource

TYPE = "Microsoft.CognitiveServices/accounts/projects/applications/agentDeployments"
NAME = r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}"
READ_ONLY = frozenset(("provisioningState", "state"))


class AgentProtocol(msgspec.Struct):
    """How the agent is spoken to."""

    protocol: Literal["Agent", "A2A", "Responses"] | None = None
    version: str | None = None


class VersionedAgent(msgspec.Struct, rename="camel"):
    """An agent in one version."""

    agent_id: str | None = None
    agent_name: str | None = None
    agent_version: str | None = None


class SentDeployment(msgspec.Struct, rename="camel"):
    """What may be set."""

    deployment_type: Literal["Managed", "Hosted", "Custom"] | None = None
    display_name: str | None = None
    description: str | None = None
    tags: dict[str, str] | None = None
    deployment_id: str | None = None
    protocols: list[AgentProtocol] | None = None
    agents: list[VersionedAgent] | None = None


def complete(new: Resource, old: Resource | None, facts: None) -> Resource:
    """It is written down, and stopped."""
    del old, facts
    return msgspec.structs.replace(
        new,
        properties=new.properties | {"state": "Stopped", "provisioningState": "Succeeded"},
    )


def admit(new: Resource, old: Resource | None, facts: None) -> list[Problem]:
    """Its type is told."""
    del old, facts
    return missing_problems(new.properties, "deploymentType")
