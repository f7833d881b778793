"""Who may reach out of the process: for the environment, for the network, for a library."""

from __future__ import annotations

import ast
import sys
from typing import TYPE_CHECKING

from tests.architecture.laws.source import (
    PACKAGE,
    dotted_uses,
    imported_modules,
    is_within,
    local_names,
    package_modules,
)

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = f"{PACKAGE}/settings.py"
ENVIRONMENT = ("os.environ", "os.environb", "os.getenv", "os.getenvb")

EDGES = (f"{PACKAGE}/controls/egress/", f"{PACKAGE}/engines/")
HTTP_CLIENTS = (
    "aiohttp",
    "ftplib",
    "http.client",
    "httpx",
    "httpx2",
    "requests",
    "smtplib",
    "urllib.request",
    "urllib3",
    "websockets",
    "xmlrpc.client",
)
OPENERS = (
    "asyncio.open_connection",
    "asyncio.open_unix_connection",
    "socket.create_connection",
)
LOOP_OPENERS = (
    ".create_connection",
    ".create_datagram_endpoint",
    ".create_unix_connection",
    ".sock_connect",
)

DOMAIN = f"{PACKAGE}/domain"
DOMAIN_LIBRARIES = {"linarite.domain", "msgspec"}


def environment_is_read_in_settings(root: Path) -> list[str]:
    """Only `settings.py` reads environment variables, so one page lists all that matter."""
    violations: set[str] = set()
    for path, tree in package_modules(root):
        if path == SETTINGS:
            continue
        violations |= {
            f"{path}:{line} reads {name}: take the value from settings, through the constructor"
            for name, line in [*dotted_uses(tree), *imported_modules(tree)]
            if any(is_within(name, variable) for variable in ENVIRONMENT)
        }
        violations |= {
            f"{path}:{node.value.lineno} lets a command read the environment: use a setting"
            for node in ast.walk(tree)
            if isinstance(node, ast.keyword) and node.arg == "envvar"
        }
    return sorted(violations)


def sockets_are_opened_at_the_edge(root: Path) -> list[str]:
    """Outgoing connections are made in `controls/egress` and in engines, nowhere else.

    Listening is no outgoing connection: a function may make a socket and bind it.
    """
    violations: set[str] = set()
    for path, tree in package_modules(root):
        if path.startswith(EDGES):
            continue
        violations |= {
            f"{path}:{line} imports {name}: call out through controls/egress or an engine"
            for name, line in imported_modules(tree)
            if any(is_within(name, client) for client in HTTP_CLIENTS)
        }
        violations |= {
            f"{path}:{line} opens a socket by {name}: call out through controls/egress or an engine"
            for name, line in dotted_uses(tree)
            if name in OPENERS or name.endswith(LOOP_OPENERS)
        }
        violations |= {
            f"{path}:{line} opens a socket by socket.socket and doesn't bind it in the same "
            "function: call out through controls/egress or an engine"
            for line in unbound_sockets(tree, local_names(tree))
        }
    return sorted(violations)


def unbound_sockets(node: ast.AST, meanings: dict[str, str], *, binds: bool = False) -> list[int]:
    """The lines that call `socket.socket` outside a function that binds, and never connects."""
    lines: list[int] = []
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        methods = {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}
        binds = "bind" in methods and methods.isdisjoint({"connect", "connect_ex", "sendto"})
    elif isinstance(node, ast.Call) and not binds:
        called = ast.unparse(node.func)
        first, _, rest = called.partition(".")
        if f"{meanings.get(first, first)}.{rest}".rstrip(".") == "socket.socket":
            lines.append(node.lineno)
    for child in ast.iter_child_nodes(node):
        lines += unbound_sockets(child, meanings, binds=binds)
    return lines


def domain_needs_no_library(root: Path) -> list[str]:
    """`domain` imports the standard library, msgspec and itself."""
    return [
        f"{path}:{line} imports {name}: the domain knows nouns and ports, no library"
        for path, tree in package_modules(root, DOMAIN)
        for name, line in imported_modules(tree)
        if name.split(".")[0] not in sys.stdlib_module_names
        and not any(is_within(name, library) for library in DOMAIN_LIBRARIES)
    ]
