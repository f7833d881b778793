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
    "socket.socket",
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

    Listening is no outgoing connection: `socket.create_server` and its like are free to use.
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
            f"{path}:{line} opens a socket by {name}: call out through controls/egress or an "
            "engine; to listen, use create_server"
            for name, line in dotted_uses(tree)
            if name in OPENERS or name.endswith(LOOP_OPENERS)
        }
    return sorted(violations)


def domain_needs_no_library(root: Path) -> list[str]:
    """`domain` imports the standard library, msgspec and itself."""
    return [
        f"{path}:{line} imports {name}: the domain knows nouns and ports, no library"
        for path, tree in package_modules(root, DOMAIN)
        for name, line in imported_modules(tree)
        if name.split(".")[0] not in sys.stdlib_module_names
        and not any(is_within(name, library) for library in DOMAIN_LIBRARIES)
    ]
