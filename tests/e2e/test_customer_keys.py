"""An account whose owner keeps a key: a running server without that key serves it to nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from tests.faults.test_provisioning_killed import arm
from tests.serving import SIMULATED, start_server, stopped

if TYPE_CHECKING:
    from pathlib import Path

    from tests.serving import Server

ACCOUNT = (
    "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/linarite"
    "/providers/Microsoft.CognitiveServices/accounts/kept"
)
BODY = {
    "location": "local",
    "kind": "OpenAI",
    "sku": {"name": "S0"},
    "properties": {
        "encryption": {
            "keySource": "Microsoft.KeyVault",
            "keyVaultProperties": {"keyVaultUri": "https://vault.example", "keyName": "team"},
        }
    },
}


def asked(server: Server, key: str, account: str = "/kept") -> tuple[int, Any]:
    """Status and error code of a call to the account."""
    answer = httpx.get(
        f"{server.endpoint}{account}/openai/models?api-version=2024-10-21",
        headers={"api-key": key},
    )
    return answer.status_code, answer.json().get("error", {}).get("code")


def test_without_its_key_an_account_is_closed(tmp_path: Path) -> None:
    """With it, it is open again, with the keys that it had; other accounts never notice."""
    vault = tmp_path / "vault"
    (vault / "team").mkdir(parents=True)
    key_file = vault / "team" / "v1"
    key_file.write_text("5a" * 32)
    settings = (
        f'{SIMULATED}\n[key_vaults.company]\nuri = "https://vault.example/"\nfolder = "{vault}"\n'
    )
    with stopped(start_server(tmp_path / "home", settings)) as server:
        assert arm(server, "PUT", ACCOUNT, BODY).status_code == 201
        key = arm(server, "POST", f"{ACCOUNT}/listKeys").json()["key1"]
        assert asked(server, key) == (200, None)
        server.kill()
    key_file.unlink()
    with stopped(start_server(tmp_path / "home", settings)) as server:
        assert asked(server, key) == (403, "KeyVaultEncryptionKeyNotFound")
        assert asked(server, server.key, "") == (200, None)
        refused = arm(server, "POST", f"{ACCOUNT}/listKeys")
        assert refused.status_code == 403
        assert refused.json()["error"]["code"] == "KeyVaultEncryptionKeyNotFound"
        key_file.write_text("5a" * 32)
        assert arm(server, "PATCH", ACCOUNT, {"tags": {"back": "yes"}}).status_code == 200
        assert asked(server, key) == (200, None)
