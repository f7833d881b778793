"""What was acknowledged is there after a power cut; keys change and tokens stay valid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.authority import Authority
from tests.contract.identity.conftest import SCOPE, SignIn, settings_for
from tests.serving import start_server, stopped

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract.identity.conftest import App


def own_token(sign_in: SignIn, app: App) -> str:
    """A token by the application's secret."""
    answer = sign_in.token(
        grant_type="client_credentials",
        client_id=app.app_id,
        client_secret=app.secret,
        scope=SCOPE,
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


def key_ids(sign_in: SignIn) -> list[str]:
    """Of the keys that are published."""
    return [key["kid"] for key in published(sign_in)["keys"]]


def published(sign_in: SignIn) -> Any:  # noqa: ANN401 - JSON
    """The keys, found as clients find them."""
    path = f"/{sign_in.tenant}/v2.0/.well-known/openid-configuration"
    return sign_in.ask("GET", sign_in.ask("GET", path).json()["jwks_uri"]).json()


def test_tokens_verify_with_published_keys_after_a_rotation(sign_in: SignIn, app: App) -> None:
    """The old key stays published, the new one signs; private parts are nowhere."""
    before = own_token(sign_in, app)
    made = sign_in.graph("POST", "/signingKeys/rotate")
    after = own_token(sign_in, app)
    keys = published(sign_in)
    for token in (before, after):
        assert jwt.decode(token, KeySet.import_key_set(keys)).claims["tid"] == sign_in.tenant
    assert jwt.decode(after, KeySet.import_key_set(keys)).header["kid"] == made["kid"]
    assert jwt.decode(before, KeySet.import_key_set(keys)).header["kid"] != made["kid"]
    assert all(set(key) == {"kty", "use", "alg", "kid", "x5t", "n", "e"} for key in keys["keys"])


@pytest.mark.slow
def test_a_killed_server_has_lost_nothing(tmp_path: Path) -> None:
    """Tenant, registration, secret and keys are there again, and no secret is in any file."""
    authority = Authority(tmp_path, "restart")
    chain = authority.server_file("127.0.0.1")
    settings = settings_for(chain, authority.file)
    first = SignIn(start_server(tmp_path / "home", settings), authority, chain)
    try:
        app = first.new_app("kept")
        token = own_token(first, app)
        tenant, keys = first.tenant, key_ids(first)
    finally:
        first.server.kill()
    with stopped(start_server(tmp_path / "home", settings)) as server:
        again = SignIn(server, authority, chain)
        assert again.tenant == tenant
        assert key_ids(again) == keys
        assert jwt.decode(token, KeySet.import_key_set(published(again))).claims["tid"] == tenant
        assert own_token(again, app)
    for file in (tmp_path / "home").rglob("*"):
        if file.is_file() and not file.is_symlink():
            content = file.read_bytes()
            assert app.secret.encode() not in content, file
            assert token.encode() not in content, file
            assert b"BEGIN PRIVATE KEY" not in content, file
