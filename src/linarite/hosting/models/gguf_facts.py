"""What a GGUF header tells about a model."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import msgspec

from linarite.hosting.models.gguf_layout import ALIGNMENT_DEFAULT, FILE_TYPES

_PREFIX_TOKENS = frozenset(
    text.encode()
    for text in (
        "<|fim_prefix|>",
        "<fim-prefix>",
        "<fim_prefix>",
        "<\uff5cfim▁begin\uff5c>",
        "<PRE>",
        "▁<PRE>",
        "<|code_prefix|>",
    )
)
_SUFFIX_TOKENS = frozenset(
    text.encode()
    for text in (
        "<|fim_suffix|>",
        "<fim-suffix>",
        "<fim_suffix>",
        "<\uff5cfim▁hole\uff5c>",
        "<SUF>",
        "▁<SUF>",
        "<|code_suffix|>",
    )
)
_MIDDLE_TOKENS = frozenset(
    text.encode()
    for text in (
        "<|fim_middle|>",
        "<fim-middle>",
        "<fim_middle>",
        "<\uff5cfim▁end\uff5c>",
        "<MID>",
        "▁<MID>",
        "<|code_middle|>",
    )
)
FILL_IN_THE_MIDDLE_TOKENS = _PREFIX_TOKENS | _SUFFIX_TOKENS | _MIDDLE_TOKENS
"""the vocabulary entries by which llama.cpp knows that a model fills in the middle"""

_MIDDLE_KEYS = ({"fim_pre", "prefix"}, {"fim_suf", "suffix"}, {"fim_mid", "middle"})
_EMBEDDING_ARCHITECTURES = frozenset(
    {
        "bert",
        "eurobert",
        "gemma-embedding",
        "jina-bert-v2",
        "jina-bert-v3",
        "modern-bert",
        "neo-bert",
        "nomic-bert",
        "nomic-bert-moe",
    }
)
_POOLING_NONE, _POOLING_RANK = 0, 4


@dataclass(frozen=True)
class TensorInfo:
    """One tensor's description, checked."""

    name: str
    type_name: str
    values: int
    offset: int
    size_bytes: int


@dataclass
class Header:
    """A header taken apart; filled by `gguf_header` while it reads."""

    keys: set[str] = field(default_factory=set[str])
    numbers: dict[str, int | float] = field(default_factory=dict[str, int | float])
    texts: dict[str, str] = field(default_factory=dict[str, str])
    """the short ones"""
    lengths: dict[str, int] = field(default_factory=dict[str, int])
    """of lists"""
    has_chat_template: bool = False
    template_names_tools: bool = False
    found_tokens: set[bytes] = field(default_factory=set[bytes])
    tensors: list[TensorInfo] = field(default_factory=list[TensorInfo])
    alignment: int = ALIGNMENT_DEFAULT
    data_start: int = 0


class GgufFacts(msgspec.Struct, frozen=True):
    """What a model is, by its own header."""

    architecture: str
    name: str
    """`general.name`, "" when it has none"""
    licence: str
    """`general.license`, "" when it says none"""
    kind: str
    """`general.type`: model, adapter, mmproj…; "model" when it does not say"""
    split_count: int
    """number of files the model is spread over, 1 for most"""
    context_length: int
    """tokens it was trained for; 0 when unknown"""
    embedding_length: int
    """width of the network, which is the length of a vector it makes; 0 when unknown"""
    vocabulary: int
    parameters: int
    quantisation: str
    makes_embeddings: bool
    """it pools to one vector a text, and does not generate"""
    reranks: bool
    has_chat_template: bool
    template_names_tools: bool
    fills_in_the_middle: bool


def facts_of(header: Header) -> GgufFacts:
    """Read the facts out of a checked header."""
    architecture = header.texts.get("general.architecture", "")
    pooling = header.numbers.get(f"{architecture}.pooling_type", _POOLING_NONE)
    pools = architecture in _EMBEDDING_ARCHITECTURES or pooling != _POOLING_NONE
    return GgufFacts(
        architecture=architecture,
        name=header.texts.get("general.name", ""),
        licence=header.texts.get("general.license", ""),
        kind=header.texts.get("general.type", "model"),
        split_count=_count(header, "split.count") or 1,
        context_length=_count(header, f"{architecture}.context_length"),
        embedding_length=_count(header, f"{architecture}.embedding_length"),
        vocabulary=header.lengths.get("tokenizer.ggml.tokens", 0),
        parameters=sum(tensor.values for tensor in header.tensors),
        quantisation=_quantisation(header),
        makes_embeddings=pools and pooling != _POOLING_RANK,
        reranks=pooling == _POOLING_RANK,
        has_chat_template=header.has_chat_template,
        template_names_tools=header.template_names_tools,
        fills_in_the_middle=_fills_in_the_middle(header),
    )


def _count(header: Header, key: str) -> int:
    value = header.numbers.get(key, 0)
    return value if isinstance(value, int) and value >= 0 else 0


def _quantisation(header: Header) -> str:
    """The name the file gives itself, else the type that most of its bytes are of."""
    named = FILE_TYPES.get(_count(header, "general.file_type"))
    if named is not None and "general.file_type" in header.numbers:
        return named
    by_type = Counter[str]()
    for tensor in header.tensors:
        by_type[tensor.type_name] += tensor.size_bytes
    return by_type.most_common(1)[0][0]


def _fills_in_the_middle(header: Header) -> bool:
    by_key = all(
        any(f"tokenizer.ggml.{name}_token_id" in header.numbers for name in names)
        for names in _MIDDLE_KEYS
    )
    by_token = all(
        header.found_tokens & tokens for tokens in (_PREFIX_TOKENS, _SUFFIX_TOKENS, _MIDDLE_TOKENS)
    )
    return by_key or by_token
