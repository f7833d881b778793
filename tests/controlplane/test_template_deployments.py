"""Template deployments over memory stores: what they keep, and what what-if tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from linarite.controlplane.resources.template_deployments import deployer as module
from linarite.storage.memory.resources import MemoryResourceStore
from tests.controlplane.rig import ACCOUNT, ACCOUNTS, DEPLOYMENT, GROUP, SUBSCRIPTION, Rig

if TYPE_CHECKING:
    from linarite.controlplane.request import Answer
    from linarite.domain.resource import Resource

DEPLOYMENTS = f"{GROUP}/providers/Microsoft.Resources/deployments"
EVENTS = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Insights/eventtypes/management/values"
LOCATION = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.CognitiveServices/locations/local"
SECRET = "correct-horse-battery-staple"
pytestmark = pytest.mark.anyio


@pytest.fixture
async def rig(monkeypatch: pytest.MonkeyPatch) -> Rig:
    """A control plane with a resource group; nobody waits for a job there."""
    monkeypatch.setattr(module, "QUICK_S", 0.0)
    return await Rig().with_group()


def body_of(*resources: dict[str, Any], **parameters: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """A request to deploy resources, with secure parameters."""
    template = {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "parameters": {name: {"type": "secureString"} for name in parameters},
        "resources": [*resources],
    }
    given = {name: {"value": value} for name, value in parameters.items()}
    return {"properties": {"mode": "Incremental", "template": template, "parameters": given}}


def account(name: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """The declaration of an account."""
    kind = "Microsoft.CognitiveServices/accounts"
    return ACCOUNT | {"type": kind, "apiVersion": "2025-06-01", "name": name, **more}


async def deployed(rig: Rig, body: dict[str, Any]) -> Answer:
    """Ask for a deployment and carry it out, as the worker would."""
    await rig.ask("PUT", f"{DEPLOYMENTS}/one", body)
    (job,) = await rig.jobs.running("")
    await module.TemplateDeployer(rig.surface).deploy(job, lambda _share, _doing: None)
    await rig.end_jobs()
    return await rig.ask("GET", f"{DEPLOYMENTS}/one")


async def test_the_activity_log_keeps_no_secret_that_a_template_writes(rig: Rig) -> None:
    """Neither a secure parameter, nor what is made of one, nor a key that was asked for."""
    tags = {
        "plain": "[parameters('secret')]",
        "coded": "[base64(parameters('secret'))]",
        "key": "[listKeys('first').key1]",
    }
    body = body_of(account("first"), account("second", tags=tags), secret=SECRET)
    answer = await deployed(rig, body)
    assert answer.body["properties"]["provisioningState"] == "Succeeded"
    made = (await rig.ask("GET", f"{ACCOUNTS}/second")).body["tags"]
    assert made["plain"] == SECRET
    told = await rig.ask("GET", EVENTS, version="2015-04-01")
    written = [each["operationName"]["value"] for each in told.body["value"]]
    assert written.count("Microsoft.CognitiveServices/accounts/write") == 4
    assert not any(secret in str(told.body) for secret in made.values())


async def test_what_if_counts_nothing_that_only_the_server_sets(rig: Rig) -> None:
    """Another capacity is one change, whatever the server will say of it afterwards."""
    await rig.ask("PUT", f"{ACCOUNTS}/one", ACCOUNT)
    await rig.ask("PUT", f"{ACCOUNTS}/one/deployments/chat", DEPLOYMENT)
    await rig.end_jobs()
    more = DEPLOYMENT | {
        "type": "Microsoft.CognitiveServices/accounts/deployments",
        "apiVersion": "2025-06-01",
        "name": "one/chat",
        "sku": {"name": "Standard", "capacity": 20},
    }
    answer = await rig.ask("POST", f"{DEPLOYMENTS}/x/whatIf", body_of(account("one"), more))
    changes = {each["resourceId"]: each for each in answer.body["properties"]["changes"]}
    changed = changes[f"{ACCOUNTS}/one/deployments/chat"]
    assert changed["delta"] == [
        {"path": "sku.capacity", "propertyChangeType": "Modify", "before": 10, "after": 20}
    ]
    assert changed["after"]["properties"]["currentCapacity"] == 20
    assert changes[f"{ACCOUNTS}/one"]["changeType"] == "NoChange"


async def test_the_result_of_a_template_deployment_is_read_where_that_is(rig: Rig) -> None:
    """Its operation can be followed among the others; its result is no resource of theirs."""
    await rig.ask("PUT", f"{DEPLOYMENTS}/one", body_of())
    (job,) = await rig.jobs.running("")
    await rig.end_jobs()
    operation = f"{LOCATION}/operationResults/{job.id}"
    assert (await rig.ask("GET", operation)).status == 204


class Overtaken(MemoryResourceStore):
    """A store in which a deployment ends just before it is written."""

    ends = False

    async def put(self, resource: Resource, *, expected_etag: str | None = None) -> Resource:
        """First, once, what the worker writes."""
        if self.ends:
            self.ends = False
            done = resource.properties | {"provisioningState": "Succeeded", "outputs": {"a": 1}}
            await super().put(msgspec.structs.replace(resource, properties=done))
        return await super().put(resource, expected_etag=expected_etag)


async def test_what_has_ended_meanwhile_is_not_canceled(rig: Rig) -> None:
    """Its end stays, with its outputs; whoever wanted to cancel it is told."""
    rig.surface.resources = store = Overtaken(rig.jobs)
    await rig.ask("PUT", GROUP, {"location": "local"})
    await rig.ask("PUT", f"{DEPLOYMENTS}/one", body_of())
    store.ends = True
    answer = await rig.ask("POST", f"{DEPLOYMENTS}/one/cancel")
    assert (answer.status, answer.body["code"]) == (409, "DeploymentCannotBeCancelled")
    kept = (await rig.ask("GET", f"{DEPLOYMENTS}/one")).body["properties"]
    assert (kept["provisioningState"], kept["outputs"]) == ("Succeeded", {"a": 1})
    await rig.ask("PUT", f"{DEPLOYMENTS}/two", body_of())
    assert (await rig.ask("POST", f"{DEPLOYMENTS}/two/cancel")).status == 204
