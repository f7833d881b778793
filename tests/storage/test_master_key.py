"""The master key: made once, kept safe, missed when it is gone."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from linarite.domain.errors import SetupError
from linarite.storage.database import open_database
from linarite.storage.master_key import master_key
from linarite.storage.sqlite.keys import open_key_store

if TYPE_CHECKING:
    from pathlib import Path

    from linarite.domain.resource import AccountKeys

pytestmark = pytest.mark.anyio

ACCOUNT = "/a/contoso"


async def keys_of(folder: Path, *, given: bytes | None = None) -> AccountKeys:
    """Open the folder, ask for an account's keys, close."""
    database = open_database(folder)
    try:
        return await (await open_key_store(database, given_master_key=given)).ensure(ACCOUNT)
    finally:
        await database.close()


def names_in(folder: Path) -> set[str]:
    """The files in a folder."""
    return {path.name for path in folder.iterdir()}


async def test_the_first_start_makes_a_private_key_file(tmp_path: Path) -> None:
    """32 bytes in hexadecimal, readable by the owner alone, the same on every later start."""
    keys = await keys_of(tmp_path)
    path = tmp_path / "master.key"
    text = path.read_text()
    assert len(bytes.fromhex(text)) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert await keys_of(tmp_path) == keys
    assert path.read_text() == text
    assert names_in(tmp_path) == {"linarite.db", "lock", "master.key"}


async def test_a_given_key_leaves_no_file(tmp_path: Path) -> None:
    """Given by the settings, the key is on no disk of ours, and the same one opens it again."""
    keys = await keys_of(tmp_path, given=b"k" * 32)
    assert not (tmp_path / "master.key").exists()
    assert await keys_of(tmp_path, given=b"k" * 32) == keys


async def test_a_files_contents_may_be_given_instead(tmp_path: Path) -> None:
    """A key file that was lost can come back by way of the settings."""
    keys = await keys_of(tmp_path)
    contents = bytes.fromhex((tmp_path / "master.key").read_text())
    (tmp_path / "master.key").unlink()
    assert await keys_of(tmp_path, given=contents) == keys


async def test_a_lost_key_is_told_and_not_replaced(tmp_path: Path) -> None:
    """Without the file the start is refused; putting it back heals everything."""
    keys = await keys_of(tmp_path)
    path = tmp_path / "master.key"
    text = path.read_text()
    path.unlink()
    with pytest.raises(SetupError, match=r"master\.key is gone"):
        await keys_of(tmp_path)
    assert not path.exists()
    path.write_text(text)
    assert await keys_of(tmp_path) == keys


async def test_another_key_is_told(tmp_path: Path) -> None:
    """A wrong key is recognised at start, from either source, and changes nothing."""
    keys = await keys_of(tmp_path)
    path = tmp_path / "master.key"
    text = path.read_text()
    with pytest.raises(SetupError, match="another master key"):
        await keys_of(tmp_path, given=b"x" * 32)
    path.write_text((b"x" * 32).hex())
    with pytest.raises(SetupError, match="another master key"):
        await keys_of(tmp_path)
    path.write_text(text)
    assert await keys_of(tmp_path) == keys


@pytest.mark.parametrize("text", ["", "abc", "!!!!", (b"x" * 31).hex()])
def test_a_file_that_holds_no_key_is_told(tmp_path: Path, text: str) -> None:
    """Empty, short and foreign files are named, and the text in them is not."""
    (tmp_path / "master.key").write_text(text)
    with pytest.raises(SetupError, match="is not a master key") as told:
        master_key(tmp_path, None, sealed_before=False)
    assert not text or text not in told.value.message.replace(str(tmp_path), "")


def test_a_short_given_key_is_told(tmp_path: Path) -> None:
    """The message says how to make a good one, and does not show the bad one."""
    with pytest.raises(SetupError, match="openssl rand") as told:
        master_key(tmp_path, b"hunter2", sealed_before=False)
    assert "hunter2" not in told.value.message


def test_a_file_that_others_can_read_is_closed_to_them(tmp_path: Path) -> None:
    """A key put back from a backup with a wide mode is narrowed."""
    path = tmp_path / "master.key"
    path.write_text((b"x" * 32).hex())
    path.chmod(0o644)
    assert master_key(tmp_path, None, sealed_before=True) == b"x" * 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
