"""After an end-to-end run, no key, token or prompt lies anywhere it does not belong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from tests.cli.terminal import linarite
from tests.serving import SIMULATED, start_server

if TYPE_CHECKING:
    from pathlib import Path

CANARY = "canary-prompt-5d1f0f9c"
CANARY_KEY = "canary-key-8a7b6c5d4e3f2a1b"
CANARY_TOKEN = "eyJjYW5hcnkiOjF9.canary-token-payload.canary-token-signature"


def provoke(endpoint: str, key: str) -> None:
    """Good requests, refused ones and broken ones, all carrying canaries."""
    dated = f"{endpoint}/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"
    v1 = f"{endpoint}/openai/v1"
    chat = {"messages": [{"role": "user", "content": CANARY}], "max_tokens": 3}
    good = {"api-key": key}
    httpx.post(dated, headers=good, json=chat)
    httpx.post(dated, headers=good, json=chat | {"stream": True})
    httpx.post(dated, headers=good, json=chat | {"temperature": CANARY})
    httpx.post(dated, headers=good, json=chat | {CANARY: 1})
    httpx.post(dated, headers=good, content=f'{{"messages": "{CANARY}'.encode())
    httpx.post(dated, headers={"api-key": CANARY_KEY}, json=chat)
    httpx.post(dated, headers={"authorization": f"Bearer {CANARY_TOKEN}"}, json=chat)
    httpx.post(f"{v1}/embeddings", headers=good, json={"model": "gpt-4o", "input": CANARY})
    httpx.post(f"{v1}/completions", headers=good, json={"model": "gpt-4o", "prompt": CANARY})
    httpx.get(f"{endpoint}/metrics")
    httpx.get(f"{endpoint}/readyz")


def test_nothing_secret_is_kept_or_logged(tmp_path: Path) -> None:
    """The log and every file of the data folder are searched; only two files may hold the key."""
    server = start_server(tmp_path, SIMULATED + '\n[logs]\nlevel = "info"\naccess = "all"\n')
    key = server.key
    try:
        provoke(server.endpoint, key)
        metrics = httpx.get(f"{server.endpoint}/metrics").text
    finally:
        server.stop()
    assert "request" in server.said
    for layout in ("diagnostic", "jsonl"):
        out = tmp_path / f"exported-{layout}"
        done = linarite(tmp_path, "audit", "export", "--format", layout, "--out", str(out))
        assert done.returncode == 0, done.stderr
        assert b"DataPlaneRefusal" in (out / "linarite-audit" / "chain.jsonl").read_bytes()
    for secret in (CANARY, CANARY_KEY, CANARY_TOKEN, "canary-token-payload"):
        assert secret not in metrics
        assert holders(tmp_path, secret) == []
    # The ready file is how the key is handed over; the test itself asked for it.
    assert holders(tmp_path, key) == ["ready.json"]


def holders(folder: Path, secret: str) -> list[str]:
    """The files below a folder that hold a text."""
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and secret.encode() in path.read_bytes()
    )
