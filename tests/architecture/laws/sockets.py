"""Who may open sockets, and who may start processes, which could do the same.

To the outside: one package. To own children: engines. To listen: the places that are listed here.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from tests.architecture.laws.source import (
    PACKAGE,
    dotted_uses,
    found_in_modules,
    imported_modules,
    is_within,
    local_names,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WAY_OUT = f"{PACKAGE}/controls/egress/"
ENGINES = f"{PACKAGE}/engines/"
LISTENING = (
    f"{PACKAGE}/web/",
    f"{PACKAGE}/controls/egress/way_out.py",
    f"{PACKAGE}/engines/openvino/worker/server.py",
    f"{PACKAGE}/privatelink/names/responder.py",
)
"""where something listens: the planes, the way out for child processes on loopback, a worker on
its unix socket, the responder of names"""
MESSAGES_OF_NAMES = f"{PACKAGE}/privatelink/names/messages.py"
"""reads and writes DNS messages with a library that could also send them; it takes nothing of it
that does"""
ASKING = ("dns.asyncquery", "dns.asyncresolver", "dns.query", "dns.resolver", "dns.zone", "dns.xfr")
STARTING = (
    f"{PACKAGE}/cli/netbed/",
    f"{PACKAGE}/engines/child_process.py",
    f"{PACKAGE}/hosting/models/conversion.py",
    f"{PACKAGE}/hosting/models/fetcher.py",
    f"{PACKAGE}/hosting/models/packages.py",
)
"""where processes are started: our own interpreter with our own modules, pip, and what makes the
hosts of the test bed"""

CLIENTS = (
    *("aiohttp", "asyncssh", "dns", "ftplib", "grpc", "http.client", "httpcore", "httpx"),
    *("httpx2", "imaplib", "multiprocessing.connection", "nntplib", "paramiko", "poplib"),
    *("pycurl", "requests", "smtplib", "telnetlib", "urllib.request", "urllib3", "websocket"),
    *("websockets", "xmlrpc.client"),
)
SERVERS = ("http.server", "socketserver", "wsgiref.simple_server", "xmlrpc.server")
OPENERS = ("asyncio.open_connection", "socket.create_connection", "socket.fromfd")
LOOP_OPENERS = (".create_connection", ".sock_connect", ".sock_sendto")
UNIX_OPENERS = ("asyncio.open_unix_connection",)
LOOP_UNIX_OPENERS = (".create_unix_connection",)
LISTENERS = ("asyncio.start_server", "asyncio.start_unix_server", "socket.create_server")
LOOP_LISTENERS = (".create_server", ".create_unix_server", ".create_datagram_endpoint")
STARTERS = (
    *("asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell", "subprocess"),
    *("os.system", "os.popen", "os.posix_spawn", "os.posix_spawnp", "os.fork", "os.forkpty"),
    *(
        f"os.{verb}{how}"
        for verb in ("exec", "spawn")
        for how in ("l", "le", "lp", "v", "ve", "vp")
    ),
    *("multiprocessing", "pty.spawn"),
)
LOOP_STARTERS = (".subprocess_exec", ".subprocess_shell")
PROGRAMS = frozenset(("curl", "wget", "nc", "ncat", "netcat", "socat", "ssh", "telnet", "dig"))
"""programs that go out, whoever starts them"""

OUT = "call out through controls/egress"


def sockets_are_opened_at_the_edge(root: Path) -> list[str]:
    """Every way to another machine is in `controls/egress`; what else has sockets is listed."""
    return sorted({f"{path}:{line} {what}" for path, (line, what) in found_in_modules(root, _ways)})


def _ways(path: str, text: str) -> Iterator[tuple[int, str]]:
    tree = ast.parse(text, path)
    for looked in (_clients, _openers, _processes):
        yield from looked(path, tree)


def _clients(path: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    for name, line in imported_modules(tree):
        if path == MESSAGES_OF_NAMES and is_within(name, "dns"):
            if any(is_within(name, each) for each in ASKING):
                yield line, f"imports {name}: a responder asks nobody"
            continue
        if not path.startswith(WAY_OUT) and any(is_within(name, each) for each in CLIENTS):
            yield line, f"imports {name}: {OUT}"
        if not path.startswith(LISTENING) and any(is_within(name, each) for each in SERVERS):
            yield line, f"imports {name}: listen in web/, or list the place in this law"


def _openers(path: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    outward = path.startswith(WAY_OUT)
    for name, line in dotted_uses(tree):
        if not outward and (name in OPENERS or name.endswith(LOOP_OPENERS)):
            yield line, f"opens a socket by {name}: {OUT}"
        unix = name in UNIX_OPENERS or name.endswith(LOOP_UNIX_OPENERS)
        if unix and not path.startswith((WAY_OUT, ENGINES)):
            yield line, f"opens a socket by {name}: only engines have children to talk to"
        listens = name in LISTENERS or name.endswith(LOOP_LISTENERS)
        if listens and not path.startswith(LISTENING):
            yield line, f"listens by {name}: listen in web/, or list the place in this law"
    if outward:
        return
    meanings = local_names(tree)
    for line in unbound_sockets(tree, meanings, own=path.startswith(ENGINES)):
        yield (
            line,
            f"opens a socket by socket.socket and doesn't bind it in the same function: {OUT}",
        )


def _processes(path: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    for name, line in (*dotted_uses(tree), *imported_modules(tree)):
        if name.startswith("asyncio.subprocess."):
            continue  # constants and types
        starts = any(is_within(name, each) for each in STARTERS) or name.endswith(LOOP_STARTERS)
        if starts and not path.startswith(STARTING):
            yield line, f"starts a process by {name}: list the place in this law"
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        for word in _words_of(node):
            if word in PROGRAMS:
                yield node.lineno, f"runs {word}: {OUT}"


def _words_of(call: ast.Call) -> Iterator[str]:
    """The program that a call may mean: its first text, or that of its first list."""
    for argument in call.args[:1]:
        first = argument.elts[0] if isinstance(argument, ast.List) and argument.elts else argument
        if isinstance(first, ast.Constant) and isinstance(first.value, str) and first.value:
            yield first.value.split()[0].rpartition("/")[2] if first.value.strip() else ""


def unbound_sockets(
    node: ast.AST, meanings: dict[str, str], *, own: bool, binds: bool = False
) -> list[int]:
    """The lines that call `socket.socket` outside a function that binds, and never connects.

    With `own` a socket of this machine (`AF_UNIX`) may be anything.
    """
    lines: list[int] = []
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        methods = {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}
        binds = "bind" in methods and methods.isdisjoint({"connect", "connect_ex", "sendto"})
    elif isinstance(node, ast.Call) and not binds:
        called = ast.unparse(node.func)
        first, _, rest = called.partition(".")
        unix = own and node.args and ast.unparse(node.args[0]).endswith("AF_UNIX")
        if f"{meanings.get(first, first)}.{rest}".rstrip(".") == "socket.socket" and not unix:
            lines.append(node.lineno)
    for child in ast.iter_child_nodes(node):
        lines += unbound_sockets(child, meanings, own=own, binds=binds)
    return lines
