"""Starts servers as forks of a process that has imported them: that costs as much as their start.

A process of its own, fed by `tests.forked`. A message is a wish as JSON with two descriptors: where
what the server prints goes, and where its id and later its exit code are told. The server has its
own process, with streams and environment of its own, and can be killed like any other.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import sys
import threading
from importlib import import_module
from typing import Any

from linarite import main
from linarite.cli.root import COMMANDS
from linarite.web import ids

WISH_BYTES = 1 << 20
IMPORTED = (
    "linarite.assembly",
    "linarite.engines.simulator",
    "linarite.web.certificates.served",
    "sqlalchemy.dialects.sqlite.aiosqlite",
    "uvloop",
)
"""what nearly every server imports: no fork has to"""


def run(wishes: socket.socket) -> None:
    """Until nobody is left to wish; also in a fork, whose server ends its process."""
    children: set[int] = set()
    while True:
        text, descriptors, _, _ = socket.recv_fds(wishes, WISH_BYTES, 2)
        if not text:
            return None
        child = os.fork()
        if not child:
            wishes.close()
            return keep(json.loads(text), *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        children = {each for each in {*children, child} if not os.waitpid(each, os.WNOHANG)[0]}


def keep(wish: dict[str, Any], output: int, told: int) -> None:
    """Start a server, tell its id, and once it ends its exit code."""
    server = os.fork()
    if not server:
        os.close(told)
        become(wish, output)
        return main.main()
    os.close(output)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: the server's answer is awaited
    with socket.socket(fileno=told) as teller:
        teller.send(str(server).encode())
        _, status = os.waitpid(server, 0)
        teller.send(str(os.waitstatus_to_exitcode(status)).encode())
    return os._exit(0)


def become(wish: dict[str, Any], output: int) -> None:
    """What the server would find if it had been started by itself."""
    for stream in (1, 2):
        os.dup2(output, stream)
    os.close(output)
    os.chdir(wish["folder"])
    os.environ.clear()
    os.environ.update(wish["environment"])
    sys.argv = [str(main.__file__), *wish["arguments"]]


if __name__ == "__main__":
    COMMANDS["up"]()
    for module in IMPORTED:
        import_module(module)
    # Threads are not forked, and what is drawn at random ahead would be drawn by each fork.
    assert threading.active_count() == 1
    assert not ids._POOL._block
    gc.freeze()  # the forks' collectors need not look through all of this
    run(socket.socket(fileno=int(sys.argv[1])))
