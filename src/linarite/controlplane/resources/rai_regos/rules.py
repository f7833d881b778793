"""Policies in the language Rego, that content policies may refer to."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta

from linarite.controlplane.problems import missing_problems
from linarite.domain.arm_errors import Problem

if TYPE_CHECKING:
    from linarite.domain.resource import Resource

TYPE = "Microsoft.CognitiveServices/accounts/raiRegos"
NAME = r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}"
CHARACTERS_MAX = 1_000_000


class SentRego(msgspec.Struct):
    """What may be set."""

    encoding: Literal["None", "Base64"] | None = None
    rego: Annotated[str, Meta(max_length=CHARACTERS_MAX)] | None = None


def complete(new: Resource, old: Resource | None, facts: None) -> Resource:
    """Plain text, unless it is said."""
    del old, facts
    return msgspec.structs.replace(new, properties={"encoding": "None", **new.properties})


def admit(new: Resource, old: Resource | None, facts: None) -> list[Problem]:
    """There is a source, and it can be decoded."""
    del old, facts
    if missing := missing_problems(new.properties, "rego"):
        return missing
    if new.properties["encoding"] == "None":
        return []
    try:
        base64.b64decode(str(new.properties["rego"]), validate=True).decode()
    except (binascii.Error, ValueError):
        text = "The value of 'properties.rego' is no text in Base64, as 'properties.encoding' says."
        return [Problem("InvalidRequestContent", text, "properties.rego")]
    return []
