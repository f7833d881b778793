"""A server with TLS is used as its own panel says, by people who have only what it printed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from linarite.cli.serving_file import read_serving_file
from linarite.cli.snippets import curl_command, python_program
from tests.authority import Authority
from tests.cli.terminal import Terminal, environment, linarite
from tests.serving import SIMULATED, start_server, stopped

if TYPE_CHECKING:
    from pathlib import Path


def test_a_private_authority_named_by_the_settings(tmp_path: Path) -> None:
    """The curl line, the program and `linarite chat` work as printed; without it nothing does."""
    authority = Authority(tmp_path, "private")
    chain = authority.server_file("127.0.0.1")
    settings = f'[server]\ntls_certificate = "{chain}"\ntls_key = "{chain}"\n'
    settings += f'tls_ca_file = "{authority.file}"\n'
    with stopped(start_server(tmp_path / "home", settings + SIMULATED)) as server:
        assert server.endpoint.startswith("https://127.0.0.1:")
        assert server.ready["ca_file"] == str(authority.file)
        content = read_serving_file(server.home / "serving.json")
        curl, program = curl_command(content), python_program(content)
        assert curl is not None
        assert program is not None
        ran = run(tmp_path, [sys.executable, "-c", program])
        assert ran.stdout.strip(), ran.stderr
        chat = linarite(server.home, "chat", stdin="Hello")
        assert (chat.returncode, chat.stderr) == (0, "")
        assert chat.stdout.strip()
        if shutil.which("curl") is None:
            pytest.skip("curl is not installed (`make test` does on Debian); the rest was tried")
        told = run(tmp_path, ["sh", "-c", curl])
        assert json.loads(told.stdout)["choices"][0]["message"]["content"], told.stderr
        assert run(tmp_path, ["sh", "-c", curl.replace("--cacert", "-o")]).returncode != 0


def test_a_self_signed_certificate_trusts_itself(tmp_path: Path) -> None:
    """Its file is made without the private key, and the endpoint has the name it is valid for."""
    authority = Authority(tmp_path, "localhost")
    chain = tmp_path / "both.pem"
    chain.write_bytes(authority.key_pem + authority.file.read_bytes())
    settings = f'[server]\ntls_certificate = "{chain}"\ntls_key = "{chain}"\n'
    with stopped(start_server(tmp_path / "home", settings + SIMULATED)) as server:
        assert server.endpoint.startswith("https://localhost:")
        trusted = server.home / "ca.pem"
        assert server.ready["ca_file"] == str(trusted)
        assert trusted.read_bytes() == authority.file.read_bytes()
        program = python_program(read_serving_file(server.home / "serving.json"))
        assert program is not None
        ran = run(tmp_path, [sys.executable, "-c", program])
        assert ran.stdout.strip(), ran.stderr


def test_the_panel_shows_whom_to_trust(tmp_path: Path) -> None:
    """The lines on the terminal are those that the other tests run."""
    authority = Authority(tmp_path, "private")
    chain = authority.server_file("127.0.0.1")
    home = tmp_path / "home"
    home.mkdir()
    settings = f'[server]\nport = 0\ntls_certificate = "{chain}"\ntls_key = "{chain}"\n'
    settings += f'tls_ca_file = "{authority.file}"\n'
    (home / "linarite.toml").write_text(settings + SIMULATED)
    with Terminal(home, "up") as terminal:
        terminal.wait_for("chat, from another terminal")
        content = read_serving_file(home / "serving.json")
        curl, program = curl_command(content), python_program(content)
        assert f"--cacert {authority.file}" in terminal.shown
        assert curl is not None
        assert curl in terminal.shown
        assert program is not None
        assert program in terminal.shown
        terminal.type("\x03")
        assert terminal.wait_for_end() == 0


@pytest.mark.parametrize("content", [None, b"nothing"])
def test_an_authority_that_is_none_is_told(tmp_path: Path, content: bytes | None) -> None:
    """The message names the setting; the server does not start."""
    authority = Authority(tmp_path, "private")
    chain = authority.server_file("127.0.0.1")
    wrong = tmp_path / "wrong.pem"
    if content is not None:
        wrong.write_bytes(content)
    settings = f'[server]\ntls_certificate = "{chain}"\ntls_key = "{chain}"\n'
    (tmp_path / "linarite.toml").write_text(settings + f'tls_ca_file = "{wrong}"\n' + SIMULATED)
    done = linarite(tmp_path, "up", "--port", "0")
    assert done.returncode == 1
    assert "error: server.tls_ca_file can't be used" in done.stderr


def run(folder: Path, command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run something as a person's shell would, with nothing of ours in the environment."""
    return subprocess.run(
        command,
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_no_authority_is_made_where_nobody_needs_one(tmp_path: Path) -> None:
    """Without https nothing is to be certified."""
    settings = "[server]\nhttps = false\n"
    with stopped(start_server(tmp_path / "home", settings + SIMULATED)) as server:
        assert server.ready["https_endpoint"] is None
        assert linarite(server.home, "chat", stdin="Hello").returncode == 0
        assert not (server.home / "ca").exists()
