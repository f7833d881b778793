"""Reading source text, for the checkers."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE = "src/linarite"

Finding = TypeVar("Finding")
Look = Callable[[str, str], Iterable[Finding]]
"""what a law finds in a file, given its path from the root and its text"""


def found_in_modules(
    root: Path, look: Look[Finding], below: str = PACKAGE
) -> Iterator[tuple[str, Finding]]:
    """What a law finds in each Python file below a folder of the checkout, with the file's path.

    Each text is looked at once: copies of the checkout differ in a file or two.
    """
    for file in sorted((root / below).rglob("*.py")):
        path = file.relative_to(root).as_posix()
        for finding in _found(look, path, file.read_text(encoding="utf-8")):
            yield path, finding


@cache
def _found(look: Look[Finding], path: str, text: str) -> tuple[Finding, ...]:
    return tuple(look(path, text))


def packages_in(folder: Path) -> set[str]:
    """The names of the packages right below a folder; none where the folder is missing."""
    if not folder.is_dir():
        return set()
    return {entry.name for entry in folder.iterdir() if entry.is_dir() and any(entry.glob("*.py"))}


def imported_modules(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """What a file imports, anywhere in it, as full dotted names with their lines.

    `from a.b import c` counts as `a.b.c`, which is `a.b`'s attribute or submodule.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                yield f"{node.module}.{alias.name}", node.lineno


def is_within(name: str, module: str) -> bool:
    """Whether a dotted name is a module or something in it."""
    return name == module or name.startswith(f"{module}.")


def dotted_uses(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every dotted name that a file uses, in full as far as its imports tell, with its line.

    With `from os import environ as e`, the use of `e` is `os.environ`. Of a chain on anything
    but a name, like `f().g`, only the attributes are known: `.g`.
    """
    meanings = local_names(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield meanings.get(node.id, node.id), node.lineno
        elif isinstance(node, ast.Attribute):
            attributes = [node.attr]
            base = node.value
            while isinstance(base, ast.Attribute):
                attributes.append(base.attr)
                base = base.value
            start = meanings.get(base.id, base.id) if isinstance(base, ast.Name) else ""
            yield ".".join([start, *reversed(attributes)]), node.lineno


def local_names(tree: ast.AST) -> dict[str, str]:
    """What each imported name of a file stands for."""
    meanings: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.asname:
                    meanings[alias.asname] = alias.name
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                meanings[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return meanings
