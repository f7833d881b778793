"""Which server a command speaks to: what was typed, then settings, then the one that runs here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from linarite.cli.arm.server import Address
from linarite.cli.given_key import read_key
from linarite.cli.serving_file import SERVING_FILE, read_serving_file
from linarite.domain.errors import SetupError
from linarite.domain.target import target_of

if TYPE_CHECKING:
    from linarite.cli.commands import Commands


class Typed(msgspec.Struct, frozen=True):
    """What was typed about the server; None leaves it to settings."""

    endpoint: str | None
    key: str | None
    key_file: Path | None
    ca_file: Path | None

    def __repr__(self) -> str:
        """Hide the key."""
        return f"Typed(endpoint={self.endpoint})"


def address_of(typed: Typed, commands: Commands) -> Address:
    """The server's address.

    For an endpoint that was named no key is taken from the serving file: that one's key goes to
    its own server alone. Raises SetupError, EgressRefused.
    """
    settings = commands.client()
    endpoint = typed.endpoint or settings.endpoint
    key_file = typed.key_file or (Path(settings.key_file) if settings.key_file else None)
    ca_file = str(typed.ca_file or settings.ca_file or "") or None
    if not endpoint:
        serving = read_serving_file(commands.home() / SERVING_FILE)
        key = read_key(typed.key, typed.key_file, commands.variable) or serving.management_key
        if not key:
            raise SetupError(
                "The management key is switched off here (controlplane.management_key): give an "
                "access token for this server, as --key env:NAME."
            )
        return Address(
            endpoint=serving.endpoint,
            key=key,
            ca_file=ca_file or serving.ca_file,
            account_id=serving.account_id,
        )
    if not settings.plaintext_beyond_loopback:
        require_private(endpoint)
    key = read_key(typed.key, None if typed.key else key_file, commands.variable)
    if key is None:
        raise SetupError(
            f"{endpoint} wants its management key: give --key-file FILE or --key env:NAME, or set "
            "client.key_file. On its machine, `linarite keys --management --show` prints it."
        )
    return Address(endpoint=endpoint, key=key, ca_file=ca_file)


def require_private(endpoint: str) -> None:
    """Let an endpoint pass on the way to which nobody reads along. Raises SetupError."""
    if target_of(endpoint).read_on_the_way:
        raise SetupError(
            f"{endpoint} is on another machine and without TLS: whoever reads along would have the "
            "key. Use https://, or set client.plaintext_beyond_loopback = true if "
            "something in between protects it."
        )
