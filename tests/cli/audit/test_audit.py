"""`linarite audit` and `linarite explain` against a real server and what it leaves behind."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.cli.terminal import linarite

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.serving import Server

CHAT = "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"
VERSION = "2025-09-01"
BROKEN = 4


@pytest.fixture(scope="module")
def asked(server: Server) -> dict[str, str]:
    """Requests of every kind, by their ids."""
    body = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 2}

    def chat(key: str, path: str = CHAT, **more: object) -> str:
        answer = httpx.post(f"{server.endpoint}{path}", headers={"api-key": key}, json=body | more)
        return answer.headers["apim-request-id"]

    def manage(key: str, path: str) -> str:
        answer = httpx.post(
            f"{server.endpoint}{path}?api-version={VERSION}",
            headers={"authorization": f"Bearer {key}"},
        )
        return answer.headers["x-ms-request-id"]

    account = server.ready["account_id"]
    return {
        "good": chat(server.key),
        "wrong key": chat("wrong"),
        "unknown deployment": chat(server.key, CHAT.replace("gpt-4o", "nope")),
        "bad request": chat(server.key, temperature=9),
        "list keys": manage(server.ready["management_key"], f"{account}/listKeys"),
        "stranger": manage("wrong", f"{account}/listKeys"),
    }


def explained(server: Server, request_id: str) -> dict[str, Any]:
    """What the command says, for programs."""
    done = linarite(server.home, "explain", request_id, "--output", "json")
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def outcomes(told: dict[str, Any]) -> dict[str, str]:
    """Control → outcome."""
    return {step["control"]: step["outcome"] for step in told["steps"]}


def test_a_good_request_is_explained(server: Server, asked: dict[str, str]) -> None:
    """Which key, which deployment, instance and engine; nothing would have to change."""
    told = explained(server, asked["good"])
    assert told["plane"] == "data"
    assert set(outcomes(told).values()) == {"passed", "none in force"}
    by = {step["control"]: step.get("decidedBy") for step in told["steps"]}
    assert by["authentication"] == "key1"
    assert by["route"] == "gpt-4o"
    assert (by["place"], by["engine"]) == ("gpt-4o", "simulator")
    assert told["asked"]["account"] == server.ready["account_id"]
    assert told["wouldHaveToChange"] == []
    why = {step["control"]: step.get("why", "") for step in told["steps"]}
    assert why["network"] == "the account's network rules exclude nobody"


@pytest.mark.parametrize(
    ("which", "refused_by", "advice"),
    [
        ("wrong key", "authentication", "api-key"),
        ("unknown deployment", "route", "gpt-4o"),
        ("bad request", "request", "decimal_above_max_value"),
        ("stranger", "authentication", "management key"),
    ],
)
def test_a_refusal_is_explained(
    server: Server, asked: dict[str, str], which: str, refused_by: str, advice: str
) -> None:
    """Which control refused, what was not reached, and what would have to change."""
    told = explained(server, asked[which])
    found = outcomes(told)
    assert found[refused_by] == "refused"
    order = list(found)
    after = order[order.index(refused_by) + 1 :]
    assert {found[control] for control in after} <= {"not reached"}
    assert advice in " ".join(told["wouldHaveToChange"])


def test_a_control_plane_request_is_explained(server: Server, asked: dict[str, str]) -> None:
    """From its audit events."""
    told = explained(server, asked["list keys"])
    assert told["plane"] == "control"
    assert told["asked"]["action"] == "Microsoft.CognitiveServices/accounts/listKeys/action"
    assert told["answer"] == {"outcome": "Succeeded", "status": 200}
    people = linarite(server.home, "explain", asked["list keys"])
    assert "management-key" in people.stdout


def test_an_unknown_request_is_told_so(server: Server) -> None:
    """With where ids are found."""
    done = linarite(server.home, "explain", "nobody-asked")
    assert done.returncode == 3
    assert "apim-request-id" in done.stderr


def test_events_are_listed(server: Server, asked: dict[str, str]) -> None:
    """By category and by request; both ends of a deed, key use, refusals, the start."""

    def listed(*flags: str) -> list[dict[str, Any]]:
        done = linarite(server.home, "audit", "list", "-o", "json", *flags)
        assert (done.returncode, done.stderr) == (0, "")
        return json.loads(done.stdout)

    both = listed("--request-id", asked["list keys"], "--category", "ControlPlane")
    assert [event["outcome"] for event in both] == ["Succeeded", "Started"]
    (refusal,) = listed("--request-id", asked["wrong key"])
    assert (refusal["category"], refusal["status"]) == ("DataPlaneRefusal", 401)
    assert listed("--category", "KeyUse", "--principal", "KEY1")
    start = listed("--category", "Administration")[-2:]
    assert [event["action"].split("/", 1)[1] for event in start] == [
        "server/start/action",
        "masterKey/create/action",
    ]
    assert listed("--start-time", "2001-01-01", "--end-time", "2002-01-01") == []
    assert linarite(server.home, "audit", "list", "--category", "Nonsense").returncode == 1


def test_pages_follow_one_another(server: Server, asked: dict[str, str]) -> None:
    """More than a page, without a gap and without a doublet."""
    assert asked
    for _ in range(110):
        httpx.post(
            f"{server.endpoint}{server.ready['account_id']}/listKeys?api-version={VERSION}",
            headers={"authorization": f"Bearer {server.ready['management_key']}"},
        )
    done = linarite(server.home, "audit", "list", "-o", "json", "--max-events", "100000")
    seqs = [event["seq"] for event in json.loads(done.stdout)]
    assert seqs == list(range(len(seqs), 0, -1))
    assert len(seqs) > 220


def test_an_anchor_proves_what_came_before_it(server: Server, tmp_path: Path) -> None:
    """While the server runs; for a copy that lacks the end it is the proof of that."""
    anchor = linarite(server.home, "audit", "anchor").stdout
    kept = tmp_path / "anchors.jsonl"
    kept.write_text(anchor)
    done = linarite(server.home, "audit", "verify", "--anchor", str(kept))
    assert (done.returncode, done.stderr) == (0, "")
    seq = json.loads(anchor)["seq"]
    copy = copied(server, tmp_path)
    for table in ("audit_entries", "audit_checkpoints"):
        changed(copy, f"DELETE FROM {table} WHERE seq > {seq - 3}")  # noqa: S608 - ours
    assert linarite(server.home, "audit", "verify", str(copy)).returncode == 0
    cut = linarite(server.home, "audit", "verify", str(copy), "--anchor", anchor.strip())
    assert cut.returncode == BROKEN
    assert f"BROKEN at {seq - 2}" in cut.stderr


def test_a_changed_copy_is_found(server: Server, tmp_path: Path) -> None:
    """The first bad entry is named, on stderr, with an exit code of its own."""
    copy = copied(server, tmp_path)
    whole = linarite(server.home, "audit", "verify", str(copy))
    assert whole.returncode == 0
    key = whole.stdout.partition("by ")[2].partition(".")[0]
    assert linarite(server.home, "audit", "verify", str(copy), "--key", key).returncode == 0
    other = linarite(server.home, "audit", "verify", str(copy), "--key", "SHA256:00")
    assert other.returncode == 1
    changed(copy, "UPDATE audit_entries SET body = cast(body || ' ' AS blob) WHERE seq = 4")
    done = linarite(server.home, "audit", "verify", str(copy))
    assert done.returncode == BROKEN
    assert "BROKEN at 4" in done.stderr


@pytest.mark.parametrize("layout", ["diagnostic", "jsonl"])
def test_an_export_proves_itself(
    server: Server, asked: dict[str, str], tmp_path: Path, layout: str
) -> None:
    """Alone, without the data folder; whatever is changed in it is found."""
    out = tmp_path / "out"
    done = linarite(server.home, "audit", "export", "--format", layout, "--out", str(out))
    assert (done.returncode, done.stderr) == (0, "")
    proof = linarite(tmp_path, "audit", "verify", str(out))
    assert (proof.returncode, proof.stderr) == (0, ""), proof.stderr
    again = linarite(server.home, "audit", "export", "--format", layout, "--out", str(out))
    assert again.returncode == 1
    chain = out / "linarite-audit" / "chain.jsonl"
    breaks: list[tuple[Path, Callable[[bytes], bytes]]] = [
        (chain, lambda text: text.replace(b"Succeeded", b"succeeded", 1)),
        (chain, lambda text: b"".join(text.splitlines(keepends=True)[1:])),
        (chain, lambda text: b"".join(text.splitlines(keepends=True)[:-30])),
    ]
    if layout == "diagnostic":
        file = next(path for path in out.rglob("PT1H.json") if "ListKey" in path.read_text())
        records = [json.loads(line) for line in file.read_text().splitlines()]
        assert {"category", "operationName", "properties", "resourceId", "time"} <= set(records[0])
        assert asked["wrong key"] in file.read_text()
        breaks += [
            (file, lambda text: text.replace(b"127.0.0.1", b"127.0.0.2", 1)),
            (file, lambda text: text + text.splitlines(keepends=True)[0]),
            (file, lambda text: b"".join(text.splitlines(keepends=True)[:-1])),
        ]
    for path, change in breaks:
        before = path.read_bytes()
        path.write_bytes(change(before))
        assert linarite(tmp_path, "audit", "verify", str(out)).returncode == BROKEN
        path.write_bytes(before)
    if layout == "diagnostic":
        (out / "insights-logs-audit" / "more.json").write_text("{}")
        assert linarite(tmp_path, "audit", "verify", str(out)).returncode == BROKEN


def test_a_part_is_exported_by_time(server: Server, tmp_path: Path) -> None:
    """Nothing of what lies outside is told, and the part proves itself all the same."""
    out = tmp_path / "none"
    flags = ("--from", "2001-01-01", "--to", "2002-01-01")
    done = linarite(server.home, "audit", "export", "--format", "jsonl", *flags, "--out", str(out))
    assert done.stdout.startswith("0 events")
    assert b"event" not in (out / "linarite-audit" / "chain.jsonl").read_bytes()
    assert linarite(tmp_path, "audit", "verify", str(out)).returncode == 0


def copied(server: Server, folder: Path) -> Path:
    """A consistent copy of the running server's log."""
    copy = folder / "copy.db"
    source = sqlite3.connect(server.home / "audit.db")
    target = sqlite3.connect(copy)
    source.backup(target)
    source.close()
    target.close()
    return copy


def changed(file: Path, statement: str) -> None:
    """Change a copy as somebody who drops our triggers."""
    connection = sqlite3.connect(file)
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for (name,) in names:
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute(statement)
    connection.commit()
    connection.close()
