"""Who may reach out of the process: for the environment, for a library."""

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


def domain_needs_no_library(root: Path) -> list[str]:
    """`domain` imports the standard library, msgspec and itself."""
    return [
        f"{path}:{line} imports {name}: the domain knows nouns and ports, no library"
        for path, tree in package_modules(root, DOMAIN)
        for name, line in imported_modules(tree)
        if name.split(".")[0] not in sys.stdlib_module_names
        and not any(is_within(name, library) for library in DOMAIN_LIBRARIES)
    ]
