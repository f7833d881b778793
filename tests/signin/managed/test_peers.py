"""Whose process a connection belongs to, by the kernel's own table."""

from __future__ import annotations

import asyncio
import os
import socket
import sys

import pytest

from linarite.signin.managed.peers import user_of_peer

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the table is Linux's")


def owner(port: int) -> int | None:
    """Whose a port on this machine is."""
    return asyncio.run(user_of_peer("127.0.0.1", port))


def listening() -> socket.socket:
    """A socket that others can connect to."""
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(30)
    return server


def connection(server: socket.socket, port: int = 0) -> tuple[socket.socket, socket.socket]:
    """Both ends of a connection, from a port that may have been in use just now."""
    near = socket.socket()
    near.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    near.bind(("127.0.0.1", port))
    near.connect(server.getsockname())
    return near, server.accept()[0]


def test_a_connection_that_has_ended_is_nobodys() -> None:
    """The kernel shows root as its owner, whoever made it."""
    with listening() as server:
        near, far = connection(server)
        port = near.getsockname()[1]
        assert owner(port) == os.getuid()
        near.close()
        far.close()
        assert owner(port) is None


def test_a_port_that_was_in_use_before_has_its_present_owner() -> None:
    """What is left of the connection before does not count."""
    with listening() as first, listening() as second:
        near, far = connection(first)
        port = near.getsockname()[1]
        near.close()
        far.close()
        near, far = connection(second, port)
        with near, far:
            assert owner(port) == os.getuid()
