"""What an engine's process says on its standard output, a line at a time."""

from __future__ import annotations

import msgspec


class Loading(msgspec.Struct, frozen=True, tag="loading"):
    """The file has been looked into, the model is being loaded."""

    architecture: str


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """It cannot go on."""

    reason: str


class Loaded(msgspec.Struct, frozen=True, tag="loaded"):
    """It serves. Engines add what they found out about the model."""
