"""What every KeyStore promises."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from linarite.domain.customer_keys import CustomerKeyUnavailable
from linarite.domain.errors import InvalidRequest, SetupError

if TYPE_CHECKING:
    from linarite.domain.resource import KeyStore
    from linarite.storage.memory.customer_keys import MemoryCustomerKeys

pytestmark = pytest.mark.anyio

FIRST = "https://vault.example/keys/team/1"
SECOND = "https://vault.example/keys/team/2"
ACCOUNT = "/subscriptions/s1/resourceGroups/Team/providers/x/accounts/Contoso"


async def test_keys_are_made_once(key_store: KeyStore) -> None:
    """The first asking makes two keys, later and simultaneous ones find the same."""
    pairs = await asyncio.gather(*(key_store.ensure(ACCOUNT) for _ in range(8)))
    assert all(pair == pairs[0] for pair in pairs)
    assert await key_store.ensure(f"{ACCOUNT.upper()}/") == pairs[0]
    assert pairs[0].key1 != pairs[0].key2


async def test_keys_are_long_and_safe_to_paste(key_store: KeyStore) -> None:
    """64 letters and digits with all three kinds among them, none that are easily confused."""
    for number in range(50):
        pair = await key_store.ensure(f"{ACCOUNT}{number}")
        for key in (pair.key1, pair.key2):
            assert len(key) == 64
            assert key.isascii()
            assert key.isalnum()
            assert not set(key) & set("0O1lI")
            assert any(map(str.isdigit, key))
            assert any(map(str.isupper, key))
            assert any(map(str.islower, key))


async def test_accounts_have_different_keys(key_store: KeyStore) -> None:
    """No key opens two accounts."""
    pairs = [await key_store.ensure(f"/a/{number}") for number in range(20)]
    assert len({key for pair in pairs for key in (pair.key1, pair.key2)}) == 40


@pytest.mark.parametrize("key_name", ["key1", "key2"])
async def test_regenerating_replaces_one_key(key_store: KeyStore, key_name: str) -> None:
    """The named key is new, the other stays, and both are what is found from then on."""
    before = await key_store.ensure(ACCOUNT)
    after = await key_store.regenerate(ACCOUNT, key_name)
    other = "key2" if key_name == "key1" else "key1"
    assert getattr(after, key_name) != getattr(before, key_name)
    assert getattr(after, other) == getattr(before, other)
    assert await key_store.ensure(ACCOUNT) == after
    digests = await key_store.digests(ACCOUNT)
    assert key_store.digest(getattr(before, key_name)) not in digests
    assert digests[key_store.digest(getattr(after, key_name))] == key_name


async def test_regenerating_makes_keys_that_were_not_there(key_store: KeyStore) -> None:
    """An account without keys gets both."""
    made = await key_store.regenerate(ACCOUNT, "key2")
    assert await key_store.ensure(ACCOUNT) == made


async def test_simultaneous_regenerations_both_count(key_store: KeyStore) -> None:
    """Replacing key1 and key2 at once replaces both."""
    before = await key_store.ensure(ACCOUNT)
    await asyncio.gather(
        key_store.regenerate(ACCOUNT, "key1"), key_store.regenerate(ACCOUNT, "key2")
    )
    after = await key_store.ensure(ACCOUNT)
    assert after.key1 != before.key1
    assert after.key2 != before.key2


@pytest.mark.parametrize("key_name", ["", "Key1", "key3", "digest"])
async def test_only_two_names_exist(key_store: KeyStore, key_name: str) -> None:
    """Another name is refused with the names there are, and the keys stay."""
    before = await key_store.ensure(ACCOUNT)
    with pytest.raises(InvalidRequest, match="key1 or key2"):
        await key_store.regenerate(ACCOUNT, key_name)
    assert await key_store.ensure(ACCOUNT) == before


async def test_digests_name_the_keys(key_store: KeyStore) -> None:
    """A presented key is found by its digest, anything else is not."""
    assert await key_store.digests(ACCOUNT) == {}
    pair = await key_store.ensure(ACCOUNT)
    digests = await key_store.digests(ACCOUNT.lower())
    assert digests == {key_store.digest(pair.key1): "key1", key_store.digest(pair.key2): "key2"}
    assert all(len(digest) == 32 for digest in digests)
    for presented in ("", pair.key1[:-1], f"{pair.key1} ", pair.key1.lower(), "ü", "\udce4"):
        assert key_store.digest(presented) not in digests


async def test_forgotten_keys_are_gone(key_store: KeyStore) -> None:
    """Nothing of them is found, another account's stay, and new ones are different."""
    before = await key_store.ensure(ACCOUNT)
    other = await key_store.ensure("/a/other")
    await key_store.forget(ACCOUNT.upper())
    await key_store.forget(ACCOUNT)
    assert await key_store.digests(ACCOUNT) == {}
    after = await key_store.ensure(ACCOUNT)
    assert {after.key1, after.key2}.isdisjoint({before.key1, before.key2})
    assert await key_store.ensure("/a/other") == other


async def test_no_repr_shows_a_key(key_store: KeyStore) -> None:
    """Neither the pair nor the store can be logged by accident."""
    pair = await key_store.ensure(ACCOUNT)
    shown = f"{pair!r} {pair} {key_store!r}"
    assert pair.key1 not in shown
    assert pair.key2 not in shown


async def test_a_customers_key_is_needed(
    key_store: KeyStore, customer_keys: MemoryCustomerKeys
) -> None:
    """Without it, and with another one of its name, nobody is told the account's keys."""
    before = await key_store.ensure(ACCOUNT)
    customer_keys.keys[FIRST] = b"1" * 32
    await key_store.encrypt(f"{ACCOUNT.upper()}/", FIRST)
    assert await key_store.ensure(ACCOUNT) == before
    for instead in (None, b"2" * 32):
        customer_keys.keys.clear()
        if instead is not None:
            customer_keys.keys[FIRST] = instead
        for asked in (
            key_store.ensure(ACCOUNT),
            key_store.digests(ACCOUNT),
            key_store.regenerate(ACCOUNT, "key1"),
            key_store.encrypt(ACCOUNT, ""),
        ):
            with pytest.raises(CustomerKeyUnavailable, match=FIRST):
                await asked
    customer_keys.keys[FIRST] = b"1" * 32
    after = await key_store.regenerate(ACCOUNT, "key1")
    assert after.key2 == before.key2
    assert await key_store.ensure(ACCOUNT) == after


async def test_a_customers_key_is_replaced_and_taken_away(
    key_store: KeyStore, customer_keys: MemoryCustomerKeys
) -> None:
    """From then on the former one is not needed; one that is not there is not taken."""
    customer_keys.keys |= {FIRST: b"1" * 32, SECOND: b"2" * 32}
    await key_store.encrypt(ACCOUNT, FIRST)
    pair = await key_store.ensure(ACCOUNT)
    await key_store.encrypt(ACCOUNT, SECOND)
    del customer_keys.keys[FIRST]
    assert await key_store.ensure(ACCOUNT) == pair
    with pytest.raises(CustomerKeyUnavailable):
        await key_store.encrypt(ACCOUNT, FIRST)
    await key_store.encrypt(ACCOUNT, "")
    customer_keys.keys.clear()
    assert await key_store.ensure(ACCOUNT) == pair


async def test_forgetting_needs_no_customers_key(
    key_store: KeyStore, customer_keys: MemoryCustomerKeys
) -> None:
    """What nobody can open can be destroyed; the account begins anew."""
    customer_keys.keys[FIRST] = b"1" * 32
    await key_store.encrypt(ACCOUNT, FIRST)
    pair = await key_store.ensure(ACCOUNT)
    customer_keys.keys.clear()
    await key_store.forget(ACCOUNT)
    assert await key_store.digests(ACCOUNT) == {}
    assert await key_store.ensure(ACCOUNT) != pair


async def test_an_accounts_box_goes_with_its_key(
    key_store: KeyStore, customer_keys: MemoryCustomerKeys
) -> None:
    """It opens what it has sealed, whatever the key is wrapped by, and no other account's."""
    assert await key_store.box_of(ACCOUNT) is None
    await key_store.ensure(ACCOUNT)
    await key_store.ensure("/another")
    box, another = await key_store.box_of(ACCOUNT), await key_store.box_of("/another")
    assert box is not None
    assert another is not None
    sealed = box.seal("secret", b"plain")
    customer_keys.keys[FIRST] = b"1" * 32
    await key_store.encrypt(ACCOUNT, FIRST)
    later = await key_store.box_of(ACCOUNT.upper())
    assert later is not None
    assert later.unseal("secret", sealed) == b"plain"
    for wrong, name in ((another, "secret"), (later, "other")):
        with pytest.raises(SetupError, match="does not open"):
            wrong.unseal(name, sealed)
    customer_keys.keys.clear()
    with pytest.raises(CustomerKeyUnavailable):
        await key_store.box_of(ACCOUNT)
