"""What a policy definition may be. Source: "Azure Policy definition structure basics"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from linarite.controlplane.policy.admission import (
    EXPRESSIONS,
    outside_scope,
    versioned,
)
from linarite.controls.policy.built_in import BUILT_IN
from linarite.controls.policy.definitions import read_definition

if TYPE_CHECKING:
    from linarite.domain.arm_errors import Problem
    from linarite.domain.resource import Resource


class SentDefinition(msgspec.Struct, rename="camel"):
    """What a client may say of a definition; its rule is read by the policy language."""

    mode: str | None = None
    display_name: str | None = None
    description: str | None = None
    policy_rule: dict[str, Any] | None = None
    parameters: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None
    version: str | None = None


def built_in(parent: str) -> tuple[Resource, ...]:
    """The definitions that every server has; they lie in no scope."""
    return () if parent else BUILT_IN


def complete(new: Resource, old: Resource | None, facts: object) -> Resource:
    """The mode and version that Azure takes where none is said."""
    del old, facts
    properties = {"mode": "Indexed"} | versioned(new.properties)
    return msgspec.structs.replace(new, properties=properties)


def admit(new: Resource, old: Resource | None, facts: object) -> list[Problem]:
    """Everything that is wrong with the rule, with its place."""
    del old, facts
    return outside_scope(new) or read_definition(new, EXPRESSIONS)[1]
