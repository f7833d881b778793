"""Vector stores, by the official clients."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from openai import APIStatusError, AzureOpenAI, BadRequestError, NotFoundError, OpenAI

from tests.contract.sdk.conftest import client_of
from tests.serving import SIMULATED, serving
from tests.vector_stores.documents import docx, pdf

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai.types import VectorStore

    from tests.contract.sdk.conftest import Target
    from tests.serving import Server

DAY_S = 86_400
NOTES = {
    "whales.txt": b"The blue whale is the largest animal that has ever lived.",
    "parcels.md": b"# Parcels\n\nParcels are sent on Mondays and on Thursdays.",
    "bridge.txt": b"The bridge over the river was built in 1902 by two brothers.",
}
ABSENT = "00000000000000000000000000000"
SMALL = """
[vector_stores]
stores_max = 12
files_max = 6
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One with small bounds."""
    yield from serving(tmp_path_factory.mktemp("vectors"), SIMULATED + SMALL)


@pytest.fixture(scope="module", params=["dated", "v1"])
def client(request: pytest.FixtureRequest, server: Server) -> Iterator[OpenAI]:
    """Each dialect's."""
    if request.param == "v1":
        made: OpenAI = client_of(server, "v1")
    else:
        made = AzureOpenAI(
            azure_endpoint=server.endpoint,
            api_key=server.key,
            api_version="2025-03-01-preview",
            max_retries=0,
            _strict_response_validation=True,
        )
    with made:
        yield made


@pytest.fixture(autouse=True)
def _none_left(server: Server) -> Iterator[None]:
    yield
    with client_of(server, "v1") as client:
        for store in client.vector_stores.list():
            client.vector_stores.delete(store.id)
        for file in client.files.list():
            client.files.delete(file.id)


def stored(client: OpenAI, name: str, content: bytes) -> str:
    """The id of a new file."""
    return client.files.create(file=(name, content), purpose="assistants").id


def filled(client: OpenAI, **said: Any) -> VectorStore:  # noqa: ANN401 - of the call
    """A store with the notes in it."""
    store = client.vector_stores.create(name="notes", **said)
    ids = [stored(client, *each) for each in NOTES.items()]
    batch = client.vector_stores.file_batches.create_and_poll(
        store.id, file_ids=ids, poll_interval_ms=50
    )
    assert batch.status == "completed"
    assert batch.file_counts.completed == len(NOTES)
    return store


def test_a_store_lives(client: OpenAI) -> None:
    """Made, found, listed, changed, deleted; then absent."""
    made = client.vector_stores.create(
        name="a",
        metadata={"team": "blue"},
        expires_after={"anchor": "last_active_at", "days": 3},
    )
    assert made.id.startswith("vs_")
    assert (made.status, made.usage_bytes, made.file_counts.total) == ("completed", 0, 0)
    assert made.expires_at == (made.last_active_at or 0) + 3 * DAY_S
    other = client.vector_stores.create()
    assert other.name == ""
    assert [each.id for each in client.vector_stores.list()] == [other.id, made.id]
    first = client.vector_stores.list(limit=1, order="asc")
    assert [each.id for each in first.data] == [made.id]
    assert [each.id for each in client.vector_stores.list(limit=1)] == [other.id, made.id]
    changed = client.vector_stores.update(made.id, name="b", metadata={}, expires_after=None)
    assert (changed.name, changed.metadata, changed.expires_at) == ("b", {}, None)
    assert client.vector_stores.retrieve(made.id).name == "b"
    assert client.vector_stores.delete(made.id).deleted
    for call in (client.vector_stores.retrieve, client.vector_stores.delete):
        with pytest.raises(NotFoundError, match=made.id):
            call(made.id)


def test_files_are_found_by_what_they_say(client: OpenAI) -> None:
    """The right one first, with its name, a score between 0 and 1, and the query as it was."""
    store = filled(client)
    page = client.vector_stores.search(store.id, query="When are parcels sent?")
    assert page.data[0].filename == "parcels.md"
    assert len(page.data) == len(NOTES)
    scores = [each.score for each in page.data]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 for score in scores)
    assert "Mondays" in page.data[0].content[0].text
    (best,) = client.vector_stores.search(store.id, query="largest animal", max_num_results=1).data
    assert best.filename == "whales.txt"
    strict = client.vector_stores.search(
        store.id, query="parcels", ranking_options={"score_threshold": 0.7}
    )
    assert [each.filename for each in strict.data] == ["parcels.md"]
    several = client.vector_stores.search(
        store.id, query=["parcels", "bridge"], max_num_results=2, rewrite_query=True
    )
    assert {each.filename for each in several.data} == {"parcels.md", "bridge.txt"}
    assert several.model_extra is not None
    assert several.model_extra["search_query"] == ["parcels", "bridge"]
    alike = client.vector_stores.search(
        store.id, query=NOTES["bridge.txt"].decode(), ranking_options={"ranker": "none"}
    )
    assert alike.data[0].filename == "bridge.txt"
    assert alike.data[0].score > 0.99


def test_files_and_their_attributes(client: OpenAI) -> None:
    """A file tells how it is cut and what it takes; filters go by attributes, also changed ones."""
    store = client.vector_stores.create()
    for year, (name, content) in zip((2022, 2023, 2024), NOTES.items(), strict=True):
        client.vector_stores.files.create_and_poll(
            stored(client, name, content),
            vector_store_id=store.id,
            attributes={"year": year, "kind": "note"},
            chunking_strategy={
                "type": "static",
                "static": {"max_chunk_size_tokens": 200, "chunk_overlap_tokens": 50},
            },
            poll_interval_ms=50,
        )
    listed = list(client.vector_stores.files.list(store.id))
    assert [each.status for each in listed] == ["completed"] * 3
    newest = listed[0]
    assert newest.chunking_strategy is not None
    assert newest.chunking_strategy.type == "static"
    assert newest.chunking_strategy.static.max_chunk_size_tokens == 200
    assert newest.attributes == {"year": 2024, "kind": "note"}
    assert newest.usage_bytes > 0
    whole = client.vector_stores.retrieve(store.id)
    assert whole.usage_bytes == sum(each.usage_bytes for each in listed)
    assert (whole.file_counts.completed, whole.file_counts.total) == (3, 3)

    def names(filters: Any) -> set[str]:  # noqa: ANN401 - as the client takes it
        found = client.vector_stores.search(store.id, query="the", filters=filters)
        return {each.filename for each in found.data}

    late = {"type": "gte", "key": "year", "value": 2023}
    assert names(late) == {"parcels.md", "bridge.txt"}
    assert names(
        {"type": "and", "filters": [late, {"type": "ne", "key": "year", "value": 2024}]}
    ) == {"parcels.md"}
    assert names({"type": "eq", "key": "year", "value": 1}) == set()
    changed = client.vector_stores.files.update(
        newest.id, vector_store_id=store.id, attributes={"year": 2000}
    )
    assert changed.attributes == {"year": 2000}
    assert names(late) == {"parcels.md"}


def test_a_file_is_taken_out(client: OpenAI) -> None:
    """Out of the store it is not found; a file that is deleted is not found either."""
    store = filled(client)
    by_name = {
        client.files.retrieve(each.id).filename: each.id
        for each in client.vector_stores.files.list(store.id)
    }
    content = client.vector_stores.files.content(by_name["bridge.txt"], vector_store_id=store.id)
    assert [each.text for each in content.data] == [NOTES["bridge.txt"].decode()]
    out = client.vector_stores.files.delete(by_name["parcels.md"], vector_store_id=store.id)
    assert out.deleted
    assert client.files.retrieve(by_name["parcels.md"]).filename == "parcels.md"
    client.files.delete(by_name["bridge.txt"])
    found = client.vector_stores.search(store.id, query="parcels bridge whale")
    assert [each.filename for each in found.data] == ["whales.txt"]
    assert client.vector_stores.retrieve(store.id).file_counts.total == 1
    with pytest.raises(NotFoundError, match="No file found"):
        client.vector_stores.files.retrieve(by_name["parcels.md"], vector_store_id=store.id)


def test_documents_come_in_and_broken_ones_fail_alone(client: OpenAI) -> None:
    """Each with its reason; the store is ready all the same."""
    store = client.vector_stores.create()
    good = [
        stored(client, "a.pdf", pdf("Invoices are due after thirty days")),
        stored(client, "a.docx", docx("Holidays are planned in January")),
    ]
    bad = {
        stored(client, "a.png", b"\x89PNG\r\n\x1a\n\0\0"): "unsupported_file",
        stored(client, "b.pdf", b"%PDF-1.4 nonsense"): "invalid_file",
    }
    batch = client.vector_stores.file_batches.create_and_poll(
        store.id, file_ids=[*good, *bad], poll_interval_ms=50
    )
    assert batch.status == "completed"
    assert (batch.file_counts.completed, batch.file_counts.failed) == (2, 2)
    failed = client.vector_stores.file_batches.list_files(
        batch.id, vector_store_id=store.id, filter="failed"
    )
    told = {each.id: each.last_error.code for each in failed if each.last_error is not None}
    assert told == bad
    assert client.vector_stores.retrieve(store.id).status == "completed"
    found = client.vector_stores.search(store.id, query="when are invoices due", max_num_results=1)
    assert found.data[0].filename == "a.pdf"


def test_a_batch_is_cancelled(client: OpenAI) -> None:
    """What has not come by then comes no more; nothing is left in progress."""
    store = client.vector_stores.create()
    ids = [stored(client, f"{each}.txt", b"word " * 300_000) for each in range(5)]
    batch = client.vector_stores.file_batches.create(store.id, file_ids=ids)
    assert batch.status == "in_progress"
    cancelled = client.vector_stores.file_batches.cancel(batch.id, vector_store_id=store.id)
    assert cancelled.status == "cancelled"
    assert cancelled.file_counts.in_progress == 0
    assert cancelled.file_counts.cancelled >= 1
    time.sleep(0.3)
    again = client.vector_stores.file_batches.retrieve(batch.id, vector_store_id=store.id)
    assert again.file_counts == cancelled.file_counts
    with pytest.raises(NotFoundError, match="No file batch"):
        client.vector_stores.file_batches.retrieve(f"vsfb_{ABSENT}", vector_store_id=store.id)


def test_a_store_is_made_with_files(client: OpenAI) -> None:
    """And is in progress until they have come."""
    file_id = stored(client, "a.txt", NOTES["whales.txt"])
    store = client.vector_stores.create(file_ids=[file_id])
    assert store.file_counts.total == 1
    deadline = time.monotonic() + 20
    while client.vector_stores.retrieve(store.id).status == "in_progress":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert client.vector_stores.search(store.id, query="whale").data[0].file_id == file_id


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("", {"expires_after": {"anchor": "created_at", "days": 1}}, "expires_after.anchor"),
        ("", {"expires_after": {"anchor": "last_active_at", "days": 0}}, "expires_after.days"),
        ("", {"metadata": {str(each): "x" for each in range(17)}}, "metadata"),
        ("", {"file_ids": ["x"] * 501}, "file_ids"),
        ("/{}/files", {}, "file_id"),
        ("/{}/files", {"file_id": "x", "attributes": {"a": "x" * 513}}, "attributes"),
        (
            "/{}/files",
            {"file_id": "x", "chunking_strategy": {"type": "y"}},
            "chunking_strategy.type",
        ),
        (
            "/{}/files",
            {
                "file_id": "x",
                "chunking_strategy": {
                    "type": "static",
                    "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 51},
                },
            },
            "chunking_strategy.static.chunk_overlap_tokens",
        ),
        ("/{}/file_batches", {}, "files"),
        ("/{}/file_batches", {"file_ids": []}, "file_ids"),
        ("/{}/search", {}, "query"),
        ("/{}/search", {"query": " "}, "query"),
        ("/{}/search", {"query": "x", "max_num_results": 51}, "max_num_results"),
        ("/{}/search", {"query": "x", "filters": {"type": "x"}}, "filters"),
        (
            "/{}/search",
            {"query": "x", "ranking_options": {"ranker": "best"}},
            "ranking_options.ranker",
        ),
        ("", {"files": []}, "files"),
        ("", {"expires_after": {"anchor": "last_active_at", "day": 1}}, "expires_after.day"),
        ("/{}", {"file_ids": []}, "file_ids"),
        ("/{}/files", {"file_id": "x", "attribute": {}}, "attribute"),
        ("/{}/files/x", {"attributes": {}, "metadata": {}}, "metadata"),
        ("/{}/file_batches", {"files": [{"file_id": "x", "name": "y"}]}, "files[0].name"),
        ("/{}/search", {"query": "x", "filter": {"type": "eq"}}, "filter"),
        ("/{}/search", {"query": "x", "ranking_options": {"rank": 1}}, "ranking_options.rank"),
    ],
)
def test_what_is_refused_names_its_field(
    server: Server, path: str, body: dict[str, Any], param: str
) -> None:
    """As the service does."""
    with client_of(server, "v1") as client:
        store = client.vector_stores.create()
    url = f"{server.endpoint}/openai/v1/vector_stores{path.format(store.id)}"
    told = httpx.post(url, json=body, headers={"api-key": server.key})
    assert told.status_code == 400, told.text
    assert told.json()["error"]["param"] == param


def test_bounds_are_named(server: Server) -> None:
    """How many stores and files there may be, and which setting says so."""
    with client_of(server, "v1") as client:
        store = client.vector_stores.create()
        ids = [stored(client, f"{each}.txt", b"x") for each in range(7)]
        with pytest.raises(BadRequestError, match=r"vector_stores\.files_max"):
            client.vector_stores.file_batches.create(store.id, file_ids=ids)
        for _ in range(11):
            client.vector_stores.create()
        with pytest.raises(BadRequestError, match=r"vector_stores\.stores_max"):
            client.vector_stores.create()
        with pytest.raises(APIStatusError, match="No such File object"):
            client.vector_stores.files.create(store.id, file_id=f"file-{ABSENT}")


def test_a_list_is_turned_back(client: OpenAI) -> None:
    """`before` gives the part that ends there, in the order of the list; not beside `after`."""
    made = [client.vector_stores.create(name=str(each)).id for each in range(4)]
    newest_first = made[::-1]
    for order, ids in (("desc", newest_first), ("asc", made)):
        told: Any = {"order": order, "limit": 2}
        part = client.vector_stores.list(before=ids[3], **told)
        assert [each.id for each in part.data] == ids[1:3]
        assert part.has_more
        first = client.vector_stores.list(before=ids[1], **told)
        assert [each.id for each in first.data] == ids[:1]
        assert not first.has_more
    for listed in (client.vector_stores.list, partial(client.vector_stores.files.list, made[0])):
        with pytest.raises(BadRequestError, match="Only one of"):
            listed(before=made[0], after=made[1])


def test_dated_versions_that_know_no_stores(server: Server) -> None:
    """No version but previews does."""
    url = f"{server.endpoint}/openai/vector_stores?api-version=2024-10-21"
    assert httpx.get(url, headers={"api-key": server.key}).status_code == 404


@pytest.mark.real_model
def test_a_question_in_another_language(real: Target) -> None:
    """The real model finds what was meant, though no word is the same; long chunks have vectors."""
    with client_of(real.server, "v1") as client:
        store = filled(client)
        long = stored(client, "long.txt", b"Volcanoes throw out ash and stones. " * 120)
        client.vector_stores.files.create_and_poll(long, vector_store_id=store.id)
        for question, name in {
            "Wann werden Pakete verschickt?": "parcels.md",
            "Quel est le plus grand animal ?": "whales.txt",
            "¿Qué expulsa un volcán?": "long.txt",
        }.items():
            found = client.vector_stores.search(store.id, query=question, max_num_results=1)
            assert [each.filename for each in found.data] == [name]
        client.vector_stores.delete(store.id)
