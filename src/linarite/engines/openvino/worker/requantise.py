"""Rewriting a model file whose number formats OpenVINO does not read.

Q5_0, Q5_1 and Q5_K become Q8_0: three more bits for each number, and nothing of note is lost. The
block layouts are ggml's.
"""

from __future__ import annotations

import mmap
import struct
from importlib import import_module
from typing import TYPE_CHECKING, BinaryIO

from linarite.engines.openvino.worker.gguf_file import TensorPlace, UnreadableModel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from linarite.engines.openvino.worker.gguf_file import GgufFile
    from linarite.engines.openvino.worker.native import Native

# OpenVINO GenAI's reader takes these, by trial.
_READ = {0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 8: "Q8_0", 12: "Q4_K", 14: "Q6_K", 30: "BF16"}
_Q5_0, _Q5_1, _Q8_0, _Q5_K = 6, 7, 8, 13
_HALVES = (1, 30)
_NAMES = _READ | {_Q5_0: "Q5_0", _Q5_1: "Q5_1", _Q5_K: "Q5_K", 10: "Q2_K", 11: "Q3_K"}
_BLOCK = 32
_Q8_0_BYTES = 34
_TYPE_NAMES = ", ".join((*_READ.values(), "Q5_0", "Q5_1", "Q5_K"))


def unread_types(model: GgufFile) -> list[str]:
    """The number formats of its tensors that OpenVINO does not read."""
    found = {tensor.ggml_type for tensor in model.tensors} - _READ.keys()
    return sorted(_NAMES.get(kind, f"type {kind}") for kind in found)


def has_halves(model: GgufFile) -> bool:
    """It has matrices in half precision."""
    return any(tensor.ggml_type in _HALVES and len(tensor.shape) > 1 for tensor in model.tensors)


def check_types(model: GgufFile, *, may_requantise: bool) -> bool:
    """Whether the file must be rewritten. Raises UnreadableModel when that would not help."""
    unread = unread_types(model)
    if not unread:
        return False
    hopeless = sorted(set(unread) - {"Q5_0", "Q5_1", "Q5_K"})
    if hopeless:
        raise UnreadableModel(
            f"it has numbers in the format {', '.join(hopeless)}. The formats that work are "
            f"{_TYPE_NAMES}; the engine llamacpp runs every format"
        )
    if not may_requantise:
        raise UnreadableModel(
            f"it has numbers in the format {', '.join(unread)}, which OpenVINO does not read, and "
            "options.requantise is false"
        )
    return True


def requantise(path: Path, model: GgufFile, target: Path) -> None:
    """Write the model anew, with every number in a format that OpenVINO reads."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as source:
        places = [_rewritten(tensor) for tensor in model.tensors]
        sizes = [_size(source, model, at) for at in range(len(places))]
        with target.open("wb") as out:
            _write_head(out, source, model, places, sizes)
            for tensor, size in zip(model.tensors, sizes, strict=True):
                out.write(_converted(source, model, tensor, size))
                out.write(bytes(-out.tell() % model.alignment))


def _rewritten(tensor: TensorPlace) -> TensorPlace:
    kind = _Q8_0 if tensor.ggml_type in _TO_NUMBERS else tensor.ggml_type
    return tensor._replace(ggml_type=kind)


def _size(source: mmap.mmap, model: GgufFile, at: int) -> int:
    """Bytes of a tensor once it is rewritten."""
    tensor = model.tensors[at]
    if tensor.ggml_type in _TO_NUMBERS:
        return tensor.values // _BLOCK * _Q8_0_BYTES
    later = [other.offset for other in model.tensors if other.offset > tensor.offset]
    end = min(later, default=len(source) - model.data_start)
    return end - tensor.offset


def _write_head(
    out: BinaryIO,
    source: mmap.mmap,
    model: GgufFile,
    places: list[TensorPlace],
    sizes: list[int],
) -> None:
    start, end = model.metadata_span
    head = bytearray(struct.pack("<4sIQQ", b"GGUF", 3, len(places), model.entries))
    head += source[start:end]
    offset = 0
    for place, size in zip(places, sizes, strict=True):
        name = place.name.encode()
        head += struct.pack("<Q", len(name)) + name
        rank = len(place.shape)
        head += struct.pack(f"<I{rank}QIQ", rank, *place.shape, place.ggml_type, offset)
        offset += size + -size % model.alignment
    out.write(head + bytes(-len(head) % model.alignment))


def _converted(source: mmap.mmap, model: GgufFile, tensor: TensorPlace, size: int) -> bytes:
    start = model.data_start + tensor.offset
    convert = _TO_NUMBERS.get(tensor.ggml_type)
    if convert is None:
        return source[start : start + size]
    block_values, block_bytes, to_numbers = convert
    blocks = tensor.values // block_values
    numpy: Native = import_module("numpy")
    raw = numpy.frombuffer(source[start : start + blocks * block_bytes], dtype=numpy.uint8)
    numbers = to_numbers(numpy, raw.reshape(blocks, block_bytes))
    return _as_q8_0(numpy, numbers.reshape(-1, _BLOCK))


def _as_q8_0(numpy: Native, numbers: Native) -> bytes:
    scale = numpy.abs(numbers).max(axis=1, keepdims=True) / 127
    inverse = numpy.divide(1, scale, out=numpy.zeros_like(scale), where=scale != 0)
    quants = numpy.rint(numbers * inverse).astype(numpy.int8)
    written = numpy.concatenate(
        [scale.astype(numpy.float16).view(numpy.uint8), quants.view(numpy.uint8)], axis=1
    )
    return written.tobytes()


def _half(numpy: Native, raw: Native) -> Native:
    return numpy.ascontiguousarray(raw).view(numpy.float16).astype(numpy.float32)


def _nibbles(numpy: Native, packed: Native) -> Native:
    return numpy.concatenate([packed & 15, packed >> 4], axis=1)


def _fifth_bits(numpy: Native, packed: Native) -> Native:
    return numpy.unpackbits(packed, axis=1, bitorder="little")


def _from_q5_0(numpy: Native, raw: Native) -> Native:
    """Scale, 32 fifth bits, 16 bytes of nibbles: (q - 16) x scale."""
    quants = _nibbles(numpy, raw[:, 6:]) | (_fifth_bits(numpy, raw[:, 2:6]) << 4)
    return (quants.astype(numpy.float32) - 16) * _half(numpy, raw[:, :2])


def _from_q5_1(numpy: Native, raw: Native) -> Native:
    """Scale, least, 32 fifth bits, 16 bytes of nibbles: q x scale + least."""
    quants = _nibbles(numpy, raw[:, 8:]) | (_fifth_bits(numpy, raw[:, 4:8]) << 4)
    return quants.astype(numpy.float32) * _half(numpy, raw[:, :2]) + _half(numpy, raw[:, 2:4])


def _from_q5_k(numpy: Native, raw: Native) -> Native:
    """Two scales, 12 bytes of packed 6-bit scales and leasts, fifth bits, nibbles; 256 numbers."""
    packed = raw[:, 4:16]
    low, high = packed[:, :8], packed[:, 8:]
    scales = numpy.concatenate(
        [low[:, :4] & 63, (high & 15) | ((low[:, :4] >> 6) << 4)], axis=1
    ).astype(numpy.float32)
    leasts = numpy.concatenate(
        [low[:, 4:] & 63, (high >> 4) | ((low[:, 4:] >> 6) << 4)], axis=1
    ).astype(numpy.float32)
    scales *= _half(numpy, raw[:, :2])
    leasts *= _half(numpy, raw[:, 2:4])
    blocks = len(raw)
    fifth = raw[:, 16:48]
    bits = numpy.stack([(fifth >> at) & 1 for at in range(8)], axis=1)
    nibbles = raw[:, 48:].reshape(blocks, 4, 1, 32)
    quants = numpy.concatenate([nibbles & 15, nibbles >> 4], axis=2).reshape(blocks, 8, 32)
    quants = (quants | (bits << 4)).astype(numpy.float32)
    return quants * scales[:, :, None] - leasts[:, :, None]


_TO_NUMBERS: dict[int, tuple[int, int, Callable[[Native, Native], Native]]] = {
    _Q5_0: (32, 22, _from_q5_0),
    _Q5_1: (32, 24, _from_q5_1),
    _Q5_K: (256, 176, _from_q5_k),
}
"""numbers and bytes of a block, and how they are read"""
