from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest

from linarite.engines.openvino.worker.gguf_file import UnreadableModel, read_gguf
from linarite.engines.openvino.worker.requantise import check_types, requantise
from linarite.hosting.models.gguf_writer import Tensor, string, strings, uint32, write_gguf

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

F32, Q8_0 = 0, 8


def q5_0(numbers: np.ndarray) -> bytes:
    """As ggml packs it: a scale, 32 fifth bits, and nibbles, the first 16 in the low ones."""
    blocks = bytearray()
    for block in numbers.reshape(-1, 32):
        scale = np.abs(block).max() / 15
        quants = np.clip(np.rint(block / scale) + 16, 0, 31).astype(int)
        blocks += struct.pack("<e", scale)
        blocks += struct.pack("<I", sum(int(q >> 4) << at for at, q in enumerate(quants)))
        blocks += bytes(int(quants[at] & 15) | int(quants[at + 16] & 15) << 4 for at in range(16))
    return bytes(blocks)


def q5_1(numbers: np.ndarray) -> bytes:
    """The same with a least value beside the scale."""
    blocks = bytearray()
    for block in numbers.reshape(-1, 32):
        least = block.min()
        scale = (block.max() - least) / 31
        quants = np.clip(np.rint((block - least) / scale), 0, 31).astype(int)
        blocks += struct.pack("<ee", scale, least)
        blocks += struct.pack("<I", sum(int(q >> 4) << at for at, q in enumerate(quants)))
        blocks += bytes(int(quants[at] & 15) | int(quants[at + 16] & 15) << 4 for at in range(16))
    return bytes(blocks)


def q5_k(numbers: np.ndarray) -> bytes:
    """As ggml packs it: 256 numbers in eight parts, each with a scale and a least of 6 bits."""
    blocks = bytearray()
    for block in numbers.reshape(-1, 8, 32):
        leasts = np.maximum(0, -block.min(axis=1))
        scales = (block.max(axis=1) + leasts) / 31
        unit, least_unit = scales.max() / 63, max(leasts.max() / 63, 1e-9)
        scale_bits = np.rint(scales / unit).astype(int)
        least_bits = np.rint(leasts / least_unit).astype(int)
        packed = bytearray(12)
        for at in range(4):
            packed[at] = scale_bits[at] | (scale_bits[at + 4] >> 4) << 6
            packed[at + 4] = least_bits[at] | (least_bits[at + 4] >> 4) << 6
            packed[at + 8] = (scale_bits[at + 4] & 15) | (least_bits[at + 4] & 15) << 4
        used = np.maximum(scale_bits[:, None] * unit, 1e-9)
        shifted = block + least_bits[:, None] * least_unit
        quants = np.clip(np.rint(shifted / used), 0, 31).astype(int)
        blocks += struct.pack("<ee", unit, least_unit) + packed
        blocks += bytes(
            sum(int(quants[part, at] >> 4) << part for part in range(8)) for at in range(32)
        )
        for part in range(0, 8, 2):
            blocks += bytes(
                int(quants[part, at] & 15) | int(quants[part + 1, at] & 15) << 4 for at in range(32)
            )
    return bytes(blocks)


def written(path: Path, tensors: list[Tensor]) -> Path:
    """A file with a little metadata of every sort, and these tensors."""
    metadata = {
        "general.architecture": string("llama"),
        "tokenizer.ggml.tokens": strings([b"a", b"b"]),
        "general.alignment": uint32(32),
    }
    with path.open("wb") as out:
        write_gguf(out, metadata, tensors)
    return path


def numbers_of(path: Path, name: str) -> np.ndarray:
    """A tensor that is Q8_0, as numbers."""
    model = read_gguf(path)
    place = next(tensor for tensor in model.tensors if tensor.name == name)
    assert place.ggml_type == Q8_0
    start = model.data_start + place.offset
    raw = np.frombuffer(path.read_bytes()[start : start + place.values // 32 * 34], np.uint8)
    blocks = raw.reshape(-1, 34)
    scales = np.ascontiguousarray(blocks[:, :2]).view(np.float16).astype(np.float32)
    return (blocks[:, 2:].view(np.int8) * scales).reshape(-1)


@pytest.mark.parametrize(
    ("ggml_type", "pack"), [(6, q5_0), (7, q5_1), (13, q5_k)], ids=["Q5_0", "Q5_1", "Q5_K"]
)
def test_numbers_survive(
    tmp_path: Path, ggml_type: int, pack: Callable[[np.ndarray], bytes]
) -> None:
    """What was 5 bits comes back within those 5 bits' own error; all else is copied."""
    numbers = np.random.default_rng(1).normal(size=1_024).astype(np.float32)
    other = np.arange(40, dtype=np.float32)
    path = written(
        tmp_path / "five.gguf",
        [
            Tensor("first", (40,), F32, memoryview(other.tobytes())),
            Tensor("five", (256, 4), ggml_type, memoryview(pack(numbers))),
            Tensor("last", (40,), F32, memoryview(other.tobytes())),
        ],
    )
    model = read_gguf(path)
    assert check_types(model, may_requantise=True)
    target = tmp_path / "eight.gguf"
    requantise(path, model, target)
    error = np.abs(numbers_of(target, "five") - numbers)
    assert error.max() < 0.35
    assert error.mean() < 0.08
    after = read_gguf(target)
    assert after.metadata == model.metadata
    assert after.entries == model.entries == 3
    for place in after.tensors:
        if place.ggml_type == F32:
            start = after.data_start + place.offset
            assert target.read_bytes()[start : start + 160] == other.tobytes()
    assert not check_types(after, may_requantise=False)


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    """The message says which formats work; nothing is rewritten against the operator's will."""
    block = bytes(84)
    model = read_gguf(
        written(tmp_path / "two.gguf", [Tensor("t", (256, 1), 10, memoryview(block))])
    )
    with pytest.raises(UnreadableModel, match=r"Q2_K.*formats that work are.*Q4_K.*llamacpp"):
        check_types(model, may_requantise=True)
    five = bytes(22)
    model = read_gguf(written(tmp_path / "five.gguf", [Tensor("t", (32, 1), 6, memoryview(five))]))
    with pytest.raises(UnreadableModel, match=r"Q5_0.*options\.requantise is false"):
        check_types(model, may_requantise=False)


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    """However much of it is missing, and whatever it claims."""
    whole = written(tmp_path / "w.gguf", [Tensor("t", (32,), F32, memoryview(bytes(128)))])
    raw = whole.read_bytes()
    for size in (0, 3, 30, 60, 100):
        path = tmp_path / f"{size}.gguf"
        path.write_bytes(raw[:size])
        with pytest.raises(UnreadableModel):
            read_gguf(path)
    huge = tmp_path / "huge.gguf"
    huge.write_bytes(raw[:24] + struct.pack("<Q", 2**60) + raw[32:])
    with pytest.raises(UnreadableModel):
        read_gguf(huge)
