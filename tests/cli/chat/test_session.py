from __future__ import annotations

import time
import urllib.request
from typing import TYPE_CHECKING

from tests.cli.chat.endpoint_server import endpoint_server, said
from tests.cli.terminal import WAIT_S, Terminal

if TYPE_CHECKING:
    from pathlib import Path

    from tests.serving import Server

CTRL_C = "\x03"
CTRL_D = "\x04"


def test_ctrl_c_stops_one_answer_and_the_talk_goes_on(server: Server) -> None:
    """The answer breaks off, the next question is answered, Ctrl-D ends with success."""
    with Terminal(server.home, "chat", "slow") as terminal:
        terminal.enter("Tell me a long story.")
        terminal.wait_for(" ")
        terminal.type(CTRL_C)
        terminal.wait_for("stopped; Ctrl-D ends")
        terminal.enter("/help")
        terminal.wait_for("/reset")
        terminal.wait_for("> ")
        terminal.type(CTRL_D)
        assert terminal.wait_for_end() == 0


def test_stopping_an_answer_frees_the_model(server: Server) -> None:
    """The instance works on the answer until Ctrl-C, and on nothing soon after it."""
    with Terminal(server.home, "chat", "slow") as terminal:
        terminal.enter("Tell me another story.")
        wait_until_running(server, 1)
        terminal.type(CTRL_C)
        terminal.wait_for("stopped")
        wait_until_running(server, 0)
        terminal.enter("/exit")
        assert terminal.wait_for_end() == 0


def wait_until_running(server: Server, wanted: int) -> None:
    """Wait until the slow instance works on so many requests."""
    line = f'linarite_requests_running{{model_instance="slow"}} {wanted}'
    url = f"{server.endpoint}/metrics"
    deadline = time.monotonic() + WAIT_S
    while True:
        with urllib.request.urlopen(url, timeout=WAIT_S) as page:  # noqa: S310 - our own server
            text = page.read().decode()
        if line in text:
            return
        assert time.monotonic() < deadline, text
        time.sleep(0.05)


def test_what_was_said_is_sent_again_until_it_is_reset(tmp_path: Path) -> None:
    """Each question carries the turns before it; /system changes the instructions."""
    with endpoint_server(said("One", "."), said("Two."), said("Three.")) as endpoint:
        arguments = ("chat", "m", "--endpoint", f"{endpoint.url}/v1", "--system", "Be brief.")
        with Terminal(tmp_path, *arguments) as terminal:
            terminal.enter("First?")
            terminal.wait_for("One.")
            terminal.enter("Second?")
            terminal.wait_for("Two.")
            terminal.enter("/reset")
            terminal.wait_for("forgot 2 questions")
            terminal.enter("/system Be long.")
            terminal.wait_for("system message: Be long.")
            terminal.enter("Third?")
            terminal.wait_for("Three.")
            terminal.wait_for("> ")
            terminal.type(CTRL_D)
            assert terminal.wait_for_end() == 0
    sent = [
        [(message["role"], message["content"]) for message in request.body["messages"]]
        for request in endpoint.requests
    ]
    begun = [("system", "Be brief."), ("user", "First?")]
    assert sent == [
        begun,
        [*begun, ("assistant", "One."), ("user", "Second?")],
        [("system", "Be long."), ("user", "Third?")],
    ]


def test_an_unknown_slash_command_is_not_sent(tmp_path: Path) -> None:
    """A typing error is told, with the way to find what there is."""
    with endpoint_server(said("no")) as endpoint:
        with Terminal(tmp_path, "chat", "m", "--endpoint", f"{endpoint.url}/v1") as terminal:
            terminal.enter("/rest")
            terminal.wait_for("There is no /rest. /help lists what there is.")
            terminal.enter("/exit")
            assert terminal.wait_for_end() == 0
        assert endpoint.requests == []


def test_an_error_is_one_line_and_the_talk_goes_on(tmp_path: Path) -> None:
    """Another question can be asked after a refusal."""
    arguments = ("chat", "m", "--endpoint", "http://127.0.0.1:9/v1")
    with Terminal(tmp_path, *arguments) as terminal:
        terminal.enter("Hello")
        terminal.wait_for("error: No connection to http://127.0.0.1:9")
        terminal.enter("/exit")
        assert terminal.wait_for_end() == 0
    assert "Traceback" not in terminal.shown


def test_a_model_cannot_give_the_terminal_commands(tmp_path: Path) -> None:
    """Control characters in an answer are left out; line breaks and tabs stay."""
    evil = said("a\x1b]0;title\x07b", "\x1b[2J", "\x9b31mc\n\td")
    with (
        endpoint_server(evil) as endpoint,
        Terminal(tmp_path, "chat", "m", "--endpoint", f"{endpoint.url}/v1") as terminal,
    ):
        terminal.enter("Hello")
        terminal.wait_for("a]0;titleb[2J31mc\n")
        terminal.wait_for("d\n")
        assert "\x1b]0" not in terminal.raw
        assert "\x1b[2J" not in terminal.raw
        assert "\x9b" not in terminal.raw
        terminal.enter("/exit")
        assert terminal.wait_for_end() == 0


def test_no_color_is_obeyed(tmp_path: Path) -> None:
    """With NO_COLOR neither the prompt nor an error is coloured."""
    arguments = ("chat", "m", "--endpoint", "http://127.0.0.1:9/v1")
    with Terminal(tmp_path, *arguments, NO_COLOR="1") as terminal:
        terminal.enter("Hello")
        terminal.wait_for("error:")
        terminal.enter("/exit")
        assert terminal.wait_for_end() == 0
    assert "\x1b[31m" not in terminal.raw
    assert "34m" not in terminal.raw
