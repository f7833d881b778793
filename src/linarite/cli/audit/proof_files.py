"""The files of an export that prove it: the chain, what signed it, and what it is.

linarite-audit/chain.jsonl         {"seq","hash","event"} an entry; {"seq","hash","digest"} one
whose event is not part of the export
linarite-audit/checkpoints.jsonl   what `linarite audit anchor` prints, a line each
linarite-audit/export.json         which part of the log it is, by which key
linarite-audit/public-key.pem      that key for other programs
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.domain.errors import SetupError

if TYPE_CHECKING:
    from pathlib import Path

PROOF_FOLDER = "linarite-audit"
CHAIN_FILE = "chain.jsonl"
CHECKPOINTS_FILE = "checkpoints.jsonl"
MANIFEST_FILE = "export.json"
KEY_FILE = "public-key.pem"
DIAGNOSTIC = "diagnostic"


class Manifest(msgspec.Struct, frozen=True):
    """What an export is."""

    format: str
    """`diagnostic` or `jsonl`"""
    tenant: str
    """how records name the server's tenant or region"""
    public_key: str
    first: int
    last: int
    """the entries whose events are part of it; `first` 1 and `last` 0 where there are none"""
    after: int
    """the chain begins after this entry, …"""
    after_hash: str
    """… whose hash this is"""


class ChainLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """An entry in the chain's file."""

    seq: int
    hash: str
    event: msgspec.Raw = msgspec.Raw()
    """the canonical bytes themselves"""
    digest: str = ""
    """of an event that is not shown"""


def read_manifest(folder: Path) -> Manifest:
    """What an export says it is. Raises SetupError."""
    path = folder / PROOF_FOLDER / MANIFEST_FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError) as problem:
        raise SetupError(f"{path} can't be read: {problem}.") from None


def is_export(folder: Path) -> bool:
    """Whether a folder holds an export."""
    return (folder / PROOF_FOLDER / MANIFEST_FILE).is_file()
