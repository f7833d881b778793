"""`linarite group` against a running server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.cli.terminal import linarite

if TYPE_CHECKING:
    from tests.serving import Server


def told(server: Server, *arguments: str) -> Any:  # noqa: ANN401 - JSON
    """What a command prints as JSON."""
    done = linarite(server.home, *arguments, "-o", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_group_lives(managed: Server) -> None:
    """Made, shown, found by its tag, deleted; the flags are az's."""
    home = managed.home
    line = "group create -n team-a -l local --tags team=search"
    assert told(managed, *line.split())["tags"] == {"team": "search"}
    assert told(managed, "group", "show", "team-a")["location"] == "local"
    names = [each["name"] for each in told(managed, "group", "list")]
    assert sorted(names) == ["linarite", "team-a"]
    for tag, found in (("team", 1), ("team=search", 1), ("team=other", 0), ("none", 0)):
        assert len(told(managed, "group", "list", "--tag", tag)) == found, tag
    assert linarite(home, "group", "exists", "-n", "team-a").stdout == "true\n"

    unasked = linarite(home, "group", "delete", "team-a")
    assert unasked.returncode == 2
    assert "--yes" in unasked.stderr
    assert linarite(home, "group", "delete", "-n", "team-a", "--yes", "--no-wait").returncode == 0
    assert linarite(home, "group", "exists", "team-a").stdout == "false\n"
    gone = linarite(home, "group", "show", "team-a")
    assert gone.returncode == 3
    assert "linarite group list" in gone.stderr


def test_what_settings_declare_stays(managed: Server) -> None:
    """The group of the declared account can't be deleted; a command names one."""
    refused = linarite(managed.home, "group", "delete", "linarite", "-y")
    assert refused.returncode == 1
    assert "DeclaredBySettings" in refused.stderr
    assert linarite(managed.home, "group", "show").returncode == 2
