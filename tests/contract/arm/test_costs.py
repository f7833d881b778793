"""Azure's own client of Cost Management reads our costs."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.costmanagement import CostManagementClient

from tests.contract.arm.conftest import SUBSCRIPTION, KeyCredential

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.arm.conftest import Managed, Sdk

SCOPE = f"subscriptions/{SUBSCRIPTION}/resourceGroups/linarite"
CALLS = 3


@pytest.fixture(scope="module")
def used(managed: Managed) -> int:
    """Prompt tokens that answers have told, of a model that has a price."""
    prompt = 0
    trust = ssl.create_default_context(cafile=managed.authority)
    for _ in range(CALLS):
        answer = httpx.post(
            f"{managed.server.endpoint}/openai/v1/embeddings",
            headers={"api-key": managed.server.key},
            json={"model": "text-embedding-3-small", "input": "What does this cost?"},
            verify=trust,
            timeout=30,
        )
        prompt += answer.json()["usage"]["prompt_tokens"]
    return prompt


@pytest.fixture(scope="module")
def costs(managed: Managed) -> Iterator[Sdk]:
    """azure-mgmt-costmanagement."""
    with CostManagementClient(
        KeyCredential(managed.key),
        base_url=managed.server.endpoint,
        credential_scopes=[f"{managed.server.endpoint}/.default"],
        connection_verify=managed.authority,
        retry_total=0,
    ) as client:
        yield client


def test_the_management_client_reads_costs(costs: Sdk, used: int) -> None:
    """Rows under its columns, as its types have them: cost and tokens of each model and day."""
    definition: dict[str, Any] = {
        "type": "ActualCost",
        "timeframe": "MonthToDate",
        "dataset": {
            "granularity": "Daily",
            "aggregation": {
                "totalCost": {"name": "Cost", "function": "Sum"},
                "tokens": {"name": "PromptTokens", "function": "Sum"},
            },
            "grouping": [{"type": "Dimension", "name": "Model"}],
            "filter": {
                "dimensions": {
                    "name": "Deployment",
                    "operator": "In",
                    "values": ["text-embedding-3-small"],
                }
            },
        },
    }
    answer = costs.query.usage(SCOPE, definition)
    names = [column.name for column in answer.columns]
    assert names == ["Cost", "PromptTokens", "UsageDate", "Model", "Currency"]
    (row,) = answer.rows
    cost, tokens, day, model, currency = row
    assert tokens >= used > 0
    assert cost == pytest.approx(tokens * 0.02 / 1_000_000)
    assert str(day) == f"{datetime.now(UTC):%Y%m%d}"
    assert (model, currency, answer.next_link) == ("text-embedding-3-small", "USD", None)


def test_what_is_not_there_is_told_to_the_client(costs: Sdk) -> None:
    """As an error of Azure's form."""
    definition = {
        "type": "Usage",
        "timeframe": "MonthToDate",
        "dataset": {"grouping": [{"type": "Dimension", "name": "MeterId"}]},
    }
    with pytest.raises(HttpResponseError) as refused:
        costs.query.usage(SCOPE, definition)
    assert refused.value.status_code == 400
    assert "Invalid dimension MeterId; valid dimensions: 'ResourceGroup'" in refused.value.message
