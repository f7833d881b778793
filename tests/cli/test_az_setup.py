"""The lines of `linarite az-setup` do what they say, to the real `az` where it is installed."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from linarite.cli.az_setup import lines_for
from tests.authority import Authority
from tests.cli.terminal import LINARITE, environment, linarite
from tests.serving import SIMULATED, start_server, stopped

if TYPE_CHECKING:
    from pathlib import Path

    from tests.serving import Server


def test_the_lines_name_the_server_that_runs(server: Server) -> None:
    """Without flags; a plain endpoint is told to be too little for signing in."""
    done = linarite(server.home, "az-setup")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"--endpoint-resource-manager {server.endpoint}\n" in done.stdout
    assert "server.tls_certificate" in done.stdout
    assert server.ready["management_key"] not in done.stdout


def test_what_a_shell_would_read_otherwise_is_quoted() -> None:
    """Names and paths are one word, whatever is in them."""
    lines = lines_for("https://a.example", "/my files/ca.pem", "my cloud; rm")
    assert "export REQUESTS_CA_BUNDLE='/my files/ca.pem'" in lines
    assert "az cloud set --name 'my cloud; rm'" in lines


def test_az_registers_the_server_and_asks_it(tmp_path: Path) -> None:
    """By discovery over TLS, then with the management key."""
    if shutil.which("az") is None:
        pytest.skip("azure-cli is not installed")
    authority = Authority(tmp_path, "private")
    chain = authority.server_file("127.0.0.1")
    settings = f'[server]\ntls_certificate = "{chain}"\ntls_key = "{chain}"\n'
    settings += f'tls_ca_file = "{authority.file}"\n'
    with stopped(start_server(tmp_path / "home", settings + SIMULATED)) as server:
        printed = linarite(server.home, "az-setup").stdout
        hidden = [line.removeprefix("#   ") for line in printed.splitlines() if "  az " in line]
        hidden += [line[4:] for line in printed.splitlines() if line.startswith("#     ")]
        rest = " ".join(line.strip().rstrip("\\") for line in (hidden[0], hidden[-1]))
        script = f'set -e\nlinarite() {{ {" ".join(LINARITE)} "$@"; }}\n{printed}\n{rest}\n'
        done = subprocess.run(
            ["sh", "-c", script],
            cwd=server.home,
            env=environment(server.home, AZURE_CONFIG_DIR=str(tmp_path / "az")),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "00000000-0000-0000-0000-000000000001" in done.stdout
