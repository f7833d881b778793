"""Prompts that are written once and named by applications: found, and filled in.

Source: `ResponsePrompt` of OpenAI's SDK. Azure's document has the parameter and no operation that
makes prompts, so settings do.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from linarite.domain.arm_id import segments_of
from linarite.domain.errors import InvalidRequest, SetupError
from linarite.domain.response_errors import NoSuchPrompt

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from linarite.responses.options import PromptSettings

VARIABLE = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]{0,63})\s*\}\}")
SHOWN = "responses.prompts"

Item = dict[str, Any]


class PromptBook:
    """The prompts of all accounts."""

    def __init__(self, declared: Iterable[PromptSettings] = ()) -> None:
        """The last version of each is the one for who names none. Raises SetupError."""
        self._versions: dict[tuple[str, str], dict[str, PromptSettings]] = {}
        for each in declared:
            versions = self._versions.setdefault((each.account.lower(), each.id), {})
            if each.version in versions:
                raise SetupError(
                    f"{SHOWN}: '{each.id}' has version '{each.version}' twice"
                    + (f" for account '{each.account}'." if each.account else ".")
                )
            versions[each.version] = each

    def find(self, account_id: str, prompt_id: str, version: str | None) -> PromptSettings:
        """An account's own, else every account's. Raises NoSuchPrompt."""
        account = segments_of(account_id)[-1].lower()
        for whose in (account, ""):
            versions = self._versions.get((whose, prompt_id))
            if versions is None:
                continue
            if version is None:
                return versions[next(reversed(versions))]
            if version in versions:
                return versions[version]
        raise NoSuchPrompt(prompt_id, version)


def filled_in(prompt: PromptSettings, values: Mapping[str, str | Item]) -> list[Item]:
    """The messages of a prompt, its variables replaced. Raises InvalidRequest.

    A value is text, or a part of a message: text, an image, a file.
    """
    texts = [message.content for message in prompt.messages]
    wanted = {name for text in texts for name in VARIABLE.findall(text)}
    _require("Missing", "missing_required_parameter", wanted - values.keys())
    _require("Unknown", "unknown_parameter", values.keys() - wanted)
    parts = {name: as_part(value) for name, value in values.items()}
    return [
        {"role": each.role, "content": _content(each.content, parts)} for each in prompt.messages
    ]


def as_part(value: str | Item) -> Item:
    """A value as a part of a message. Raises InvalidRequest for a text that is none."""
    if isinstance(value, str):
        return {"type": "input_text", "text": value}
    if value.get("type") == "input_text" and not isinstance(value.get("text"), str):
        raise InvalidRequest(
            "Invalid prompt variable: a part of the type 'input_text' needs a string as 'text'.",
            param="prompt.variables",
            code="invalid_type",
        )
    return value


def _require(what: str, code: str, names: set[str]) -> None:
    if names:
        raise InvalidRequest(
            f"{what} prompt variables: {', '.join(sorted(names))[:200]}.",
            param="prompt.variables",
            code=code,
        )


def _content(text: str, values: Mapping[str, Item]) -> Sequence[Item]:
    """Text and what stands between it, by turns; texts beside each other are one."""
    parts: list[Item] = []
    for at, piece in enumerate(VARIABLE.split(text)):
        part = values[piece] if at % 2 else as_part(piece)
        both = part.get("type") == "input_text" and parts and parts[-1].get("type") == "input_text"
        if both:
            parts[-1] = as_part(f"{parts[-1]['text']}{part.get('text', '')}")
        elif part != as_part(""):
            parts.append(part)
    return parts
