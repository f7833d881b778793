"""Small GGUF files for tests, well formed unless asked otherwise."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

from linarite.hosting.models import gguf_writer as gguf

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LLAMA: Mapping[str, bytes] = {
    "general.architecture": gguf.string("llama"),
    "general.name": gguf.string("Tiny"),
    "general.license": gguf.string("apache-2.0"),
    "general.file_type": gguf.uint32(2),
    "llama.context_length": gguf.uint32(2048),
    "llama.embedding_length": gguf.uint32(64),
    "llama.rope.freq_base": gguf.float32(10_000.0),
    "tokenizer.ggml.model": gguf.string("gpt2"),
    "tokenizer.ggml.tokens": gguf.strings([b"a", b"b", b"<|im_end|>"]),
    "tokenizer.ggml.scores": gguf.float32s([0.0, -1.0, -2.0]),
    "tokenizer.ggml.add_bos_token": gguf.false(),
    "tokenizer.chat_template": gguf.string("{% for m in messages %}{{ m.content }}{% endfor %}"),
}


def tensors() -> list[gguf.Tensor]:
    """A quantised matrix of 2 by 64 and a vector of 64 floats."""
    return [
        gguf.Tensor("token_embd.weight", (64, 2), gguf.Q4_0, memoryview(bytes(2 * 2 * 18))),
        gguf.Tensor("output_norm.weight", (64,), gguf.F32, memoryview(bytes(64 * 4))),
    ]


def content(metadata: Mapping[str, bytes] = LLAMA, given: list[gguf.Tensor] | None = None) -> bytes:
    """A whole file."""
    out = io.BytesIO()
    gguf.write_gguf(out, metadata, tensors() if given is None else given)
    return out.getvalue()


def file(path: Path, metadata: Mapping[str, bytes] = LLAMA) -> Path:
    """Write a whole file to `path`."""
    path.write_bytes(content(metadata))
    return path


def value(kind: int, packed: bytes) -> bytes:
    """A metadata value of any type number."""
    return struct.pack("<I", kind) + packed


def array(kind: int, length: int, packed: bytes = b"") -> bytes:
    """A list that claims a length."""
    return struct.pack("<IIQ", 9, kind, length) + packed
