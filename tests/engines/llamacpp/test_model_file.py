from __future__ import annotations

import contextlib
import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from linarite.engines.llamacpp.model_file import ModelFacts, UnreadableModel, read_model_facts

if TYPE_CHECKING:
    from pathlib import Path

TEXT, NUMBER, ARRAY, FLOATS = 8, 4, 9, 6


def text(value: str) -> bytes:
    """A text as GGUF writes it."""
    raw = value.encode()
    return struct.pack("<Q", len(raw)) + raw


def entry(key: str, kind: int, value: bytes) -> bytes:
    """A piece of metadata."""
    return text(key) + struct.pack("<I", kind) + value


def gguf(*entries: bytes, magic: bytes = b"GGUF", version: int = 3, count: int = -1) -> bytes:
    """A file without tensors."""
    entry_count = len(entries) if count < 0 else count
    return struct.pack("<4sIQQ", magic, version, 0, entry_count) + b"".join(entries)


ARCHITECTURE = entry("general.architecture", TEXT, text("llama"))
CONTEXT = entry("llama.context_length", NUMBER, struct.pack("<I", 8192))
TOKENS = entry("tokenizer.tokens", ARRAY, struct.pack("<IQ", TEXT, 2) + text("a") + text("bc"))
SCORES = entry("tokenizer.scores", ARRAY, struct.pack("<IQ2f", FLOATS, 2, 0.5, 1.5))
TEMPLATE = entry("tokenizer.chat_template", TEXT, text("{{ messages }}"))
POOLING = entry("llama.pooling_type", NUMBER, struct.pack("<I", 1))
WHOLE = gguf(ARCHITECTURE, TOKENS, SCORES, CONTEXT, TEMPLATE)


def facts(tmp_path: Path, content: bytes) -> ModelFacts:
    """Read a file with this content."""
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    return read_model_facts(path)


def test_what_decides_how_to_run_a_model_is_found(tmp_path: Path) -> None:
    """Behind arrays of any kind."""
    assert facts(tmp_path, WHOLE) == ModelFacts("llama", 8192, pooling=False, chat_template=True)
    assert not facts(tmp_path, WHOLE).makes_vectors


def test_models_for_vectors_are_recognised(tmp_path: Path) -> None:
    """By their pooling, or by an architecture that does nothing else."""
    assert facts(tmp_path, gguf(ARCHITECTURE, POOLING)).makes_vectors
    none = entry("llama.pooling_type", NUMBER, struct.pack("<I", 0))
    assert not facts(tmp_path, gguf(ARCHITECTURE, none)).makes_vectors
    assert facts(tmp_path, gguf(entry("general.architecture", TEXT, text("bert")))).makes_vectors
    assert facts(tmp_path, gguf()) == ModelFacts("", 0, pooling=False, chat_template=False)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GGUF",
        gguf(magic=b"GGML"),
        gguf(version=9),
        gguf(count=2**40),
        gguf(count=1),
        gguf(entry("x", 77, b"")),
        gguf(entry("x", ARRAY, struct.pack("<IQ", 77, 1))),
        gguf(entry("x", ARRAY, struct.pack("<IQ", FLOATS, 2**62)), ARCHITECTURE),
        gguf(entry("x", TEXT, struct.pack("<Q", 2**62))),
        *(WHOLE[:size] for size in range(0, len(WHOLE), 7)),
    ],
)
def test_damaged_files_are_told(tmp_path: Path, content: bytes) -> None:
    """Cut short, of another kind, or with absurd sizes: one error, quickly."""
    with pytest.raises(UnreadableModel):
        facts(tmp_path, content)


@given(st.integers(0, len(WHOLE) - 1), st.binary(min_size=1, max_size=9))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_damage_is_survived(tmp_path: Path, position: int, damage: bytes) -> None:
    """Whatever bytes are wrong, there are facts or an error of ours."""
    content = WHOLE[:position] + damage + WHOLE[position + len(damage) :]
    with contextlib.suppress(UnreadableModel):
        assert isinstance(facts(tmp_path, content), ModelFacts)


def vocabulary(kinds: list[int], *more: bytes) -> bytes:
    """A file with a token `t0`, `t1` … of each kind."""
    texts = b"".join(text(f"t{at}") for at in range(len(kinds)))
    return gguf(
        ARCHITECTURE,
        entry("tokenizer.ggml.tokens", ARRAY, struct.pack("<IQ", TEXT, len(kinds)) + texts),
        entry(
            "tokenizer.ggml.token_type",
            ARRAY,
            struct.pack(f"<IQ{len(kinds)}i", 5, len(kinds), *kinds),
        ),
        *more,
    )


def test_special_tokens_are_found_by_their_kind_and_their_purpose(tmp_path: Path) -> None:
    """Unknown and control tokens, and those that the file names, whatever their kind."""
    end = entry("tokenizer.ggml.eot_token_id", NUMBER, struct.pack("<I", 4))
    far = entry("tokenizer.ggml.eos_token_id", NUMBER, struct.pack("<I", 99))
    found = facts(tmp_path, vocabulary([1, 2, 3, 4, 1, 6], end, far)).special_texts
    assert found == ["t1", "t2", "t4"]


def test_a_vocabulary_that_is_nothing_but_special_tokens_is_refused(tmp_path: Path) -> None:
    """Their names must fit a line of the process's output."""
    with pytest.raises(UnreadableModel, match="special"):
        facts(tmp_path, vocabulary([3] * 20_000))
