"""`linarite usage report` against a running server."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from arro3.io import read_parquet

from linarite.cli.usage import report
from linarite.cli.usage.files import write_csv
from tests.cli.terminal import linarite
from tests.serving import SIMULATED, Server, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PRICED = """
[prices]
currency = "EUR"

[[prices.models]]
model = "gpt-4o"
input = 2.5
output = 10
"""
CHAT = {"messages": [{"role": "user", "content": "Hi"}], "user": "=alice"}
TODAY = f"{datetime.now(UTC):%Y-%m-%d}"


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, dict[str, Any]]]:
    """A server with prices, and the usage that it told of one chat."""
    for server in serving(tmp_path_factory.mktemp("used"), PRICED + SIMULATED):
        usage: dict[str, Any] = {}
        tagged = linarite(server.home, "account", "update", "-n", "linarite", "--tags", "team=red")
        assert tagged.returncode == 0, tagged.stderr
        for model, ask in (
            ("gpt-4o", ("chat/completions", CHAT)),
            ("text-embedding-3-small", ("embeddings", {"input": "Hello"})),
        ):
            path, body = ask
            answer = httpx.post(
                f"{server.endpoint}/openai/v1/{path}",
                headers={"api-key": server.key},
                json={"model": model} | body,
                timeout=30,
            )
            usage[model] = answer.json()["usage"]
        yield server, usage


def reported(server: Server, *arguments: str) -> list[dict[str, Any]]:
    """What the command prints as JSON."""
    done = linarite(server.home, "usage", "report", *arguments, "-o", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_usage_is_told_by_deployment(used: tuple[Server, dict[str, Any]]) -> None:
    """Tokens as the answers told them, and what they cost."""
    server, usage = used
    chat, vectors = reported(server)
    assert (chat["deployment"], vectors["deployment"]) == ("gpt-4o", "text-embedding-3-small")
    told = usage["gpt-4o"]
    assert (chat["prompt"], chat["completion"]) == (
        told["prompt_tokens"],
        told["completion_tokens"],
    )
    assert chat["cost"] == pytest.approx(
        (told["prompt_tokens"] * 2.5 + told["completion_tokens"] * 10) / 1e6
    )
    assert (vectors["cost"], vectors["currency"], vectors["requests"]) == (0, "EUR", 1)


def test_it_is_told_by_several_things(used: tuple[Server, dict[str, Any]]) -> None:
    """In the order of the flags; a day that was not is empty; scopes bound it."""
    server, _ = used
    (row,) = reported(server, "--by", "key", "--by", "tag:team", "--by", "day", "--by", "tag:a")
    assert list(row)[:4] == ["key", "tag:team", "day", "tag:a"]
    assert list(row.values())[:4] == ["key1", "red", TODAY, ""]
    assert [each["month"] for each in reported(server, "--by", "month")] == [TODAY[:7]]
    assert [each["user"] for each in reported(server, "--by", "user")] == ["", "=alice"]
    long_ago = ("--from", "2020-01-01", "--to", "2020-02-01")
    assert reported(server, *long_ago) == []
    assert len(reported(server, "-n", "linarite", "--to", TODAY)) == 2
    assert len(reported(server, "-g", "linarite")) == 2


def test_the_table_has_bars(used: tuple[Server, dict[str, Any]]) -> None:
    """The longest for what costs most; nothing is said plainly."""
    server, _ = used
    done = linarite(server.home, "usage", "report")
    head, chat, vectors = done.stdout.splitlines()
    assert head.split()[:2] == ["DEPLOYMENT", "REQUESTS"]
    assert "█" * report.BAR_WIDTH in chat
    assert "EUR" in chat
    assert "█" not in vectors
    day = f"{datetime.now(UTC) - timedelta(days=400):%Y-%m-%d}"
    nothing = linarite(server.home, "usage", "report", "--from", day, "--to", day)
    assert nothing.stderr == "Nothing was used in that time.\n"


def test_files_for_other_programs(used: tuple[Server, dict[str, Any]], tmp_path: Path) -> None:
    """CSV and Parquet hold the same rows, with types."""
    server, _ = used
    files = (tmp_path / "usage.csv", tmp_path / "usage.parquet")
    flags = ("--by", "model", "--csv", str(files[0]), "--parquet", str(files[1]))
    done = linarite(server.home, "usage", "report", *flags)
    assert (done.returncode, done.stdout) == (0, "")
    rows = list(csv.DictReader(io.StringIO(files[0].read_text())))
    table = read_parquet(files[1]).read_all()
    assert [row["model"] for row in rows] == ["gpt-4o", "text-embedding-3-small"]
    for name in ("prompt", "completion", "requests"):
        assert table[name].to_pylist() == [int(row[name]) for row in rows]
    assert table["cost"].to_pylist() == [float(row["cost"]) for row in rows]
    printed = linarite(server.home, "usage", "report", "--by", "model", "--csv", "-")
    assert printed.stdout.splitlines() == files[0].read_text().splitlines()


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("--by", "colour"), "Use: day, month, account"),
        (("--by", "day", "--by", "month"), "leave one --by out"),
        (("--from", "yesterday"), "write it like 2026-03-31"),
        (("--csv", "/nowhere/at/all.csv"), "/nowhere/at/all.csv can't be written"),
    ],
)
def test_what_is_wrong_is_told(
    used: tuple[Server, dict[str, Any]], flags: tuple[str, ...], told: str
) -> None:
    """With what would be right."""
    done = linarite(used[0].home, "usage", "report", *flags)
    assert done.returncode != 0
    assert told in " ".join(done.stderr.split())


def test_a_name_is_no_formula(tmp_path: Path) -> None:
    """What a caller calls itself is not carried out by whoever opens the file."""
    write_csv(tmp_path / "a.csv", [{"user": "=1+1", "cost": -1}], ["user", "cost"])
    assert (tmp_path / "a.csv").read_text().splitlines() == ["user,cost", "'=1+1,-1"]
