from __future__ import annotations

import ast
import shlex
from typing import TYPE_CHECKING

import msgspec
import pytest

from linarite.cli.serving_file import ServedDeployment, ServingFile
from linarite.cli.snippets import (
    CHAT,
    EMBEDDINGS,
    PROGRAM,
    chat_command,
    curl_command,
    python_program,
)

if TYPE_CHECKING:
    from pathlib import Path

SMALL = ServedDeployment("small", "small", "Ready", "", [CHAT])
LARGE = ServedDeployment("large", "large", "Ready", "", [CHAT])
LOADING = ServedDeployment("loading", "loading", "Starting", "", [CHAT])
VECTORS = ServedDeployment("vectors", "vectors", "Ready", "", [EMBEDDINGS])


def content_with(*deployments: ServedDeployment, ca_file: str | None = None) -> ServingFile:
    """A serving file of a server with these deployments."""
    return ServingFile(
        endpoint="https://localhost:8080",
        openai_v1="https://localhost:8080/openai/v1/",
        api_key="the-key",
        api_version="2024-10-21",
        deployments=list(deployments),
        ca_file=ca_file,
        pid=1,
        home="/data",
        started_at="",
    )


@pytest.mark.parametrize(
    ("deployments", "path"),
    [
        ((SMALL, LARGE, VECTORS, LOADING), "large/chat/completions"),
        ((VECTORS, LOADING), "vectors/embeddings"),
    ],
)
def test_the_last_ready_chat_is_shown_else_an_embedding(
    deployments: tuple[ServedDeployment, ...], path: str
) -> None:
    """Both snippets use a deployment that can answer now."""
    content = content_with(*deployments)
    curl, program = curl_command(content), python_program(content)
    assert curl is not None
    assert program is not None
    assert f"/openai/deployments/{path}?api-version=2024-10-21" in shlex.split(curl)[1]
    assert f'model="{path.partition("/")[0]}"' in program
    ast.parse(program)


def test_nothing_is_shown_that_cannot_work() -> None:
    """Without a ready deployment there is no snippet."""
    assert curl_command(content_with(LOADING)) is None
    assert python_program(content_with(LOADING)) is None


def test_a_private_authority_is_part_of_the_snippets() -> None:
    """With a CA file both snippets trust it, however it is called."""
    content = content_with(SMALL, ca_file="/my folder/it's a ca.pem")
    words = shlex.split(curl_command(content) or "")
    assert words[words.index("--cacert") + 1] == "/my folder/it's a ca.pem"
    program = ast.parse(python_program(content) or "")
    texts = [node.value for node in ast.walk(program) if isinstance(node, ast.Constant)]
    assert "/my folder/it's a ca.pem" in texts


def test_a_quick_answer_is_asked_for() -> None:
    """A small machine must not be busy for minutes with the first thing one tries."""
    body = msgspec.json.decode(shlex.split(curl_command(content_with(SMALL)) or "")[-1])
    assert body["max_tokens"] <= 64


def test_the_chat_command_works_in_another_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that shells don't find is named by its path, and so is a folder of one's own."""
    program = tmp_path / "my bin" / PROGRAM
    program.parent.mkdir()
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", "/nowhere")
    assert shlex.split(chat_command(str(program), None)) == [str(program), "chat"]
    assert chat_command("/src/linarite/main.py", None) == "linarite chat"
    monkeypatch.setenv("PATH", str(program.parent))
    assert chat_command(str(program), None) == "linarite chat"
    assert chat_command(str(program), "/my data") == "LINARITE_HOME='/my data' linarite chat"
