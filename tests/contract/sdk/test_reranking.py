"""Results that a chat model has put in order, by the official clients."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.sdk.conftest import client_of
from tests.judge_service import JudgeService, judge_service
from tests.serving import SIMULATED, serving, start_server, stopped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from openai import OpenAI

    from tests.serving import Server

NOTES = {
    "whales.txt": b"The blue whale is the largest animal that has ever lived.",
    "parcels.md": b"Parcels are sent on Mondays and on Thursdays.",
    "bridge.txt": b"The bridge over the river was built in 1902 by two brothers.",
    "garden.txt": b"The garden has roses.",
}
QUESTION = "When are parcels sent?"
LIKED = {"bridge": 0.9, "whale": 0.7, "Parcels": 0.2}
RERANKED = ["bridge.txt", "whales.txt", "parcels.md"]


@pytest.fixture(scope="module")
def judge() -> Iterator[JudgeService]:
    """The model."""
    with judge_service() as service:
        yield service


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, judge: JudgeService) -> Iterator[Server]:
    """One whose searches ask it about three chunks, for half a second."""
    declared = f"""
[[deployments]]
name = "judge"
model = "judge"
instance = "judge"

[instances.judge]
engine = "upstream"
model = "judge"
options = {{ base_url = "{judge.base_url}", retries = 0, breaker_failures = 1000 }}

[vector_stores]
reranker = "judge"
reranked = 3
rerank_seconds = 0.5
"""
    yield from serving(tmp_path_factory.mktemp("reranking"), SIMULATED + declared)


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[OpenAI]:
    """The official one."""
    with client_of(server, "v1") as made:
        yield made


@pytest.fixture(scope="module")
def store(client: OpenAI) -> str:
    """The id of a store with the notes."""
    made = client.vector_stores.create(name="notes")
    ids = [client.files.create(file=each, purpose="assistants").id for each in NOTES.items()]
    client.vector_stores.file_batches.create_and_poll(made.id, file_ids=ids, poll_interval_ms=50)
    return made.id


@pytest.fixture(autouse=True)
def _as_new(judge: JudgeService) -> None:
    judge.__dict__.update(JudgeService().__dict__ | {"base_url": judge.base_url})
    judge.likes = dict(LIKED)


def found(client: OpenAI, store: str, **said: Any) -> list[tuple[str, float]]:  # noqa: ANN401 - of the call
    """Names and scores."""
    page = client.vector_stores.search(store, query=QUESTION, **said)
    return [(each.filename, each.score) for each in page.data]


def names(client: OpenAI, store: str, **said: Any) -> list[str]:  # noqa: ANN401 - of the call
    """Names alone."""
    return [name for name, _ in found(client, store, **said)]


def test_the_model_orders_what_was_found(client: OpenAI, store: str, judge: JudgeService) -> None:
    """By how probable its "yes" is, among "yes" and "no"; what it was not asked about is behind."""
    plain = names(client, store, ranking_options={"ranker": "none"})
    assert plain[0] == "parcels.md"
    assert judge.passages() == []
    judge.likes = dict.fromkeys(("bridge", "whale", "roses"), 0.9) | {"Parcels": 0.2}
    ranked = found(client, store)
    first = judge.asked[0]
    asked = judge.passages()
    assert len(asked) == 3
    assert [name for name, _ in ranked][2] == "parcels.md"
    assert ranked[0][1] == ranked[1][1] == pytest.approx(0.9 / (0.9 + 0.09), abs=1e-6)
    assert ranked[2][1] == pytest.approx(0.2 / (0.2 + 0.72), abs=1e-6)
    (left,) = [name for name, text in NOTES.items() if text.decode() not in asked]
    assert ranked[3][0] == left
    assert ranked[3][1] <= ranked[2][1]
    assert (first["max_tokens"], first["temperature"], first["top_logprobs"]) == (1, 0, 20)
    assert first["messages"][1]["content"].count(QUESTION) == 1


def test_bounds_hold_for_the_new_scores(client: OpenAI, store: str, judge: JudgeService) -> None:
    """Few results are the best of all that it was asked about; thresholds mean its scores."""
    judge.likes = dict.fromkeys(("bridge", "whale", "roses"), 0.9) | {"Parcels": 0.2}
    assert len(names(client, store, max_num_results=1)) == 1
    assert "parcels.md" not in names(client, store, max_num_results=2)
    strict = found(client, store, ranking_options={"score_threshold": 0.5})
    assert len(strict) == 2
    assert names(client, store, ranking_options={"ranker": "default-2024-11-15"})[2] == "parcels.md"


def test_a_passage_that_it_cannot_judge_is_last(
    client: OpenAI, store: str, judge: JudgeService
) -> None:
    """One that is too long for it, or where it says something else."""
    judge.refuses = "Parcels"
    ranked = found(client, store)
    assert ("parcels.md", 0.0) in ranked
    assert ranked[0][1] > 0


@pytest.mark.parametrize("fault", ["slow", "broken", "silent", "refused"])
def test_what_it_cannot_say_leaves_the_order(
    client: OpenAI, server: Server, store: str, judge: JudgeService, fault: str
) -> None:
    """A search never fails for it; the log says why."""
    before = len(server.said)
    reason = {
        "slow": "vector_stores.rerank_seconds",
        "broken": "",
        "silent": "neither yes nor no",
        "refused": "context_length_exceeded",
    }[fault]
    judge.waits_s = 2.0 if fault == "slow" else 0.0
    judge.status = {"broken": 500, "refused": 400}.get(fault, 200)
    judge.says = ("well", "hm") if fault == "silent" else ("yes", "no")
    ranked = found(client, store)
    assert ranked[0][0] == "parcels.md"
    assert len(ranked) == len(NOTES)
    said = server.said[before:]
    assert "results not reranked" in said
    assert reason in said


def test_tools_and_data_sources_find_the_same(
    client: OpenAI, server: Server, store: str, judge: JudgeService
) -> None:
    """What models search for is put in order as well."""
    judge.likes = dict.fromkeys(("bridge", "whale", "roses"), 0.9) | {"Parcels": 0.2}
    answer = client.responses.create(
        model="gpt-4o",
        input=QUESTION,
        tools=[{"type": "file_search", "vector_store_ids": [store], "max_num_results": 2}],
        tool_choice={"type": "file_search"},
        include=["file_search_call.results"],
    )
    (call,) = [each for each in answer.output if each.type == "file_search_call"]
    assert call.results
    assert judge.passages()
    assert (call.results[0].score or 0) > 0.9
    parameters: dict[str, Any] = {
        "endpoint": server.endpoint,
        "index_name": store,
        "authentication": {"type": "system_assigned_managed_identity"},
        "strictness": 1,
    }
    for kind, count in ((None, 3), ("vector_semantic_hybrid", 3), ("simple", 0)):
        body = {"data_sources": [{"type": "azure_search", "parameters": dict(parameters)}]}
        if kind:
            body["data_sources"][0]["parameters"]["query_type"] = kind
        told = client.chat.completions.create(
            model="gpt-4o", messages=[{"role": "user", "content": QUESTION}], extra_body=body
        )
        context = json.loads(told.choices[0].message.model_dump_json())["context"]
        assert len(judge.passages()) == count
        if count:
            assert context["citations"][0]["filepath"] != "parcels.md"


def test_a_real_model_judges(
    tmp_path_factory: pytest.TempPathFactory, coder_model_home: Path
) -> None:
    """Whatever vectors and words say: the passage that answers is first, by llama.cpp."""
    home = tmp_path_factory.mktemp("judging")
    (home / "models").symlink_to(coder_model_home / "models")
    model = "qwen2.5-coder-0.5b-instruct"
    declared = f"""
[[deployments]]
name = "judge"
model = "{model}"
instance = "judge"

[instances.judge]
model = "{model}"

[vector_stores]
reranker = "judge"
rerank_seconds = 120
"""
    with (
        stopped(start_server(home, SIMULATED + declared)) as server,
        client_of(server, "v1") as client,
    ):
        made = client.vector_stores.create()
        texts = {
            "words.txt": b"What is the capital? The capital of a company is its money.",
            "paris.txt": b"Paris is the largest city of France, and its capital.",
            "fruit.txt": b"Bananas are rich in potassium.",
        }
        ids = [client.files.create(file=each, purpose="assistants").id for each in texts.items()]
        client.vector_stores.file_batches.create_and_poll(made.id, file_ids=ids)
        question = "What is the capital of France?"
        judged = [
            (each.filename, each.score)
            for each in client.vector_stores.search(made.id, query=question)
        ]
        assert judged[0][0] == "paris.txt"
        assert 1 > judged[0][1] > judged[-1][1] > 0
        assert "results not reranked" not in server.said
