"""Reading source text, for the checkers.

A text is parsed once, and what it imports and uses is looked for once, however many laws ask and in
however many copies of a checkout it lies.
"""

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


@cache
def parsed(text: str) -> ast.Module:
    """The tree of a text."""
    return ast.parse(text)


def packages_in(folder: Path) -> set[str]:
    """The names of the packages right below a folder; none where the folder is missing."""
    if not folder.is_dir():
        return set()
    return {entry.name for entry in folder.iterdir() if entry.is_dir() and any(entry.glob("*.py"))}


@cache
def nodes_of(tree: ast.AST) -> tuple[ast.AST, ...]:
    """Everything in a tree: walking is what takes the laws their time."""
    return tuple(ast.walk(tree))


@cache
def imported_modules(tree: ast.AST) -> tuple[tuple[str, int], ...]:
    """What a file imports, anywhere in it, as full dotted names with their lines.

    `from a.b import c` counts as `a.b.c`, which is `a.b`'s attribute or submodule;
    `import_module("a.b")` and `__import__("a.b")` as what they say.
    """
    found: list[tuple[str, int]] = []
    for node in nodes_of(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found += [(f"{node.module}.{alias.name}", node.lineno) for alias in node.names]
    found += [(name, line) for name, line in named_imports(tree) if name]
    return tuple(found)


@cache
def named_imports(tree: ast.AST) -> tuple[tuple[str, int], ...]:
    """What is imported by a call: the name, "" where none is written there, and the line."""
    meanings = local_names(tree)
    return tuple(
        (_text_of(node.args[0]) if node.args else "", node.lineno)
        for node in nodes_of(tree)
        if isinstance(node, ast.Call)
        and full_name(node.func, meanings).rpartition(".")[2] in IMPORTING
    )


IMPORTING = ("import_module", "__import__")
READING = ("getattr", "attrgetter", "methodcaller")
"""what reads an attribute by its name"""


def is_within(name: str, module: str) -> bool:
    """Whether a dotted name is a module or something in it."""
    return name == module or name.startswith(f"{module}.")


@cache
def within_any(name: str, modules: frozenset[str]) -> bool:
    """`is_within`, of one of them."""
    return any(is_within(name, module) for module in modules)


@cache
def dotted_uses(tree: ast.AST) -> tuple[tuple[str, int], ...]:
    """Every dotted name that a file uses, in full as far as its imports tell, with its line.

    With `from os import environ as e`, the use of `e` is `os.environ`, and so is
    `getattr(os, "environ")`. Of a chain on anything but a name, like `f().g`, only the attributes
    are known: `.g`.
    """
    meanings = local_names(tree)
    found: list[tuple[str, int]] = []
    for node in nodes_of(tree):
        if isinstance(node, ast.Name | ast.Attribute):
            found.append((full_name(node, meanings), node.lineno))
        elif isinstance(node, ast.Call) and full_name(node.func, meanings).endswith(READING):
            base = full_name(node.args[0], meanings) if node.args else ""
            found += [(f"{base}.{text}", node.lineno) for text in map(_text_of, node.args) if text]
    return tuple(found)


def full_name(node: ast.AST, meanings: dict[str, str]) -> str:
    """A name or a chain of attributes, in full as far as imports tell; "" for anything else."""
    attributes: list[str] = []
    while isinstance(node, ast.Attribute):
        attributes.append(node.attr)
        node = node.value
    start = meanings.get(node.id, node.id) if isinstance(node, ast.Name) else ""
    return ".".join([start, *reversed(attributes)])


def _text_of(node: ast.AST) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


@cache
def local_names(tree: ast.AST) -> dict[str, str]:
    """What each imported name of a file stands for."""
    meanings: dict[str, str] = {}
    for node in nodes_of(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.asname:
                    meanings[alias.asname] = alias.name
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                meanings[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return meanings
