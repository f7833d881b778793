"""Azure's own client of budgets makes, reads, changes and deletes them."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.consumption import ConsumptionManagementClient
from azure.mgmt.consumption.models import Budget

from tests.contract.arm.conftest import SUBSCRIPTION, KeyCredential

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.arm.conftest import Managed, Sdk

SCOPE = f"/subscriptions/{SUBSCRIPTION}"
GROUP = f"{SCOPE}/resourceGroups/linarite"
START = f"{datetime.now(UTC):%Y-%m}-01T00:00:00Z"


def budget(**changed: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """A hundred a month, for one deployment."""
    return {
        "category": "Cost",
        "amount": 100.5,
        "timeGrain": "Monthly",
        "timePeriod": {"startDate": START},
        "filter": {"dimensions": {"name": "Deployment", "operator": "In", "values": ["gpt-4o"]}},
        "notifications": {
            "Actual_GreaterThan_80_Percent": {
                "enabled": True,
                "operator": "GreaterThan",
                "threshold": 80,
                "thresholdType": "Actual",
                "contactEmails": ["ops@example.com"],
            }
        },
    } | changed


@pytest.fixture(scope="module")
def client(managed: Managed) -> Iterator[Sdk]:
    """azure-mgmt-consumption."""
    with ConsumptionManagementClient(
        KeyCredential(managed.key),
        subscription_id=SUBSCRIPTION,
        base_url=managed.server.endpoint,
        credential_scopes=[f"{managed.server.endpoint}/.default"],
        connection_verify=managed.authority,
        retry_total=0,
    ) as opened:
        yield opened


def test_a_budget_is_made_read_changed_and_deleted(client: Sdk) -> None:
    """With its figures, and an etag that holds up who has read another one."""
    made = client.budgets.create_or_update(GROUP, "team", Budget({"properties": budget()}))
    assert made.type == "Microsoft.Consumption/budgets"
    assert made.current_spend.unit == "USD"
    assert made.current_spend.amount >= 0
    assert made.time_period.end_date.year == made.time_period.start_date.year + 10 - (
        made.time_period.start_date.month == 1
    )
    assert made.notifications["Actual_GreaterThan_80_Percent"].threshold == 80
    assert made.e_tag
    read = client.budgets.get(GROUP, "team")
    assert read.as_dict() == made.as_dict()
    changed = {"eTag": read.e_tag, "properties": budget(amount=50)}
    assert client.budgets.create_or_update(GROUP, "team", Budget(changed)).amount == 50
    with pytest.raises(HttpResponseError) as stale:
        client.budgets.create_or_update(GROUP, "team", Budget(changed))
    assert stale.value.status_code == 412
    assert [each.name for each in client.budgets.list(GROUP)] == ["team"]
    assert list(client.budgets.list(SCOPE)) == []  # a scope's own
    client.budgets.delete(GROUP, "team")
    with pytest.raises(ResourceNotFoundError):
        client.budgets.get(GROUP, "team")


def test_what_was_spent_is_told(client: Sdk, managed: Managed) -> None:
    """At once, of the calls that have just ended."""
    trust = ssl.create_default_context(cafile=managed.authority)
    asked = httpx.post(
        f"{managed.server.endpoint}/openai/v1/embeddings",
        headers={"api-key": managed.server.key},
        json={"model": "text-embedding-3-small", "input": "What does this cost?"},
        verify=trust,
        timeout=30,
    )
    tokens = asked.json()["usage"]["prompt_tokens"]
    every = budget(filter=None)
    made = client.budgets.create_or_update(SCOPE, "all", Budget({"properties": every}))
    assert float(made.current_spend.amount) * 1_000_000 >= tokens * 0.019 > 0
    client.budgets.delete(SCOPE, "all")


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"timePeriod": {"startDate": "2026-11-02T00:00:00Z"}}, "first of a month"),
    ({"timePeriod": {"startDate": "2017-01-01T00:00:00Z"}}, "2017-06-01"),
    ({"timePeriod": {"startDate": "yesterday"}}, "startDate such as"),
    ({"timePeriod": {"startDate": START, "endDate": "2020-01-01T00:00:00Z"}}, "end date"),
    ({"amount": 0}, "more than 0"),
    ({"timeGrain": "Weekly"}, "timeGrain is one of"),
    ({"category": "Usage"}, "'Cost'"),
    ({"filter": {"dimensions": {"name": "MeterId", "operator": "In", "values": ["a"]}}}, "MeterId"),
    ({"filter": {"not": {}}}, "not supported"),
    ({"filters": {"meters": ["a"]}}, "no meters"),
    (
        {"notifications": {"a": {"enabled": True, "operator": "GreaterThan", "threshold": 1}}},
        "nobody would be told",
    ),
    (
        {
            "notifications": {
                "a": {
                    "enabled": True,
                    "operator": "Above",
                    "threshold": 1,
                    "contactEmails": ["a@example.com"],
                }
            }
        },
        "notification is wrong",
    ),
    (
        {
            "notifications": {
                "a": {
                    "enabled": True,
                    "operator": "EqualTo",
                    "threshold": 1,
                    "contactGroups": [f"{GROUP}/providers/Microsoft.Insights/actionGroups/none"],
                }
            }
        },
        "no action group",
    ),
]


@pytest.mark.parametrize(("changed", "told"), WRONG)
def test_what_is_wrong_is_refused(client: Sdk, changed: dict[str, Any], told: str) -> None:
    """With what would be right, and nothing is made."""
    with pytest.raises(HttpResponseError) as refused:
        client.budgets.create_or_update(GROUP, "wrong", Budget({"properties": budget() | changed}))
    assert refused.value.status_code == 400
    assert told in str(refused.value)
    with pytest.raises(ResourceNotFoundError):
        client.budgets.get(GROUP, "wrong")


def test_an_account_has_none(client: Sdk) -> None:
    """As on Azure: there is a filter for that."""
    account = f"{GROUP}/providers/Microsoft.CognitiveServices/accounts/linarite"
    with pytest.raises(HttpResponseError) as refused:
        client.budgets.create_or_update(account, "none", Budget({"properties": budget()}))
    assert "ResourceId" in str(refused.value)
