"""Keys of clients that keep their connection: known from request to request, until they end."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from linarite.dataplane.call import Call
from linarite.dataplane.key_door import key_holder
from linarite.domain.application_key import APPLICATION_KEY_TYPE
from linarite.domain.errors import InvalidKey, KeyAuthenticationDisabled
from linarite.domain.facts import Account
from tests.serving import SIMULATED, start_server, stopped

if TYPE_CHECKING:
    from pathlib import Path

SECRETS = {"first": "key1", "second": "key2"}


class Digests:
    """Counts how often a key is digested."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, presented: str) -> bytes:
        """As a key store makes it."""
        self.asked += 1
        return hmac.digest(b"pepper", presented.encode(), "sha256")


def account(*keys: str, closed: bool = False) -> Account:
    """An account with these keys."""
    digest = Digests()
    return Account(
        id="/a",
        name="a",
        location="local",
        region_title="Local",
        key_digests={digest(key): SECRETS[key] for key in keys},
        local_auth_disabled=closed,
    )


def call(learned: dict[object, object] | None) -> Call:
    """A request with the first key."""
    made = Call(
        method="POST",
        path="/",
        headers={b"api-key": b"first"},
        request_id="",
        started_at=0.0,
        body=None,  # pyright: ignore[reportArgumentType] - never read
    )
    made.learned = learned
    return made


def test_a_key_is_digested_once_for_all_requests_with_a_head() -> None:
    """Another head is another matter."""
    digest, known = Digests(), account("first", "second")
    learned: dict[object, object] = {}
    assert {key_holder(call(learned), known, digest).name for _ in range(5)} == {"key1"}
    assert digest.asked == 1
    assert key_holder(call({}), known, digest).name == "key1"
    assert key_holder(call(None), known, digest).name == "key1"
    assert digest.asked == 3


def test_a_key_that_has_ended_ends_for_known_heads_too() -> None:
    """Whatever is changed at an account makes it another one."""
    digest = Digests()
    learned: dict[object, object] = {}
    assert key_holder(call(learned), account("first", "second"), digest).name == "key1"
    with pytest.raises(InvalidKey):
        key_holder(call(learned), account("second"), digest)
    with pytest.raises(KeyAuthenticationDisabled):
        key_holder(call(learned), account("first", closed=True), digest)


def test_nothing_is_known_of_a_key_that_opens_nothing() -> None:
    """It is looked at anew each time."""
    digest, learned = Digests(), dict[object, object]()
    for _ in range(2):
        with pytest.raises(InvalidKey):
            key_holder(call(learned), account("second"), digest)
    assert not learned
    assert digest.asked == 2


def test_a_key_that_is_replaced_ends_on_the_connections_that_use_it(tmp_path: Path) -> None:
    """With the very next request, whatever the head was known for; so does one application's."""
    with stopped(start_server(tmp_path, SIMULATED)) as server:
        account = str(server.ready["account_id"])
        manager = {"authorization": f"Bearer {server.ready['management_key']}"}
        with httpx.Client(base_url=server.endpoint) as manage:

            def told(path: str, version: str, **body: Any) -> Any:  # noqa: ANN401 - any JSON
                method = "POST" if "regenerate" in path else "PUT"
                answer = manage.request(
                    method,
                    account + path,
                    params={"api-version": version},
                    headers=manager,
                    json=body,
                )
                assert answer.is_success, answer.text
                return answer.json()

            web = f"/providers/{APPLICATION_KEY_TYPE}/web"
            made = told(web, "2026-07-01", properties={})["properties"]["key"]
            for key, replace in (
                (server.key, ("/regenerateKey", "2024-10-01", {"keyName": "Key1"})),
                (made, (f"{web}/regenerate", "2026-07-01", {})),
            ):
                with httpx.Client(base_url=server.endpoint, headers={"api-key": key}) as client:
                    asked = [client.get("/openai/v1/models").status_code for _ in range(5)]
                    assert asked == [200] * 5
                    path, version, body = replace
                    told(path, version, **body)
                    assert client.get("/openai/v1/models").status_code == 401
