"""Listing models, in both dialects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import openai
import pytest

from tests.dataplane.rig import GA, HELLO, rig

if TYPE_CHECKING:
    from tests.dataplane.rig import Rig

pytestmark = pytest.mark.anyio

DATED = f"?api-version={GA}"


@pytest.mark.parametrize("base", ["/openai/models{}" + DATED, "/openai/v1/models{}"])
async def test_a_model_is_shown_in_azures_shape(server: Rig, base: str) -> None:
    """Once for all its deployments, with what the official clients demand beside."""
    await server.chat(HELLO)
    listed = await server.send("GET", base.format(""))
    assert listed.status == 200
    assert listed.header("content-type") == "application/json"
    assert listed.json()["object"] == "list"
    (model,) = listed.json()["data"]
    assert model.pop("created") == model.pop("created_at") > 1_700_000_000
    assert model == {
        "id": "gpt-4o",
        "object": "model",
        "status": "succeeded",
        "capabilities": {
            "fine_tune": False,
            "inference": True,
            "completion": True,
            "chat_completion": True,
            "embeddings": True,
        },
        "lifecycle_status": "generally-available",
        "deprecation": {},
        "deployments": ["gpt", "Mixed.Case_1-x", "über"],
        "owned_by": "openai",
    }
    for name in ("gpt-4o", "gpt", "GPT", "mixed.case_1-x", "%C3%BCber"):
        found = await server.send("GET", base.format(f"/{name}"))
        assert found.status == 200
        assert found.json() == listed.json()["data"][0]


async def test_an_unknown_model_is_told_which_there_are(server: Rig) -> None:
    """404 in Azure's words; the hint is bounded."""
    for name in ("nope", "x" * 5000, "a/b"):
        answer = await server.send("GET", f"/openai/v1/models/{name}")
        assert answer.status == 404
        assert answer.error["message"] == "Resource not found"
        assert answer.error["innererror"] == {"requested": name[:200], "models": ["gpt-4o"]}


async def test_before_an_instance_has_started_its_abilities_are_unknown() -> None:
    """Listing models starts nothing."""
    async with rig() as running:
        answer = await running.send("GET", "/openai/v1/models")
        abilities = answer.json()["data"][0]["capabilities"]
        assert [abilities[name] for name in ("completion", "chat_completion", "embeddings")] == [
            False
        ] * 3
        assert running.instance.state == "NotStarted"


async def test_an_account_without_deployments_has_no_models() -> None:
    """An empty list is an answer."""
    async with rig(deployments=()) as running:
        answer = await running.send("GET", "/openai/v1/models")
        assert (answer.status, answer.json()) == (200, {"data": [], "object": "list"})


async def test_a_body_is_no_fault(server: Rig) -> None:
    """Some clients send one with a GET; it is not read, and the connection is as good as before."""
    for body in (b"{}", b"not json", b"x" * 200_000):
        answer = await server.send("GET", "/openai/v1/models", body)
        assert answer.status == 200


@pytest.mark.parametrize("client_of", ["azure", "plain"])
async def test_the_official_clients_read_the_list(server: Rig, client_of: str) -> None:
    """Strictly: every field they demand is there."""
    client: openai.AsyncOpenAI
    if client_of == "azure":
        client = openai.AsyncAzureOpenAI(
            azure_endpoint=server.url,
            api_key=server.keys.key1,
            api_version=GA,
            _strict_response_validation=True,
        )
    else:
        client = openai.AsyncOpenAI(
            base_url=f"{server.url}/openai/v1/",
            api_key=server.keys.key1,
            _strict_response_validation=True,
        )
    async with client:
        assert [model.id async for model in client.models.list()] == ["gpt-4o"]
        assert (await client.models.retrieve("gpt")).id == "gpt-4o"
        with pytest.raises(openai.NotFoundError):
            await client.models.retrieve("nope")
