"""The models that come over the network, as they are."""

from __future__ import annotations

import base64
import json
import math
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from linarite.hosting.models.catalogue import MULTILINGUAL_E5, SMOLLM2
from linarite.hosting.models.store import ModelStore

REFERENCE = Path(__file__).with_name("e5_reference.json")
"""texts with the vectors that the weights' original engine makes of them, as half floats"""

_EMBED = """
import json, sys
import xllamacpp
parameters = xllamacpp.CommonParams()
parameters.model.path = sys.argv[1]
parameters.embedding = True
parameters.n_ctx = parameters.n_batch = parameters.n_ubatch = 512
parameters.n_parallel = 1
parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = 1
parameters.verbosity = 0
server = xllamacpp.Server(parameters)
told = [server.handle_embeddings({"input": text}) for text in json.load(sys.stdin)]
print(json.dumps([[each["usage"]["prompt_tokens"], each["data"][0]["embedding"]] for each in told]))
"""


@pytest.fixture(scope="module")
def store(model_home: Path) -> ModelStore:
    """The store with the small models."""
    return ModelStore(model_home / "models")


def test_small_chat_model(store: ModelStore) -> None:
    """SmolLM2 comes whole out of its package and is told to chat."""
    manifest = store.get(SMOLLM2.name)
    assert manifest.sha256 == SMOLLM2.sha256
    assert store.verified_path(manifest.name).stat().st_size == SMOLLM2.size_bytes
    assert manifest.capabilities.chat_completion
    assert not manifest.capabilities.tools
    assert (manifest.context_length, manifest.quantisation) == (8192, "Q4_1")


def test_embedding_model(store: ModelStore) -> None:
    """E5 comes out of its package converted, byte for byte as pinned, with its prefixes."""
    manifest = store.get(MULTILINGUAL_E5.name)
    assert manifest.sha256 == MULTILINGUAL_E5.sha256
    assert manifest.capabilities.embeddings
    assert not manifest.capabilities.completion
    assert (manifest.context_length, manifest.embedding_length) == (512, 384)
    assert (manifest.query_prefix, manifest.passage_prefix) == ("query: ", "passage: ")


@pytest.mark.real_model
def test_converted_model_makes_the_original_vectors(store: ModelStore) -> None:
    """llama.cpp makes of the converted model the vectors that the original engine makes.

    Eighteen texts in eleven languages, with equal token counts; the two engines
    differ by rounding only.
    """
    rows = json.loads(REFERENCE.read_text("utf-8"))
    told = _embed(store.verified_path(MULTILINGUAL_E5.name), [row["text"] for row in rows])
    for row, (tokens, vector) in zip(rows, told, strict=True):
        expected = struct.unpack("<384e", base64.b64decode(row["vector"]))
        assert tokens == row["tokens"], row["text"]
        assert _cosine(vector, expected) > 0.999, row["text"]


@pytest.mark.real_model
def test_passages_answer_their_queries(store: ModelStore) -> None:
    """Across languages, a question lies nearest to the passage that answers it."""
    queries = {
        "query: how much protein should a woman eat": 0,
        "query: Was ist die Hauptstadt von Spanien?": 1,
        "query: как приготовить тыкву": 2,
    }
    passages = [
        "passage: Women of 19 to 70 years need about 46 grams of protein a day.",
        "passage: Madrid es la capital de España y su ciudad más poblada.",
        "passage: 清炒南瓜丝的做法:南瓜去皮切丝,放葱盐翻炒。",
    ]
    path = store.verified_path(MULTILINGUAL_E5.name)
    vectors = [vector for _, vector in _embed(path, [*queries, *passages])]
    found = vectors[len(queries) :]
    for vector, right in zip(vectors, queries.values(), strict=False):
        nearness = [_cosine(vector, passage) for passage in found]
        assert nearness.index(max(nearness)) == right


def _embed(model: Path, texts: list[str]) -> list[tuple[int, list[float]]]:
    """Token count and vector of each text; the engine runs in a process of its own."""
    result = subprocess.run(
        [sys.executable, "-c", _EMBED, model],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    return json.loads(result.stdout.splitlines()[-1])


def _cosine(one: list[float], other: tuple[float, ...] | list[float]) -> float:
    product = sum(a * b for a, b in zip(one, other, strict=True))
    return product / math.sqrt(sum(a * a for a in one) * sum(b * b for b in other))
