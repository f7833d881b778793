"""Chat over documents (`data_sources`), by the official clients: vector stores and AI Search."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from langchain_openai import AzureChatOpenAI
from openai import APIStatusError, AzureOpenAI, BadRequestError, OpenAI, RateLimitError

from tests.contract.sdk.conftest import client_of
from tests.e2e.test_stored_files import (
    ACCOUNTS,
    CONTRIBUTOR,
    V1,
    application,
    new_account,
    wait_for,
)
from tests.faults.test_provisioning_killed import arm
from tests.search_service import KEY, TOKEN, SearchService, search_service
from tests.serving import SIMULATED, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai.types.chat import ChatCompletion

    from tests.serving import Server

NOT_FOUND = (
    "The requested information is not found in the retrieved data. Please try another query or "
    "topic."
)
NOTES = {
    "whales.txt": b"The blue whale is the largest animal that has ever lived on the earth.",
    "parcels.md": b"Parcels are sent on Mondays and on Thursdays by the post room.",
    "bridge.txt": b"The bridge over the river was built in 1902 by two brothers.",
}
QUESTION = "When are parcels sent by the post room?"
SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000001"
TALKER = "00000001-aaaa-4ccc-8ddd-eeeeeeeeeeee"
"""a role with no part in vector stores"""
OPENAI = "Microsoft.CognitiveServices/accounts/OpenAI"
OWN = {"type": "system_assigned_managed_identity"}
FIELDS = {
    "content_fields": ["chunk"],
    "title_field": "title",
    "url_field": "link",
    "filepath_field": "file",
    "vector_fields": ["vector"],
}


@pytest.fixture(scope="module")
def search() -> Iterator[SearchService]:
    """A search service."""
    with search_service() as service:
        yield service


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, search: SearchService) -> Iterator[Server]:
    """One that may reach the search service, and has a key for it."""
    home = tmp_path_factory.mktemp("documents")
    declared = f"""
[files]
visible_to = "creator"

[search_services.handbook]
endpoint = "{search.endpoint}"
api_key = "{KEY}"
accounts = ["linarite"]

[search_services.elsewhere]
endpoint = "{search.endpoint}"
token_file = "{home / "token"}"
managed_identity = "/subscriptions/1/identities/reader"

[[usage_limits]]
name = "once"
kind = "endUser"
subject = "once"
requests_per_minute = 1
"""
    (home / "token").write_text(TOKEN)
    yield from serving(home, SIMULATED + declared)


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[AzureOpenAI]:
    """The client that checks every answer, with a filled store `notes`."""
    with AzureOpenAI(
        azure_endpoint=server.endpoint,
        api_key=server.key,
        api_version="2025-03-01-preview",
        max_retries=0,
        _strict_response_validation=True,
    ) as made:
        store = made.vector_stores.create(name="notes")
        for at, (name, text) in enumerate(NOTES.items()):
            file = made.files.create(file=(name, text), purpose="assistants")
            came = made.vector_stores.files.create_and_poll(
                file.id,
                vector_store_id=store.id,
                attributes={"year": 2020 + at, "link": f"https://x.example/{name}"},
                poll_interval_ms=50,
            )
            assert came.status == "completed", came.last_error
        yield made


def source(endpoint: str, index: str, **said: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """`extra_body` with one source."""
    parameters = {"endpoint": endpoint, "index_name": index, "authentication": OWN, **said}
    return {"data_sources": [{"type": "azure_search", "parameters": parameters}]}


def ask(
    client: OpenAI,
    body: dict[str, Any],
    *turns: str,
    **more: Any,  # noqa: ANN401 - of the call
) -> ChatCompletion:
    """An answer to the last turn."""
    said = turns or (QUESTION,)
    messages: Any = [
        {"role": ("user", "assistant")[at % 2], "content": text} for at, text in enumerate(said)
    ]
    return client.chat.completions.create(
        model="gpt-4o", messages=messages, extra_body=body, **more
    )


def context(answer: ChatCompletion) -> dict[str, Any]:
    """What the answer rests on."""
    message: Any = answer.choices[0].message
    return message.context


def test_an_answer_rests_on_a_store(client: AzureOpenAI, server: Server) -> None:
    """Citations and intent are in the message, and the tokens of documents are counted."""
    bare = client.chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": QUESTION}]
    )
    answer = ask(client, source(server.endpoint, "notes"))
    told = context(answer)
    assert set(told) == {"citations", "intent"}
    assert json.loads(told["intent"]) == [QUESTION]
    first = told["citations"][0]
    assert first | {"chunk_id": ""} == {
        "content": NOTES["parcels.md"].decode(),
        "title": "parcels.md",
        "url": None,
        "filepath": "parcels.md",
        "chunk_id": "",
    }
    assert first["chunk_id"].isdecimal()
    assert "whales.txt" not in [each["filepath"] for each in told["citations"]]
    assert answer.usage
    assert bare.usage
    assert answer.usage.prompt_tokens > bare.usage.prompt_tokens + 40


def test_all_that_was_retrieved_is_told_where_asked_for(
    client: AzureOpenAI, server: Server
) -> None:
    """Each with the queries that found it, and why the model was not told of it."""
    wanted = ["all_retrieved_documents"]
    mapped = {"url_field": "link"}
    store = client.vector_stores.list().data[0].id  # by its id as well as by its name
    body = source(server.endpoint, store, include_contexts=wanted, fields_mapping=mapped)
    told = context(ask(client, body))
    assert set(told) == {"all_retrieved_documents"}
    every = {each["filepath"]: each for each in told["all_retrieved_documents"]}
    assert set(every) == set(NOTES)
    assert "filter_reason" not in every["parcels.md"]
    assert every["parcels.md"]["url"] == "https://x.example/parcels.md"
    assert every["parcels.md"]["search_queries"] == [QUESTION]
    assert every["parcels.md"]["data_source_index"] == 0
    assert every["whales.txt"]["filter_reason"] == "score"
    everything = source(server.endpoint, store, include_contexts=wanted, strictness=1)
    everything["data_sources"][0]["parameters"]["top_n_documents"] = 1
    reasons = [
        each.get("filter_reason")
        for each in context(ask(client, everything))["all_retrieved_documents"]
    ]
    assert reasons == [None, "rerank", "rerank"]


def test_a_stream_begins_with_the_context(client: AzureOpenAI, server: Server) -> None:
    """In the chunk with the role, and in no other."""
    chunks: list[Any] = list(
        client.chat.completions.create(
            model="gpt-4o",
            messages=[{"role": "user", "content": QUESTION}],
            stream=True,
            extra_body=source(server.endpoint, "notes"),
        )
    )
    first = chunks[0].choices[0].delta
    assert first.role == "assistant"
    assert first.context["citations"][0]["filepath"] == "parcels.md"
    rest = [each for chunk in chunks[1:] for each in chunk.choices]
    assert all("context" not in each.delta.model_dump() for each in rest)
    assert "".join(each.delta.content or "" for each in rest)


@pytest.mark.parametrize("stream", [False, True])
def test_what_no_document_says_is_refused_politely(
    client: AzureOpenAI, server: Server, stream: bool
) -> None:
    """By no model, so nothing was read; unless the question may be answered beyond documents."""
    body = source(server.endpoint, "notes", strictness=5)
    asked: Any = [{"role": "user", "content": "Quantum chromodynamics?"}]
    if stream:
        chunks = list(
            client.chat.completions.create(
                model="gpt-4o",
                messages=asked,
                stream=True,
                stream_options={"include_usage": True},
                extra_body=body,
            )
        )
        said = "".join(each.delta.content or "" for chunk in chunks for each in chunk.choices)
        usage = chunks[-1].usage
    else:
        answer = ask(client, body, "Quantum chromodynamics?", n=2)
        said, usage = answer.choices[1].message.content or "", answer.usage
        assert answer.choices[0].finish_reason == "stop"
        assert context(answer)["citations"] == []
    assert said == NOT_FOUND
    assert usage
    assert usage.total_tokens == 0
    beyond = ask(client, source(server.endpoint, "notes", strictness=5, in_scope=False), "Quarks?")
    assert beyond.choices[0].message.content != NOT_FOUND
    assert beyond.usage
    assert beyond.usage.prompt_tokens > 0


def test_attributes_are_filtered(client: AzureOpenAI, server: Server) -> None:
    """By OData, as an index is."""
    wide = {"strictness": 1, "include_contexts": ["citations"]}
    newer = source(server.endpoint, "notes", filter="year ge 2021 and not (year eq 2022)", **wide)
    assert [each["filepath"] for each in context(ask(client, newer))["citations"]] == ["parcels.md"]
    none = source(server.endpoint, "notes", filter="search.in(team, 'a,b')", **wide)
    assert ask(client, none).choices[0].message.content == NOT_FOUND
    with pytest.raises(BadRequestError, match="Invalid expression") as caught:
        ask(client, source(server.endpoint, "notes", filter="year ge", **wide))
    told: Any = caught.value.body
    assert set(told) == {"requestid", "code", "message"}


@pytest.mark.parametrize("kind", ["simple", "vector", "vector_semantic_hybrid"])
def test_each_kind_of_query(client: AzureOpenAI, server: Server, kind: str) -> None:
    """Words, vectors, or both."""
    answer = ask(client, source(server.endpoint, "notes", query_type=kind))
    assert context(answer)["citations"][0]["filepath"] == "parcels.md"


def test_a_question_that_follows_others_is_searched_with_them(
    client: AzureOpenAI, server: Server
) -> None:
    """The deployment writes the queries; each bound is kept."""
    turns = (QUESTION, "On Mondays.", "And who sends them?")
    intent = json.loads(context(ask(client, source(server.endpoint, "notes"), *turns))["intent"])
    assert intent[-1] == turns[-1]
    assert len(intent) in {2, 3}
    one = source(server.endpoint, "notes", max_search_queries=1)
    assert len(json.loads(context(ask(client, one, *turns))["intent"])) == 1


def test_tools_go_before_documents(client: AzureOpenAI, server: Server) -> None:
    """Azure's policy: with tools that may be called there are no documents."""
    tool: Any = {"type": "function", "function": {"name": "look", "parameters": {}}}
    body = source(server.endpoint, "notes")
    called = ask(client, body, tools=[tool], tool_choice="required")
    assert called.choices[0].message.tool_calls
    assert not hasattr(called.choices[0].message, "context")
    ignored = ask(client, body, tools=[tool], tool_choice="none")
    assert context(ignored)["citations"]
    assert not ignored.choices[0].message.tool_calls


def test_an_answer_that_is_stored_keeps_its_context(client: AzureOpenAI, server: Server) -> None:
    """And the question as it was asked, without documents and keys."""
    answer = ask(client, source(server.endpoint, "notes"), store=True)
    with client_of(server, "v1") as v1:
        kept: Any = v1.chat.completions.retrieve(answer.id)
        path = f"{v1.base_url}chat/completions/{answer.id}/messages"
        messages = httpx.get(path, headers={"api-key": server.key}).json()["data"]
        assert kept.choices[0].message.context == context(answer)
        assert [each["content"] for each in messages] == [QUESTION]
        v1.chat.completions.delete(answer.id)


def test_an_index_of_a_search_service(client: AzureOpenAI, search: SearchService) -> None:
    """By REST, with its fields mapped, and what settings have as the account's identity."""
    body = source(search.endpoint, "handbook", fields_mapping=FIELDS, filter="year ge 2024")
    told = context(ask(client, body))
    assert told["citations"] == [
        {
            "content": "Parcels are sent on Mondays and on Thursdays.",
            "title": "Parcels",
            "url": "https://intranet.example/parcels",
            "filepath": "parcels.md",
            "chunk_id": "1",
        }
    ]
    asked = search.asked[-1]
    assert asked.headers["api-key"] == KEY
    assert asked.api_version == "2024-07-01"
    assert asked.body == {
        "top": 10,
        "count": False,
        "filter": "year ge 2024",
        "search": QUESTION,
        "queryType": "simple",
        "searchFields": "chunk,title",
    }


@pytest.mark.parametrize(
    ("authentication", "header"),
    [
        ({"type": "api_key", "key": KEY}, ("api-key", KEY)),
        ({"type": "access_token", "access_token": TOKEN}, ("authorization", f"Bearer {TOKEN}")),
        (
            {
                "type": "user_assigned_managed_identity",
                "managed_identity_resource_id": "/subscriptions/1/identities/Reader",
            },
            ("authorization", f"Bearer {TOKEN}"),
        ),
    ],
)
def test_each_way_to_open_a_service(
    client: AzureOpenAI,
    search: SearchService,
    authentication: dict[str, str],
    header: tuple[str, str],
) -> None:
    """A key, a token, and an identity that settings know."""
    body = source(search.endpoint, "handbook", authentication=authentication)
    assert context(ask(client, body))["citations"][0]["content"].startswith("Parcels")
    assert search.asked[-1].headers[header[0]] == header[1]


@pytest.mark.parametrize(
    ("dependency", "sent"),
    [
        ({"type": "integrated"}, {"kind": "text", "text": QUESTION}),
        (
            {
                "type": "endpoint",
                "endpoint": "{}/openai/deployments/small/embeddings",
                "authentication": {"type": "api_key", "key": KEY},
            },
            {"kind": "vector", "vector": [1.0, 0.0]},
        ),
        (
            {
                "type": "deployment_name",
                "deployment_name": "text-embedding-3-small",
                "dimensions": 2,
            },
            None,
        ),
    ],
)
def test_each_way_to_a_vector(
    client: AzureOpenAI,
    search: SearchService,
    dependency: dict[str, Any],
    sent: dict[str, Any] | None,
) -> None:
    """By the service, by another endpoint, by a deployment here; and a semantic ranker's score."""
    told = dependency
    if "endpoint" in told:
        told = told | {"endpoint": told["endpoint"].format(search.endpoint)}
    body = source(
        search.endpoint,
        "handbook",
        query_type="vector_semantic_hybrid",
        semantic_configuration="default",
        embedding_dependency=told,
        fields_mapping=FIELDS,
        include_contexts=["citations", "all_retrieved_documents"],
    )
    found = context(ask(client, body))
    assert [each["rerank_score"] for each in found["citations"]] == [3.0]
    assert [each.get("filter_reason") for each in found["all_retrieved_documents"]] == [
        None,
        "score",
    ]
    vector = search.asked[-1].body["vectorQueries"][0]
    assert (vector["fields"], vector["k"]) == ("vector", 10)
    if sent is not None:
        assert sent.items() <= vector.items()
    else:
        assert len(vector["vector"]) == 2


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"index_name": "absent"}, 400, "The index 'absent' was not found."),
        ({"authentication": {"type": "api_key", "key": "wrong"}}, 400, "Error: 403: Access denied"),
        ({"filter": "team eq 'a'"}, 400, "Invalid expression: team eq 'a'"),
        (
            {"query_type": "semantic"},
            400,
            "#/data_sources/0/azure_search/parameters/semantic_configuration: Field required",
        ),
        (
            {
                "authentication": {
                    "type": "user_assigned_managed_identity",
                    "managed_identity_resource_id": "/other",
                }
            },
            400,
            "nothing that opens",
        ),
        (
            {
                "endpoint": "https://search.example",
                "authentication": {"type": "api_key", "key": KEY},
            },
            424,
            "egress.data_source.allowed_hosts",
        ),
        ({"endpoint": "{}/path"}, 400, "parameters/endpoint: Input should be a URL without a path"),
    ],
)
def test_what_a_service_refuses_is_told(
    client: AzureOpenAI, search: SearchService, change: dict[str, Any], status: int, said: str
) -> None:
    """Whose fault it is, is in the status: 400 the request's, 424 the service's."""
    body = source(search.endpoint, "handbook")
    changed = {
        name: value.format(search.endpoint) if name == "endpoint" else value
        for name, value in change.items()
    }
    body["data_sources"][0]["parameters"] |= changed
    with pytest.raises(APIStatusError) as caught:
        ask(client, body)
    assert caught.value.status_code == status
    told: Any = caught.value.body
    assert told["code"] == status
    assert told["requestid"] == caught.value.response.headers["apim-request-id"]
    assert said in told["message"]


def test_a_service_that_is_down_is_a_failed_dependency(
    client: AzureOpenAI, search: SearchService
) -> None:
    """Whatever the client may do about it, the request was right."""
    search.status = 503
    try:
        with pytest.raises(APIStatusError) as caught:
            ask(client, source(search.endpoint, "handbook"))
    finally:
        search.status = 200
    assert caught.value.status_code == 424


def state_of(server: Server, resource: str) -> str:
    """How far a resource is."""
    return arm(server, "GET", resource).json()["properties"]["provisioningState"]


def test_a_store_is_seen_by_its_maker_alone(client: AzureOpenAI, server: Server) -> None:
    """To an application with a key of its own it is absent, by its id as by its name.

    The same at another account, whose own endpoint is another one.
    """
    store = client.vector_stores.list().data[0]
    neighbour = new_account(server, "neighbour")
    deployment = f"{ACCOUNTS}/neighbour/deployments/gpt-4o"
    model = {"format": "OpenAI", "name": "gpt-4o", "version": "2024-11-20"}
    wanted = {"sku": {"name": "Standard", "capacity": 1}, "properties": {"model": model}}
    assert arm(server, "PUT", deployment, wanted).status_code in {200, 201}
    wait_for(lambda: state_of(server, deployment) == "Succeeded")
    for other in (application(server, "reader", CONTRIBUTOR), neighbour):
        endpoint = f"{other.url}/openai/v1/chat/completions"
        for index in (store.id, "notes"):
            body = {"model": "gpt-4o", "messages": [{"role": "user", "content": QUESTION}]}
            body |= source(other.url, index)
            answer = httpx.post(endpoint, json=body, headers={"api-key": other.key})
            assert answer.status_code == 400, answer.text
            assert f"The index '{index}' was not found." in answer.json()["error"]["message"]
    body |= source(server.endpoint + "/linarite", "notes")  # of an account that is not theirs
    endpoint = f"{neighbour.url}/openai/v1/chat/completions"
    answer = httpx.post(endpoint, json=body, headers={"api-key": neighbour.key})
    assert answer.status_code == 400, answer.text


def test_who_is_over_a_limit_costs_no_search(client: AzureOpenAI, search: SearchService) -> None:
    """Nobody is asked; what was let in counts once."""
    body = source(search.endpoint, "handbook", fields_mapping=FIELDS)
    asked: Any = {"model": "gpt-4o", "messages": [{"role": "user", "content": QUESTION}]}
    client.chat.completions.create(**asked, user="once", extra_body=body)
    searched = len(search.asked)
    with pytest.raises(RateLimitError, match="once/requestsPerMinute"):
        client.chat.completions.create(**asked, user="once", extra_body=body)
    assert len(search.asked) == searched


def test_who_may_not_read_stores_is_not_answered_out_of_them(
    client: AzureOpenAI, server: Server
) -> None:
    """Neither by a data source nor by a tool, whatever the store: what is there is not told.

    The role opens all else that an answer is made with.
    """
    role = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{TALKER}"
    granted = ("deployments/chat/completions/action", "deployments/embeddings/action")
    actions = [f"{OPENAI}/{each}" for each in (*granted, "responses/write", "responses/read")]
    permissions = [{"dataActions": actions}]
    said = {"roleName": "Talker", "assignableScopes": [SUBSCRIPTION], "permissions": permissions}
    made = arm(server, "PUT", role, {"properties": said}, version="2022-04-01")
    assert made.status_code in {200, 201}, made.text
    talker = application(server, "talker", TALKER)
    chat = {"model": "gpt-4o", "messages": [{"role": "user", "content": QUESTION}]}
    assert talker.ask("POST", f"{V1}/chat/completions", json=chat).status_code == 200
    for store in (client.vector_stores.list().data[0].id, "vs_none"):
        tool = {"type": "file_search", "vector_store_ids": [store]}
        asked = {"model": "gpt-4o", "input": QUESTION, "tools": [tool]}
        for path, body in (
            ("chat/completions", chat | source(server.endpoint, store)),
            ("responses", asked),
            ("responses", asked | {"stream": True}),
        ):
            answer = talker.ask("POST", f"{V1}/{path}", json=body)
            assert answer.status_code == 401, answer.text
            assert answer.json()["error"]["code"] == "PermissionDenied"
            assert "vector_stores/read" in answer.json()["error"]["message"]


@pytest.mark.usefixtures("client")
def test_langchain_brings_its_sources(server: Server) -> None:
    """As its users write it: the context is with the message."""
    with httpx.Client() as http:
        chat = AzureChatOpenAI(
            azure_endpoint=server.endpoint,
            api_key=server.key,  # pyright: ignore[reportArgumentType] - LangChain makes it one
            api_version="2024-10-21",
            azure_deployment="gpt-4o",
            http_client=http,
            max_retries=0,
            extra_body=source(server.endpoint, "notes"),
        )
        usage = chat.invoke(QUESTION).usage_metadata
        assert usage
        assert usage["input_tokens"] > 100
        assert chat.invoke("Quantum chromodynamics?").content == NOT_FOUND
