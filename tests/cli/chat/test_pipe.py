from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.cli.chat.endpoint_server import endpoint_server, refused, said
from tests.cli.terminal import linarite

if TYPE_CHECKING:
    from pathlib import Path

    from tests.serving import Server


def test_one_question_gets_one_answer_from_the_running_server(server: Server) -> None:
    """Endpoint and key come from the serving file; only the answer is on stdout."""
    done = linarite(server.home, "chat", "gpt-4o", "--max-tokens", "9", stdin="Why?\n")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.split()) > 3
    assert done.stdout.endswith("\n")
    assert "\x1b" not in done.stdout + done.stderr
    assert "cut off: the answer reached the limit of tokens" in done.stderr


def test_statistics_are_beside_the_answer(server: Server) -> None:
    """--stats tells the endpoint's token counts and the speed, on stderr."""
    done = linarite(server.home, "chat", "gpt-4o", "--stats", "--max-tokens", "9", stdin="Why?")
    assert done.returncode == 0, done.stderr
    pattern = r"\d+ tokens in, 9 out in \d+\.\d\d s, the first after \d+\.\d\d s"
    assert re.search(pattern, done.stderr), done.stderr


def test_both_dialects_reach_our_own_server(server: Server) -> None:
    """The Azure base, the full Azure address and /openai/v1/ give the same answer."""
    key_file = server.home / "key"
    key_file.write_text(f"{server.key}\n")
    addresses = [
        server.endpoint,
        f"{server.endpoint}/openai/deployments/gpt-4o/chat/completions?api-version=2024-06-01",
        f"{server.endpoint}/openai/v1/",
    ]
    answers = [
        linarite(
            *(server.home, "chat", "gpt-4o", "--endpoint", address, "--key-file", str(key_file)),
            *("--temperature", "0", "--max-tokens", "20"),
            stdin="Why?",
        )
        for address in addresses
    ]
    assert [done.returncode for done in answers] == [0, 0, 0], answers
    assert answers[0].stdout
    assert len({done.stdout for done in answers}) == 1


def test_the_key_may_come_from_the_environment(server: Server) -> None:
    """`env:NAME` sends that variable's value; a wrong key is refused with advice."""
    command = ("chat", "gpt-4o", "--endpoint", server.endpoint, "--key", "env:MY_KEY")
    done = linarite(server.home, *command, stdin="Why?", MY_KEY=server.key)
    assert done.returncode == 0, done.stderr
    done = linarite(server.home, *command, stdin="Why?", MY_KEY="wrong")
    assert done.returncode == 1
    assert "answered 401" in done.stderr
    assert "--key env:NAME" in done.stderr
    done = linarite(server.home, *command, stdin="Why?")
    assert done.returncode == 1
    assert "the environment variable MY_KEY, but it is not set" in done.stderr


def test_an_unknown_deployment_is_told_with_those_that_exist(server: Server) -> None:
    """The server's hint is passed on, in one line."""
    done = linarite(server.home, "chat", "gpt-5", stdin="Why?")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "Deployments there: gpt-4o, slow, vectors." in done.stderr


def test_our_key_goes_to_our_server_alone(server: Server) -> None:
    """With --endpoint, nothing of the serving file is sent."""
    with endpoint_server(said("Hi.")) as other:
        done = linarite(server.home, "chat", "m", "--endpoint", f"{other.url}/v1", stdin="Why?")
    assert done.stdout == "Hi.\n", done.stderr
    (request,) = other.requests
    assert "authorization" not in request.headers
    assert "api-key" not in request.headers
    assert server.key not in str(request)


def test_an_empty_question_is_not_sent(server: Server) -> None:
    """The way to ask is shown instead."""
    done = linarite(server.home, "chat", "gpt-4o", stdin=" \n")
    assert done.returncode == 1
    assert "Nothing came on standard input" in done.stderr


def test_a_refusal_is_one_line(tmp_path: Path) -> None:
    """It is on stderr, without colour or traceback, and the exit code is 1."""
    with endpoint_server(refused(429, {"message": "Slow\n\x1b[2Jdown."})) as other:
        done = linarite(tmp_path, "chat", "m", "--endpoint", f"{other.url}/v1", stdin="Why?")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == f"error: {other.url} answered 429: Slow [2Jdown.\n"
