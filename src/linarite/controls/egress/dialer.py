"""The dialer: resolves once, checks every address, connects to one of those checked."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable
from ipaddress import IPv4Address, IPv6Address, ip_address
from itertools import chain, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import structlog

from linarite.controls.egress.policy import EgressPolicy, EgressRules
from linarite.controls.egress.race import first_connected
from linarite.domain.dial import PURPOSES, Errand
from linarite.domain.errors import EgressRefused
from linarite.domain.target import host_of, literal_address

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.controls.egress.proxy import HttpProxy
    from linarite.domain.dial import ProtocolT

log = structlog.get_logger("linarite.egress")

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[list[Address]]]
OnRefused = Callable[[str, int, Errand, EgressRefused], None]
OnPassed = Callable[[str, int, Errand], None]
IPV4 = 4
QUEUE_FULL_S = 0.05
"""before a unix socket whose queue is full is tried again"""


class AccountRules(Protocol):
    """What accounts say themselves about the hosts that may be reached for them."""

    def require_host(self, account_id: str, host: str, port: int) -> None:
        """Raise EgressRefused unless the account allows the (normal) host."""
        ...


class EgressDialer:
    """Opens connections as far as the policy allows (`linarite.domain.dial.Dialer`)."""

    def __init__(
        self,
        policy: EgressPolicy,
        *,
        account_rules: Sequence[AccountRules] = (),
        resolve: Resolve | None = None,
        on_refused: OnRefused | None = None,
        on_passed: OnPassed | None = None,
    ) -> None:
        """Take the rules, and how names become addresses unless the system's way will do.

        `account_rules` are asked, all of them, beside the policy where an account is behind an
        errand. `on_refused(host, port, errand, why)` is called for each refusal, which is logged
        anyhow; `on_passed(host, port, errand)` for each use that an account's rules let pass.
        """
        self._rules = {purpose: EgressRules(policy, purpose) for purpose in PURPOSES}
        self._account_rules = tuple(account_rules)
        self._proxy = policy.proxy
        # The proxy is no host that anybody may call: it has rules of its own.
        proxies = frozenset((policy.proxy.host,)) if policy.proxy else frozenset[str]()
        self._proxy_rules = EgressRules(EgressPolicy(named_hosts=proxies), "server")
        self._connect_s = policy.connect_s
        self._resolve = resolve or system_addresses
        self._on_refused = on_refused
        self._on_passed = on_passed
        self._trust: dict[tuple[str, int], ssl.SSLContext] = {}
        self.refused_count: Counter[tuple[str, str]] = Counter()
        """refusals since the start, by purpose and rule"""

    async def dial(
        self,
        host: str,
        port: int,
        *,
        errand: Errand,
        tls: bool,
        factory: Callable[[], ProtocolT],
        ca_file: str | None = None,
    ) -> ProtocolT:
        """Connect, within the policy's `connect_s`.

        TLS is 1.2 or later, with the certificate checked for `host`, through a proxy as well.
        Raises EgressRefused, or OSError (of which TimeoutError and ssl.SSLError are kinds).
        """
        async with asyncio.timeout(self._connect_s):
            try:
                name, rules = self._allowed(host, port, errand)
                proxy = self._proxy if self._proxy and self._proxy.serves(name, port) else None
                if proxy is None:
                    addresses = await self._addresses_of(name, port, rules)
                else:
                    self._require_literal(name, rules)
                    addresses = await self._addresses_of(proxy.host, proxy.port, self._proxy_rules)
            except EgressRefused as refused:
                self._note(host, port, errand, refused)
                raise
            context = await self._context(ca_file) if tls else None
            if proxy is None:
                connected = await first_connected(addresses, port)
            else:
                connected = await self._through(proxy, addresses, name, port)
            _, protocol = await asyncio.get_running_loop().create_connection(
                factory, sock=connected, ssl=context, server_hostname=name if tls else None
            )
            return protocol

    async def datagrams(self, host: str, port: int, *, errand: Errand) -> socket.socket:
        """A connected UDP socket. Raises EgressRefused or OSError."""
        async with asyncio.timeout(self._connect_s):
            try:
                name, rules = self._allowed(host, port, errand)
                self._require_no_proxy(name, port)
                addresses = await self._addresses_of(name, port, rules)
            except EgressRefused as refused:
                self._note(host, port, errand, refused)
                raise
            family = socket.AF_INET if addresses[0].version == IPV4 else socket.AF_INET6
            made = socket.socket(family, socket.SOCK_DGRAM)
            return await _connected(made, (str(addresses[0]), port))

    async def local(self, path: str) -> socket.socket:
        """A socket connected to a unix socket, within `connect_s`. Raises OSError."""
        async with asyncio.timeout(self._connect_s):
            try:
                return await _connected(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM), path)
            except OSError as problem:
                if problem.errno != errno.EPROTOTYPE:
                    raise
            return await _connected(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM), path)

    def require(self, host: str, port: int, errand: Errand) -> None:
        """Refuse what the errand's account does not allow, before a kept connection is used."""
        try:
            self._require_account(host, port, errand)
        except EgressRefused as refused:
            self._note(host, port, errand, refused)
            raise
        if self._on_passed is not None and errand.account_id:
            self._on_passed(host, port, errand)

    def require_listed(self, host: str, port: int, errand: Errand) -> None:
        """Refuse what no rule lists, before anybody wants to connect. Raises EgressRefused.

        What addresses a name has is seen when it is dialled.
        """
        try:
            self._require_literal(*self._allowed(host, port, errand))
        except EgressRefused as refused:
            self._note(host, port, errand, refused)
            raise

    def _allowed(self, host: str, port: int, errand: Errand) -> tuple[str, EgressRules]:
        """The host in its normal form, and the rules for its addresses. Raises EgressRefused."""
        name = host_of(host)
        rules = self._rules[errand.purpose]
        rules.require_host(name, port)
        self._require_account(name, port, errand)
        return name, rules

    def _require_account(self, host: str, port: int, errand: Errand) -> None:
        if errand.account_id:
            for rules in self._account_rules:
                rules.require_host(errand.account_id, host, port)

    def _require_no_proxy(self, host: str, port: int) -> None:
        if self._proxy and self._proxy.serves(host, port):
            raise EgressRefused(
                f"Datagrams to '{host}' can't go through the proxy of egress.proxy; add the host "
                "to egress.no_proxy, or use TCP.",
                rule="proxy",
            )

    def _require_literal(self, host: str, rules: EgressRules) -> None:
        """An address is judged though the proxy connects; a name's addresses only it knows."""
        literal = literal_address(host)
        if literal is not None:
            rules.require_address(host, literal)

    async def _through(
        self, proxy: HttpProxy, addresses: list[Address], host: str, port: int
    ) -> socket.socket:
        connected = await first_connected(addresses, proxy.port)
        try:
            await proxy.open_way(connected, host, port)
        except BaseException as problem:
            connected.close()
            if isinstance(problem, OSError):
                log.warning("no way through the proxy", host=host, port=port, why=str(problem))
            raise
        return connected

    async def _addresses_of(self, host: str, port: int, rules: EgressRules) -> list[Address]:
        """Every address of the host, each allowed, the families taking turns (RFC 8305)."""
        literal = literal_address(host)
        addresses = [literal] if literal else await self._resolve(host, port)
        for address in addresses:
            rules.require_address(host, address)
        return _interleaved(addresses)

    def _note(self, host: str, port: int, errand: Errand, refused: EgressRefused) -> None:
        self.refused_count[errand.purpose, refused.rule] += 1
        log.warning(
            "connection refused",
            host=host[:200],
            port=port,
            purpose=errand.purpose,
            account=errand.account_id,
            rule=refused.rule,
            why=refused.message,
        )
        if self._on_refused is not None:
            self._on_refused(host, port, errand, refused)

    async def _context(self, ca_file: str | None) -> ssl.SSLContext:
        """The trust to verify with; a changed CA file is read again."""
        changed_at = 0
        if ca_file is not None:
            changed_at = (await asyncio.to_thread(Path(ca_file).stat)).st_mtime_ns
        key = (ca_file or "", changed_at)
        context = self._trust.get(key)
        if context is None:
            # Reading all of the system's authorities takes tens of milliseconds.
            context = await asyncio.to_thread(_make_context, ca_file)
            self._trust = {kept: value for kept, value in self._trust.items() if kept[0] != key[0]}
            self._trust[key] = context
        return context


async def _connected(made: socket.socket, address: tuple[str, int] | str) -> socket.socket:
    """Connect a socket of datagrams, or of this machine. Raises OSError.

    Where the queue of a unix socket is full, the kernel neither begins to connect nor says when
    there is room (EAGAIN, not EINPROGRESS): it is asked again. `loop.sock_connect` would take
    that for a connection.
    """
    try:
        made.setblocking(False)  # noqa: FBT003 - the library's own
        while True:
            try:
                made.connect(address)
            except BlockingIOError:
                await asyncio.sleep(QUEUE_FULL_S)
            else:
                return made
    except BaseException:
        made.close()
        raise


async def system_addresses(host: str, port: int) -> list[Address]:
    """What the system's resolver answers, in its order. Raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    # A zone comes beside the address; it only occurs with link-local ones, which are refused.
    addresses = [ip_address(str(entry[4][0])) for entry in found]
    return list(dict.fromkeys(addresses))


def _interleaved(addresses: list[Address]) -> list[Address]:
    """The resolver's order, but the families in turns: one that is broken costs one wait."""
    first = [address for address in addresses if address.version == addresses[0].version]
    others = [address for address in addresses if address.version != addresses[0].version]
    in_turns = chain.from_iterable(zip_longest(first, others))
    return [address for address in in_turns if address is not None]


def _make_context(ca_file: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context
