"""What the command line asks of a running server: its keys, and new ones in their place.

Whoever may read the data folder may ask: there lies the operator's key, another one at each start.
"""

from __future__ import annotations

import hmac
import secrets
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from linarite.domain.errors import InvalidKey
from linarite.web.error_envelope import error_body
from linarite.web.pages import action

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from linarite.domain.resource import AccountKeys
    from linarite.web.asgi import App
    from linarite.web.pages import Rendered

JSON = "application/json"
OPERATOR_KEY_FILE = "operator.key"
"""its name in the data folder"""
KEYS_PATH = "/operations/keys"


def regenerate_path(key_name: str) -> str:
    """Where a new key is asked for."""
    return f"{KEYS_PATH}/{key_name}/regenerate"


def write_operator_key(folder: Path) -> str:
    """Make the key of this run, and leave it where only the folder's owner can read it."""
    key = secrets.token_urlsafe(32)
    file = folder / OPERATOR_KEY_FILE
    file.unlink(missing_ok=True)
    file.touch(mode=0o600, exist_ok=False)
    file.write_text(key, encoding="ascii")
    return key


def operator_pages(
    operator_key: str,
    keys: Callable[[], Awaitable[AccountKeys]],
    regenerate: Callable[[str], Awaitable[AccountKeys]],
) -> dict[str, App]:
    """The pages by their path. All want `Authorization: Bearer <operator's key>`."""
    wanted = f"Bearer {operator_key}".encode()

    def guarded(act: Callable[[], Awaitable[AccountKeys]], method: str) -> App:
        async def answer(headers: Mapping[bytes, bytes]) -> Rendered:
            if not hmac.compare_digest(headers.get(b"authorization", b""), wanted):
                return InvalidKey.status, JSON, error_body(InvalidKey())
            return 200, JSON, msgspec.json.encode(await act())

        return action(answer, method)

    pages = {KEYS_PATH: guarded(keys, "GET")}
    for name in ("key1", "key2"):
        pages[regenerate_path(name)] = guarded(partial(regenerate, name), "POST")
    return pages
