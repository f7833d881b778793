"""Certificates of the local authority for this server itself, issued when they are needed."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

import structlog

from linarite.domain.errors import SetupError
from linarite.web.certificates.places import KEY_FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from linarite.web.certificates.authority import LocalAuthority, Scope
    from linarite.web.certificates.material import Material

log = structlog.get_logger("linarite.web")

RENEWED_AFTER_S = 60 * 86_400.0
"""of the 90 days for which they hold"""
ADDRESSES_MAX = 64
"""the loopback network alone has millions"""


class LocalLeaves:
    """One certificate for each address of this machine that is connected to.

    Each has all host names too: those of accounts, of this machine, and loopback's addresses.
    Nothing is read or made before the first is asked for.
    """

    def __init__(
        self,
        folder: Path,
        domain: str,
        local_names: Sequence[str] = (),
        secret: bytes = b"",
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`folder` is the authority's; `secret` opens its key."""
        self._folder = folder
        self._secret = secret
        self._domain = domain
        self._local_names = local_names
        self._clock = clock
        self._opened: tuple[LocalAuthority, Scope] | None = None
        self._mark: tuple[int, int] | None = None
        self._lock = threading.RLock()
        """a thread may issue the first one while the event loop asks for it"""
        self._issued: OrderedDict[str, tuple[Material, float]] = OrderedDict()

    def has(self, name: str) -> bool:
        """Whether the certificates are valid for a host name in lower case."""
        _, scope = self._open()
        names = (*scope.account_names(), *scope.own_names)
        return name in names or "*." + name.partition(".")[2] in names

    def at(self, address: str = "") -> Material:
        """The certificate for who has connected to an address of this machine.

        Raises SetupError when the authority can't be read.
        """
        with self._lock:
            issued = self._issued.get(address)
            if issued is None or self._clock() > issued[1]:
                issued = (self._issue(address), self._clock() + RENEWED_AFTER_S)
                self._issued[address] = issued
                if len(self._issued) > ADDRESSES_MAX:
                    self._issued.popitem(last=False)
            self._issued.move_to_end(address)
            return issued[0]

    def look(self) -> bool:
        """Whether the authority has changed: then all are issued anew."""
        if self._opened is None or self._marked() == self._mark:
            return False
        before = self._opened
        self._opened = None
        try:
            self._open()
        except SetupError as problem:
            self._opened = before
            self._mark = self._marked()
            log.warning("local authority can't be read", reason=problem.message)
            return False
        self._issued.clear()
        log.info("local authority read anew", file=str(self._folder / KEY_FILE))
        return True

    def _issue(self, address: str) -> Material:
        authority, scope = self._open()
        names = [
            "localhost",
            *scope.own_names,
            *scope.account_names(),
            "127.0.0.1",
            "::1",
            *scope.own_addresses,
            *([address] if address else []),
        ]
        known = [name for name in dict.fromkeys(names) if authority.permits(name)]
        if address and address not in known:
            log.warning(
                "clients that connect to this address won't trust it: the local authority may not "
                "certify it; add it to server.local_names and run `linarite ca renew`",
                address=address,
            )
        return authority.server(known)

    def _open(self) -> tuple[LocalAuthority, Scope]:
        if self._opened is None:
            from linarite.web.certificates.authority import Scope, open_authority  # noqa: PLC0415 - slow, and not needed before

            scope = Scope(self._domain, self._local_names)
            self._opened = (open_authority(self._folder, scope, self._secret), scope)
            self._mark = self._marked()
        return self._opened

    def _marked(self) -> tuple[int, int] | None:
        try:
            stat = (self._folder / KEY_FILE).stat()
        except OSError:
            return None
        return stat.st_mtime_ns, stat.st_ino
