"""Who may reach out of the process: for the environment, for a library."""

from __future__ import annotations

import ast
import sys
from typing import TYPE_CHECKING

from tests.architecture.laws.source import (
    PACKAGE,
    dotted_uses,
    found_in_modules,
    imported_modules,
    is_within,
    nodes_of,
    parsed,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SETTINGS = f"{PACKAGE}/settings.py"
ENVIRONMENT = ("os.environ", "os.environb", "os.getenv", "os.getenvb")

DOMAIN = f"{PACKAGE}/domain"
DOMAIN_LIBRARIES = {"linarite.domain", "msgspec"}


def environment_is_read_in_settings(root: Path) -> list[str]:
    """Only `settings.py` reads environment variables, so one page lists all that matter."""
    return sorted({f"{path}:{what}" for path, what in found_in_modules(root, _environment)})


def _environment(path: str, text: str) -> Iterator[str]:
    if path == SETTINGS:
        return
    tree = parsed(text)
    for name, line in [*dotted_uses(tree), *imported_modules(tree)]:
        if any(is_within(name, variable) for variable in ENVIRONMENT):
            yield f"{line} reads {name}: take the value from settings, through the constructor"
    for node in nodes_of(tree):
        if isinstance(node, ast.keyword) and node.arg == "envvar":
            yield f"{node.value.lineno} lets a command read the environment: use a setting"


def domain_needs_no_library(root: Path) -> list[str]:
    """`domain` imports the standard library, msgspec and itself."""
    return [f"{path}:{what}" for path, what in found_in_modules(root, _libraries, DOMAIN)]


def _libraries(_path: str, text: str) -> Iterator[str]:
    for name, line in imported_modules(parsed(text)):
        if name.split(".")[0] not in sys.stdlib_module_names and not any(
            is_within(name, library) for library in DOMAIN_LIBRARIES
        ):
            yield f"{line} imports {name}: the domain knows nouns and ports, no library"
