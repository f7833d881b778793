"""A model that a person asks a command to bring."""

from __future__ import annotations

import msgspec


class Wanted(msgspec.Struct, frozen=True):
    """What is asked for."""

    source: str
    """a path, a name of the catalogue, or a `pypi:`, `hf:` or `oci://` reference"""
    name: str | None = None
    """None: what the source suggests"""
    version: str | None = None
    """as `name`"""
    default: bool = False
    """make it the default version of its model"""
