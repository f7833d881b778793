"""Commands speak to the server that was named, and give its key to no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from linarite.cli.arm.reaching import require_private
from linarite.domain.errors import SetupError
from tests.authority import Authority
from tests.cli.terminal import linarite
from tests.serving import SIMULATED, start_server, stopped

if TYPE_CHECKING:
    from pathlib import Path

    from tests.serving import Server


def test_a_server_elsewhere_is_named(managed: Server, tmp_path: Path) -> None:
    """By flags, by settings, by the environment; without a key nothing is sent."""
    key = str(managed.ready["management_key"])
    key_file = tmp_path / "management.key"
    key_file.write_text(key + "\n")
    named = ("account", "list", "--endpoint", managed.endpoint)
    for flags in (("--key-file", str(key_file)), ("--key", "env:KEY")):
        done = linarite(tmp_path, *named, *flags, KEY=key)
        assert (done.returncode, done.stderr) == (0, "")
        assert "linarite" in done.stdout
    variables = {
        "LINARITE_CLIENT_ENDPOINT": managed.endpoint,
        "LINARITE_CLIENT_KEY_FILE": str(key_file),
    }
    assert "gpt-4o" in linarite(tmp_path, "deployment", "list", **variables).stdout
    (tmp_path / "linarite.toml").write_text(
        f'[client]\nendpoint = "{managed.endpoint}"\nkey_file = "{key_file}"\n'
    )
    assert "gpt-4o" in linarite(tmp_path, "deployment", "list").stdout
    without = linarite(managed.home, *named)
    assert without.returncode == 1
    assert "--key-file" in without.stderr


def test_a_wrong_key_is_told(managed: Server, tmp_path: Path) -> None:
    """With the way to the right one."""
    named = ("account", "list", "--endpoint", managed.endpoint, "--key", "env:KEY")
    done = linarite(tmp_path, *named, KEY="wrong")
    assert done.returncode == 1
    assert done.stderr.startswith("error: InvalidAuthenticationToken")
    assert "linarite keys --management --show" in done.stderr


@pytest.mark.parametrize("host", ["192.0.2.1", "linarite.example", "[2001:db8::1]"])
def test_no_key_goes_out_in_plain_text(host: str) -> None:
    """To another machine only over TLS; on this one nobody reads along."""
    with pytest.raises(SetupError, match="TLS"):
        require_private(f"http://{host}:8080")
    for private in (f"https://{host}", "http://127.0.0.1:80", "http://localhost", "http://[::1]"):
        require_private(private)


def test_plain_text_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    """The message names the setting; with it the command goes on."""
    asked = ("account", "list", "--endpoint", "http://linarite.invalid", "--key", "env:KEY")
    refused = linarite(tmp_path, *asked, KEY="k")
    assert refused.returncode == 1
    assert "client.plaintext_beyond_loopback" in refused.stderr
    allowed = linarite(tmp_path, *asked, KEY="k", LINARITE_CLIENT_PLAINTEXT_BEYOND_LOOPBACK="true")
    assert allowed.returncode == 1
    assert "can't be reached" in allowed.stderr


def test_nobody_there_is_told(tmp_path: Path) -> None:
    """A server that does not answer, one that is none, and none at all."""
    silent = ("account", "list", "--endpoint", "http://127.0.0.1:9", "--key", "env:KEY")
    done = linarite(tmp_path, *silent, KEY="k")
    assert done.returncode == 1
    assert "can't be reached" in done.stderr
    nothing = linarite(tmp_path, "account", "list")
    assert nothing.returncode == 1
    assert "linarite up" in nothing.stderr


def test_a_private_authority_is_trusted(tmp_path: Path) -> None:
    """From the serving file, or named; without it the key is not sent."""
    authority = Authority(tmp_path, "private")
    chain = authority.server_file("127.0.0.1")
    settings = f'[server]\ntls_certificate = "{chain}"\ntls_key = "{chain}"\n'
    settings += f'tls_ca_file = "{authority.file}"\n'
    with stopped(start_server(tmp_path / "home", settings + SIMULATED)) as server:
        assert linarite(server.home, "account", "list").returncode == 0
        named = ("account", "list", "--endpoint", server.endpoint, "--key", "env:KEY")
        key = str(server.ready["management_key"])
        assert linarite(tmp_path, *named, "--ca-file", str(authority.file), KEY=key).returncode == 0
        distrusted = linarite(tmp_path, *named, KEY=key)
        assert distrusted.returncode == 1
        assert "--ca-file" in distrusted.stderr
