"""Accounts that are sealed with a key of their owner's."""

from __future__ import annotations

from typing import Any

import pytest

from linarite.controlplane.upkeep import tidy
from linarite.domain.customer_keys import CustomerKeyUnavailable
from tests.controlplane.rig import ACCOUNT, ACCOUNTS, SUBSCRIPTION, Rig

pytestmark = pytest.mark.anyio

ONE = f"{ACCOUNTS}/one"
KEY = "https://vault.example/keys/team/1"
NEWER = "https://vault.example/keys/team/2"
DELETED = (
    f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.CognitiveServices/locations/local"
    "/resourceGroups/rg/deletedAccounts/one"
)
CONNECTION = {
    "properties": {
        "authType": "ApiKey",
        "category": "CognitiveSearch",
        "target": "https://search.example",
        "credentials": {"key": "secret"},
    }
}


@pytest.fixture
async def rig() -> Rig:
    """A control plane that knows one key."""
    rig = await Rig().with_group()
    rig.customer_keys.keys[KEY] = b"1" * 32
    return rig


def sealed(version: str = "1", **changed: str) -> dict[str, Any]:
    """An account that names the key."""
    vault = {"keyVaultUri": "https://Vault.example/", "keyName": "Team", "keyVersion": version}
    encryption = {"keySource": "Microsoft.KeyVault", "keyVaultProperties": vault | changed}
    return ACCOUNT | {"properties": {"encryption": encryption}}


async def test_its_key_decides(rig: Rig) -> None:
    """Without the key nobody is told the account's keys, and it is not changed; with it, again."""
    made = await rig.ask("PUT", ONE, sealed())
    assert made.status == 201
    keys = await rig.ask("POST", f"{ONE}/listKeys")
    key = rig.customer_keys.keys.pop(KEY)
    for method, path, body in (
        ("POST", f"{ONE}/listKeys", None),
        ("POST", f"{ONE}/regenerateKey", {"keyName": "Key1"}),
        ("PATCH", ONE, {"tags": {"a": "b"}}),
        ("PUT", ONE, ACCOUNT),
        ("PUT", f"{ONE}/connections/search", CONNECTION),
    ):
        refused = await rig.ask(method, path, body)
        assert (refused.status, refused.body["code"]) == (403, "KeyVaultEncryptionKeyNotFound")
        assert KEY in refused.body["message"]
    rig.customer_keys.keys[KEY] = key
    assert (await rig.ask("POST", f"{ONE}/listKeys")).body == keys.body


async def test_a_key_that_is_not_there_is_refused(rig: Rig) -> None:
    """With what to change, and nothing is made."""
    refused = await rig.ask("PUT", ONE, sealed("2"))
    assert (refused.status, refused.body["code"]) == (400, "KeyVaultEncryptionKeyNotFound")
    assert "[key_vaults.NAME]" in refused.body["message"]
    unnamed = await rig.ask("PUT", ONE, sealed(keyVaultUri="", keyName=""))
    assert {each["target"].rpartition(".")[2] for each in unnamed.body["details"]} == {
        "keyVaultUri",
        "keyName",
    }
    assert (await rig.ask("GET", ONE)).status == 404


async def test_the_source_may_change(rig: Rig) -> None:
    """To the server's own key and back."""
    await rig.ask("PUT", ONE, ACCOUNT)
    assert (await rig.ask("PUT", ONE, sealed())).status == 200
    back = {"properties": {"encryption": {"keySource": "Microsoft.CognitiveServices"}}}
    assert (await rig.ask("PATCH", ONE, back)).status == 200
    rig.customer_keys.keys.clear()
    assert (await rig.ask("POST", f"{ONE}/listKeys")).status == 200


async def test_without_a_version_the_newest_one_seals(rig: Rig) -> None:
    """A newer one takes over within a minute, without anybody's asking."""
    await rig.ask("PUT", ONE, sealed(""))
    rig.customer_keys.keys[NEWER] = b"2" * 32
    await tidy(rig.surface)
    del rig.customer_keys.keys[KEY]
    assert (await rig.ask("POST", f"{ONE}/listKeys")).status == 200
    del rig.customer_keys.keys[NEWER]
    with pytest.raises(CustomerKeyUnavailable):
        await rig.keys.digests(ONE)


async def test_the_data_path_is_told_that_a_key_has_gone(rig: Rig) -> None:
    """Upkeep has it read the account's keys anew, and those of no other."""
    await rig.ask("PUT", ONE, sealed())
    await rig.ask("PUT", f"{ACCOUNTS}/two", ACCOUNT)
    told = rig.told
    rig.customer_keys.keys.clear()
    await tidy(rig.surface)
    assert rig.told == told + 1


async def test_what_a_crash_left_half_done_is_done(rig: Rig) -> None:
    """The server died between keeping the account and sealing its keys, either way."""
    await rig.ask("PUT", ONE, sealed())
    await rig.keys.encrypt(ONE, "")
    await rig.ask("PUT", f"{ACCOUNTS}/two", ACCOUNT)
    await rig.keys.encrypt(f"{ACCOUNTS}/two", KEY)
    await tidy(rig.surface)
    rig.customer_keys.keys.clear()
    assert await rig.keys.digests(f"{ACCOUNTS}/two")
    with pytest.raises(CustomerKeyUnavailable):
        await rig.keys.digests(ONE)


async def test_without_its_key_an_account_can_be_deleted_and_purged(rig: Rig) -> None:
    """Recovering it takes the key."""
    await rig.ask("PUT", ONE, sealed())
    rig.customer_keys.keys.clear()
    assert (await rig.ask("DELETE", ONE)).status == 200
    restored = ACCOUNT | {"properties": {"restore": True}}
    assert (await rig.ask("PUT", ONE, restored)).status == 403
    purged = await rig.ask("DELETE", DELETED)
    assert purged.status == 200
    assert (await rig.ask("PUT", ONE, ACCOUNT)).status == 201
