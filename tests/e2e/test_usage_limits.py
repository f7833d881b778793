"""A budget that settings declare, from its warning to its end, and past the server's death."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from tests.serving import SIMULATED, start_server, stopped
from tests.webhook_receiver import SECRET, webhook_receiver

if TYPE_CHECKING:
    from pathlib import Path

    from tests.serving import Server

BUDGET = 0.02
"""of the currency, a day; a token costs a ten-thousandth of it"""

BEYOND = 8
"""tokens that the last prompt may have more than its characters suggest"""


def settings(url: str) -> str:
    """One end user has money for a hundred tokens."""
    return f"""{SIMULATED}
[prices]
currency = "EUR"

[[prices.models]]
model = "*"
input = 100
output = 100

[[usage_limits]]
name = "pocket-money"
kind = "endUser"
cost_per_day = {BUDGET}
warn_at = [50]

[webhooks.parents]
url = "{url}"
secret = "{SECRET}"
events = ["limit.*"]
"""


def ask(server: Server, user: str) -> httpx.Response:
    """A chat that costs a few tokens."""
    return httpx.post(
        f"{server.endpoint}/openai/v1/chat/completions",
        headers={"api-key": server.key},
        json={
            "model": "gpt-4o",
            "messages": [{"role": "user", "content": "hi"}],
            "max_tokens": 10,
            "user": user,
        },
    )


def test_a_budget_is_warned_of_and_then_kept(tmp_path: Path) -> None:
    """By signed webhooks; what was spent is within it, and a server that is killed forgets none."""
    with webhook_receiver() as receiver:
        server = start_server(tmp_path, settings(receiver.url))
        with stopped(server):
            answers = [ask(server, "ann") for _ in range(20)]
            spent = sum(each.json()["usage"]["total_tokens"] for each in answers if each.is_success)
            last = answers[-1]
            assert last.status_code == 429
            reason = last.headers["x-ratelimit-reason"]
            assert reason.startswith("usageLimits/pocket-money/costPerDay; limit=20000000;")
            assert 100 < spent <= 200 + BEYOND
            assert ask(server, "bob").status_code == 200
            warned, exhausted = receiver.wait_for(2)[:2]
            server.kill()
        for each, kind in ((warned, "limit.threshold.reached"), (exhausted, "limit.exhausted")):
            assert each.is_signed_with(SECRET)
            assert each.json["type"] == kind
            assert (each.json["data"]["subject"], each.json["data"]["bound"]) == ("ann", BUDGET)
        with stopped(start_server(tmp_path, settings(receiver.url))) as again:
            assert ask(again, "ann").status_code == 429
            assert ask(again, "bob").status_code == 200
