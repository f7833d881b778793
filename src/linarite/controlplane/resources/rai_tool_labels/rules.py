"""Labels of tools, by which policies tell tools apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.controlplane.problems import missing_problems

if TYPE_CHECKING:
    from linarite.domain.arm_errors import Problem
    from linarite.domain.resource import Resource

TYPE = "Microsoft.CognitiveServices/accounts/raiToolLabels"
NAME = r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}"


class AccountScope(msgspec.Struct, rename="camel"):
    """Labels in the whole account."""

    label_values: dict[str, str] | None = None


class ProjectScope(msgspec.Struct, rename="camel"):
    """Labels in one project."""

    project: str
    label_values: dict[str, str]


class SentLabel(msgspec.Struct, rename="camel"):
    """What may be set."""

    tool_connection_name: str | None = None
    account_scope: AccountScope | None = None
    project_scopes: list[ProjectScope] | None = None


def admit(new: Resource, old: Resource | None, facts: None) -> list[Problem]:
    """A label is a tool's."""
    del old, facts
    return missing_problems(new.properties, "toolConnectionName")
