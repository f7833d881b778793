from __future__ import annotations

import dataclasses
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linarite.hosting.models.conversion import convert_e5
from linarite.hosting.models.e5_file import E5FileError, read_e5
from linarite.hosting.models.errors import ModelFileInvalid
from linarite.hosting.models.gguf_header import read_facts
from tests.hosting.models.e5_files import E5Parts

if TYPE_CHECKING:
    from pathlib import Path

VALID = E5Parts().content()


def test_converted_file_is_a_bert_for_embeddings(tmp_path: Path) -> None:
    """The result passes the header check and says what the source said."""
    source = tmp_path / "tiny.bin"
    source.write_bytes(VALID)
    target = tmp_path / "tiny.gguf"
    convert_e5(source, target)
    facts = read_facts(target)
    assert facts.architecture == "bert"
    assert facts.makes_embeddings
    assert (facts.context_length, facts.embedding_length, facts.vocabulary) == (16, 32, 8)
    assert facts.quantisation == "Q4_0"
    content = target.read_bytes()
    for piece in ("▁a", "<mask>", "[PAD7]"):
        assert piece.encode() in content


def test_weights_are_copied_untouched(tmp_path: Path) -> None:
    """Every tensor's bytes are in the result, in the order of its own directory."""
    source = tmp_path / "tiny.bin"
    source.write_bytes(VALID)
    convert_e5(source, tmp_path / "tiny.gguf")
    content = (tmp_path / "tiny.gguf").read_bytes()
    for part in read_e5(memoryview(VALID)).parts.values():
        assert bytes(part.data) in content


def test_same_source_gives_the_same_bytes(tmp_path: Path) -> None:
    """Conversion is deterministic, so that its result can be pinned."""
    source = tmp_path / "tiny.bin"
    source.write_bytes(VALID)
    for name in ("one", "two"):
        convert_e5(source, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"magic": b"E5S2"}, "not an E5S1 file"),
        ({"sizes": (32, 1, 4, 64, 8, 16, 2, 1e-12, 64)}, "blocks do not hold 32"),
        ({"sizes": (33, 1, 4, 64, 8, 16, 2, 1e-12, 32)}, "does not divide"),
        ({"sizes": (32, 0, 4, 64, 8, 16, 2, 1e-12, 32)}, "layer count 0"),
        ({"sizes": (32, 1, 4, 64, 1 << 30, 16, 2, 1e-12, 32)}, "vocabulary size"),
        ({"sizes": (32, 1, 4, 64, 3, 16, 2, 1e-12, 32)}, "more pieces than rows"),
        ({"sizes": (32, 1, 4, 64, 8, 16, 2, 0.0, 32)}, "epsilon"),
        ({"specials": (0, 2, 1, 99)}, "outside the vocabulary"),
        ({"scores": (0.0, 0.0, 0.0, 0.0, float("nan"), -1.0, 0.0)}, "not a number"),
        ({"pieces": (b"<s>", b"", b"</s>", b"<unk>", b"a", b"b", b"c")}, "not in order"),
        ({"normalisation": {0xD800: (65,)}}, "no character"),
        ({"normalisation": {65: (0,)}}, "no character"),
    ],
)
def test_malformed_sources(changes: dict[str, Any], reason: str) -> None:
    """Each kind of bad source is refused with the reason."""
    content = dataclasses.replace(E5Parts(), **changes).content()
    with pytest.raises(E5FileError, match=reason):
        read_e5(memoryview(content))


def test_missing_and_misshapen_tensors(tmp_path: Path) -> None:
    """A network with a hole, or a matrix of another shape, is not written."""
    parts = E5Parts()
    del parts.tensors["l0.q.w"]
    source = tmp_path / "tiny.bin"
    source.write_bytes(parts.content())
    with pytest.raises(ModelFileInvalid, match=r"l0\.q\.w' is missing"):
        convert_e5(source, tmp_path / "out.gguf")
    parts.tensors["l0.q.w"] = (1, 32)
    source.write_bytes(parts.content())
    with pytest.raises(ModelFileInvalid, match="holds 32 values where 1024 belong"):
        convert_e5(source, tmp_path / "out.gguf")
    assert not (tmp_path / "out.gguf").exists()


@settings(max_examples=300, deadline=None)
@given(at=st.integers(0, len(VALID) - 1), replacement=st.binary(min_size=1, max_size=8))
def test_any_mutation_is_read_or_refused(at: int, replacement: bytes) -> None:
    """Random bytes anywhere lead to a file that is read, or to our own error."""
    content = bytearray(VALID)
    content[at : at + len(replacement)] = replacement
    try:
        outcome = read_e5(memoryview(content)).sizes.layers
    except E5FileError as refused:
        outcome = str(refused)
    assert outcome


@settings(max_examples=100, deadline=None)
@given(length=st.integers(0, len(VALID) - 1))
def test_any_truncation_is_refused(length: int) -> None:
    """A source that ends early never gets through."""
    with pytest.raises(E5FileError):
        read_e5(memoryview(VALID[:length]))


def test_converter_limits_itself() -> None:
    """The process that parses weights cannot take more memory, time or disk than we allow it."""
    code = (
        "import resource\n"
        "from linarite.hosting.models import e5_to_gguf as e\n"
        "e._limit_ourselves()\n"
        "limits = (resource.RLIMIT_AS, resource.RLIMIT_FSIZE, resource.RLIMIT_CPU)\n"
        "print([resource.getrlimit(kind)[1] for kind in limits])\n"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert told.stdout.strip() == str([2 << 30, 256 << 20, 300])
