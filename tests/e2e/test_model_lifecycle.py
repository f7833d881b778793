"""The life of model versions on a running server, seen by the official clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import openai
import pytest
from openai import AzureOpenAI

from tests.e2e.test_hosting import ACCOUNT
from tests.faults.test_provisioning_killed import arm, ended
from tests.serving import SIMULATED, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.serving import Server

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000001"
MODELS = f"{SUBSCRIPTION}/providers/Linarite.Hosting/models"
SETTINGS = SIMULATED + '\n[hosting]\nengine = "simulator"\n[quota]\nrates = "off"\n'
PAST, FUTURE = "2024-05-01T00:00:00Z", "2999-01-01T00:00:00Z"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One that simulates any model."""
    yield from serving(tmp_path_factory.mktemp("lifecycle"), SETTINGS)


def list_model(server: Server, name: str, **properties: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """Write a version into the catalogue; what it says then."""
    answer = arm(server, "PUT", f"{MODELS}/{name}", {"properties": properties})
    assert answer.status_code in {200, 201}, answer.text
    return dict(answer.json()["properties"])


def deploy(
    server: Server, name: str, model: str, version: str | None, option: str = "NoAutoUpgrade"
) -> httpx.Response:
    """Ask for a deployment; where it is granted, wait for its end."""
    named = {"format": "OpenAI", "name": model, **({"version": version} if version else {})}
    body = {
        "sku": {"name": "GlobalStandard", "capacity": 1},
        "properties": {"model": named, "versionUpgradeOption": option},
    }
    answer = arm(server, "PUT", f"{ACCOUNT}/deployments/{name}", body)
    if "azure-asyncoperation" in answer.headers:
        operation = ended(server, httpx.URL(answer.headers["azure-asyncoperation"]).path)
        assert operation["status"] == "Succeeded", operation
    return answer


def offered(server: Server, model: str) -> dict[str, dict[str, Any]]:
    """What the account's list says of a model's versions."""
    listed = arm(server, "GET", f"{ACCOUNT}/models").json()["value"]
    return {each["version"]: each for each in listed if each["name"] == model}


def chat(server: Server, deployment: str) -> str | None:
    """One answer; the model that it says it is of."""
    client = AzureOpenAI(
        azure_endpoint=server.endpoint,
        api_key=server.key,
        api_version="2024-10-21",
        max_retries=0,
    )
    answer = client.chat.completions.create(
        model=deployment, messages=[{"role": "user", "content": "hi"}], max_tokens=2
    )
    return answer.model


def test_versions_side_by_side_and_the_default_one(server: Server) -> None:
    """The first is the default; another becomes it when told so, and the first no more."""
    assert list_model(server, "o-two@2024-01-01")["isDefaultVersion"]
    assert not list_model(server, "o-two@2025-01-01")["isDefaultVersion"]
    assert (
        deploy(server, "unversioned", "o-two", None).json()["properties"]["model"]["version"]
        == "2024-01-01"
    )
    assert deploy(server, "versioned", "o-two", "2025-01-01").status_code == 201
    assert chat(server, "unversioned") == "o-two-2024-01-01"
    assert chat(server, "versioned") == "o-two-2025-01-01"
    assert list_model(server, "o-two@2025-01-01", isDefaultVersion=True)["isDefaultVersion"]
    defaults = {
        version: each["isDefaultVersion"] for version, each in offered(server, "o-two").items()
    }
    assert defaults == {"2024-01-01": False, "2025-01-01": True}
    shown = arm(server, "GET", f"{MODELS}/o-two@2024-01-01").json()["properties"]
    assert not shown["isDefaultVersion"]


def test_what_the_lists_say_of_a_lifecycle(server: Server) -> None:
    """In ARM's words: status, the day of retirement with each SKU, what follows."""
    list_model(
        server,
        "o-life@1",
        lifecycleStatus="Preview",
        deprecation={"inference": FUTURE},
        replacementConfig={"targetModelName": "o-life", "targetModelVersion": "2"},
    )
    told = offered(server, "o-life")["1"]
    assert told["lifecycleStatus"] == "Preview"
    assert told["deprecation"] == {"inference": FUTURE, "deprecationStatus": "Planned"}
    assert {sku["deprecationDate"] for sku in told["skus"]} == {FUTURE}
    assert told["replacementConfig"] == {"targetModelName": "o-life", "targetModelVersion": "2"}
    assert deploy(server, "living", "o-life", "1").status_code == 201
    document = httpx.get(
        f"{server.endpoint}/openai/models/o-life",
        params={"api-version": "2024-10-21"},
        headers={"api-key": server.key},
    ).json()
    assert document["lifecycle_status"] == "preview"
    assert document["deprecation"] == {"inference": 32472144000}


def test_a_deprecated_version_goes_on_for_those_who_have_it(server: Server) -> None:
    """It can't be newly deployed, in Azure's words; who has it may scale it and call it."""
    list_model(server, "o-closed@1")
    assert deploy(server, "closed", "o-closed", "1").status_code == 201
    list_model(server, "o-closed@1", deprecation={"newDeployments": PAST, "inference": FUTURE})
    assert offered(server, "o-closed")["1"]["lifecycleStatus"] == "Deprecating"
    refused = deploy(server, "late", "o-closed", "1")
    assert refused.status_code == 400
    assert refused.json()["error"]["code"] == "ServiceModelDeprecating"
    assert "'Format:OpenAI,Name:o-closed,Version:1'" in refused.json()["error"]["message"]
    assert chat(server, "closed") == "o-closed"
    scaled = arm(
        server,
        "PATCH",
        f"{ACCOUNT}/deployments/closed",
        {"sku": {"name": "GlobalStandard", "capacity": 2}},
    )
    assert scaled.status_code in {200, 202}, scaled.text


def test_a_retired_version_answers_410(server: Server) -> None:
    """The client's error says so; it can't be deployed either; with its day moved it is back."""
    list_model(server, "o-gone@1")
    assert deploy(server, "gone", "o-gone", "1").status_code == 201
    assert chat(server, "gone") == "o-gone"
    list_model(server, "o-gone@1", deprecation={"inference": PAST})
    with pytest.raises(openai.APIStatusError) as refused:
        chat(server, "gone")
    assert refused.value.status_code == 410
    assert refused.value.code == "ModelDeprecated"
    assert "retired on 2024-05-01" in refused.value.message
    again = deploy(server, "again", "o-gone", "1")
    assert again.json()["error"]["code"] == "ServiceModelDeprecated"
    assert "has been deprecated since 05/01/2024 00:00:00" in again.json()["error"]["message"]
    list_model(server, "o-gone@1", deprecation={"inference": FUTURE})
    assert chat(server, "gone") == "o-gone"


def test_what_a_listed_model_may_be(server: Server) -> None:
    """Names with a version, dates in order, a replacement that is another version."""

    def refused(name: str, **properties: Any) -> str:  # noqa: ANN401 - any JSON
        answer = arm(server, "PUT", f"{MODELS}/{name}", {"properties": properties})
        assert answer.status_code == 400, answer.text
        return str(answer.json()["error"]["message"])

    assert "resource name 'noversion' is invalid" in refused("noversion")
    dates = {"newDeployments": FUTURE, "inference": PAST}
    assert "before it is retired" in refused("o-x@1", deprecation=dates)
    itself = {"targetModelVersion": "1"}
    assert "not replaced by itself" in refused("o-x@1", replacementConfig=itself)
    assert "deprecation" in refused("o-x@1", deprecation={"inference": "some day"})
    assert "lifecycleStatus" in refused("o-x@1", lifecycleStatus="Finished")


def test_a_version_in_use_stays(server: Server) -> None:
    """It goes with its last deployment."""
    list_model(server, "o-used@1")
    assert deploy(server, "user", "o-used", "1").status_code == 201
    kept = arm(server, "DELETE", f"{MODELS}/o-used@1")
    assert kept.status_code == 409
    assert "deployments/user" in kept.json()["error"]["message"]
    assert arm(server, "DELETE", f"{ACCOUNT}/deployments/user").status_code in {200, 202, 204}
    assert arm(server, "DELETE", f"{MODELS}/o-used@1").status_code == 200
    assert "o-used" not in {
        each["name"] for each in arm(server, "GET", f"{ACCOUNT}/models").json()["value"]
    }
