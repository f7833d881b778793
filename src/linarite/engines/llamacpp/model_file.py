"""What a GGUF file says about itself, as far as it decides how to run it.

Read in the engine's process only. Layout: the GGUF specification, version 2 and 3.
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, BinaryIO

import msgspec

if TYPE_CHECKING:
    from pathlib import Path

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_ENTRIES_MAX = 65_536
_TEXT_BYTES_MAX = 16 * 1024 * 1024
_NUMBER_FORMATS = dict(enumerate("BbHhIif?")) | {10: "Q", 11: "q", 12: "d"}
_TEXT, _ARRAY = 8, 9
_ENCODERS = frozenset(
    {
        *("bert", "nomic-bert", "nomic-bert-moe", "jina-bert-v2", "jina-bert-v3"),
        *("modern-bert", "neo-bert", "eurobert", "gemma-embedding", "t5encoder"),
    }
)
"""architectures that make vectors and nothing else"""


_TOKENS, _TOKEN_KINDS = "tokenizer.ggml.tokens", "tokenizer.ggml.token_type"
_KEPT_ARRAYS = frozenset({_TOKENS, _TOKEN_KINDS})
_SPECIAL_CHARACTERS_MAX = 65_536
"""names of all special tokens together; the largest vocabularies in use have half of it"""
_SPECIAL_KINDS = frozenset({2, 3})
"""unknown and control, as llama.cpp numbers them: names of these it takes for the token"""

Value = str | float | list[str] | list[float]


class UnreadableModel(ValueError):
    """The file is no GGUF, or cut short."""


class ModelFacts(msgspec.Struct, frozen=True):
    """The few facts that matter before the model is loaded."""

    architecture: str
    context_tokens: int
    """what it was trained for; 0 when the file does not say"""
    pooling: bool
    """the file says how to make one vector out of many"""
    chat_template: bool
    special_texts: list[str] = []
    """what special tokens are called: the ones that are not text, such as the end of a message"""

    @property
    def makes_vectors(self) -> bool:
        """It was made for embeddings."""
        return self.pooling or self.architecture in _ENCODERS


def read_model_facts(path: Path) -> ModelFacts:
    """Read the metadata at the beginning of a file. Raises UnreadableModel and OSError."""
    with path.open("rb") as file:
        try:
            metadata = _read_metadata(file)
            special_texts = _special_texts(metadata)
        except (struct.error, UnicodeDecodeError) as error:
            raise UnreadableModel("the file is cut short or damaged in its metadata") from error
    architecture = str(metadata.get("general.architecture", ""))
    pooling = metadata.get(f"{architecture}.pooling_type")
    context = metadata.get(f"{architecture}.context_length", 0)
    return ModelFacts(
        architecture=architecture,
        context_tokens=int(context) if isinstance(context, (int, float)) else 0,
        pooling=isinstance(pooling, int) and pooling > 0,
        chat_template=bool(metadata.get("tokenizer.chat_template")),
        special_texts=special_texts,
    )


def _special_texts(metadata: dict[str, Value]) -> list[str]:
    """The texts of tokens that the file calls control tokens, or names for a purpose."""
    texts, kinds = metadata.get(_TOKENS), metadata.get(_TOKEN_KINDS)
    if not isinstance(texts, list):
        return []
    kinds = kinds if isinstance(kinds, list) else []
    chosen = {at for at, kind in enumerate(kinds) if kind in _SPECIAL_KINDS}
    chosen |= {
        int(value)
        for key, value in metadata.items()
        if key.startswith("tokenizer.ggml.")
        and key.endswith("_token_id")
        and isinstance(value, (int, float))
    }
    special = [str(texts[at]) for at in sorted(chosen) if 0 <= at < len(texts)]
    if sum(map(len, special)) > _SPECIAL_CHARACTERS_MAX:
        raise UnreadableModel("the file has too many special tokens")
    return special


def _read_metadata(file: BinaryIO) -> dict[str, Value]:
    """All entries; of arrays only those that describe the vocabulary, others are skipped."""
    magic, version, _tensors, entries = struct.unpack("<4sIQQ", file.read(24))
    if magic != _MAGIC:
        raise UnreadableModel("the file is no GGUF file")
    if version not in _VERSIONS:
        raise UnreadableModel(f"GGUF version {version} is not known")
    if entries > _ENTRIES_MAX:
        raise UnreadableModel("the file claims to have too much metadata")
    found: dict[str, Value] = {}
    for _ in range(entries):
        key = _read_text(file)
        value = _read_value(file, _read_number(file, 4), keep_array=key in _KEPT_ARRAYS)
        if value is not None:
            found[key] = value
    return found


def _read_value(file: BinaryIO, kind: float, *, keep_array: bool) -> Value | None:
    if kind == _TEXT:
        return _read_text(file)
    if kind != _ARRAY:
        return _read_number(file, kind)
    item_kind, count = struct.unpack("<IQ", file.read(12))
    if item_kind == _TEXT:
        if keep_array:
            return [_read_text(file) for _ in range(count)]
        for _ in range(count):
            _skip(file, _length(file))
    elif item_kind in _NUMBER_FORMATS:
        if keep_array:
            return [_read_number(file, item_kind) for _ in range(count)]
        _skip(file, count * struct.calcsize(_NUMBER_FORMATS[item_kind]))
    else:
        raise UnreadableModel("the file has an array of a type that is not known")
    return None


def _read_number(file: BinaryIO, kind: float) -> float:
    layout = _NUMBER_FORMATS.get(int(kind))
    if layout is None:
        raise UnreadableModel("the file has a value of a type that is not known")
    number: float = struct.unpack(f"<{layout}", file.read(struct.calcsize(layout)))[0]
    return number


def _read_text(file: BinaryIO) -> str:
    raw = file.read(length := _length(file))
    if len(raw) < length:
        raise UnreadableModel("the file is cut short")
    return raw.decode("utf-8", "replace")


def _length(file: BinaryIO) -> int:
    length: int = struct.unpack("<Q", file.read(8))[0]
    if length > _TEXT_BYTES_MAX:
        raise UnreadableModel("the file has a text that is too long")
    return length


def _skip(file: BinaryIO, size: int) -> None:
    if size > _TEXT_BYTES_MAX and size > os.fstat(file.fileno()).st_size:
        raise UnreadableModel("the file has an array that is longer than the file")
    file.seek(size, 1)
