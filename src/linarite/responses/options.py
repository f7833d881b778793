"""What settings say about responses that are stored."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class PromptMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One message of a prompt."""

    role: Annotated[
        Literal["system", "developer", "user", "assistant"], Meta(description="Who says it.")
    ]
    content: Annotated[
        str, Meta(description="Its text; `{{name}}` stands for a variable.", min_length=1)
    ]


class PromptSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A prompt that requests for responses can name."""

    id: Annotated[
        str, Meta(description="What requests call it.", pattern=r"^[A-Za-z0-9][\w.-]{0,99}$")
    ]
    messages: Annotated[
        list[PromptMessage],
        Meta(description="What stands before the input of who names it.", min_length=1),
    ]
    version: Annotated[
        str,
        Meta(description="Its version; the last one of an id is for who names none.", min_length=1),
    ] = "1"
    account: Annotated[str, Meta(description="Account that has it. Empty: every account has.")] = ""


class Responses(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long responses are kept. Who sees them: `files.visible_to`."""

    retention_days: Annotated[
        int, Meta(description="Days that a stored response is kept; Azure's 30.", ge=1, le=3650)
    ] = 30
    prompts: Annotated[
        list[PromptSettings], Meta(description="Prompts that requests can name by `prompt`.")
    ] = []
    background_max: Annotated[
        int,
        Meta(
            description="Responses of an account that may be made in the background, or wait for "
            "it, at a time; beyond it 429.",
            ge=1,
        ),
    ] = 1000
    background_wait_s: Annotated[
        float,
        Meta(
            description="Seconds that one in the background waits for a rate or a place before it "
            "fails.",
            gt=0,
        ),
    ] = 3600.0
