"""What the command line needs from the program around it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from linarite.cli.options import Client
from linarite.domain.errors import SetupError
from linarite.domain.resource import AccountKeys
from linarite.hosting.models.manifest import Manifest
from linarite.hosting.models.progress import Progress
from linarite.hosting.models.store import ModelStore
from linarite.hosting.models.wanted import Wanted
from linarite.web.certificates.places import AuthorityPlace


class UpOptions(msgspec.Struct, frozen=True):
    """The flags of `linarite up`; None means that the settings decide."""

    config: Path | None = None
    host: str | None = None
    port: int | None = None
    minimal: bool = False
    ready_file: Path | None = None


class SettingShown(msgspec.Struct, frozen=True):
    """One setting as people read it."""

    key: str
    value: object
    """as JSON can hold it, without secrets"""
    origin: str
    description: str


def no_variable(_: str) -> str | None:
    """An environment without variables."""
    return None


def no_authority() -> AuthorityPlace:
    """No home, no authority."""
    raise SetupError("There is no data folder here that could hold a local authority.")


def no_source(wanted: Wanted, _: Progress) -> Manifest:
    """A machine to which no model can be brought."""
    raise SetupError(f"{wanted.source} can't be had: there is no way out here.")


class Commands(msgspec.Struct, frozen=True):
    """What each command does. All raise LinariteError with a message for the person who typed."""

    serve: Callable[[UpOptions], int]
    """runs a server until it is told to stop; returns the exit code"""
    settings_shown: Callable[[Path | None], list[SettingShown]]
    """the settings in force, read from that file or from where they usually lie"""
    settings_markdown: Callable[[], str]
    """the reference page of all settings"""
    model_store: Callable[[], ModelStore]
    home: Callable[[], Path]
    """the folder of all data"""
    stored_keys: Callable[[str | None], AccountKeys]
    """the keys in that folder while no server runs; with a name, that one is replaced before"""
    version: str
    client: Callable[[], Client] = Client
    """what settings say about the server that commands speak to"""
    variable: Callable[[str], str | None] = no_variable
    """the value of an environment variable that the person named (`--key env:NAME`)"""
    bring_model: Callable[[Wanted, Progress], Manifest] = no_source
    """brings one from elsewhere into the store, by the rules of egress"""
    authority: Callable[[], AuthorityPlace] = no_authority
    """where the local certificate authority lies, and what it is for"""
