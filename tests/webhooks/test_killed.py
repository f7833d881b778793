"""A real server that is killed while its receiver is down tells what it had to tell."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import httpx

from tests.serving import SIMULATED, Server, start_server, stopped
from tests.webhook_receiver import SECRET, webhook_receiver

if TYPE_CHECKING:
    from pathlib import Path


def call(server: Server) -> None:
    """One call, which uses more than eight tenths of what may be used."""
    answer = httpx.post(
        f"{server.endpoint}/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21",
        headers={"api-key": server.key},
        json={"messages": [{"role": "user", "content": "hello"}], "max_tokens": 90},
        timeout=30,
    )
    assert answer.status_code == 200, answer.text


def test_a_killed_server_tells_after_its_restart(tmp_path: Path) -> None:
    """Once, signed; `linarite webhook deliveries` has shown it waiting."""
    with webhook_receiver() as receiver:
        settings = (
            SIMULATED
            + f"""
[[usage_limits]]
name = "everybody"
kind = "account"
tokens_per_day = 100
warn_at = [1]
[webhooks.ops]
url = "{receiver.url}"
secret = "{SECRET}"
events = ["limit.*"]
"""
        )
        receiver.statuses = [503]
        server = start_server(tmp_path, settings)
        call(server)
        receiver.wait_for(1)
        path = str(server.ready["account_id"]).partition("/resourceGroups/")[0]
        headers = {"authorization": f"Bearer {server.ready['management_key']}"}
        url = (
            f"{server.endpoint}{path}/providers/Linarite.Operations/webhookDeliveries"
            "?api-version=2026-11-01"
        )
        until = time.monotonic() + 60
        while (shown := httpx.get(url, headers=headers).json()["value"][0])["attempts"] == 0:
            assert time.monotonic() < until
            time.sleep(0.05)
        assert (shown["state"], shown["outcome"]) == ("Waiting", "answered with status 503")
        server.kill()
        with stopped(start_server(tmp_path, settings)):
            first, second = receiver.wait_for(2, within_s=60)
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == shown["id"]
    assert second.is_signed_with(SECRET)
    assert second.json["type"] == "limit.threshold.reached"
    assert len(receiver.received) == 2
