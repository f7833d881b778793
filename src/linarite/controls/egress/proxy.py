"""Going out through an HTTP proxy: CONNECT, as RFC 9110 (9.3.6) has it."""

from __future__ import annotations

import asyncio
import re
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING

from linarite.domain.errors import EgressRefused, SetupError
from linarite.domain.host_patterns import HostPatterns
from linarite.domain.target import is_loopback, target_of

if TYPE_CHECKING:
    import socket

    from linarite.controls.egress.options import Egress

_ANSWER_BYTES_MAX = 16 * 1024
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-9][0-9]{2})\b")
_CREDENTIALS = re.compile(r"[^:\x00-\x1f\x7f]+:[^\x00-\x1f\x7f]*")
_UNAUTHORISED = 407


class ProxyFailed(OSError):
    """The proxy did not open the way; the text says why."""


class HttpProxy:
    """The proxy that settings name."""

    def __init__(self, options: Egress) -> None:
        """Raises SetupError, naming the setting, for what can't work."""
        try:
            target = target_of(options.proxy)
        except EgressRefused as refused:
            # Before an @ there may be a password, which is not repeated.
            why = "It must not hold an @." if "@" in options.proxy else refused.message
            raise SetupError(
                f"egress.proxy: {why} A name and a password go into egress.proxy_credentials."
            ) from None
        if target.tls or target.path != "/":
            raise SetupError("egress.proxy: it must look like http://proxy.example.com:3128.")
        self.host, self.port = target.host, target.port
        self._direct = HostPatterns(options.no_proxy, "egress.no_proxy")
        self._credentials = options.proxy_credentials
        self._file = options.proxy_credentials_file
        if self._credentials and self._file:
            raise SetupError(
                "egress.proxy_credentials and egress.proxy_credentials_file: set one of them."
            )
        self._authorization()

    def serves(self, host: str, port: int) -> bool:
        """Whether connections to this (normal) host go through it: those to this machine don't."""
        return not is_loopback(host) and not self._direct.match(host, port)

    async def open_way(self, connected: socket.socket, host: str, port: int) -> None:
        """Make a socket that is connected to the proxy one that is connected to the host.

        Raises ProxyFailed, or another OSError.
        """
        loop = asyncio.get_running_loop()
        try:
            authorization = await asyncio.to_thread(self._authorization)
        except SetupError as problem:
            raise ProxyFailed(problem.message) from None
        there = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        head = f"CONNECT {there} HTTP/1.1\r\nHost: {there}\r\n{authorization}\r\n"
        await loop.sock_sendall(connected, head.encode("latin-1"))
        answer = b""
        while b"\r\n\r\n" not in answer:
            piece = await loop.sock_recv(connected, 4096)
            if not piece or len(answer) > _ANSWER_BYTES_MAX:
                raise ProxyFailed(f"The proxy {self._name} gave no whole answer.")
            answer += piece
        self._judge(answer, there)

    def _judge(self, answer: bytes, there: str) -> None:
        found = _STATUS.match(answer)
        status = int(found[1]) if found else 0
        if status // 100 != 2:  # noqa: PLR2004 - the class of success
            advice = " Set egress.proxy_credentials." if status == _UNAUTHORISED else ""
            said = f"answered {status}" if status else "answered, but not as an HTTP proxy does,"
            raise ProxyFailed(f"The proxy {self._name} {said} when asked for {there}.{advice}")
        if not answer.endswith(b"\r\n\r\n"):
            # Nobody speaks HTTP or TLS before the client does: this is not from the host.
            raise ProxyFailed(f"The proxy {self._name} sent more than an answer.")

    @property
    def _name(self) -> str:
        return f"{self.host}:{self.port}"

    def _authorization(self) -> str:
        """The header line, if there are credentials; a file is read anew. Raises SetupError."""
        text, setting = self._credentials, "egress.proxy_credentials"
        if self._file:
            setting = "egress.proxy_credentials_file"
            try:
                text = Path(self._file).expanduser().read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as problem:
                raise SetupError(f"{setting}: {self._file} can't be read: {problem}.") from None
        if not text and not self._file:
            return ""
        if not _CREDENTIALS.fullmatch(text):
            raise SetupError(f"{setting}: it must be NAME:PASSWORD.")
        return f"Proxy-Authorization: Basic {b64encode(text.encode()).decode()}\r\n"
