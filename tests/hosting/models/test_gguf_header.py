from __future__ import annotations

import struct
import tracemalloc
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from linarite.hosting.models import gguf_writer as gguf
from linarite.hosting.models.errors import ModelFileInvalid
from linarite.hosting.models.gguf_header import read_facts
from tests.hosting.models import gguf_files

if TYPE_CHECKING:
    from pathlib import Path

FIM = [b"<|fim_prefix|>", b"<|fim_suffix|>", b"<|fim_middle|>"]
VALID = gguf_files.content()
HEADER_LENGTH = len(VALID) - 2 * 2 * 18 - 24 - 64 * 4  # the first tensor is padded by 24


def _refusal(tmp_path: Path, content: bytes) -> str:
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    with pytest.raises(ModelFileInvalid) as caught:
        read_facts(path)
    return caught.value.message


def test_facts_of_a_chat_model(tmp_path: Path) -> None:
    """A well formed file is accepted and told apart by its header."""
    facts = read_facts(gguf_files.file(tmp_path / "tiny.gguf"))
    assert facts.architecture == "llama"
    assert facts.context_length == 2048
    assert facts.embedding_length == 64
    assert facts.vocabulary == 3
    assert facts.parameters == 64 * 2 + 64
    assert facts.quantisation == "Q4_0"
    assert facts.licence == "apache-2.0"
    assert facts.has_chat_template
    assert not facts.template_names_tools
    assert not facts.fills_in_the_middle
    assert not facts.makes_embeddings


def test_facts_from_tokens_and_template(tmp_path: Path) -> None:
    """Markers in the vocabulary and words in the template tell more abilities."""
    metadata = {
        **gguf_files.LLAMA,
        "tokenizer.ggml.tokens": gguf.strings([b"a", *FIM]),
        "tokenizer.chat_template": gguf.string("{% if tools %}{{ tools }}{% endif %}"),
    }
    facts = read_facts(gguf_files.file(tmp_path / "tiny.gguf", metadata))
    assert facts.fills_in_the_middle
    assert facts.template_names_tools


def test_two_of_three_markers_do_not_make_a_middle(tmp_path: Path) -> None:
    """Filling in the middle needs all three markers."""
    metadata = {**gguf_files.LLAMA, "tokenizer.ggml.tokens": gguf.strings(FIM[:2])}
    assert not read_facts(gguf_files.file(tmp_path / "t.gguf", metadata)).fills_in_the_middle


@pytest.mark.parametrize(
    ("architecture", "pooling", "embeds", "reranks"),
    [("bert", None, True, False), ("qwen3", 3, True, False), ("bert", 4, False, True)],
)
def test_embedding_models(
    tmp_path: Path, architecture: str, pooling: int | None, embeds: bool, reranks: bool
) -> None:
    """Architecture or pooling tell an embedding model, and pooling a reranker."""
    metadata = {**gguf_files.LLAMA, "general.architecture": gguf.string(architecture)}
    if pooling is not None:
        metadata[f"{architecture}.pooling_type"] = gguf.uint32(pooling)
    facts = read_facts(gguf_files.file(tmp_path / "t.gguf", metadata))
    assert (facts.makes_embeddings, facts.reranks) == (embeds, reranks)


@pytest.mark.parametrize(
    ("beginning", "reason"),
    [
        (b"", "truncated"),
        (b"GGU", "truncated"),
        (b"PK\x03\x04aaaaaaaa", "ZIP"),
        (b"<!DOCTYPE html>", "web page"),
        (b"version https://git-lfs", "Git LFS"),
        (b"ggmlaaaaaaaa", "old GGML"),
        (b"random bytes....", "does not begin with 'GGUF'"),
        (b"GGUF" + struct.pack("<I", 1), "version 1"),
        (b"GGUF" + struct.pack(">I", 3), "big-endian"),
        (b"GGUF" + struct.pack("<I", 9), "version 9"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 0), "0 tensors"),
        (b"GGUF" + struct.pack("<IQQ", 3, 1 << 60, 0), "tensors, not between"),
        (b"GGUF" + struct.pack("<IQQ", 3, 1, 1 << 60), "metadata entries"),
        (b"GGUF" + struct.pack("<IQQQ", 3, 1, 1, 1 << 62), "metadata key is 4,611"),
    ],
)
def test_wrong_beginnings(tmp_path: Path, beginning: bytes, reason: str) -> None:
    """A file that is something else, or claims the impossible, is refused with the reason."""
    assert reason in _refusal(tmp_path, beginning)


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("general.alignment", gguf.uint32(24), "power of two"),
        ("general.alignment", gguf.uint32(0), "power of two"),
        ("general.alignment", gguf.float32(32.0), "power of two"),
        ("general.alignment", gguf.uint32(1 << 30), "power of two"),
        ("general.type", gguf.string("adapter"), "part for one"),
        ("split.count", gguf.uint32(3), "one of 3 parts"),
        ("flag", gguf_files.value(7, b"\x02"), "neither true nor false"),
        ("odd", gguf_files.value(13, b""), "unknown type 13"),
        ("nested", gguf_files.array(9, 1, gguf_files.array(4, 0)), "list of lists"),
        ("long", gguf_files.array(4, 1 << 40), "values, over"),
        ("texts", gguf_files.array(8, 1 << 25), "too many texts"),
        ("numbers", gguf_files.array(12, 1 << 20), "truncated"),
        ("odd list", gguf_files.array(77, 1), "unknown type 77"),
        ("text", gguf_files.value(8, struct.pack("<Q", 1 << 40)), "over 16,777,216"),
        ("text", gguf_files.array(8, 1, struct.pack("<Q", 1 << 40)), "bytes long"),
        ("tokenizer.chat_template", gguf.string("x" * ((1 << 20) + 1)), "chat template is"),
        ("k" * 300, gguf.uint32(1), "metadata key is 300"),
        ("new\nline", gguf.uint32(1), "not printable"),
        ("", gguf.uint32(1), "empty"),
    ],
)
def test_wrong_metadata(tmp_path: Path, key: str, value: bytes, reason: str) -> None:
    """Each kind of bad metadata is refused with the reason."""
    content = gguf_files.content({**gguf_files.LLAMA, key: value})
    assert reason in _refusal(tmp_path, content)


def test_missing_architecture(tmp_path: Path) -> None:
    """An engine could not tell how to run a file without an architecture."""
    metadata = dict(gguf_files.LLAMA)
    del metadata["general.architecture"]
    assert "general.architecture" in _refusal(tmp_path, gguf_files.content(metadata))


def test_repeated_key(tmp_path: Path) -> None:
    """A key given twice is refused: programs would differ in which one counts."""
    content = gguf_files.content({"general.aaaa": gguf.uint32(1), "general.bbbb": gguf.uint32(2)})
    assert "twice" in _refusal(tmp_path, content.replace(b"general.bbbb", b"general.aaaa"))


@pytest.mark.parametrize(
    ("tensor", "reason"),
    [
        (gguf.Tensor("x" * 64, (32,), gguf.F32, memoryview(bytes(128))), "name is 64"),
        (gguf.Tensor("", (32,), gguf.F32, memoryview(bytes(128))), "empty"),
        (gguf.Tensor("t", (), gguf.F32, memoryview(bytes(4))), "0 dimensions"),
        (gguf.Tensor("t", (1, 1, 1, 1, 1), gguf.F32, memoryview(bytes(4))), "5 dimensions"),
        (gguf.Tensor("t", (0,), gguf.F32, memoryview(b"")), "impossible shape"),
        (gguf.Tensor("t", (1 << 40, 1 << 40), gguf.F32, memoryview(b"")), "impossible shape"),
        (gguf.Tensor("t", (16,), gguf.Q4_0, memoryview(bytes(18))), "do not fit Q4_0"),
        (gguf.Tensor("t", (32,), 4, memoryview(bytes(128))), "type 4"),
        (gguf.Tensor("t", (1 << 20,), gguf.F32, memoryview(bytes(128))), "truncated"),
    ],
)
def test_wrong_tensors(tmp_path: Path, tensor: gguf.Tensor, reason: str) -> None:
    """Each kind of bad tensor description is refused with the reason."""
    assert reason in _refusal(tmp_path, gguf_files.content(given=[tensor]))


def test_repeated_tensor_and_gap(tmp_path: Path) -> None:
    """Names are unique, and tensors lie where their predecessors end."""
    one = gguf.Tensor("t", (32,), gguf.F32, memoryview(bytes(128)))
    assert "twice" in _refusal(tmp_path, gguf_files.content(given=[one, one]))
    content = gguf_files.content(given=[one, gguf.Tensor("u", (32,), gguf.F32, one.data)])
    at = content.index(struct.pack("<IQ", gguf.F32, 128))
    moved = content[:at] + struct.pack("<IQ", gguf.F32, 64) + content[at + 12 :]
    assert "lies at 64 where 128 is due" in _refusal(tmp_path, moved)


def test_truncation_is_measured(tmp_path: Path) -> None:
    """A download that broke off is told with the number of bytes that are missing."""
    assert "100 bytes are missing" in _refusal(tmp_path, VALID[:-100])


def test_not_a_file(tmp_path: Path) -> None:
    """Folders and absent paths are refused like wrong files."""
    with pytest.raises(ModelFileInvalid, match="not a file"):
        read_facts(tmp_path)
    with pytest.raises(ModelFileInvalid, match="isn't there"):
        read_facts(tmp_path / "absent.gguf")


def test_tensors_are_never_read(tmp_path: Path) -> None:
    """A file of eight gigabytes costs no more memory than a small one."""
    path = tmp_path / "sparse.gguf"
    rows = (8 << 30) // 4 // 64
    tensor = gguf.Tensor("t", (64, rows), gguf.F32, memoryview(b""))
    path.write_bytes(gguf_files.content(given=[tensor]))
    with path.open("r+b") as file:
        file.truncate((8 << 30) + (1 << 20))
    tracemalloc.start()
    try:
        assert read_facts(path).parameters == 64 * rows
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 8 << 20


_FUZZ = settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@_FUZZ
@given(length=st.integers(0, len(VALID) - 1))
def test_any_truncation_is_refused(tmp_path: Path, length: int) -> None:
    """Whatever is missing at the end, the answer is our own error."""
    assert "truncated" in _refusal(tmp_path, VALID[:length])


@_FUZZ
@given(
    changes=st.lists(
        st.tuples(st.integers(0, HEADER_LENGTH - 1), st.binary(min_size=1, max_size=9)),
        min_size=1,
        max_size=4,
    )
)
def test_any_mutation_is_accepted_or_refused(
    tmp_path: Path, changes: list[tuple[int, bytes]]
) -> None:
    """Random bytes in the header lead to facts or to our own error, with little memory."""
    content = bytearray(VALID)
    for at, replacement in changes:
        content[at : at + len(replacement)] = replacement
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    tracemalloc.start()
    outcome: int | str
    try:
        outcome = read_facts(path).parameters
    except ModelFileInvalid as refused:
        outcome = refused.reason
    finally:
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert outcome
    assert peak_bytes < 16 << 20


@_FUZZ
@given(tail=st.binary(max_size=400))
def test_any_content_after_the_magic(tmp_path: Path, tail: bytes) -> None:
    """Noise behind a right beginning is refused."""
    assert _refusal(tmp_path, b"GGUF" + struct.pack("<I", 3) + tail)
