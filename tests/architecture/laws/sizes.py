"""Files and functions stay small.

`sizes.json` may grandfather a file (`"src/linarite/x.py": 420`) or a function
(`"src/linarite/x.py::Class.method": 70`). Its numbers may only fall: one that is larger than
needed, or not needed, is a violation itself.
"""

from __future__ import annotations

import ast
import json
from typing import TYPE_CHECKING

from tests.architecture.laws.source import found_in_modules, parsed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LONGEST_FILE = 400
LONGEST_FUNCTION = 60
RATCHET = "tests/architecture/sizes.json"


def sizes_are_small(root: Path) -> list[str]:
    """No file or function is longer than its limit, or than what it was when grandfathered."""
    granted: dict[str, int] = json.loads((root / RATCHET).read_text(encoding="utf-8"))
    needed: dict[str, int] = {}
    violations: list[str] = []
    for place, lines, limit in measured(root):
        if lines <= limit:
            continue
        needed[place] = lines
        allowed = granted.get(place, limit)
        if lines > allowed:
            violations.append(f"{place} has {lines} lines, at most {allowed} are allowed: split it")
    for place, allowed in granted.items():
        if place not in needed:
            violations.append(f"{RATCHET}: {place} needs no exception any more: remove it")
        elif needed[place] < allowed:
            violations.append(f"{RATCHET}: {place} needs only {needed[place]}: lower the number")
    return violations


def measured(root: Path) -> Iterator[tuple[str, int, int]]:
    """Every file and function: its place, its lines, its limit."""
    for _, each in found_in_modules(root, _measured):
        yield each


def _measured(path: str, text: str) -> Iterator[tuple[str, int, int]]:
    yield path, len(text.splitlines()), LONGEST_FILE
    for name, length in functions_of(parsed(text)):
        yield f"{path}::{name}", length, LONGEST_FUNCTION


def functions_of(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, int]]:
    """Functions and methods, nested ones too, with the lines from `def` to their end."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            name = f"{prefix}{node.name}"
            yield name, (node.end_lineno or node.lineno) - node.lineno + 1
            yield from functions_of(node, f"{name}.")
        elif isinstance(node, ast.ClassDef):
            yield from functions_of(node, f"{prefix}{node.name}.")
        else:
            yield from functions_of(node, prefix)
