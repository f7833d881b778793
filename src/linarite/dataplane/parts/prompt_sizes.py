"""How many tokens a prompt has at most, by its characters: before a model has read it.

Held against the tokenizers of SmolLM2, Qwen 2.5, multilingual E5 and OpenAI's two: `docs/rates.md`
has what was measured. Digits, punctuation and line ends are taken for a token each, letters for
a third of one, and for half of one in a text that is not ASCII alone; beyond ASCII a character of
two bytes counts 1.2, of three 2.6, of four 4.
"""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

import msgspec

from linarite.dataplane.parts.image_sizes import image_tokens
from linarite.domain.chat import (
    AssistantMessage,
    AudioPart,
    DeveloperMessage,
    ImagePart,
    RefusalPart,
    SystemMessage,
    TextPart,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from linarite.domain.chat import ChatAsk, ContentPart

encode = msgspec.json.encode

PLAIN = (string.ascii_letters + " ").encode()
ASCII = bytes(range(128))
ENGLISH = 0.3
"""tokens a letter or blank of a text that is ASCII alone"""
LATIN = 0.46
"""the same of a text in which there is more"""
BYTE_BEYOND, CHARACTER_BEYOND = 1.4, -1.6
"""tokens for each byte, and for each character, beyond ASCII"""
INSTRUCTIONS = (SystemMessage, DeveloperMessage)
JSON_MARKS = 0.6
"""tokens for each mark of a schema: they stand together, as in `":"`"""
MESSAGE = 5
"""what a chat template writes around each message"""
ANSWER = 3
"""and before the answer"""
UNSAID_SYSTEM = 24
"""many templates put a system message of their own where the request has none"""
TOOLS = 160
"""how templates tell a model what tools are and how to call one"""
AUDIO_BYTES_A_TOKEN = 400
"""ten tokens a second; of what is compressed a second has about so many times ten"""
FILE_CHARACTERS_A_TOKEN = 4
"""of a document in base64"""


def text_tokens(text: str) -> float:
    """At most, for all but texts that no tokenizer has learnt."""
    said = text.encode()
    marks = said.translate(None, PLAIN)
    if len(said) == len(text):
        return ENGLISH * len(said) + (1 - ENGLISH) * len(marks)
    beyond = len(marks.translate(None, ASCII))
    characters = len(text) - len(said) + beyond
    letters = len(said) - len(marks)
    return (
        LATIN * letters
        + (len(marks) - beyond)
        + BYTE_BEYOND * beyond
        + CHARACTER_BEYOND * characters
    )


def json_tokens(value: object) -> float:
    """Of what templates write out as JSON."""
    said = encode(value)
    marks = len(said.translate(None, PLAIN))
    if said.isascii():
        return ENGLISH * (len(said) - marks) + JSON_MARKS * marks
    return text_tokens(said.decode())


def prompt_tokens(ask: ChatAsk, model: str = "") -> int:
    """Everything that a model reads of a chat. `model` says what it takes an image for."""
    messages = ask.messages
    texts: list[str] = []
    more: float = ANSWER + MESSAGE * len(messages)
    if not messages or type(messages[0]) not in INSTRUCTIONS:
        more += UNSAID_SYSTEM
    for message in messages:
        content = message.content
        if isinstance(content, str):
            texts.append(content)
        elif content:
            more += sum([_part(part, texts, model) for part in content])
        if message.name is not None:
            texts.append(message.name)
        if type(message) is AssistantMessage:
            more += _said_before(message, texts)
    if ask.tools or ask.functions:
        more += TOOLS + json_tokens(ask.tools or ask.functions)
    if ask.response_format is not None and ask.response_format.json_schema is not None:
        more += json_tokens(ask.response_format)
    return int(more + text_tokens("".join(texts))) + 1


def _part(part: ContentPart, texts: list[str], model: str) -> float:
    """Of a part that is no text; a text is added to the others."""
    if isinstance(part, TextPart):
        texts.append(part.text)
    elif isinstance(part, RefusalPart):
        texts.append(part.refusal)
    elif isinstance(part, ImagePart):
        return image_tokens(part.image_url, model)
    elif isinstance(part, AudioPart):
        return len(part.input_audio.get("data", "")) * 3 / 4 / AUDIO_BYTES_A_TOKEN
    else:
        return len(part.file.get("file_data", "")) / FILE_CHARACTERS_A_TOKEN
    return 0


def _said_before(message: AssistantMessage, texts: list[str]) -> float:
    """Of the calls that a model has made; what else it said is added to the texts."""
    if message.refusal is not None:
        texts.append(message.refusal)
    if message.reasoning_content is not None:
        texts.append(message.reasoning_content)
    called = message.tool_calls or message.function_call
    return json_tokens(called) if called else 0


def items_tokens(items: Iterable[str | Sequence[int]]) -> int:
    """Of texts, or of token ids as they are; a model puts one before and one behind each."""
    return int(
        sum([2 + (text_tokens(each) if isinstance(each, str) else len(each)) for each in items])
    )
