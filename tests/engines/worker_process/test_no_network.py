"""Engine processes have no network."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="system calls are filtered on Linux alone"
)

TRIES = """
import ctypes, errno, os, socket, subprocess, sys, threading
from linarite.engines.worker_process.no_network import give_up_network

before = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
assert give_up_network()

def refused(family, kind=socket.SOCK_STREAM):
    try:
        socket.socket(family, kind).close()
    except PermissionError:
        return True
    return False

inside = []
thread = threading.Thread(target=lambda: inside.append(refused(socket.AF_INET)))
thread.start()
thread.join()
again = "import socket; socket.socket()"
child = subprocess.run([sys.executable, "-c", again], capture_output=True, text=True)
libc = ctypes.CDLL(None, use_errno=True)
ring = libc.syscall(425, 1, 0), ctypes.get_errno()
one, other = socket.socketpair()
one.sendall(b"x")
unix = socket.socket(socket.AF_UNIX)
unix.bind(sys.argv[1])
unix.listen()
print(
    refused(socket.AF_INET),
    refused(socket.AF_INET6),
    refused(socket.AF_INET, socket.SOCK_DGRAM),
    refused(socket.AF_NETLINK, socket.SOCK_RAW),
    refused(socket.AF_VSOCK),
    inside == [True],
    "PermissionError" in child.stderr,
    ring == (-1, errno.ENOSYS),
    other.recv(1) == b"x",
    "Seccomp:\\t2" in open("/proc/self/status").read(),
)
"""


def test_no_socket_but_those_of_this_machine(tmp_path: object) -> None:
    """Nor in threads, nor in processes that it starts, nor by a ring; unix sockets work."""
    done = subprocess.run(
        [sys.executable, "-c", TRIES, f"{tmp_path}/s"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stdout.split() == ["True"] * 10, done.stdout + done.stderr
