"""What a lock may be. Source: "Lock your Azure resources to protect your infrastructure"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from linarite.domain.arm_errors import Problem

if TYPE_CHECKING:
    from linarite.domain.resource import Resource

LEVELS = {"cannotdelete": "CanNotDelete", "readonly": "ReadOnly"}
NOTES_CHARACTERS_MAX = 512
NAME = r"[^<>%&:\\?/]{1,260}"


class SentLock(msgspec.Struct, rename="camel"):
    """What a client may say of a lock."""

    level: str | None = None
    notes: str | None = None
    owners: list[dict[str, Any]] | None = None


def complete(new: Resource, old: Resource | None, facts: object) -> Resource:
    """The level as Azure spells it."""
    del old, facts
    level = str(new.properties.get("level") or "")
    properties = new.properties | {"level": LEVELS.get(level.lower(), level)}
    return msgspec.structs.replace(new, properties=properties)


def admit(new: Resource, old: Resource | None, facts: object) -> list[Problem]:
    """Its level and the length of its notes."""
    del old, facts
    problems: list[Problem] = []
    if new.properties["level"] not in LEVELS.values():
        problems.append(
            Problem(
                "InvalidLockLevel",
                f"The lock level '{new.properties['level'][:60]}' is not valid: use CanNotDelete "
                "or ReadOnly.",
                "properties.level",
            )
        )
    if len(str(new.properties.get("notes") or "")) > NOTES_CHARACTERS_MAX:
        problems.append(
            Problem(
                "InvalidLockNotes",
                f"The notes have more than {NOTES_CHARACTERS_MAX} characters.",
                "properties.notes",
            )
        )
    return problems
