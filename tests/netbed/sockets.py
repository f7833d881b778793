"""Sockets of this process that belong to a host of a bed."""

from __future__ import annotations

import ctypes
import os
import socket
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from linarite.cli.netbed.namespaces import Bed

CLONE_NEWNET = 0x40000000


def socket_on(bed: Bed, host: str, family: int, kind: int, protocol: int = 0) -> socket.socket:
    """A socket that was made on a host, and stays there wherever it is used from.

    The namespace is a thread's: one that lives for this alone enters it.
    """
    made: list[socket.socket] = []
    failed: list[OSError] = []

    def make() -> None:
        namespace = os.open(f"/run/netns/{bed.namespace(host)}", os.O_RDONLY)
        try:
            enter(namespace)
            made.append(socket.socket(family, kind, protocol))
        except OSError as problem:
            failed.append(problem)
        finally:
            os.close(namespace)

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return made[0]


def enter(namespace: int) -> None:
    """Move the calling thread into an open network namespace. Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def connected(
    bed: Bed, host: str, address: tuple[str, int], *, source: str = "", timeout_s: float = 5.0
) -> socket.socket:
    """A TCP connection from a host, from that source address if one is given. Raises OSError."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    made = socket_on(bed, host, family, socket.SOCK_STREAM)
    try:
        made.settimeout(timeout_s)
        if source:
            made.bind((source, 0))
        made.connect(address)
    except BaseException:
        made.close()
        raise
    return made
