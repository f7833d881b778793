"""A certificate chain and its key as TLS takes them, from memory."""

from __future__ import annotations

import itertools
import os
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import ssl
    from collections.abc import Generator

_numbers = itertools.count(1)


class Material(msgspec.Struct, frozen=True):
    """What a server shows in handshakes."""

    chain: bytes
    """PEM, the server's own certificate first"""
    key: bytes
    """PEM, without a password"""
    names: frozenset[str] = frozenset()
    """host names, maybe with `*.`, and addresses, in lower case"""
    number: int = msgspec.field(default_factory=lambda: next(_numbers))
    """no other has it: contexts are kept by it"""

    def __repr__(self) -> str:
        """Hide the key."""
        return f"Material(number={self.number})"

    def load_into(self, context: ssl.SSLContext) -> None:
        """Make a context show it. Raises ssl.SSLError when it is none, or the key another's."""
        with private_file(self.chain) as chain, private_file(self.key) as key:
            # Without a password OpenSSL would stop and ask the terminal for one.
            context.load_cert_chain(chain, key, password="")


@contextmanager
def private_file(content: bytes) -> Generator[str]:
    """A private file for as long as OpenSSL reads it: in memory, where there is such a thing."""
    if hasattr(os, "memfd_create"):
        number = os.memfd_create("certificate")
        try:
            os.write(number, content)
            yield f"/proc/self/fd/{number}"
        finally:
            os.close(number)
        return
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        yield file.name
