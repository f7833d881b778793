"""Key vaults as folders: what a vault's agent, a secret mount or a person puts there counts.

A key is a file NAME/VERSION of at least 64 hexadecimal digits. Folders are read whenever a key is
wanted: a file that is taken away revokes its key, a newer one is its next version.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from linarite.domain.customer_keys import key_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from linarite.storage.options import KeyVaultSettings

KEY_BYTES_MIN = 32
FILE_BYTES_MAX = 4096


class KeyVaultFolders:
    """`CustomerKeys` in folders."""

    def __init__(self, folders: Mapping[str, str]) -> None:
        """`folders`: the address of each vault, as accounts name it → where its keys lie."""
        self._folders = {uri: Path(folder).expanduser() for uri, folder in folders.items()}

    def known(self) -> tuple[str, ...]:
        """The ids of all keys; of the versions of one name the newest comes last."""
        found = [(moment, key_id) for key_id, path, moment in self._files() if _key_in(path)]
        return tuple(key_id for _, key_id in sorted(found))

    def find(self, key_id: str) -> bytes | None:
        """A key's bytes; None when it is not there."""
        wanted = key_id.lower()
        return next((_key_in(path) for each, path, _ in self._files() if each == wanted), None)

    def _files(self) -> Iterator[tuple[str, Path, int]]:
        """Every file of the vaults: a key's id in lower case, where it is, when it was written."""
        for uri, folder in self._folders.items():
            try:
                for path in sorted(folder.glob("[!.]*/[!.]*")):
                    begin = key_name(uri, path.parent.name)
                    yield f"{begin}{path.name}".lower(), path, path.stat().st_mtime_ns
            except OSError:  # taken away meanwhile, or not ours to read
                continue


def key_vaults(declared: Mapping[str, KeyVaultSettings]) -> KeyVaultFolders:
    """The key vaults of the settings."""
    return KeyVaultFolders({each.uri: each.folder for each in declared.values()})


def _key_in(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            text = file.read(FILE_BYTES_MAX + 1)
        key = bytes.fromhex(text.decode("ascii")) if len(text) <= FILE_BYTES_MAX else b""
    except (OSError, ValueError):
        return None
    return key if len(key) >= KEY_BYTES_MIN else None
