"""Key vaults that are folders."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from linarite.domain.customer_keys import present_key
from linarite.storage.key_vaults import KeyVaultFolders

if TYPE_CHECKING:
    from pathlib import Path

URI = "https://vault.example/"
ONE = "https://vault.example/keys/team/1"


def put(folder: Path, place: str, text: str, at: int = 0) -> None:
    """Write a key's file, as if at that second."""
    path = folder / place
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    if at:
        os.utime(path, (at, at))


def test_a_file_is_a_key(tmp_path: Path) -> None:
    """Found by the id that a vault would give it, in any case, for as long as it is there."""
    vaults = KeyVaultFolders({URI: str(tmp_path)})
    assert vaults.known() == ()
    put(tmp_path, "Team/1", f"{'ab' * 32}\n")
    assert vaults.known() == (ONE,)
    assert vaults.find("https://VAULT.example/keys/TEAM/1") == b"\xab" * 32
    (tmp_path / "Team" / "1").unlink()
    assert (vaults.known(), vaults.find(ONE)) == ((), None)


@pytest.mark.parametrize("text", ["", "ab" * 31, "no key", "ab" * 5000, "é" * 64])
def test_what_is_no_key_is_not_there(tmp_path: Path, text: str) -> None:
    """Too short, too long, not hexadecimal."""
    put(tmp_path, "team/1", text)
    vaults = KeyVaultFolders({URI: str(tmp_path), "https://other.example": "/nowhere"})
    assert (vaults.known(), vaults.find(ONE)) == ((), None)


def test_the_newest_version_is_the_one_written_last(tmp_path: Path) -> None:
    """Of the name that is asked for, whatever the versions are called."""
    put(tmp_path, "team/b", "01" * 32, at=1_000)
    put(tmp_path, "team/a", "02" * 32, at=2_000)
    put(tmp_path, "teams/c", "03" * 32, at=3_000)
    put(tmp_path, ".hidden/d", "04" * 32, at=4_000)
    known = KeyVaultFolders({URI: str(tmp_path)}).known()
    assert present_key("https://vault.example/keys/team/", known) == (
        "https://vault.example/keys/team/a"
    )
    assert present_key("https://vault.example/keys/Team/B", known) == (
        "https://vault.example/keys/team/b"
    )
    assert present_key("https://vault.example/keys/tea/", known) is None
    assert len(known) == 3
