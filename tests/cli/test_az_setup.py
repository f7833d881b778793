"""The lines of `linarite az-setup` do what they say, to the real `az` where it is installed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from linarite.cli.az_setup import lines_for
from tests.authority import Authority
from tests.cli.terminal import LINARITE, environment, linarite
from tests.serving import SIMULATED, start_server, stopped

if TYPE_CHECKING:
    from tests.serving import Server

AZ = Path(__file__).resolve().parents[2] / ".venv.az" / "bin" / "az"
FIELD = f"{sys.executable} -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])'"
"""reads one field of a JSON object"""


def test_the_lines_name_the_server_that_runs(server: Server) -> None:
    """Without flags, its https and whom to trust for it: plain http is too little to sign in."""
    done = linarite(server.home, "az-setup")
    assert (done.returncode, done.stderr) == (0, "")
    https = server.ready["https_endpoint"]
    assert https.startswith("https://127.0.0.1:")
    assert f"--endpoint-resource-manager {https}\n" in done.stdout
    assert f"export REQUESTS_CA_BUNDLE={server.ready['ca_file']}\n" in done.stdout
    assert server.ready["management_key"] not in done.stdout
    plain = "\n".join(lines_for(server.endpoint, "", "Linarite"))
    assert f"--endpoint-resource-manager {server.endpoint}\n" in plain
    assert "server.tls_certificate" in plain


def test_what_a_shell_would_read_otherwise_is_quoted() -> None:
    """Names and paths are one word, whatever is in them."""
    lines = lines_for("https://a.example", "/my files/ca.pem", "my cloud; rm")
    assert "export REQUESTS_CA_BUNDLE='/my files/ca.pem'" in lines
    assert "az cloud set --name 'my cloud; rm'" in lines


def test_az_signs_in_as_the_lines_say(tmp_path: Path) -> None:
    """The cloud by discovery over TLS, then an application of the server's own directory."""
    if not AZ.exists():
        pytest.skip("azure-cli is not set up: `make test` installs it")
    authority = Authority(tmp_path, "private")
    chain = authority.server_file("127.0.0.1")
    settings = f'[server]\ntls_certificate = "{chain}"\ntls_key = "{chain}"\n'
    settings += f'tls_ca_file = "{authority.file}"\n'
    with stopped(start_server(tmp_path / "home", settings + SIMULATED)) as server:
        printed = linarite(server.home, "az-setup").stdout
        create, add_secret, assign, sign_in = sign_in_commands(printed)
        script = f"""
            set -e
            linarite() {{ {" ".join(LINARITE)} "$@"; }}
            {printed}
            APP_ID=$({create} --output json | {FIELD} appId)
            SECRET=$({add_secret} --output json | {FIELD} secretText)
            {assign} > /dev/null
            {sign_in} > /dev/null
            az group list --query '[].name' --output tsv
        """
        path = f"{AZ.parent}:{os.environ['PATH']}"
        done = subprocess.run(
            ["sh", "-c", script],
            cwd=server.home,
            env=environment(server.home, AZURE_CONFIG_DIR=str(tmp_path / "az"), PATH=path),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.split()[-1:] == ["linarite"], done


def sign_in_commands(printed: str) -> list[str]:
    """The commented commands, each on a line of its own, that end with signing in."""
    lines = [line.removeprefix("#   ") for line in printed.splitlines() if line[:4] == "#   "]
    joined = "\n".join(lines).replace("\\\n", "").splitlines()
    commands = joined[: 1 + next(n for n, line in enumerate(joined) if "az login" in line)]
    return [line.replace("APP_ID", '"$APP_ID"').replace("SECRET", '"$SECRET"') for line in commands]
