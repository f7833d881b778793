"""What multiplies is a folder, has its row in the one table, and has its page in the docs."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from tests.architecture.laws.source import PACKAGE, local_names, packages_in

if TYPE_CHECKING:
    from pathlib import Path

OPERATIONS = f"{PACKAGE}/dataplane/operations"
ROUTES_FILE = f"{PACKAGE}/dataplane/routes.py"
OPERATION_PAGES = "docs/operations"
ENGINES = f"{PACKAGE}/engines"
ENGINE_TABLE_FILE = f"{PACKAGE}/engines/__init__.py"
ENGINE_PAGES = "docs/engines"
ARM_RESOURCES = f"{PACKAGE}/controlplane/resources"
ARM_TABLE_FILES = tuple(
    f"{PACKAGE}/controlplane/{name}.py"
    for name in (
        "routes",
        "kept_routes",
        "access_routes",
        "metric_routes",
        "network_routes",
        "perimeter_routes",
        "limit_routes",
        "policy_routes",
        "diagnostic_routes",
        "content_routes",
        "alert_routes",
        "actions",
    )
)
INDEX_PAGES = {"README", "index"}


def operations_are_findable(root: Path) -> list[str]:
    """Every operation folder has a row in `ROUTES` and a page, and the reverse."""
    folders = packages_in(root / OPERATIONS)
    violations = pages_match(root, folders, OPERATION_PAGES, OPERATIONS)
    if not (root / ROUTES_FILE).exists():
        return violations
    routed = routed_operations((root / ROUTES_FILE).read_text(encoding="utf-8"))
    violations += [
        f"{OPERATIONS}/{name} is in no row of ROUTES: add its row to {ROUTES_FILE}"
        for name in sorted(folders - routed)
    ]
    violations += [
        f"{ROUTES_FILE} has a row for operation {name}, but there is no {OPERATIONS}/{name}"
        for name in sorted(routed - folders)
    ]
    return violations


def arm_resources_are_findable(root: Path) -> list[str]:
    """Every folder of an ARM resource type is used by a row of the control plane's table."""
    package = ARM_RESOURCES.removeprefix("src/").replace("/", ".") + "."
    used = {
        meaning.removeprefix(package).split(".")[0]
        for table in ARM_TABLE_FILES
        if (root / table).exists()
        for meaning in local_names(ast.parse((root / table).read_text(encoding="utf-8"))).values()
        if meaning.startswith(package)
    }
    return [
        f"{ARM_RESOURCES}/{name} is in no row: add one to {' or '.join(ARM_TABLE_FILES)}"
        for name in sorted(packages_in(root / ARM_RESOURCES) - used)
    ]


def engines_are_findable(root: Path) -> list[str]:
    """Every engine folder has an entry in the table `ENGINES` and a page, and the reverse."""
    folders = {
        name
        for name in packages_in(root / ENGINES)
        if (root / ENGINES / name / "engine.py").exists()
    }
    violations = pages_match(root, folders, ENGINE_PAGES, ENGINES)
    if not (root / ENGINE_TABLE_FILE).exists():
        return violations
    listed = listed_engines((root / ENGINE_TABLE_FILE).read_text(encoding="utf-8"))
    violations += [
        f"{ENGINES}/{name} is not in ENGINES: add it in {ENGINE_TABLE_FILE}"
        for name in sorted(folders - listed)
    ]
    violations += [
        f"{ENGINE_TABLE_FILE} lists engine {name}, but there is no {ENGINES}/{name}/engine.py"
        for name in sorted(listed - folders)
    ]
    return violations


def pages_match(root: Path, folders: set[str], pages: str, home: str) -> list[str]:
    """What differs between folders and pages; nothing as long as no page has been written."""
    if not (root / pages).is_dir():
        return []
    written = {page.stem for page in (root / pages).glob("*.md")} - INDEX_PAGES
    return [
        *(f"{home}/{name} has no page: write {pages}/{name}.md" for name in folders - written),
        *(f"{pages}/{name}.md is about nothing in {home}" for name in written - folders),
    ]


def routed_operations(routes: str) -> set[str]:
    """The operation folders that the value of `ROUTES` mentions, directly or by a local name."""
    tree = ast.parse(routes)
    package = OPERATIONS.removeprefix("src/").replace("/", ".") + "."
    operation_of = {
        name: meaning.removeprefix(package).split(".")[0]
        for name, meaning in local_names(tree).items()
        if meaning.startswith(package)
    }
    bodies = module_level(tree)
    found: set[str] = set()
    seen: set[str] = set()
    pending = ["ROUTES"]
    while pending:
        name = pending.pop()
        if name in seen:
            continue
        seen.add(name)
        if name in operation_of:
            found.add(operation_of[name])
        for body in bodies.get(name, []):
            pending += [node.id for node in ast.walk(body) if isinstance(node, ast.Name)]
    return found


def listed_engines(table: str) -> set[str]:
    """The keys of the dictionary `ENGINES`."""
    return {
        key.value
        for value in module_level(ast.parse(table)).get("ENGINES", [])
        if isinstance(value, ast.Dict)
        for key in value.keys
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    }


def module_level(tree: ast.Module) -> dict[str, list[ast.AST]]:
    """What is assigned to, or defined as, each name at the top of a module."""
    bodies: dict[str, list[ast.AST]] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    bodies.setdefault(target.id, []).append(node.value)
        elif isinstance(node, ast.AnnAssign | ast.AugAssign) and isinstance(node.target, ast.Name):
            if node.value is not None:
                bodies.setdefault(node.target.id, []).append(node.value)
        elif isinstance(node, ast.FunctionDef):
            bodies.setdefault(node.name, []).append(node)
    return bodies
