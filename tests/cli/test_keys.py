"""Keys are shown and replaced, whether a server runs or not."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import httpx
import pytest
from openai import AuthenticationError, AzureOpenAI

from tests.cli.terminal import linarite
from tests.serving import SIMULATED, start_server, stopped

if TYPE_CHECKING:
    from pathlib import Path

    from tests.serving import Server


def key(home: Path, name: str) -> str:
    """A key as the command line prints it."""
    done = linarite(home, "keys", "--show", "--name", name)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("\n")
    return done.stdout[:-1]


def opens(server: Server, presented: str) -> bool:
    """Whether a request with this key is answered."""
    client = AzureOpenAI(
        azure_endpoint=server.endpoint, api_key=presented, api_version="2024-10-21", max_retries=0
    )
    try:
        client.chat.completions.create(
            model="gpt-4o", messages=[{"role": "user", "content": "Hi"}], max_tokens=1
        )
    except AuthenticationError:
        return False
    return True


def test_keys_are_shown_whole_only_on_request(server: Server) -> None:
    """Whole by --show alone, and then nothing else is; both work."""
    shown = linarite(server.home, "keys")
    first, second = key(server.home, "key1"), key(server.home, "key2")
    assert server.endpoint in shown.stdout
    assert first not in shown.stdout
    assert second not in shown.stdout
    assert f"key1      …{first[-4:]}" in shown.stdout
    assert f"key2      …{second[-4:]}" in shown.stdout
    assert linarite(server.home, "keys", "--show").stdout == f"{server.key}\n"
    assert first == server.key != second
    assert opens(server, first)
    assert opens(server, second)


def test_a_running_server_drops_the_old_key_at_once(tmp_path: Path) -> None:
    """The other key goes on working, files of the server have the new one, a restart keeps it."""
    with stopped(start_server(tmp_path, SIMULATED)) as server:
        old, other = server.key, key(tmp_path, "key2")
        done = linarite(tmp_path, "keys", "regenerate", "key1")
        assert (done.returncode, done.stderr) == (0, "")
        assert not opens(server, old)
        new = key(tmp_path, "key1")
        assert new not in done.stdout
        assert new not in {old, other}
        assert opens(server, new)
        assert opens(server, other)
        for file in ("serving.json", "ready.json"):
            assert json.loads((tmp_path / file).read_text())["api_key"] == new
        assert linarite(tmp_path, "chat", stdin="Hello").returncode == 0
        second = linarite(tmp_path, "keys", "regenerate", "key2", "--show").stdout.strip()
        assert not opens(server, other)
        assert opens(server, second)
        log = server.said
        assert not any(secret in log for secret in (old, new, other, second))
    with stopped(start_server(tmp_path, SIMULATED)) as server:
        assert server.key == new
        assert opens(server, second)


def test_a_stopped_server_has_keys_too(tmp_path: Path) -> None:
    """They are shown and replaced in the data folder, whatever settings are in force there."""
    with stopped(start_server(tmp_path, '[account]\nname = "other"\n' + SIMULATED)) as server:
        old = server.key
    (tmp_path / "linarite.toml").write_text(SIMULATED)
    assert "stopped" in linarite(tmp_path, "keys").stdout
    assert key(tmp_path, "key1") == old
    new = linarite(tmp_path, "keys", "regenerate", "key1", "--show").stdout.strip()
    with stopped(start_server(tmp_path, '[account]\nname = "other"\n' + SIMULATED)) as server:
        assert server.key == new
        assert not opens(server, old)


def test_keys_replaced_at_the_same_time_all_die(tmp_path: Path) -> None:
    """However many ask at once, what the server takes in the end is what it keeps."""
    with stopped(start_server(tmp_path, SIMULATED)) as server:
        headers = {"authorization": f"Bearer {server.ready['management_key']}"}
        url = f"{server.endpoint}{server.ready['account_id']}/regenerateKey"
        given: list[str] = []

        def replace(name: str) -> None:
            for _ in range(3):
                answer = httpx.post(
                    url,
                    params={"api-version": "2024-10-01"},
                    headers=headers,
                    json={"keyName": name},
                )
                given.append(answer.raise_for_status().json()[name])

        threads = [threading.Thread(target=replace, args=(name,)) for name in ("key1", "key2") * 2]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        kept = {key(tmp_path, "key1"), key(tmp_path, "key2")}
        assert len(set(given)) == 12
        assert {each for each in given if opens(server, each)} == kept


def test_a_key_replaced_through_the_control_plane_is_told_too(tmp_path: Path) -> None:
    """Whoever replaces it, the files of the server hold a key that works."""
    with stopped(start_server(tmp_path, SIMULATED)) as server:
        url = f"{server.endpoint}{server.ready['account_id']}/regenerateKey"
        answer = httpx.post(
            url,
            params={"api-version": "2023-05-01"},
            headers={"authorization": f"Bearer {server.ready['management_key']}"},
            json={"keyName": "Key1"},
        )
        new = answer.raise_for_status().json()["key1"]
        assert new != server.key
        assert linarite(tmp_path, "keys", "--show").stdout == f"{new}\n"
        assert json.loads((tmp_path / "serving.json").read_text())["api_key"] == new
        assert linarite(tmp_path, "chat", stdin="Hello").returncode == 0


def test_without_a_server_the_way_to_start_one_is_told(tmp_path: Path) -> None:
    """There is nothing to show, which is no success; nothing is made either."""
    for arguments in (("keys",), ("keys", "regenerate", "key1")):
        done = linarite(tmp_path, *arguments)
        assert done.returncode == 1
        assert "linarite up" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["key3", "KEY1", ""])
def test_there_are_two_keys(tmp_path: Path, name: str) -> None:
    """Another name is wrong usage, and those there are are told."""
    done = linarite(tmp_path, "keys", "regenerate", name)
    assert done.returncode == 2
    assert "key1" in done.stderr
    assert "key2" in done.stderr
