"""What a compaction item carries, sealed so that this account's endpoint alone can read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from linarite.domain.errors import SetupError
from linarite.domain.response_errors import EncryptedContentInvalid

if TYPE_CHECKING:
    from linarite.domain.secret_box import SecretBox

SEALED_FOR = "compaction of a conversation"
LEAD = "Notes of the conversation so far:\n"


class Compacted(msgspec.Struct, frozen=True):
    """A conversation made short."""

    notes: str
    """what the model wrote of it"""
    instructions: list[dict[str, Any]] = []
    """its messages of the system's and the developer's, word for word: they stay in force"""


def sealed(box: SecretBox, compacted: Compacted) -> str:
    """It as the item carries it."""
    return box.seal(SEALED_FOR, msgspec.json.encode(compacted))


def opened(box: SecretBox | None, content: str) -> Compacted:
    """What an item carries. Raises EncryptedContentInvalid for what was not sealed for this box."""
    try:
        if box is None:
            raise EncryptedContentInvalid("input")
        return msgspec.json.decode(box.unseal(SEALED_FOR, content), type=Compacted)
    except SetupError:
        raise EncryptedContentInvalid("input") from None


def as_message(compacted: Compacted) -> dict[str, Any]:
    """The notes as a model reads them: as its own words."""
    said = {"type": "output_text", "text": f"{LEAD}{compacted.notes}"}
    return {"type": "message", "role": "assistant", "content": [said]}
