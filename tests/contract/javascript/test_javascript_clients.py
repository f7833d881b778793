"""The official clients of JavaScript work unchanged but for their endpoint."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.authority import Authority
from tests.javascript import answer_of
from tests.serving import SIMULATED, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.serving import Server

HERE = Path(__file__).parent
GROUP = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Whom Node is told to trust."""
    return Authority(tmp_path_factory.mktemp("authority"), "javascript")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Server]:
    """A server over TLS with simulated deployments."""
    chain = authority.server_file("127.0.0.1")
    settings = f'[server]\ntls_certificate = "{chain}"\ntls_key = "{chain}"\n'
    settings += f'tls_ca_file = "{authority.file}"\n'
    yield from serving(tmp_path_factory.mktemp("home"), settings + SIMULATED)


def test_openai(server: Server, authority: Authority, tmp_path: Path) -> None:
    """Both classes: plain, streamed, tools, vectors, models, and refusals as errors of theirs."""
    told = answer_of(
        HERE / "data_plane.mjs",
        tmp_path,
        ENDPOINT=server.endpoint,
        KEY=server.key,
        NODE_EXTRA_CA_CERTS=str(authority.file),
    )
    for dialect in ("azure", "v1"):
        got = told[dialect]
        assert got["answer"]
        assert got["requestId"]
        assert got["streamed"]
        assert got["streamedTokens"] > 0
        assert got["tool"] == {"name": "get_weather", "arguments": '{"city":"Paris"}'}
        assert got["vectors"] == [16, 16]
        assert "gpt-4o" in got["models"]
    assert told["wrongKey"] == {"kind": "AuthenticationError", "status": 401, "code": "401"}
    assert told["unknownDeployment"] == {
        "kind": "NotFoundError",
        "status": 404,
        "code": "DeploymentNotFound",
    }


def test_arm_cognitiveservices(server: Server, authority: Authority, tmp_path: Path) -> None:
    """An account and a deployment from their making to their purging."""
    told = answer_of(
        HERE / "control_plane.mjs",
        tmp_path,
        ENDPOINT=server.endpoint,
        KEY=server.ready["management_key"],
        SUBSCRIPTION="00000000-0000-0000-0000-000000000001",
        GROUP="linarite",
        NODE_EXTRA_CA_CERTS=str(authority.file),
    )
    assert told["account"] == told["deployment"] == "Succeeded"
    assert told["capacity"] == 2
    assert told["firstStays"]
    assert told["secondIsNew"]
    assert told["deployments"] == ["chat"]
    assert "javascript" in told["accounts"]
    assert "javascript" not in told["left"]
    assert told["refused"] == {"status": 404, "code": "ResourceNotFound"}
