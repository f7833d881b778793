"""Files that applications store with an account: kept, found, listed, ended."""

from __future__ import annotations

from linarite.files.keeper import FileKeeper, NewFile

__all__ = ["FileKeeper", "NewFile"]
