"""Reading `data_sources`, and what of documents a model is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from linarite.dataplane.content_notes import without_credentials
from linarite.dataplane.operations.chat_completions.prompt import fitted, with_documents
from linarite.domain.chat import ChatAsk
from linarite.domain.data_source import NOT_FOUND, Document, Retrieved, SearchParameters
from tests.dataplane.rig import CHAT

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.dataplane.rig import Rig

pytestmark = pytest.mark.anyio
AT = "#/data_sources/0/azure_search/parameters"
RIGHT: dict[str, Any] = {
    "endpoint": "http://localhost",
    "index_name": "notes",
    "authentication": {"type": "api_key", "key": "secret"},
}
QUESTION: dict[str, Any] = {"messages": [{"role": "user", "content": "hello"}]}


def asking(*sources: Any, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """A request over sources."""
    return QUESTION | {"data_sources": list(sources)} | more


def search(**said: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """A source that is right but for what is said; None takes a field away."""
    parameters = {name: value for name, value in (RIGHT | said).items() if value is not None}
    return {"type": "azure_search", "parameters": parameters}


REFUSED: list[tuple[dict[str, Any], str]] = [
    (
        asking(search(), search()),
        "#/data_sources: List should have at most 1 item after validation, not 2",
    ),
    (asking({}), "#/data_sources/0: Unable to extract tag using discriminator 'type'"),
    (
        asking({"type": "mysql"}),
        (
            "#/data_sources/0: Input tag 'mysql' found using 'type' does not match any of the "
            "expected tags: 'azure_search'"
        ),
    ),
    (asking({"type": "azure_search"}), "#/data_sources/0/azure_search/parameters: Field required"),
    (asking(search(endpoint=None)), f"{AT}/endpoint: Field required"),
    (asking(search(indexName="x")), f"{AT}/indexName: Extra inputs are not permitted"),
    (asking(search(in_scope="yes")), f"{AT}/in_scope: Input should be a valid boolean"),
    (asking(search(strictness=0)), f"{AT}/strictness: Input should be greater than or equal to 1"),
    (asking(search(strictness=6)), f"{AT}/strictness: Input should be less than or equal to 5"),
    (asking(search(strictness=2.5)), f"{AT}/strictness: Input should be a valid integer"),
    (
        asking(search(top_n_documents=21)),
        f"{AT}/top_n_documents: Input should be less than or equal to 20",
    ),
    (
        asking(search(query_type="fuzzy")),
        (
            f"{AT}/query_type: Input should be 'simple', 'semantic', 'vector', "
            "'vector_simple_hybrid' or 'vector_semantic_hybrid'"
        ),
    ),
    (
        asking(search(include_contexts=["intents"])),
        (
            f"{AT}/include_contexts/0: Input should be 'citations', 'intent' or "
            "'all_retrieved_documents'"
        ),
    ),
    (
        asking(search(authentication={"type": "api_key"})),
        f"{AT}/authentication/api_key/key: Field required",
    ),
    (
        asking(search(embedding_dependency={"type": "model_id", "model_id": "x"})),
        (
            f"{AT}/embedding_dependency: Input tag 'model_id' found using 'type' does not match "
            "any of the expected tags: 'deployment_name', 'endpoint', 'integrated'"
        ),
    ),
    (
        asking(search(fields_mapping={"content_fields": "text"})),
        f"{AT}/fields_mapping/content_fields: Input should be a valid list",
    ),
    (asking(search(), logprobs=True), "#/logprobs: Extra inputs are not permitted"),
]


@pytest.mark.parametrize(("body", "problem"), REFUSED, ids=[said for _, said in REFUSED])
async def test_each_fault_is_told_with_its_place(
    server: Rig, body: dict[str, Any], problem: str
) -> None:
    """In the service's form: the request's id, a number for a code, and the message."""
    answer = await server.chat(body)
    assert answer.status == 400
    assert answer.json()["error"] == {
        "requestid": answer.header("apim-request-id"),
        "code": 400,
        "message": f"Validation error at {problem}",
    }


async def test_no_source_is_a_chat(server: Rig) -> None:
    """An empty list says as much as none."""
    assert (await server.chat(asking())).status == 200


async def test_all_faults_are_told_at_once(server: Rig) -> None:
    """One in each line; a null stands for what is absent."""
    answer = await server.chat(asking(search(endpoint=None, strictness=9, filter=None) | {"x": 1}))
    lines = answer.json()["error"]["message"].split("\n")
    assert lines == [
        "Validation error at #/data_sources/0/azure_search/parameters/endpoint: Field required",
        f"Validation error at {AT}/strictness: Input should be less than or equal to 5",
        "Validation error at #/data_sources/0/azure_search/x: Extra inputs are not permitted",
    ]


@pytest.mark.parametrize(
    "kind", ["azure_cosmos_db", "azure_ml_index", "elasticsearch", "mongo_db", "pinecone"]
)
async def test_sources_of_other_types_are_named(server: Rig, kind: str) -> None:
    """They are known, and it is said what there is instead."""
    answer = await server.chat(asking({"type": kind, "parameters": {}}))
    assert answer.status == 400
    assert f"of the type '{kind}' are not searched by this server" in answer.body.decode()


@pytest.mark.parametrize(
    ("version", "known"),
    [
        ("2024-02-01", True),
        ("2024-02-15-preview", True),
        ("2023-05-15", False),
        ("2023-12-01-preview", False),
    ],
)
async def test_versions_before_it_do_not_know_it(server: Rig, version: str, known: bool) -> None:
    """They had a path of its own."""
    target = CHAT.partition("?")[0] + f"?api-version={version}"
    answer = await server.chat_at(target, asking(search(strictness=9)))
    assert answer.status == 400
    told = answer.json()["error"]["message"]
    assert ("Validation error" in told) == known
    assert ("Unrecognized request argument supplied: data_sources" in told) != known


async def test_an_index_that_is_not_there(server: Rig) -> None:
    """Nothing was asked of the engine, and the record says what refused."""
    before = len(server.engine.asked)
    answer = await server.chat(asking(search()))
    assert "The index 'notes' was not found." in answer.json()["error"]["message"]
    assert len(server.engine.asked) == before


def ask_of(*messages: dict[str, Any]) -> ChatAsk:
    """A request, read."""
    return msgspec.convert({"messages": [*messages]}, ChatAsk)


def said_of(**said: Any) -> SearchParameters:  # noqa: ANN401 - any JSON
    """Parameters, read."""
    return msgspec.convert(RIGHT | said, SearchParameters)


DOCUMENTS = [Document(content="a" * 300, title="A"), Document(content="b" * 300, title="B")]
USER = {"role": "user", "content": "Which?"}


def test_documents_stand_before_the_last_question() -> None:
    """The task is part of the caller's system message, else after what the role is."""
    earlier = {"role": "user", "content": "Before?"}
    answer = {"role": "assistant", "content": "Yes."}
    ask = ask_of({"role": "system", "content": "Be kind."}, earlier, answer, USER)
    system, first, _, last = with_documents(ask, said_of(role_information="x"), DOCUMENTS).messages
    assert str(system.content).startswith("Be kind.\n\nThe user's message begins with documents")
    assert NOT_FOUND in str(system.content)
    assert first.content == "Before?"
    assert str(last.content).startswith("Documents:\n\n[doc1] A\naaa")
    assert str(last.content).endswith("\n\nQuestion: Which?")
    beyond = with_documents(ask_of(USER), said_of(in_scope=False, role_information="A clerk."), [])
    assert str(beyond.messages[0].content).startswith("A clerk.\n\n")
    assert NOT_FOUND not in str(beyond.messages[0].content)


def test_parts_of_a_question_stay_as_they_are() -> None:
    """A picture beside it, for example."""
    image = {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}}
    ask = ask_of({"role": "user", "content": [{"type": "text", "text": "Which?"}, image]})
    content: Any = with_documents(ask, said_of(), DOCUMENTS).messages[-1].content
    assert [type(each).__name__ for each in content] == ["TextPart", "TextPart", "ImagePart"]


@pytest.mark.parametrize(
    ("context_tokens", "right"),
    [
        (0, lambda one, two: (len(one.content), two.filtered) == (300, None)),
        (4096, lambda one, two: (len(one.content), two.filtered) == (300, None)),
        (480, lambda one, two: (len(one.content), two.filtered) == (300, "rerank")),
        (390, lambda one, two: 0 < len(one.content) < 300 and two.filtered == "rerank"),
    ],
)
def test_as_many_documents_as_there_is_room_for(
    context_tokens: int, right: Callable[[Document, Document], bool]
) -> None:
    """Of the best one its beginning; citations show what was told, not more."""
    one, two = fitted(Retrieved(DOCUMENTS), ask_of(USER), said_of(), context_tokens).documents
    assert right(one, two)


def test_kept_content_has_no_credentials() -> None:
    """Of whatever opens a source, its type is kept; what is named alike elsewhere stays."""
    body = asking(
        search(embedding_dependency={"type": "endpoint", "authentication": {"key": "secret"}}),
        tools=[{"function": {"parameters": {"authentication": {"type": "string", "a": 1}}}}],
    )
    kept = without_credentials(msgspec.json.encode(body))
    told = msgspec.json.decode(kept)
    assert b"secret" not in kept
    assert told["data_sources"][0]["parameters"]["authentication"] == {"type": "api_key"}
    assert told["tools"] == body["tools"]
    assert without_credentials(b"{") == b"{"
    spelt = msgspec.json.encode(body).replace(b'"authentication"', b'"\\u0061uthentication"')
    assert without_credentials(spelt) == kept


@pytest.mark.parametrize("said", [{"temperature": "hot"}, {"model": 7}, {}])
def test_what_is_refused_is_kept_without_credentials_too(said: dict[str, Any]) -> None:
    """Of tools of MCP servers neither headers nor the path of the address."""
    tool = {"type": "mcp", "server_label": "x", "authorization": "s3cret", "allowed_tools": ["a"]}
    at = {"server_url": "https://mcp.example.com/s3cret?k=s3cret", "headers": {"k": "s3cret"}}
    body = {"tools": [tool | at, {"type": "mcp", "server_url": "s3cret"}, 7]} | said
    kept = without_credentials(msgspec.json.encode(body))
    told = msgspec.json.decode(kept)
    assert b"s3cret" not in kept
    assert told["tools"][0]["server_url"] == "https://mcp.example.com/<redacted>"
    assert told["tools"][0]["allowed_tools"] == ["a"]


@pytest.mark.parametrize(
    "said",
    [b'{"data_sources":[{"authentication":{"key":"s3cret"}}', b"[" * 700 + b"]" * 700, b"[" * 9999],
)
def test_of_what_cannot_be_read_no_credentials_are_kept(said: bytes) -> None:
    """Broken off, or nested too deeply."""
    if said.startswith(b"["):
        said = b'{"data_sources":' + said + b',"authentication":"s3cret"}'
    assert b"s3cret" not in without_credentials(said)
