"""THE LAWS CATCH: each law, given a copy of the checkout with one violation planted, reports it."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING

import pytest

from tests.architecture.copies import PACKAGE, ROUTES, copied, write
from tests.architecture.laws import LAWS
from tests.architecture.laws.sizes import LONGEST_FILE, LONGEST_FUNCTION, RATCHET

if TYPE_CHECKING:
    from pathlib import Path

# --- import contracts --------------------------------------------------------------------------

LAYERS = "Layers import downwards only"
IMPORT_PLANTS = {
    "a lower layer imports a higher one": (
        LAYERS,
        f"{PACKAGE}/domain/planted.py",
        "linarite.telemetry.planted",
    ),
    "neighbours of the lowest shared layer": (
        LAYERS,
        f"{PACKAGE}/web/planted.py",
        "linarite.storage.planted",
    ),
    "neighbours of a middle layer": (
        LAYERS,
        f"{PACKAGE}/hosting/planted.py",
        "linarite.dataplane.planted",
    ),
    "controls import the data plane": (
        LAYERS,
        f"{PACKAGE}/controls/planted.py",
        "linarite.dataplane.planted",
    ),
    "anything imports settings": (
        LAYERS,
        f"{PACKAGE}/engines/planted.py",
        "linarite.settings",
    ),
    "an operation imports another": (
        "Operations never import one another",
        f"{PACKAGE}/dataplane/operations/planted_one/operation.py",
        "linarite.dataplane.operations.planted_two.operation",
    ),
    "a control imports another": (
        "Controls never import one another",
        f"{PACKAGE}/controls/planted_one/verdict.py",
        "linarite.controls.planted_two.verdict",
    ),
    "an engine imports another": (
        "Engines never import one another",
        f"{PACKAGE}/engines/planted_one/engine.py",
        "linarite.engines.planted_two.engine",
    ),
    "SQL outside storage": (
        "The SQL libraries are known to storage alone",
        f"{PACKAGE}/dataplane/planted.py",
        "sqlalchemy.ext.asyncio",
    ),
    "an engine's library outside its engine": (
        "An engine's library is known to its engine alone",
        f"{PACKAGE}/engines/planted_one/engine.py",
        "xllamacpp",
    ),
    "a model source outside its file": (
        "The libraries of model sources are known to the one file of each",
        f"{PACKAGE}/hosting/models/planted.py",
        "huggingface_hub",
    ),
    "the control plane reaches for an engine's host": (
        "The control plane starts work through jobs, never by itself",
        f"{PACKAGE}/controlplane/planted.py",
        "linarite.hosting.planted",
    ),
    "a resource type imports another": (
        "ARM resource types never import one another",
        f"{PACKAGE}/controlplane/resources/planted_one/rules.py",
        "linarite.controlplane.resources.planted_two.rules",
    ),
    "a kind of job imports another": (
        "Kinds of jobs never import one another",
        f"{PACKAGE}/jobs/kinds/planted_one/kind.py",
        "linarite.jobs.kinds.planted_two.kind",
    ),
    "tokens are read where nobody verifies": (
        "The token library is known to those who sign and verify",
        f"{PACKAGE}/dataplane/planted.py",
        "joserfc",
    ),
    "the shared store is spoken to beside its adapter": (
        "The library of the shared store is known to its adapter alone",
        f"{PACKAGE}/controls/planted.py",
        "hiredis",
    ),
    "names are asked for beside the responder": (
        "The library of DNS messages is known to the responder alone",
        f"{PACKAGE}/privatelink/planted.py",
        "dns",
    ),
}


def test_each_contract_has_a_plant(checkout: Path) -> None:
    """A new contract is seen to catch something."""
    contracts = tomllib.loads((checkout / "pyproject.toml").read_text())["tool"]["importlinter"]
    named = {contract["name"] for contract in contracts["contracts"]}
    assert named == {contract for contract, _, _ in IMPORT_PLANTS.values()}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, checkout: Path) -> str:
    """What import-linter says of a copy with all of them planted: looking takes it seconds."""
    copy = copied(checkout, tmp_path_factory.mktemp("imports") / "copy")
    for _, importer, imported in IMPORT_PLANTS.values():
        own = imported.startswith("linarite.") and f"src/{imported.replace('.', '/')}.py"
        if own and not (copy / own).exists():
            write(copy, own, '"""Planted."""\n')
        path = copy / importer
        already = path.read_text() if path.exists() else ""
        write(copy, importer, f"{already}import {imported}\n")
    return "\n".join(LAWS["imports"](copy))


@pytest.mark.parametrize("plant", IMPORT_PLANTS)
def test_planted_import_is_caught(report: str, plant: str) -> None:
    """A forbidden import breaks its own contract, and the report names who imports what."""
    contract, importer, imported = IMPORT_PLANTS[plant]
    module = importer.removeprefix("src/").removesuffix(".py").replace("/", ".")
    if not imported.startswith("linarite."):
        imported = imported.partition(".")[0]
    assert f"{contract} is broken" in report
    explained = report.partition(f"\n{contract}\n---")[2].partition("\n---")[0]
    lines = explained.splitlines()
    assert any(f"{module} -> {imported} " in line for line in lines), explained


def test_package_outside_the_layers_is_caught(copy: Path) -> None:
    """A new package has to take its place in the list of layers."""
    write(copy, f"{PACKAGE}/planted/thing.py", '"""Planted."""\n')
    violations = LAWS["imports"](copy)
    assert any("planted" in violation and LAYERS in violation for violation in violations)


# --- everything else ---------------------------------------------------------------------------

OPERATIONS = f"{PACKAGE}/dataplane/operations"
ENGINES = f"{PACKAGE}/engines"
DOMAIN = f"{PACKAGE}/domain/planted.py"
WEB = f"{PACKAGE}/web/planted.py"
CLI = f"{PACKAGE}/cli/planted.py"
PAGE = "docs/planted.md"

LONG_FILE = "X = 1\n" * (LONGEST_FILE + 1)
LONG_METHOD = "class P:\n    async def long(self):\n" + "        x = 1\n" * LONGEST_FUNCTION
ROW_WITHOUT_FOLDER = """
from linarite.dataplane.operations.planted.operation import PLANTED
from linarite.dataplane.row import Row

BOTH = (Row("POST", "/planted", PLANTED),)
ROUTES = (*BOTH,)
"""
IMPORTED_BUT_NOT_ROUTED = """
from linarite.dataplane.operations.planted.operation import OPERATION

ROUTES = ()
"""


def ratchet(lines: int) -> str:
    """A ratchet that grandfathers the planted file."""
    return json.dumps({DOMAIN: lines})


# (law, what is written, what the law says)
PLANTS: dict[str, tuple[str, dict[str, str], str]] = {
    "long file": ("sizes", {DOMAIN: LONG_FILE}, f"{DOMAIN} has 401 lines"),
    "long function": ("sizes", {DOMAIN: LONG_METHOD}, f"{DOMAIN}::P.long has 61 lines"),
    "file outgrows its exception": (
        "sizes",
        {DOMAIN: LONG_FILE + LONG_FILE, RATCHET: ratchet(401)},
        f"{DOMAIN} has 802 lines, at most 401",
    ),
    "exception larger than needed": (
        "sizes",
        {DOMAIN: LONG_FILE, RATCHET: ratchet(402)},
        f"{DOMAIN} needs only 401",
    ),
    "exception not needed": ("sizes", {RATCHET: ratchet(402)}, f"{DOMAIN} needs no exception"),
    "os.environ": (
        "environment",
        {WEB: 'import os\n\nHOME = os.environ["HOME"]\n'},
        f"{WEB}:3 reads os.environ",
    ),
    "os.environ by another name": (
        "environment",
        {WEB: 'from os import environ as e\n\nHOME = e["HOME"]\n'},
        f"{WEB}:3 reads os.environ",
    ),
    "os.getenv": (
        "environment",
        {WEB: 'import os as o\n\nHOME = o.getenv("HOME")\n'},
        f"{WEB}:3 reads os.getenv",
    ),
    "option from the environment": (
        "environment",
        {CLI: 'import typer\n\nKEY = typer.Option("", envvar="LINARITE_KEY")\n'},
        f"{CLI}:3 lets a command read",
    ),
    "library in the domain": ("domain", {DOMAIN: "import structlog\n"}, f"{DOMAIN}:1 imports"),
    "ARM resource without a row": (
        "ARM resources",
        {"src/linarite/controlplane/resources/planted/rules.py": ""},
        "src/linarite/controlplane/resources/planted is in no row",
    ),
    "operation without a row": (
        "operations",
        {f"{OPERATIONS}/planted/operation.py": ""},
        f"{OPERATIONS}/planted is in no row of ROUTES",
    ),
    "operation imported but without a row": (
        "operations",
        {f"{OPERATIONS}/planted/operation.py": "", ROUTES: IMPORTED_BUT_NOT_ROUTED},
        f"{OPERATIONS}/planted is in no row of ROUTES",
    ),
    "operation without a page": (
        "operations",
        {f"{OPERATIONS}/planted/operation.py": ""},
        "write docs/operations/planted.md",
    ),
    "row without an operation": (
        "operations",
        {ROUTES: ROW_WITHOUT_FOLDER},
        f"there is no {OPERATIONS}/planted",
    ),
    "page without an operation": (
        "operations",
        {"docs/operations/planted.md": "# Planted\n"},
        "docs/operations/planted.md is about nothing",
    ),
    "engine outside the table": (
        "engines",
        {f"{ENGINES}/planted/engine.py": ""},
        f"{ENGINES}/planted is not in ENGINES",
    ),
    "engine without a page": (
        "engines",
        {f"{ENGINES}/planted/engine.py": ""},
        "write docs/engines/planted.md",
    ),
    "page without an engine": (
        "engines",
        {"docs/engines/planted.md": "# Planted\n"},
        "docs/engines/planted.md is about nothing",
    ),
    "entry without an engine": (
        "engines",
        {f"{ENGINES}/__init__.py": 'ENGINES = {"planted": "planted:Engine"}\n'},
        f"there is no {ENGINES}/planted/engine.py",
    ),
    "registry host": (
        "words",
        {PAGE: "Get it from https://py" + "pi.org/simple\n"},
        f"{PAGE}:1 names the host of a package registry",
    ),
    "path of a machine": ("words", {PAGE: "See /wor" + "k/main\n"}, f"{PAGE}:1 names a path"),
    "ticket": ("words", {DOMAIN: "# see iss" + "ue #12\n"}, f"{DOMAIN}:1 names a ticket"),
    "unfinished": ("words", {DOMAIN: "# TO" + "DO: the rest\n"}, f"{DOMAIN}:1 is unfinished"),
    "ignore without a reason": (
        "ignores",
        {DOMAIN: "import json  # no" + "qa: F401\n"},
        f"{DOMAIN}:1 ignores a finding",
    ),
    "ignore of a type without a reason": (
        "ignores",
        {WEB: "X = 1  # pyri" + "ght: ignore[reportAny]\n"},
        f"{WEB}:1 ignores a finding",
    ),
    "pin without a hash": (
        "lock files",
        {"requirements/dev.txt": "planted==1.0\n"},
        "planted has no hash",
    ),
    "dependency not in the lock": (
        "lock files",
        {"requirements/core.txt": "planted==1.0\n"},
        "requirements/core.txt: msgspec>=",
    ),
    "locks that differ": (
        "lock files",
        {"requirements/core.txt": "planted==1.0\n"},
        "requirements/dev.txt: planted differs",
    ),
}


@pytest.mark.parametrize("plant", PLANTS)
def test_planted_violation_is_caught(copy: Path, plant: str) -> None:
    """The law reports what was planted."""
    law, files, report = PLANTS[plant]
    for path, text in files.items():
        write(copy, path, text)
    violations = LAWS[law](copy)
    assert any(report in violation for violation in violations), violations


@pytest.mark.parametrize("banned", ["import httpx", "import os\n\nos.getenv('HOME')"])
def test_linter_bans_apis(copy: Path, banned: str) -> None:
    """The linter's own list of banned APIs is live in `src`, and not in `settings.py`."""
    write(copy, f"{PACKAGE}/web/planted.py", f"{banned}\n")
    write(copy, f"{PACKAGE}/settings.py", f"{banned}\n")
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--select=TID251", "--output-format=concise", "."],
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert f"{PACKAGE}/web/planted.py" in done.stdout
    assert f"{PACKAGE}/settings.py" not in done.stdout
