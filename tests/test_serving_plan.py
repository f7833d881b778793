"""What a whole server may connect to."""

from __future__ import annotations

import asyncio

import pytest

from linarite.controls.egress import EgressDialer
from linarite.domain.dial import Errand
from linarite.domain.errors import EgressRefused
from linarite.serving_plan import egress_policy, plan
from linarite.setting_tree import Settings
from linarite.webhooks.options import WebhookSettings
from tests.webhook_receiver import SECRET, webhook_receiver

pytestmark = pytest.mark.anyio


class Passing(asyncio.Protocol):
    """Leaves as soon as it is let in."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Close it."""
        transport.close()


async def test_declaring_a_webhook_opens_nothing_to_action_groups() -> None:
    """Callers write these: its host may be a private one, and for settings alone."""
    with webhook_receiver() as receiver:
        settings = Settings(webhooks={"ops": WebhookSettings(url=receiver.url, secret=SECRET)})
        dialer = EgressDialer(egress_policy(settings, plan(settings, [])))
        port = int(receiver.url.rpartition(":")[2].partition("/")[0])

        async def dial(errand: Errand) -> None:
            await dialer.dial("127.0.0.1", port, errand=errand, tls=False, factory=Passing)

        await dial(Errand("webhook"))
        await asyncio.sleep(0)  # lets the loop close it
        with pytest.raises(EgressRefused, match=r"egress\.action_group\.allowed_hosts"):
            await dial(Errand("action_group"))
