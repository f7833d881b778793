"""Where the local authority lies; known to those too who need nothing else of it."""

from __future__ import annotations

from pathlib import Path

import msgspec

FOLDER = "ca"
"""in the home"""
KEY_FILE = "authority.pem"
"""key and certificate: its owner's alone"""
CA_FILE = "ca.pem"
"""the certificate by itself, to be handed out"""
BUNDLE_FILE = "bundle.pem"
"""it and the public authorities, for what takes one file instead of those it knows"""
ADDED_FILE = "added.pem"
"""it and what a variable had added to the authorities that a program knows"""

LEAF_DAYS = 90
"""how long certificates hold that it issues"""


class AuthorityPlace(msgspec.Struct, frozen=True):
    """A local authority as settings have it."""

    folder: Path
    domain: str
    """what the names of accounts end in: server.domain"""
    local_names: tuple[str, ...] = ()
    """server.local_names"""
    secret: bytes = b""
    """what its key is sealed with"""

    def __repr__(self) -> str:
        """Hide the secret."""
        return f"AuthorityPlace({self.folder})"
