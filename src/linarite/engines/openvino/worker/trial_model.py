"""A model of no use and a few kilobytes, on which grammars are tried.

A grammar that does not compile breaks a batch for good, and the library has no other way to try
one. So each new grammar runs for one token on this model, alone, before the real one sees it.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_WIDTH, _HEADS, _INNER, _CONTEXT = 64, 1, 64, 128
_U32, _I32, _F32, _TEXT, _ARRAY = 4, 5, 6, 8, 9
_ALIGNMENT = 32
_Q8_0, _BLOCK = 8, 32
_NORMAL, _CONTROL = 1, 3
_END = "<|end|>"


def write_trial_model(target: Path) -> None:
    """Write the model: one layer over a vocabulary of the 256 bytes and an end."""
    tokens = [*_byte_tokens(), _END]
    metadata = {
        "general.architecture": _text("llama"),
        "general.file_type": _u32(7),
        "llama.block_count": _u32(1),
        "llama.context_length": _u32(_CONTEXT),
        "llama.embedding_length": _u32(_WIDTH),
        "llama.feed_forward_length": _u32(_INNER),
        "llama.attention.head_count": _u32(_HEADS),
        "llama.attention.head_count_kv": _u32(_HEADS),
        "llama.attention.layer_norm_rms_epsilon": struct.pack("<If", _F32, 1e-5),
        "llama.rope.freq_base": struct.pack("<If", _F32, 10_000.0),
        "llama.rope.dimension_count": _u32(_WIDTH // _HEADS),
        "llama.vocab_size": _u32(len(tokens)),
        "tokenizer.ggml.model": _text("gpt2"),
        "tokenizer.ggml.pre": _text("smollm"),
        "tokenizer.ggml.tokens": _texts(tokens),
        "tokenizer.ggml.token_type": _numbers([_NORMAL] * 256 + [_CONTROL]),
        "tokenizer.ggml.merges": _texts(["a b"]),
        "tokenizer.ggml.bos_token_id": _u32(256),
        "tokenizer.ggml.eos_token_id": _u32(256),
    }
    target.write_bytes(_gguf(metadata, _tensors(len(tokens))))


def _tensors(vocabulary: int) -> dict[str, tuple[int] | tuple[int, int]]:
    """Names and shapes, a row's length first."""
    square, wide, narrow = (_WIDTH, _WIDTH), (_WIDTH, _INNER), (_INNER, _WIDTH)
    return {
        "token_embd.weight": (_WIDTH, vocabulary),
        "output_norm.weight": (_WIDTH,),
        "output.weight": (_WIDTH, vocabulary),
        "blk.0.attn_norm.weight": (_WIDTH,),
        "blk.0.attn_q.weight": square,
        "blk.0.attn_k.weight": square,
        "blk.0.attn_v.weight": square,
        "blk.0.attn_output.weight": square,
        "blk.0.ffn_norm.weight": (_WIDTH,),
        "blk.0.ffn_gate.weight": wide,
        "blk.0.ffn_up.weight": wide,
        "blk.0.ffn_down.weight": narrow,
    }


def _gguf(metadata: dict[str, bytes], tensors: dict[str, tuple[int] | tuple[int, int]]) -> bytes:
    head = bytearray(struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(metadata)))
    for key, value in metadata.items():
        head += _raw(key) + value
    body = bytearray()
    for name, shape in tensors.items():
        head += _raw(name) + struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
        # Half precision crashes the library where it has one thread.
        head += struct.pack("<IQ", 0 if len(shape) == 1 else _Q8_0, len(body))
        if len(shape) == 1:
            body += struct.pack("<f", 0.01) * shape[0]
        else:
            body += struct.pack("<e32b", 0.01, *[1] * _BLOCK) * (shape[0] * shape[1] // _BLOCK)
        body += bytes(-len(body) % _ALIGNMENT)
    return bytes(head) + bytes(-len(head) % _ALIGNMENT) + bytes(body)


def _byte_tokens() -> list[str]:
    """The character that stands for each byte in vocabularies of GPT-2's kind."""
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    tokens: list[str] = []
    others = 256
    for byte in range(256):
        if byte in printable:
            tokens.append(chr(byte))
        else:
            tokens.append(chr(others))
            others += 1
    return tokens


def _raw(text: str) -> bytes:
    raw = text.encode()
    return struct.pack("<Q", len(raw)) + raw


def _u32(value: int) -> bytes:
    return struct.pack("<II", _U32, value)


def _text(value: str) -> bytes:
    return struct.pack("<I", _TEXT) + _raw(value)


def _texts(values: list[str]) -> bytes:
    return struct.pack("<IIQ", _ARRAY, _TEXT, len(values)) + b"".join(map(_raw, values))


def _numbers(values: list[int]) -> bytes:
    return struct.pack(f"<IIQ{len(values)}i", _ARRAY, _I32, len(values), *values)
