"""Bringing models by a command, as far as it is put together of several parts.

By the rules of egress, like everything that goes out. A server that runs keeps to what settings
name; here a person names more, by what is typed and by how pip and the hub's library are
configured.
"""

from __future__ import annotations

import asyncio
from functools import cached_property
from typing import TYPE_CHECKING

from linarite.controls.egress import EgressDialer, EgressPolicy, HttpProxy, PurposeHosts
from linarite.controls.egress.persons_proxy import persons_proxy
from linarite.domain.network_log import EGRESS_REFUSED, Occurrence
from linarite.hosting.models.command_fetcher import fetch_wanted
from linarite.hosting.models.person_places import pip_places, places_named
from linarite.settings import persons_environment
from linarite.storage.network_spool import NetworkSpool

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linarite.domain.dial import Errand
    from linarite.domain.errors import EgressRefused
    from linarite.hosting.models.manifest import Manifest
    from linarite.hosting.models.person_places import Places
    from linarite.hosting.models.progress import Progress
    from linarite.hosting.models.store import ModelStore
    from linarite.hosting.models.wanted import Wanted
    from linarite.setting_tree import Settings
    from linarite.settings import Loaded


class ModelBringer:
    """Brings models into the store of one home, for a command."""

    def __init__(self, loaded: Loaded, store: ModelStore) -> None:
        self._loaded = loaded
        self._store = store
        self._environment = persons_environment()
        self._spool = NetworkSpool(loaded.home)

    def bring(self, wanted: Wanted, progress: Progress) -> Manifest:
        """Bring one. Raises FetchFailed, or SetupError for a proxy that won't do."""
        own = places_named(wanted.source, self._environment)
        places = self._of_pip if own is None else own
        policy = command_policy(self._loaded.settings, places, self._environment)
        dialer = EgressDialer(policy, on_refused=self._refused)
        return asyncio.run(fetch_wanted(wanted, self._store, dialer, self._environment, progress))

    @cached_property
    def _of_pip(self) -> Places:
        return pip_places(self._environment)

    def _refused(self, host: str, port: int, errand: Errand, why: EgressRefused) -> None:
        what = Occurrence(
            category=EGRESS_REFUSED,
            direction="Outbound",
            purpose=errand.purpose,
            remote=host,
            port=port,
            rule=why.rule,
        )
        self._spool.add(what, why.message)


def command_policy(
    settings: Settings, named: Places, environment: Mapping[str, str]
) -> EgressPolicy:
    """Where the command may connect to. Raises SetupError."""
    egress = settings.egress
    if not egress.proxy:
        own = persons_proxy(environment, configured=named.proxy, plain=named.plain)
        proxy = HttpProxy(own) if own else None
    else:
        proxy = HttpProxy(egress)
    models = PurposeHosts(
        (*egress.models.allowed_hosts, *named.patterns),
        named.hosts | frozenset(settings.models.private_hosts),
    )
    return EgressPolicy(
        allowed_hosts=tuple(egress.allowed_hosts), purposes={"models": models}, proxy=proxy
    )
