"""Turns the packed multilingual E5 small into a GGUF file that llama.cpp serves.

`python -m linarite.hosting.models.e5_to_gguf SOURCE TARGET`, always in a process of its own: it
limits its own memory, time and output before it opens the file.

The network is BERT's (absolute positions from 0, mean pooling), the tokenizer XLM-RoBERTa's
(unigram). Weights are copied untouched: the source's blocks and rows are ggml's Q4_0.
The same source always gives the same bytes, so that the catalogue can pin the result.
"""

from __future__ import annotations

import mmap
import os
import resource
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from linarite.engines.worker_process.no_network import give_up_network
from linarite.hosting.models import gguf_writer as gguf
from linarite.hosting.models.charsmap import compile_charsmap
from linarite.hosting.models.e5_file import E5File, E5FileError, Part, Sizes, Vocabulary, read_e5

if TYPE_CHECKING:
    from collections.abc import Sequence

MEMORY_MAX_BYTES = 2 << 30
OUTPUT_MAX_BYTES = 256 << 20
PROCESSOR_MAX_S = 300

_NORMAL, _UNKNOWN, _CONTROL, _UNUSED = 1, 2, 3, 5
_MASK_PIECE = b"<mask>"
_UNUSED_SCORE = -10_000.0
_POOLING_MEAN = 1
_FILE_TYPE_MOSTLY_Q4_0 = 2


def main(arguments: Sequence[str]) -> int:
    """Convert `arguments[0]` into `arguments[1]`; the reason for a failure goes to stderr."""
    source, target = map(Path, arguments)
    _limit_ourselves()
    try:
        convert(source, target)
    except (E5FileError, OSError, ValueError, MemoryError) as error:
        sys.stderr.write(f"{source.name}: {error}\n")
        return 1
    return 0


def convert(source: Path, target: Path) -> None:
    """Write `target` and make it durable. Raises E5FileError when `source` is malformed."""
    with source.open("rb") as file:
        image = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    read = read_e5(image)
    metadata, tensors = _metadata(read), _tensors(read)
    with target.open("xb") as out:
        gguf.write_gguf(out, metadata, tensors)
        out.flush()
        os.fsync(out.fileno())


def _limit_ourselves() -> None:
    """Take away, for good, what a conversion does not need."""
    for kind, most in (
        (resource.RLIMIT_AS, MEMORY_MAX_BYTES),
        (resource.RLIMIT_FSIZE, OUTPUT_MAX_BYTES),
        (resource.RLIMIT_CPU, PROCESSOR_MAX_S),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
    ):
        if kind == resource.RLIMIT_AS and sys.platform == "darwin":
            continue  # macOS has the constant and refuses to set it
        _, hard = resource.getrlimit(kind)
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (bound, bound))


def _metadata(read: E5File) -> dict[str, bytes]:
    sizes = read.sizes
    return {
        "general.architecture": gguf.string("bert"),
        "general.type": gguf.string("model"),
        "general.name": gguf.string("Multilingual E5 Small"),
        "general.license": gguf.string("mit"),
        "general.file_type": gguf.uint32(_FILE_TYPE_MOSTLY_Q4_0),
        "general.quantization_version": gguf.uint32(2),
        "bert.context_length": gguf.uint32(sizes.positions),
        "bert.embedding_length": gguf.uint32(sizes.embedding_length),
        "bert.block_count": gguf.uint32(sizes.layers),
        "bert.feed_forward_length": gguf.uint32(sizes.feed_forward_length),
        "bert.attention.head_count": gguf.uint32(sizes.heads),
        "bert.attention.layer_norm_epsilon": gguf.float32(sizes.layer_norm_epsilon),
        "bert.attention.causal": gguf.false(),
        "bert.pooling_type": gguf.uint32(_POOLING_MEAN),
        "tokenizer.ggml.token_type_count": gguf.uint32(sizes.token_types),
        **_tokenizer(read.vocabulary, sizes.vocabulary),
        "tokenizer.ggml.precompiled_charsmap": gguf.uint8s(compile_charsmap(read.normalisation)),
    }


def _tokenizer(vocabulary: Vocabulary, rows: int) -> dict[str, bytes]:
    """Name every row of the word matrix; there are a few more than there are pieces."""
    pieces = vocabulary.pieces
    spare = rows - len(pieces)
    types = [_NORMAL] * len(pieces) + [_UNUSED] * spare
    for special in (vocabulary.begin, vocabulary.end, vocabulary.padding):
        types[special] = _CONTROL
    types[vocabulary.unknown] = _UNKNOWN
    ids = {
        "bos_token_id": vocabulary.begin,
        "eos_token_id": vocabulary.end,
        "unknown_token_id": vocabulary.unknown,
        "seperator_token_id": vocabulary.end,  # spelt so in the format
        "padding_token_id": vocabulary.padding,
        "cls_token_id": vocabulary.begin,
    }
    if _MASK_PIECE in pieces:
        ids["mask_token_id"] = pieces.index(_MASK_PIECE)
        types[ids["mask_token_id"]] = _CONTROL
    names = [*pieces, *(f"[PAD{number}]".encode() for number in range(len(pieces), rows))]
    flags = ("add_bos_token", "add_eos_token", "add_space_prefix", "remove_extra_whitespaces")
    return {
        "tokenizer.ggml.model": gguf.string("t5"),
        "tokenizer.ggml.pre": gguf.string("default"),
        "tokenizer.ggml.tokens": gguf.strings(names),
        "tokenizer.ggml.scores": gguf.float32s([*vocabulary.scores, *[_UNUSED_SCORE] * spare]),
        "tokenizer.ggml.token_type": gguf.int32s(types),
        **{f"tokenizer.ggml.{key}": gguf.uint32(value) for key, value in ids.items()},
        **{f"tokenizer.ggml.{key}": gguf.true() for key in flags},
    }


def _tensors(read: E5File) -> list[gguf.Tensor]:
    sizes = read.sizes
    width = sizes.embedding_length
    tensors = [
        _tensor(read, "emb.word", "token_embd.weight", (width, sizes.vocabulary)),
        _tensor(read, "emb.pos", "position_embd.weight", (width, sizes.positions)),
        _tensor(read, "emb.type", "token_types.weight", (width, sizes.token_types)),
        _tensor(read, "emb.ln.w", "token_embd_norm.weight", (width,)),
        _tensor(read, "emb.ln.b", "token_embd_norm.bias", (width,)),
    ]
    for layer in range(sizes.layers):
        tensors += [
            _tensor(read, f"l{layer}.{theirs}", f"blk.{layer}.{ours}", shape)
            for theirs, ours, shape in _layer_tensors(sizes)
        ]
    return tensors


def _layer_tensors(sizes: Sizes) -> list[tuple[str, str, tuple[int, ...]]]:
    width, hidden = sizes.embedding_length, sizes.feed_forward_length
    matrices = [
        ("q", "attn_q", width, width),
        ("k", "attn_k", width, width),
        ("v", "attn_v", width, width),
        ("ao", "attn_output", width, width),
        ("fi", "ffn_up", width, hidden),
        ("fo", "ffn_down", hidden, width),
    ]
    named: list[tuple[str, str, tuple[int, ...]]] = []
    for theirs, ours, columns, rows in matrices:
        named.append((f"{theirs}.w", f"{ours}.weight", (columns, rows)))
        named.append((f"{theirs}.b", f"{ours}.bias", (rows,)))
    for theirs, ours in (("aln", "attn_output_norm"), ("oln", "layer_output_norm")):
        named.append((f"{theirs}.w", f"{ours}.weight", (width,)))
        named.append((f"{theirs}.b", f"{ours}.bias", (width,)))
    return named


def _tensor(read: E5File, theirs: str, ours: str, shape: tuple[int, ...]) -> gguf.Tensor:
    part = read.parts.get(theirs)
    if part is None:
        raise E5FileError(f"tensor {theirs!r} is missing")
    _check_shape(theirs, part, shape)
    return gguf.Tensor(ours, shape, gguf.Q4_0 if part.quantised else gguf.F32, part.data)


def _check_shape(name: str, part: Part, shape: tuple[int, ...]) -> None:
    wanted = 1
    for length in shape:
        wanted *= length
    if part.values != wanted or (part.quantised and shape[0] % 32):
        raise E5FileError(f"tensor {name!r} holds {part.values} values where {wanted} belong")


if __name__ == "__main__":
    give_up_network()
    sys.exit(main(sys.argv[1:]))
