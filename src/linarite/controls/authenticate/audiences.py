"""For which services a token must be: one set of names for each plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from linarite.controls.authenticate.options import Tokens

DATA = "https://cognitiveservices.azure.com"
MANAGEMENT = "https://management.azure.com"


def with_slash(names: Iterable[str]) -> frozenset[str]:
    """Each name as it is, and with or without the slash at its end."""
    bare = [name.rstrip("/") for name in names]
    return frozenset((*bare, *(f"{name}/" for name in bare)))


DATA_AUDIENCES = with_slash((DATA, "https://ai.azure.com"))
MANAGEMENT_AUDIENCES = with_slash((MANAGEMENT, "https://management.core.windows.net"))
"""what clients of Azure ask for, on the data plane and on the control plane"""


class Audiences:
    """What `aud` may be on each plane, as settings and the server's own address have it."""

    def __init__(self, options: Tokens) -> None:
        self.data = DATA_AUDIENCES | frozenset(options.audiences)
        self.management = MANAGEMENT_AUDIENCES | frozenset(options.management_audiences)

    def add_own_address(self, url: str) -> None:
        """This server's own address is an audience of the control plane.

        It is the address that the server knows of itself, never what a request calls it. On
        loopback it has two names.
        """
        self.management |= with_slash((url, url.replace("://127.0.0.1", "://localhost")))
