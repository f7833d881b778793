"""What a server is to serve, and what it may connect to."""

from __future__ import annotations

import asyncio

import pytest

from linarite.controls.egress import EgressDialer
from linarite.domain.dial import Errand
from linarite.domain.errors import EgressRefused
from linarite.hosting.options import DeploymentSettings, InstanceSettings
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


@pytest.mark.parametrize("declared", ["", "1"])
def test_a_deployment_of_the_default_version_runs_on_the_instance_that_is_declared(
    declared: str,
) -> None:
    """An instance that names no version runs that one: with its options, and no second time."""
    settings = Settings(
        deployments=[DeploymentSettings(name="chat", model="tiny", model_version="1")],
        instances={"tiny": InstanceSettings(model_version=declared, options={"threads": 1})},
    )
    planned = plan(settings, ["tiny"], {"tiny": ["1", "2"]})
    assert [each.instance for each in planned.deployments] == ["tiny"]
    assert planned.instances == settings.instances


@pytest.mark.parametrize("declared", ["", "1"])
def test_a_deployment_of_another_version_runs_on_an_instance_of_its_own(declared: str) -> None:
    """What is declared is left as it is."""
    settings = Settings(
        deployments=[
            DeploymentSettings(name="old", model="tiny", model_version="1"),
            DeploymentSettings(name="new", model="tiny", model_version="2"),
            DeploymentSettings(name="label", model="tiny", model_version="2024-08-06"),
        ],
        instances={"tiny": InstanceSettings(model_version=declared)},
    )
    planned = plan(settings, ["tiny"], {"tiny": ["1", "2"]})
    assert [each.instance for each in planned.deployments] == ["tiny", "tiny-2", "tiny"]
    assert planned.instances["tiny-2"] == InstanceSettings(model="tiny", model_version="2")


def test_a_label_means_the_default_version() -> None:
    """Also where the instance of the model's name is declared to run another."""
    settings = Settings(
        deployments=[DeploymentSettings(name="label", model="tiny", model_version="2024-08-06")],
        instances={"tiny": InstanceSettings(model_version="2")},
    )
    planned = plan(settings, ["tiny"], {"tiny": ["1", "2"]})
    assert [each.instance for each in planned.deployments] == ["tiny-1"]
