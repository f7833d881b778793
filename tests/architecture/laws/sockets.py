"""Who may open sockets, and who may start processes, which could do the same.

To the outside: one package. To own children: engines. To listen: the places that are listed here.
What libraries could do is the law of `libraries.py`.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from tests.architecture.laws.source import (
    PACKAGE,
    dotted_uses,
    found_in_modules,
    full_name,
    imported_modules,
    local_names,
    nodes_of,
    parsed,
    within_any,
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
ANSWERING = (
    f"{PACKAGE}/web/binding.py",
    f"{PACKAGE}/privatelink/names/responder.py",
)
"""where a bound socket is used to find out whether another of this machine is in use, and to answer
who has asked"""
STARTING = (
    f"{PACKAGE}/cli/netbed/",
    f"{PACKAGE}/engines/child_process.py",
    f"{PACKAGE}/engines/forked_children.py",
    f"{PACKAGE}/engines/worker_process/forking.py",
    f"{PACKAGE}/hosting/models/conversion.py",
    f"{PACKAGE}/hosting/models/fetch_run.py",
    f"{PACKAGE}/hosting/models/packages.py",
    f"{PACKAGE}/hosting/models/person_places.py",
    f"{PACKAGE}/vector_stores/reader/unpacking.py",
)
"""where processes are started: our own interpreter with our own modules, pip, and what makes the
hosts of the test bed"""

DATABASE_FILES = ("sqlite3.", "sqlcipher3.")
"""what these connect to is a file"""
OPENERS = frozenset(
    (
        *("open_connection", "create_connection", "sock_connect", "sock_sendto", "fromfd"),
        *("fromshare", "get_server_certificate"),
    )
)
"""by their last word, whatever they are reached through"""
OUTWARD = frozenset(("connect", "connect_ex", "sendto", "sendmsg"))
"""what a socket goes out by, wherever it was made"""
UNIX_OPENERS = frozenset(("open_unix_connection", "create_unix_connection"))
LISTENERS = frozenset(
    (
        *("start_server", "start_unix_server", "create_server", "create_unix_server"),
        *("create_datagram_endpoint", "connect_accepted_socket"),
    )
)
RESOLVERS = frozenset(
    (
        *("getaddrinfo", "gethostbyaddr", "gethostbyname", "gethostbyname_ex", "getnameinfo"),
        "getfqdn",
    )
)
"""what asks a name server: with a name of his choice somebody could send what he likes"""
SOCKETS = frozenset(("socket.socket", "socket.SocketType", "ssl.socket", "ssl.SSLSocket"))
STARTERS = frozenset(
    (
        *("asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell", "subprocess"),
        *("os.system", "os.popen", "os.posix_spawn", "os.posix_spawnp", "os.fork", "os.forkpty"),
        *(
            f"os.{verb}{how}"
            for verb in ("exec", "spawn")
            for how in ("l", "le", "lp", "lpe", "v", "ve", "vp", "vpe")
        ),
        *("multiprocessing", "pty", "concurrent.futures.ProcessPoolExecutor"),
        *("concurrent.futures.process", "typer.launch", "click.launch"),
    )
)
LOOP_STARTERS = frozenset(
    ("subprocess_exec", "subprocess_shell", "create_subprocess_exec", "create_subprocess_shell")
)
PROGRAMS = frozenset(("curl", "wget", "nc", "ncat", "netcat", "socat", "ssh", "telnet", "dig"))
"""programs that go out, whoever starts them"""
WATCHED = frozenset(("asyncio", "builtins", "importlib", "logging", "os", "socket", "ssl"))
"""modules that are only used by what is written behind their dot, so that it can be read here"""

OUT = "call out through controls/egress"


def sockets_are_opened_at_the_edge(root: Path) -> list[str]:
    """Every way to another machine is in `controls/egress`; what else has sockets is listed."""
    return sorted({f"{path}:{line} {what}" for path, (line, what) in found_in_modules(root, _ways)})


def _ways(path: str, text: str) -> Iterator[tuple[int, str]]:
    tree = parsed(text)
    for looked in (_openers, _sockets, _processes):
        yield from looked(path, tree)


def _openers(path: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    outward = path.startswith(WAY_OUT)
    for name, line in (*dotted_uses(tree), *imported_modules(tree)):
        word = name.rpartition(".")[2]
        if word in OPENERS and not outward:
            yield line, f"opens a socket by {name}: {OUT}"
        if word in RESOLVERS and not outward:
            yield line, f"asks a name server by {name}: {OUT}"
        if word in UNIX_OPENERS and not path.startswith((WAY_OUT, ENGINES)):
            yield line, f"opens a socket by {name}: only engines have children to talk to"
        if word in LISTENERS and not path.startswith(LISTENING):
            yield line, f"listens by {name}: listen in web/, or list the place in this law"


def _sockets(path: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    meanings = local_names(tree)
    yield from _handed_on(tree, meanings)
    if not path.startswith((WAY_OUT, *ANSWERING)):
        for node in nodes_of(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
                name = full_name(node.func, meanings)
                if node.func.attr in OUTWARD and not name.startswith(DATABASE_FILES):
                    yield node.lineno, f"goes out by {name}: {OUT}"
    if path.startswith(WAY_OUT) or not any(_is_socket(name) for name, _ in dotted_uses(tree)):
        return
    for line in unbound_sockets(tree, meanings, own=path.startswith(ENGINES)):
        yield (
            line,
            f"opens a socket by socket.socket and doesn't bind it in the same function: {OUT}",
        )
    for line in _socket_values(tree, meanings):
        yield line, "uses socket.socket as a value: call it where it can be seen what for"


def _handed_on(tree: ast.Module, meanings: dict[str, str]) -> Iterator[tuple[int, str]]:
    """Watched modules that are given another name or to somebody, or taken apart."""
    seen = {id(node.value) for node in nodes_of(tree) if isinstance(node, ast.Attribute)}
    for node in nodes_of(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"getattr", "hasattr"}:
            # What is asked for is written beside it, and counted among what is used.
            seen |= {id(node.args[0])} if isinstance(node.args[1], ast.Constant) else set()
    for node in nodes_of(tree):
        if isinstance(node, ast.Name) and id(node) not in seen:
            name = meanings.get(node.id, node.id)
            if name in WATCHED and isinstance(node.ctx, ast.Load):
                yield node.lineno, f"hands on the module {name}: say what of it is used"
        elif isinstance(node, ast.Attribute) and node.attr == "__dict__":
            name = full_name(node.value, meanings)
            if name in WATCHED:
                yield node.lineno, f"takes the module {name} apart: say what of it is used"


def _processes(path: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    for name, line in (*dotted_uses(tree), *imported_modules(tree)):
        if name.startswith("asyncio.subprocess."):
            continue  # constants and types
        word = name.rpartition(".")[2]
        starts = within_any(name, STARTERS) or word in LOOP_STARTERS
        if starts and not path.startswith(STARTING):
            yield line, f"starts a process by {name}: list the place in this law"
    for node in nodes_of(tree):
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
        unix = own and node.args and ast.unparse(node.args[0]).endswith("AF_UNIX")
        if _is_socket(full_name(node.func, meanings)) and not unix:
            lines.append(node.lineno)
    for child in ast.iter_child_nodes(node):
        lines += unbound_sockets(child, meanings, own=own, binds=binds)
    return lines


def _is_socket(name: str) -> bool:
    """Also through another module that has imported it: `asyncio.base_events.socket.socket`."""
    return name in SOCKETS or name.endswith(tuple(f".{each}" for each in SOCKETS))


def _socket_values(node: ast.AST, meanings: dict[str, str]) -> list[int]:
    """The lines where the class stands for itself, and is neither called nor a type."""
    if _is_socket(full_name(node, meanings)):
        return [node.lineno] if isinstance(node, ast.expr) else []
    lines: list[int] = []
    for field, value in ast.iter_fields(node):
        if field in {"annotation", "returns", "slice"}:
            continue
        for child in value if isinstance(value, list) else [value]:
            called = field == "func" and _is_socket(full_name(child, meanings))
            asked = isinstance(node, ast.Call) and full_name(node.func, meanings) == "isinstance"
            if isinstance(child, ast.AST) and not called and not (asked and field == "args"):
                lines += _socket_values(child, meanings)
    return lines
