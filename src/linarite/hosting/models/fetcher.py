"""Brings models into the store while the server runs: in a child process, by egress's rules."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit, urlunsplit

from linarite.hosting.models.errors import ModelNotFound
from linarite.hosting.models.fetch_child import FetchOrder
from linarite.hosting.models.fetch_run import ChildPlace, run_fetch, through
from linarite.hosting.models.logins import Logins

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.domain.dial import Dialer
    from linarite.domain.listed_model import ListedModel
    from linarite.hosting.models.manifest import Manifest
    from linarite.hosting.models.progress import Step
    from linarite.hosting.models.store import ModelStore
    from linarite.hosting.options import Models

_SHARES = {"Waiting": 0.0, "Downloading": 0.0, "Copying": 0.0, "Converting": 0.8, "Checking": 0.9}
"""where in the whole each piece of work begins; downloading and copying take most of the time"""
_LONGEST = 0.8
_CHECKING = 0.1
_SHOWN_CHARACTERS = 300


class StoreFetcher:
    """`ModelFetcher` into a model store."""

    def __init__(self, store: ModelStore, dialer: Dialer, options: Models, home: Path) -> None:
        """`home` is the server's, under which the folder for imports lies by default."""
        self._store = store
        self._dialer = dialer
        self._options = options
        self._imports = Path(options.import_folder) if options.import_folder else home / "imports"

    async def fetch(
        self, listed: ListedModel, progress: Callable[[float, str], None]
    ) -> dict[str, Any]:
        """Have a child process bring it. Raises FetchFailed."""
        progress(0.0, f"fetching {listed.name} {listed.version}")
        with tempfile.TemporaryDirectory(prefix="linarite-fetch-") as scratch:
            place = ChildPlace(Path(scratch), lambda proxy: self._environment(proxy, scratch))
            await run_fetch(
                self._order(listed), self._dialer, place, lambda step: progress(*_shown(step))
            )
        manifest = await asyncio.to_thread(self._store.get, listed.name, listed.version)
        return facts_of(manifest)

    async def discard(self, listed: ListedModel) -> None:
        """Take it out of the store."""
        with contextlib.suppress(ModelNotFound):
            await asyncio.to_thread(self._store.remove, listed.name, listed.version)

    def _order(self, listed: ListedModel) -> FetchOrder:
        return FetchOrder(
            store=str(self._store.folder),
            source=listed.source,
            name=listed.name,
            version=listed.version,
            imports=str(self._imports),
            hub=self._options.hub_url or None,
            logins=Logins(hub_token=self._options.hub_token, registries=self._options.registries),
        )

    def _environment(self, proxy: str, scratch: str) -> dict[str, str]:
        """Nothing of the server's own; every connection goes through the proxy."""
        index = self._options.index_url
        local = index.startswith("/")
        if self._options.index_credentials and index and not local:
            index = _signed_in(index, self._options.index_credentials)
        return {
            "HOME": scratch,
            "TMPDIR": scratch,
            **through(proxy),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_CACHE_DIR": "1",
            "PIP_RETRIES": "1",
            **({"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": index} if local else {}),
            **({"PIP_INDEX_URL": index} if index and not local else {}),
            "HF_HUB_DISABLE_TELEMETRY": "1",
        }


def facts_of(manifest: Manifest) -> dict[str, Any]:
    """What the catalogue shows of a file."""
    return {
        "sha256": manifest.sha256,
        "sizeBytes": manifest.size_bytes,
        "source": manifest.source,
        "licence": manifest.licence,
        "architecture": manifest.architecture,
        "quantisation": manifest.quantisation,
        "contextLength": manifest.context_length,
    }


def _signed_in(url: str, credentials: str) -> str:
    """An index's address with a user and a password, as pip takes them."""
    parts = urlsplit(url)
    user, _, password = credentials.partition(":")
    host = parts.netloc.rpartition("@")[2]
    named = f"{quote(user, safe='')}:{quote(password, safe='')}@{host}"
    return urlunsplit(parts._replace(netloc=named))


def _shown(step: Step) -> tuple[float, str]:
    begin = _SHARES.get(step.action, 0.0)
    part = step.done_bytes / step.total_bytes if step.total_bytes else 0.0
    length = _CHECKING if step.action == "Checking" else _LONGEST
    return begin + part * length, f"{step.action.lower()} {step.model}"[:_SHOWN_CHARACTERS]
