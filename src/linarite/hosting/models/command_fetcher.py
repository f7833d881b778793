"""Brings models for a command, as a running server does: in a child process, by egress's rules.

What differs is whose configuration counts. The child has the person's own environment, so that pip,
hub and registry are signed in to and configured as ever; only the way out is ours.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from linarite.hosting.models.fetch_child import FetchOrder
from linarite.hosting.models.fetch_run import ChildPlace, run_fetch, through

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linarite.domain.dial import Dialer
    from linarite.hosting.models.manifest import Manifest
    from linarite.hosting.models.progress import Progress
    from linarite.hosting.models.store import ModelStore
    from linarite.hosting.models.wanted import Wanted

_PROXIES = frozenset(("http_proxy", "https_proxy", "all_proxy", "no_proxy"))


async def fetch_wanted(
    wanted: Wanted,
    store: ModelStore,
    dialer: Dialer,
    environment: Mapping[str, str],
    progress: Progress,
) -> Manifest:
    """Have a child process bring it into the store. Raises FetchFailed."""
    order = FetchOrder(
        store=str(store.folder),
        source=wanted.source,
        name=wanted.name,
        version=wanted.version,
        default=wanted.default,
    )
    own = {name: text for name, text in environment.items() if name.lower() not in _PROXIES}
    place = ChildPlace(
        Path.cwd(),  # folders that the person's configuration names may be meant from here
        # What pip's own files say of a proxy is outdone by its variable.
        lambda proxy: {**own, **through(proxy), "PIP_PROXY": proxy},
    )
    told = await run_fetch(order, dialer, place, progress)
    return store.get(told.name, told.version)
