from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linarite.dataplane.api_versions import DATED, GA, PREVIEW
from linarite.dataplane.call import Call
from linarite.dataplane.router import Router
from linarite.dataplane.routes import ROUTES
from linarite.domain.errors import LinariteError
from tests.dataplane.rig import HELLO
from tests.dataplane.stored import kit_in_memory

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.dataplane.rig import Rig

pytestmark = pytest.mark.anyio

BODIES: dict[str, Any] = {
    "/chat/completions": HELLO,
    "/completions": {"prompt": "x"},
    "/embeddings": {"input": "x"},
}
NOT_FOUND = b'{"error":{"code":"404","message": "Resource not found"'
FIRST = {
    "/chat/completions": ("2023-05-15", "2023-03-15-preview"),
    "/completions": ("2022-12-01", "2023-03-15-preview"),
    "/embeddings": ("2022-12-01", "2023-03-15-preview"),
    "/models": ("2022-12-01", "2023-03-15-preview"),
    "/models/gpt-4o": ("2022-12-01", "2023-03-15-preview"),
}
"""the first GA and preview version of each operation"""


def dated(path: str, version: str) -> str:
    """A path in the dated dialect."""
    base = "/openai/deployments/gpt" if path in BODIES else "/openai"
    return f"{base}{path}?api-version={version}"


def method_of(path: str) -> str:
    """The only method of a path."""
    return "POST" if path in BODIES else "GET"


def test_every_version_of_the_service_is_known() -> None:
    """The list is Azure's: 5 GA versions and 20 previews, none twice."""
    assert len(GA) == 5
    assert len(PREVIEW) == 20
    assert len(DATED) == 25
    assert all(version.endswith("-preview") for version in PREVIEW)


@pytest.mark.parametrize("path", FIRST)
async def test_each_operation_is_there_from_its_first_version_on(server: Rig, path: str) -> None:
    """A dated version that knows the operation answers, an older one says 404."""
    first_ga, first_preview = FIRST[path]
    for version in sorted(DATED):
        known = version >= (first_preview if version.endswith("-preview") else first_ga)
        answer = await server.send(method_of(path), dated(path, version), BODIES.get(path))
        assert answer.status == (200 if known else 404), version
        if not known:
            assert answer.body.startswith(NOT_FOUND)
            assert version not in answer.error["innererror"]["api_versions"]


@pytest.mark.parametrize("path", FIRST)
@pytest.mark.parametrize(
    "query",
    [
        "",
        "?",
        "?api-version=",
        "?api-version=2023-03-15",
        "?api-version=2024-10-21-preview",
        "?api-version=2030-01-01",
        "?api-version=v1",
        "?api-version=preview",
        "?api-version=latest",
        "?API-VERSION=2024-10-21",
        "?api-version=2024-10-21%00",
        "?api-version=%ff%fe",
        "?x=2024-10-21",
        "?api-version=" + "9" * 5000,
    ],
)
async def test_missing_and_unknown_versions_are_not_found(
    server: Rig, path: str, query: str
) -> None:
    """Dated paths want a dated version that exists; `preview` and `v1` are none."""
    target = dated(path, "").replace("?api-version=", query)
    answer = await server.send(method_of(path), target, BODIES.get(path))
    assert answer.status == 404
    assert answer.body.startswith(NOT_FOUND)
    assert len(answer.error["innererror"]["message"]) < 200


@pytest.mark.parametrize("path", FIRST)
@pytest.mark.parametrize("query", ["", "?", "?api-version=v1", "?api-version=preview", "?x=y"])
async def test_v1_needs_no_version(server: Rig, path: str, query: str) -> None:
    """On /openai/v1/ the version may be missing, `v1` or `preview`."""
    body = BODIES[path] | {"model": "gpt"} if path in BODIES else None
    answer = await server.send(method_of(path), f"/openai/v1{path}{query}", body)
    assert answer.status == 200


@pytest.mark.parametrize("version", [*sorted(DATED), "2030-01-01", "latest", "V1"])
async def test_v1_with_a_dated_version_is_refused(server: Rig, version: str) -> None:
    """Azure answers 400 `API version not supported` there."""
    for path in FIRST:
        target = f"/openai/v1{path}?api-version={version}"
        answer = await server.send(method_of(path), target, BODIES.get(path))
        assert answer.status == 400
        expected = b'{"error":{"code":"BadRequest","message": "API version not supported"}}'
        assert answer.body == expected


@pytest.mark.parametrize(
    "path",
    [
        "/openai/deployments/gpt/chat/completions/",
        "//openai//deployments/gpt///chat/completions//",
        "/openai/deployments/gpt/chat//completions",
        "/openai/deployments/GPT/chat/completions",
        "/openai/deployments/g%70t/chat/completions",
        "/openai/deployments/mixed.case_1-X/chat/completions",
        "/openai/deployments/Mixed%2ECase%5F1-x/chat/completions",
        "/openai/deployments/%C3%BCber/chat/completions",
        "/linarite/openai/deployments/gpt/chat/completions",
        "/LINARITE/openai/deployments/gpt/chat/completions",
    ],
)
async def test_paths_are_read_generously(server: Rig, path: str) -> None:
    """Slashes too many, escapes, case of the deployment and the account's name in front."""
    answer = await server.chat_at(f"{path}?api-version=2024-10-21")
    assert answer.status == 200, answer.body


async def test_each_account_is_found_by_its_prefix(pair: Rig) -> None:
    """With two accounts the prefix decides; without one, no key fits."""
    theirs = "/openai/deployments/theirs/chat/completions?api-version=2024-10-21"
    ours = "/openai/deployments/gpt/chat/completions?api-version=2024-10-21"
    key, other = pair.keys.key1, pair.other_keys.key2
    assert (await pair.chat_at("/linarite" + ours, key=key)).status == 200
    assert (await pair.chat_at("/Other" + theirs, key=other)).status == 200
    assert (await pair.chat_at("/other" + ours, key=other)).status == 404
    assert (await pair.chat_at(ours, key=key)).status == 401


@pytest.mark.parametrize(
    "path",
    [
        "/openai/v1/deployments/gpt/chat/completions",
        "/openai/v1/deployments/GPT/chat/completions/",
        "/linarite/openai/v1/deployments/gpt/chat/completions?api-version=v1",
        "//linarite/openai//v1/chat/completions",
    ],
)
async def test_v1_understands_the_deployment_in_the_path(server: Rig, path: str) -> None:
    """`AzureOpenAI` with a v1 base URL inserts it; it wins over the body's model."""
    assert (await server.send("POST", path, HELLO | {"model": "gpt"})).status == 200
    if "deployments" in path:
        assert (await server.send("POST", path, HELLO | {"model": "nope"})).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/openai",
        "/openai/",
        "/openai/v1",
        "/openai/v1/",
        "/openai/v1/chat",
        "/openai/v1/chat/completions/x/y",
        "/openai/v1/chat/completions/../completions",
        "/openai/v2/chat/completions",
        "/v1/chat/completions",
        "/chat/completions",
        "/openai/deployments",
        "/openai/deployments/gpt",
        "/openai/deployments/gpt/chat",
        "/openai/deployments/gpt/models",
        "/openai/deployments/a%2Fb/chat/completions",
        "/openai/chat/completions",
        "/openai/v1/deployments/gpt/models",
        "/openai/v1/deployments/gpt",
        "/linarite/x/openai/v1/models",
        "/linarite",
        "/.env",
        "/openai/v1/moderations",
        "/favicon.ico",
        "/%00",
        "/openai/v1/models%00/",
        "/" + "a" * 10_000,
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_unknown_paths_are_not_found(server: Rig, path: str, method: str) -> None:
    """What no row names is 404 in Azure's words, whatever it looks like."""
    answer = await server.send(method, f"{path}?api-version=2024-10-21")
    if path.startswith("/openai/v1"):
        answer = await server.send(method, path)
    assert answer.status == 404
    assert answer.body.startswith(NOT_FOUND)


@pytest.mark.parametrize("path", FIRST)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
async def test_other_methods_are_not_allowed(server: Rig, path: str, method: str) -> None:
    """405 names the methods that are."""
    # What is stored of chats is listed where they are asked for, but not below a deployment.
    on_v1 = ["GET", "POST"] if path == "/chat/completions" else [method_of(path)]
    places = {dated(path, "2024-10-21"): [method_of(path)], f"/openai/v1{path}": on_v1}
    for target, known in places.items():
        if method in known:
            continue
        answer = await server.send(method, target)
        assert answer.status == 405
        assert answer.header("allow") == ", ".join(known)
        if method != "HEAD":
            assert answer.body == b'{"error":{"code":"405","message": "Method not allowed"}}'


@pytest.mark.parametrize("version", ["2024-10-21", "2025-04-01-preview"])
async def test_what_is_asked_of_a_deployment_names_one(server: Rig, version: str) -> None:
    """404 in every version, also where stored chats are listed at the same path."""
    answer = await server.chat_at(f"/openai/chat/completions?api-version={version}")
    assert answer.status == 404
    assert answer.json()["error"]["message"] == "Resource not found"
    if version == "2025-04-01-preview":
        assert "/openai/deployments/NAME/" in answer.json()["error"]["innererror"]["message"]


async def test_an_unknown_deployment_is_told_before_the_body_is_judged(server: Rig) -> None:
    """Azure's gateway knows the path, its models the body; the hint lists what there is."""
    nope = "/openai/deployments/nope/chat/completions?api-version=2024-10-21"
    for body in (HELLO, {"messages": 3}, b"{"):
        answer = await server.chat_at(nope, body)
        assert answer.status == 404
        assert answer.error["code"] == "DeploymentNotFound"
        assert answer.error["message"] == (
            "The API deployment for this resource does not exist. If you created the deployment "
            "within the last 5 minutes, please wait a moment and try again."
        )
        assert answer.error["innererror"]["requested"] == "nope"
        assert "gpt" in answer.error["innererror"]["deployments"]
    answer = await server.send("POST", "/openai/v1/chat/completions", HELLO | {"model": "nope"})
    assert (answer.status, answer.error["code"]) == (404, "DeploymentNotFound")


async def test_v1_wants_a_model(server: Rig) -> None:
    """Nothing else says which deployment is meant."""
    for body in (HELLO, HELLO | {"model": ""}, HELLO | {"model": None}):
        answer = await server.send("POST", "/openai/v1/chat/completions", body)
        assert answer.status == 400
        assert answer.error["param"] == "model"


async def test_a_deployment_of_another_account_is_like_an_absent_one(pair: Rig) -> None:
    """Nothing tells that `theirs` exists elsewhere."""
    here = "/linarite/openai/deployments/{}/chat/completions?api-version=2024-10-21"
    one = await pair.chat_at(here.format("theirs"))
    two = await pair.chat_at(here.format("absent"))
    assert one.status == two.status == 404
    assert one.body == two.body.replace(b"absent", b"theirs")


ROUTER = Router(ROUTES, kit_in_memory())
SEGMENTS = st.sampled_from(
    ["", "openai", "v1", "deployments", "gpt", "chat", "completions", "models", "x", "%", "\x00"]
)


class NoBody:
    """Of a request that has none."""

    left = False

    async def read(self) -> bytes:
        """Nothing."""
        return b""

    async def pieces(self) -> AsyncIterator[bytes]:
        """Nothing."""
        yield b""


@given(
    path=st.one_of(st.text(), st.lists(SEGMENTS).map(lambda parts: "/" + "/".join(parts))),
    query=st.one_of(st.binary(), st.sampled_from([b"api-version=2024-10-21", b"api-version=v1"])),
    method=st.sampled_from(["GET", "POST", "BREW"]),
)
def test_no_path_and_no_query_surprises_the_router(path: str, query: bytes, method: str) -> None:
    """It answers with an operation or a refusal, and never raises."""
    call = Call(method=method, path=path, headers={}, request_id="", started_at=0, body=NoBody())
    found = ROUTER.find(call, query)
    if isinstance(found, LinariteError):
        assert found.status in {400, 404, 405}
    else:
        assert found.name
