"""Keys and tokens as people give them: best not typed, as other users may see what is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.domain.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def read_key(
    given: str | None,
    file: Path | None,
    variable: Callable[[str], str | None],
    flag: str = "--key",
) -> str | None:
    """The key itself: as typed, from the environment (`env:NAME`) or from a file.

    `flag` is what it was given as. Raises SetupError when there is none where it was said to be.
    """
    if given is not None and file is not None:
        raise SetupError(f"{flag} and {flag}-file exclude each other: give one of them.")
    key, where = given, flag
    if given is not None and given.startswith("env:"):
        name = given.removeprefix("env:")
        key, where = variable(name), f"the environment variable {name}"
        if key is None:
            raise SetupError(f"{flag} names {where}, but it is not set.")
    if file is not None:
        where = f"the key file {file}"
        try:
            key = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as problem:
            raise SetupError(f"{where} can't be read: {problem}.") from None
    if key is None:
        return None
    key = key.strip()
    if not key or not key.isascii() or not key.isprintable():
        raise SetupError(f"What is in {where} can't be a key: it is empty or has odd characters.")
    return key
