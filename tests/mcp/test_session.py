"""Sessions with MCP servers: a real one of each kind, and those that mean ill."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from linarite.controls.egress import EgressDialer, EgressPolicy, PurposeHosts
from linarite.domain.errors import InvalidRequest
from linarite.domain.target import target_of
from linarite.mcp import McpClient, McpServer
from linarite.mcp.options import Mcp
from linarite.mcp.server import McpProblem
from linarite.mcp.session import header_text
from linarite.mcp.tools import is_readable, read_result, read_tools
from tests import mcp_server

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator
    from pathlib import Path

    from linarite.mcp import McpSession

pytestmark = pytest.mark.anyio
HOSTS = PurposeHosts(named_hosts=frozenset(("127.0.0.1",)))
OPTIONS = Mcp(private_hosts=["127.0.0.1"], answer_bytes_max=64 * 1024)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server notes what it was asked."""
    return tmp_path_factory.mktemp("mcp")


@pytest.fixture(scope="module")
def url(home: Path) -> Iterator[str]:
    """A server of every kind."""
    with mcp_server.running(home) as url:
        yield url


@asynccontextmanager
async def session_with(
    url: str, options: Mcp = OPTIONS, headers: tuple[tuple[str, str], ...] = ()
) -> AsyncGenerator[McpSession, None]:
    """A session, ended afterwards."""
    client = McpClient(EgressDialer(EgressPolicy(purposes={"mcp": HOSTS})), options)
    session = client.session(McpServer("calc", target_of(url), headers), "")
    try:
        yield session
    finally:
        client.leave(session)
        await client.stop()


def noted(home: Path, name: str) -> list[dict[str, Any]]:
    """What the server has noted."""
    return [json.loads(line) for line in (home / f"{name}.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("kind", ["session", "plain", "modern"])
async def test_tools_are_listed_and_called(url: str, home: Path, kind: str) -> None:
    """By servers with sessions and without, in events and in JSON, of all pages."""
    headers = (("x-team", "blue"), ("authorization", "Bearer t"))
    async with session_with(f"{url}/{kind}", headers=headers) as session:
        tools = await session.tools()
        assert [each.name for each in tools] == ["add", "note", "fail", "files.list"]
        assert [each.read_only for each in tools] == [True, False, False, False]
        assert await session.call("add", {"a": 2, "b": 3}) == ("5", None)
        failed = await session.call("fail", {})
        assert failed.output == "It went wrong."
        assert failed.error is not None
        assert failed.error["type"] == "mcp_tool_execution_error"
        with pytest.raises(McpProblem) as unknown:
            await session.call("nothing", {})
        assert unknown.value.told == {
            "type": "mcp_protocol_error",
            "code": -32602,
            "message": "Unknown tool: nothing",
        }
    asked = [each for each in noted(home, "requests") if each["path"] == f"/{kind}"]
    posts = [each for each in asked if "headers" in each]
    assert {each["headers"]["x-team"] for each in posts} == {"blue"}
    assert {each["headers"]["authorization"] for each in posts} == {"Bearer t"}
    methods = [each["asked"].get("method", "reply") for each in posts]
    assert ("initialize" in methods) == (kind != "modern")
    assert ("reply" in methods) == (kind == "session"), "pings are answered"
    assert any("headers" not in each for each in asked) == (kind == "session"), "it was ended"


async def test_a_session_that_the_server_forgot_is_begun_anew(url: str) -> None:
    """Once, and what was asked is asked again."""
    async with session_with(f"{url}/session") as session:
        await session.tools()
        async with session_with(f"{url}/session") as other:
            other._session_id = session._session_id
        assert await session.call("add", {"a": 1, "b": 1}) == ("2", None)


@pytest.mark.parametrize(
    ("kind", "problem", "number", "says"),
    [
        ("endless", "mcp_protocol_error", -32603, "mcp.answer_bytes_max"),
        ("silent", "http_error", 504, "within 0.5 seconds"),
        ("page", "mcp_protocol_error", -32603, "without a result"),
        ("moved", "http_error", 307, "redirect"),
        ("denied", "http_error", 401, "Unauthorized"),
        ("deep", "mcp_protocol_error", -32603, "JSON-RPC"),
    ],
)
async def test_what_is_no_answer_is_a_problem(
    url: str, kind: str, problem: str, number: int, says: str
) -> None:
    """Bounded in time and size, and never more than that."""
    list_s = 0.5 if kind == "silent" else 60.0
    options = Mcp(private_hosts=["127.0.0.1"], answer_bytes_max=256 * 1024, list_s=list_s)
    async with session_with(f"{url}/{kind}", options) as session:
        with pytest.raises(McpProblem) as told:
            await session.tools()
    assert (told.value.kind, told.value.number) == (problem, number)
    assert says in told.value.message


async def test_nothing_is_reached_that_egress_does_not_allow() -> None:
    """The refusal names the setting."""
    async with session_with("https://mcp.example.com/x") as session:
        with pytest.raises(McpProblem, match=r"egress\.mcp\.allowed_hosts") as told:
            await session.tools()
    assert (told.value.kind, told.value.number) == ("http_error", 403)


async def test_without_tls_only_named_hosts_are_spoken_to() -> None:
    """What is sent may be secret."""
    with pytest.raises(InvalidRequest, match=r"mcp\.private_hosts"):
        async with session_with("http://mcp.example.com/x"):
            pass


@pytest.mark.parametrize(
    "listed",
    [
        ["add"],
        [{"name": 7, "inputSchema": {}}],
        [{"name": "x", "inputSchema": []}],
        [{"name": f"t{at}"} for at in range(257)],
    ],
)
async def test_a_bad_list_is_a_problem(listed: list[Any]) -> None:
    """Whatever stands in it."""
    with pytest.raises(McpProblem):
        read_tools(listed, 256, modern=False)


async def test_tools_that_cannot_be_called_are_left_out() -> None:
    """Names that nothing can be called by, schemas without end, arguments that are headers."""
    deep: dict[str, Any] = {}
    for _ in range(40):
        deep = {"properties": {"x": deep}}
    header = {"properties": {"region": {"type": "string", "x-mcp-header": "Region"}}}
    schemas = {"deep": deep, "header": header, "good": {"type": "object"}, "": {}}
    listed = [{"name": name, "inputSchema": schema} for name, schema in schemas.items()]
    assert [each.name for each in read_tools(listed, 256, modern=True)] == ["good"]
    assert is_readable(header, modern=False)


async def test_what_is_no_text_is_told_in_words() -> None:
    """Pictures, resources, structure alone; what asks something is a problem."""
    content = [
        {"type": "text", "text": "a"},
        {"type": "image", "mimeType": "image/png", "data": "AAAA"},
        {"type": "resource", "resource": {"uri": "file:///x", "text": "b"}},
        {"type": "resource_link", "uri": "https://x"},
        "nothing",
    ]
    assert (
        read_result({"content": content}).output == "a\n[image image/png]\nb\n[resource https://x]"
    )
    assert read_result({"structuredContent": {"a": 1}}).output == '{"a":1}'
    with pytest.raises(McpProblem, match="ask something"):
        read_result({"resultType": "input_required"})


async def test_names_that_are_no_ascii_are_sent_as_mcp_says() -> None:
    """Nothing breaks out of a header."""
    assert header_text("files.list") == "files.list"
    assert header_text("größe\r\nx: y") == "=?base64?Z3LDtsOfZQ0KeDogeQ==?="


async def test_what_can_hardly_be_written_again_is_a_problem(url: str) -> None:
    """It becomes part of responses, which must be written."""
    async with session_with(f"{url}/nested") as session:
        with pytest.raises(McpProblem, match="nested deeper than 128"):
            await session.call("t", {})


async def test_pages_of_a_list_are_one_answer(url: str, home: Path) -> None:
    """However small each is."""
    async with session_with(f"{url}/pages") as session:
        with pytest.raises(McpProblem, match="answer_bytes_max"):
            await session.tools()
    assert len((home / "pages.jsonl").read_text().splitlines()) == 3


async def test_a_call_is_made_once(url: str, home: Path) -> None:
    """Though its connection has been used before, and breaks before an answer."""
    async with session_with(f"{url}/breaks") as session:
        assert await session.tools()
        with pytest.raises(McpProblem, match="broke off"):
            await session.call("note", {"text": "x"})
    assert len((home / "broken.jsonl").read_text().splitlines()) == 1
