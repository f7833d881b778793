"""`linarite role …` against a real server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.terminal import linarite
from tests.serving import SIMULATED, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.serving import Server

SOMEBODY = "7a3c0f6e-3f0e-4d0c-9f61-0f5a1b6f2d11"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of this module's own."""
    yield from serving(tmp_path_factory.mktemp("roles"), SIMULATED)


def told(server: Server, *arguments: str) -> Any:  # noqa: ANN401 - JSON
    """What a command prints for programs."""
    done = linarite(server.home, *arguments, "-o", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_roles_are_given_and_taken_by_name(server: Server) -> None:
    """An application of the directory, at the declared account and at its group."""
    told(server, "identity", "app", "create", "my-service")
    create = ("role", "assignment", "create", "--assignee", "my-service")
    made = told(server, *create, "--role", "Cognitive Services OpenAI User")
    assert made["properties"]["principalType"] == "ServicePrincipal"
    assert made["properties"]["scope"].endswith("/accounts/linarite")
    told(server, *create, "--role", "reader", "-g", "linarite")
    twice = linarite(server.home, *create, "--role", "Reader", "-g", "linarite")
    assert twice.returncode == 1
    assert "already exists" in twice.stderr
    here = told(server, "role", "assignment", "list")
    assert [each["id"] for each in here] == [made["id"]]
    listing = ("role", "assignment", "list", "--assignee", "my-service")
    assert len(told(server, *listing, "--include-inherited")) == 2
    assert len(told(server, *listing, "--all", "--role", "Reader")) == 1
    table = linarite(server.home, *listing, "--all").stdout
    assert "Cognitive Services OpenAI User" in table
    delete = ("role", "assignment", "delete", "--assignee", "my-service", "--role", "Reader")
    assert linarite(server.home, *delete).returncode == 3
    assert linarite(server.home, *delete, "-g", "linarite").returncode == 0
    assert (
        linarite(server.home, "role", "assignment", "delete", "--ids", made["id"]).returncode == 0
    )
    assert told(server, *listing, "--all") == []


def test_somebody_of_another_issuer_is_named_by_object_id(server: Server) -> None:
    """With its type; without, the directory has to know it."""
    create = ("role", "assignment", "create", "--role", "Reader", "--scope", "/")
    unknown = linarite(server.home, *create, "--assignee-object-id", SOMEBODY)
    assert "PrincipalNotFound" in unknown.stderr or "does not exist" in unknown.stderr
    kind = ("--assignee-principal-type", "User")
    made = told(server, *create, "--assignee-object-id", SOMEBODY, *kind)
    assert made["properties"]["scope"] == "/"
    nobody = linarite(server.home, *create, "--assignee", "nobody-here")
    assert nobody.returncode == 3
    assert "--assignee-object-id" in nobody.stderr


def test_definitions_are_listed_and_shown(server: Server) -> None:
    """By name or GUID."""
    roles = told(server, "role", "definition", "list")
    assert {"Owner", "Foundry User"} <= {each["properties"]["roleName"] for each in roles}
    assert told(server, "role", "definition", "list", "--custom-role-only") == []
    owner = told(server, "role", "definition", "show", "owner")
    assert told(server, "role", "definition", "show", owner["name"]) == owner
    page = linarite(server.home, "role", "definition", "show", "Foundry Project Manager").stdout
    assert "ActionMatches" in page
    assert linarite(server.home, "role", "definition", "show", "No Such Role").returncode == 3
