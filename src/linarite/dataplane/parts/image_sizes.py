"""What an image counts, by Azure's rule of tiles.

Source: learn.microsoft.com, "What is Azure OpenAI in Azure AI Foundry Models", on image tokens: an
image in low detail counts 85; in high detail it is scaled to fit 2,048 by 2,048, then until its
shorter side is 768, and counts 170 for each tile of 512 by 512, and 85. GPT-4o mini: 2,833; 5,667
and 2,833.
"""

from __future__ import annotations

import binascii
import math
import struct
from base64 import b64decode
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from linarite.domain.chat import ImageUrl

BASE, TILE = 85, 170
MINI, MINI_BASE, MINI_TILE = "gpt-4o-mini", 2833, 5667
SQUARE, SHORTER, TILE_SIDE = 2048, 768, 512
TILES_MAX = 8
"""of an image of any shape whose size is not known"""
HEAD_CHARACTERS = 65536
"""of base64, in which a JPEG tells its size: only a preview stands before it"""
MARKER = 0xFF
"""begins a segment of a JPEG, and pads"""
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""kinds of segments in which its size stands"""
PNG, GIF, RIFF, JPEG = b"\x89PNG\r\n\x1a\n", b"GIF8", b"RIFF", b"\xff\xd8"


def image_tokens(image: ImageUrl, model: str) -> int:
    """At most: what is left to the model ("auto") is taken for high detail."""
    base, tile = (MINI_BASE, MINI_TILE) if model.startswith(MINI) else (BASE, TILE)
    if image.detail == "low":
        return base
    size = size_of(image.url)
    return base + tile * (TILES_MAX if size is None else tiles(*size))


def tiles(width: int, height: int) -> int:
    """Of 512 by 512 that an image takes once it is scaled."""
    scale = min(1.0, SQUARE / max(width, height))
    scale *= min(1.0, SHORTER / (min(width, height) * scale))
    across, down = (math.ceil(round(side * scale, 3) / TILE_SIDE) for side in (width, height))
    return max(1, across) * max(1, down)


def size_of(url: str) -> tuple[int, int] | None:
    """Width and height of a PNG, JPEG, GIF or WebP in a data URL; None where that is not told."""
    kind, comma, data = url.partition(",")
    if not comma or not kind.startswith("data:") or not kind.endswith(";base64"):
        return None
    try:
        head = b64decode(data[:HEAD_CHARACTERS] + "==")
    except (binascii.Error, ValueError):
        return None
    try:
        width, height = _size_in(head) or (0, 0)
    except (struct.error, IndexError):
        return None
    return (width, height) if width and height else None


def _size_in(head: bytes) -> tuple[int, int] | None:
    if head.startswith(PNG):
        return struct.unpack_from(">II", head, 16)
    if head.startswith(GIF):
        return struct.unpack_from("<HH", head, 6)
    if head.startswith(JPEG):
        return _jpeg(head)
    if head.startswith(RIFF) and head[8:12] == b"WEBP":
        return _webp(head)
    return None


def _jpeg(head: bytes) -> tuple[int, int] | None:
    """From the frame's header: segments are walked over until it comes."""
    at = 2
    while head[at] == MARKER:
        kind = head[at + 1]
        if kind == MARKER:
            at += 1
            continue
        if kind in FRAMES:
            height, width = struct.unpack_from(">HH", head, at + 5)
            return width, height
        at += 2 + struct.unpack_from(">H", head, at + 2)[0]
    return None


def _webp(head: bytes) -> tuple[int, int] | None:
    kind = head[12:16]
    if kind == b"VP8X":
        width = int.from_bytes(head[24:27], "little") + 1
        return width, int.from_bytes(head[27:30], "little") + 1
    if kind == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", head, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None
