"""What is sealed opens only for its account, its name and its master key."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linarite.domain.errors import SetupError
from linarite.storage.database import open_database
from linarite.storage.sealing import Sealing
from linarite.storage.sqlite.keys import open_key_store

if TYPE_CHECKING:
    from pathlib import Path

SEALING = Sealing(b"m" * 32)


@given(st.binary(max_size=200), st.text(st.characters(codec="utf-8"), max_size=20))
def test_what_is_sealed_opens_again(plain: bytes, name: str) -> None:
    """Any bytes come back, and never look the same twice."""
    wrapped = SEALING.new_account_key("/a")
    sealed = SEALING.seal(wrapped, "/a", name, plain)
    assert SEALING.unseal(wrapped, "/a", name, sealed) == plain
    assert SEALING.seal(wrapped, "/a", name, plain) != sealed


@pytest.mark.parametrize("told", ["", "a", "é", "AAAA", "!" * 4, "A" * 10_001])
def test_what_was_never_sealed_does_not_open(told: str) -> None:
    """Clients send back what they were given, or anything else."""
    with pytest.raises(SetupError):
        SEALING.box.unseal("x", told)


@given(st.binary(max_size=200), st.text(st.characters(codec="utf-8"), max_size=20))
def test_box_opens_under_its_name_alone(plain: bytes, name: str) -> None:
    """What waits on disk comes back under its name; another name or master key is refused."""
    sealed = SEALING.box.seal(name, plain)
    assert SEALING.box.unseal(name, sealed) == plain
    for box, wrong in ((SEALING.box, name + "x"), (Sealing(b"n" * 32).box, name)):
        with pytest.raises(SetupError):
            box.unseal(wrong, sealed)


def test_nothing_else_opens_it() -> None:
    """Another account, name, wrapped key or master key, or any changed bit, is refused."""
    wrapped = SEALING.new_account_key("/a")
    sealed = SEALING.seal(wrapped, "/a", "key1", b"secret")
    others = [
        (SEALING, wrapped, "/b", "key1", sealed),
        (SEALING, wrapped, "/a", "key2", sealed),
        (SEALING, SEALING.new_account_key("/a"), "/a", "key1", sealed),
        (Sealing(b"n" * 32), wrapped, "/a", "key1", sealed),
        (SEALING, b"", "/a", "key1", sealed),
        (SEALING, wrapped, "/a", "key1", b""),
    ]
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        others.append((SEALING, wrapped, "/a", "key1", bytes(changed)))
    for place in range(len(wrapped)):
        changed = bytearray(wrapped)
        changed[place] ^= 1
        others.append((SEALING, bytes(changed), "/a", "key1", sealed))
    opened = [one for one in others if opens(*one)]
    assert opened == []


def opens(sealing: Sealing, wrapped: bytes, account: str, name: str, sealed: bytes) -> bool:
    """Whether anything comes out."""
    try:
        sealing.unseal(wrapped, account, name, sealed)
    except SetupError:
        return False
    return True


def test_digests_are_hmac_sha256() -> None:
    """One key, one digest, of the standard kind; another master key gives another."""
    other = Sealing(b"n" * 32)
    assert SEALING.digest("k") == SEALING.digest("k") != other.digest("k")
    pepper = SEALING._digest.copy()
    pepper.update(b"k")
    assert len(SEALING.digest("k")) == hashlib.sha256().digest_size
    assert hmac.compare_digest(SEALING.digest("k"), pepper.digest())


def test_the_master_key_is_not_in_what_is_derived() -> None:
    """The fingerprint, which is stored, differs from the key and by key; the repr shows nothing."""
    assert SEALING.fingerprint != Sealing(b"n" * 32).fingerprint
    assert b"m" * 8 not in SEALING.fingerprint
    assert repr(SEALING) == "Sealing(…)"


@pytest.mark.anyio
async def test_no_file_holds_a_key_in_the_clear(tmp_path: Path) -> None:
    """While the server runs and after, the keys are in no file, and neither are their digests."""
    database = open_database(tmp_path)
    store = await open_key_store(database)
    pair = await store.ensure("/a")
    pair2 = await store.regenerate("/a", "key2")
    secrets = [pair.key1, pair.key2, pair2.key2]

    def on_disk() -> bytes:
        return b"".join(path.read_bytes() for path in tmp_path.iterdir())

    for needle in secrets:
        assert needle.encode() not in on_disk()
        assert store.digest(needle) not in on_disk()
    await database.close()
    for needle in secrets:
        assert needle.encode() not in on_disk()


@pytest.mark.anyio
async def test_forgetting_destroys_the_wrapped_key_on_disk(tmp_path: Path) -> None:
    """After `forget` the bytes that could open what was sealed are in no file of the folder."""
    database = open_database(tmp_path)
    store = await open_key_store(database)
    await store.ensure("/a")
    async with database.reading() as connection:
        answer = await connection.exec_driver_sql(
            "SELECT wrapped FROM sealing_keys UNION ALL SELECT sealed FROM account_keys"
        )
        stored: list[bytes] = list(answer.scalars())
    assert len(stored) == 3

    def present() -> list[bytes]:
        files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        return [each for each in stored if each in files]

    assert present() == stored
    await store.forget("/a")
    assert present() == []
    await database.close()


@pytest.mark.anyio
async def test_a_row_copied_to_another_account_does_not_open(tmp_path: Path) -> None:
    """Whoever can write the database cannot give an account another one's keys."""
    database = open_database(tmp_path)
    store = await open_key_store(database)
    await store.ensure("/a")
    await store.ensure("/b")
    async with database.writing() as connection:
        await connection.exec_driver_sql(
            "UPDATE account_keys SET sealed = (SELECT sealed FROM account_keys"
            " WHERE account_key = '/a' AND name = 'key1') WHERE account_key = '/b'"
        )
    with pytest.raises(SetupError, match="does not open"):
        await store.ensure("/b")
    await database.close()
