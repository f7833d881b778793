"""Sockets that listen: bound to an address of this machine, or to a path."""

from __future__ import annotations

import errno
import os
import socket
from contextlib import suppress
from pathlib import Path

from linarite.domain.errors import SetupError

UNIX_PREFIX = "unix:"
BACKLOG = 2048
SETTINGS = {
    "server": ("server.host", "server.port"),
    "https": ("server.host", "server.https_port"),
}
"""what says where the listeners of `[server]` are"""


def path_of(address: str) -> Path | None:
    """The path of a unix socket's address; None for an address of a network."""
    return Path(address[len(UNIX_PREFIX) :]) if address.startswith(UNIX_PREFIX) else None


def bind(address: str, port: int, section: str, mode: str = "0660") -> socket.socket:
    """A bound socket. Raises SetupError, which names the settings of `section`."""
    path = path_of(address)
    if path is not None:
        return _bind_path(path, section, int(mode, 8))
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((address, port))
    except OSError as problem:
        bound.close()
        raise cant_listen(address, port, section, problem) from None
    bound.setblocking(False)  # noqa: FBT003 - the socket module takes it so
    # Accepted sockets inherit it: each event of a stream goes out at once.
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return bound


def listen(bound: socket.socket, address: str, port: int, section: str) -> None:
    """Have the system take connections. Raises SetupError, the socket closed."""
    try:
        bound.listen(BACKLOG)
    except OSError as problem:  # another socket listens there, though both could be bound
        bound.close()
        raise cant_listen(address, port, section, problem) from None


def unbind(address: str) -> None:
    """Remove a unix socket's file."""
    path = path_of(address)
    if path is not None:
        with suppress(OSError):
            path.unlink()


def cant_listen(address: str, port: int, section: str, problem: OSError) -> SetupError:
    """What to say when an address can't be had."""
    named = SETTINGS.get(section, (f"{section}.address", f"{section}.port"))
    return SetupError(
        f"Can't listen on {address}:{port}: {problem.strerror or problem}. Set {named[0]} and "
        f"{named[1]} to an address of this machine that is free (port 0 picks one), or stop what "
        "uses it."
    )


def _bind_path(path: Path, section: str, mode: int) -> socket.socket:
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _remove_left_over(path, bound)
        bound.bind(str(path))
        path.chmod(mode)
    except OSError as problem:
        bound.close()
        raise SetupError(
            f"Can't listen on {UNIX_PREFIX}{path}: {problem.strerror or problem}. Set "
            f"{section}.address to a path in a folder that is there and may be written to, of no "
            "more than about a hundred characters, or stop what uses it."
        ) from None
    bound.setblocking(False)  # noqa: FBT003 - the socket module takes it so
    return bound


def _remove_left_over(path: Path, socket_to_be: socket.socket) -> None:
    """Remove the socket of a server that was killed. Raises OSError when somebody listens there."""
    if not path.is_socket():
        return
    try:
        socket_to_be.connect(str(path))
    except ConnectionRefusedError:
        path.unlink()
    else:
        raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
