"""Queries of usage and cost: what is answered, to whom, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from linarite.domain import usage_report
from tests.controlplane.people import READER, assign, person
from tests.controlplane.rig import ACCOUNT, ACCOUNTS, GROUP, SUBSCRIPTION, Rig
from tests.storage.builders import make_record

pytestmark = pytest.mark.anyio

CONTOSO = f"{ACCOUNTS}/contoso"
FABRIKAM = f"{ACCOUNTS}/fabrikam"
WHOLE = f"/subscriptions/{SUBSCRIPTION}"
PERIOD = {"from": "2026-03-01T00:00:00Z", "to": "2026-04-30T23:59:59Z"}
COST = {"aggregation": {"totalCost": {"name": "PreTaxCost", "function": "Sum"}}}


def at(month: int, day: int) -> int:
    """A moment of 2026."""
    return int(datetime(2026, month, day, 13, tzinfo=UTC).timestamp()) * 10**9


@pytest.fixture
async def rig() -> Rig:
    """Two accounts with some usage in two months."""
    made = await Rig(anywhere=True).with_group()
    for path in (CONTOSO, FABRIKAM):
        assert (await made.ask("PUT", path, ACCOUNT | {"location": "local"})).status < 300
    for number, (account, month, day, deployment, tags) in enumerate(
        [
            (CONTOSO, 3, 1, "chat", '{"team":"red"}'),
            (CONTOSO, 3, 1, "chat", '{"team":"Blue"}'),
            (CONTOSO, 3, 2, "other", ""),
            (FABRIKAM, 4, 2, "chat", ""),
        ]
    ):
        made.requests.add(
            make_record(
                f"r{number}",
                account_id=account,
                started_at_ns=at(month, day),
                deployment=deployment,
                region="East US 2",
                tags=tags,
                cost_nano=250_000_000,
            )
        )
    return made


def grouped(name: str, kind: str = "Dimension") -> dict[str, Any]:
    """A grouping."""
    return {"type": kind, "name": name}


async def asked(rig: Rig, dataset: dict[str, Any], scope: str = WHOLE, **changed: Any) -> Any:  # noqa: ANN401 - JSON
    """The answer to a query of the two months."""
    body = {"type": "Usage", "timeframe": "Custom", "timePeriod": PERIOD, "dataset": dataset}
    path = f"{scope}/providers/Microsoft.CostManagement/query?api-version=2025-03-01"
    if "query" in changed:
        path += f"&{changed.pop('query')}"
    return await rig.ask("POST", path, body | changed)


async def rows(rig: Rig, dataset: dict[str, Any], scope: str = WHOLE, **changed: Any) -> Any:  # noqa: ANN401 - JSON
    """Its rows."""
    answer = await asked(rig, dataset, scope, **changed)
    assert answer.status == 200, answer.body
    return answer.body["properties"]["rows"]


async def test_the_answer_is_a_table(rig: Rig) -> None:
    """Sums, date, groups, currency; as Azure's clients read it."""
    dataset = COST | {"granularity": "Daily", "grouping": [grouped("ResourceGroup")]}
    answer = (await asked(rig, dataset)).body
    assert answer["type"] == "Microsoft.CostManagement/query"
    assert answer["id"].startswith(f"subscriptions/{SUBSCRIPTION}/providers/Microsoft.Cost")
    group = GROUP.rpartition("/")[2]
    assert answer["properties"] == {
        "nextLink": None,
        "columns": [
            {"name": "PreTaxCost", "type": "Number"},
            {"name": "UsageDate", "type": "Number"},
            {"name": "ResourceGroup", "type": "String"},
            {"name": "Currency", "type": "String"},
        ],
        "rows": [
            [0.5, 20260301, group, "USD"],
            [0.25, 20260302, group, "USD"],
            [0.25, 20260402, group, "USD"],
        ],
    }


async def test_months_and_everything(rig: Rig) -> None:
    """Monthly rows begin a month; None tells one row; nothing is no row."""
    assert await rows(rig, COST | {"granularity": "Monthly"}) == [
        [0.75, "2026-03-01T00:00:00", "USD"],
        [0.25, "2026-04-01T00:00:00", "USD"],
    ]
    assert await rows(rig, COST) == [[1.0, "USD"]]
    long_ago = {"from": "2020-01-01T00:00:00Z", "to": "2020-02-01T00:00:00Z"}
    assert await rows(rig, COST, timePeriod=long_ago) == []
    assert await rows(rig, {"granularity": "Monthly"}) == [
        ["2026-03-01T00:00:00", "USD"],
        ["2026-04-01T00:00:00", "USD"],
    ]


async def test_times_may_say_their_zone_or_not(rig: Rig) -> None:
    """One of two may: days are compared."""
    mixed = {"from": "2026-03-01T00:00:00", "to": "2026-03-31T00:00:00Z"}
    assert await rows(rig, COST, timePeriod=mixed) == [[0.75, "USD"]]


@pytest.mark.parametrize(
    ("scope", "requests"), [(WHOLE, 4), (GROUP, 4), (CONTOSO, 3), (FABRIKAM.upper(), 1)]
)
async def test_a_scope_has_what_lies_in_it(rig: Rig, scope: str, requests: int) -> None:
    """Subscription, group, account; whatever the case."""
    dataset = {"aggregation": {"n": {"name": "Requests", "function": "Sum"}}}
    assert await rows(rig, dataset, scope) == [[requests, "USD"]]


async def test_tokens_are_summed_too(rig: Rig) -> None:
    """Beside Azure's sums those of the record."""
    names = ("UsageQuantity", "PromptTokens", "CompletionTokens", "CachedTokens", "RefusedRequests")
    dataset = {"aggregation": {name: {"name": name, "function": "Sum"} for name in names}}
    assert await rows(rig, dataset) == [[4 * 46, 4 * 12, 4 * 34, 4 * 4, 0, "USD"]]


async def test_groups_by_dimension_and_tag(rig: Rig) -> None:
    """A tag has two columns, as on Azure; what has no such tag is a group of its own."""
    by_team = COST | {"grouping": [grouped("team", "TagKey"), grouped("deployment")]}
    assert await rows(rig, by_team) == [
        [0.25, "team", "", "chat", "USD"],
        [0.25, "team", "", "other", "USD"],
        [0.25, "team", "Blue", "chat", "USD"],
        [0.25, "team", "red", "chat", "USD"],
    ]
    constant = COST | {"grouping": [grouped("ServiceName"), grouped("ResourceLocation")]}
    assert await rows(rig, constant) == [[1.0, "Cognitive Services", "eastus2", "USD"]]


async def test_filters_choose(rig: Rig) -> None:
    """Dimensions and tags, alone or together; values are compared without case."""

    def of(name: str, *values: str) -> dict[str, Any]:
        return {"name": name, "operator": "In", "values": list(values)}

    deployment = {"dimensions": of("Deployment", "CHAT")}
    team = {"tags": of("team", "blue", "red")}
    for filtered, requests in (
        (deployment, 3),
        (team, 2),
        ({"and": [deployment, team]}, 2),
        ({"and": [{"dimensions": of("ResourceId", FABRIKAM)}, deployment]}, 1),
    ):
        assert await rows(rig, COST | {"filter": filtered}) == [[requests / 4, "USD"]]
    assert await rows(rig, COST | {"filter": {"dimensions": of("ResourceGroup", "none")}}) == []


async def test_rows_are_sorted_and_paged(rig: Rig) -> None:
    """By any column; a next link leads to the rest with the same body."""
    dataset = COST | {
        "grouping": [grouped("Deployment")],
        "sorting": [{"name": "PreTaxCost", "direction": "descending"}],
    }
    assert await rows(rig, dataset) == [[0.75, "chat", "USD"], [0.25, "other", "USD"]]
    first = (await asked(rig, dataset, query="$top=1")).body["properties"]
    assert first["rows"] == [[0.75, "chat", "USD"]]
    link = first["nextLink"].removeprefix("https://here")
    body = {"type": "Usage", "timeframe": "Custom", "timePeriod": PERIOD, "dataset": dataset}
    second = (await rig.ask("POST", link, body)).body["properties"]
    assert (second["rows"], second["nextLink"]) == ([[0.25, "other", "USD"]], None)


async def test_timeframes_are_days(rig: Rig) -> None:
    """What is used today is in the week and the month; not in the last month."""
    rig.requests.add(make_record("now", account_id=CONTOSO))
    dataset = {"aggregation": {"n": {"name": "Requests"}}}
    for timeframe, expected in (
        ("WeekToDate", [[1, "USD"]]),
        ("MonthToDate", [[1, "USD"]]),
        ("BillingMonthToDate", [[1, "USD"]]),
    ):
        assert await rows(rig, dataset, timeframe=timeframe, timePeriod=None) == expected
    last_month = await rows(rig, dataset, timeframe="TheLastMonth", timePeriod=None)
    assert last_month != [[1, "USD"]] or datetime.now(UTC).month == 5


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"type": "Forecast"}, "'Forecast' is no type; valid values: Usage, ActualCost"),
        ({"timeframe": "Yesterday"}, "valid values: WeekToDate"),
        ({"timePeriod": None}, "needs a timePeriod"),
        ({"timePeriod": {"from": "2026-02-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}}, "before"),
        ({"timePeriod": {"from": "soon", "to": "later"}}, "timePeriod.from"),
        ({"dataset": {"granularity": "Hourly"}}, "valid values: None, Daily, Monthly"),
        ({"dataset": {"aggregation": {"a": {"name": "Money"}}}}, "valid ones: 'PreTaxCost'"),
        ({"dataset": {"aggregation": {"a": {"name": "Cost", "function": "Max"}}}}, "values: Sum"),
        ({"dataset": {"grouping": [grouped("Meter")]}}, "Invalid dimension Meter; valid dim"),
        ({"dataset": {"grouping": [grouped("a", "Tag")]}}, "valid values: Dimension, TagKey"),
        ({"dataset": {"filter": {"or": []}}}, "filter.or is not supported"),
        ({"dataset": {"filter": {"tags": {"name": "a"}}}}, "filter.tags: "),
        ({"dataset": {"filter": {"and": [1]}}}, "a list of filters"),
        ({"dataset": {"sorting": [{"name": "size"}]}}, "Invalid sorting size"),
        ({"dataset": {"configuration": {"columns": ["a"]}}}, "dataset.grouping"),
        ({"dataset": []}, "Expected `object`"),
    ],
)
async def test_what_is_wrong_is_told(rig: Rig, changed: dict[str, Any], told: str) -> None:
    """With what would be right."""
    dataset = changed.pop("dataset", COST)
    answer = await asked(rig, dataset, **changed)
    assert (answer.status, answer.body["code"]) == (400, "BadRequest")
    assert told in answer.body["message"]
    assert answer.body["message"].startswith("Invalid query definition: ")


async def test_too_many_rows_are_refused(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what would make them fewer."""
    monkeypatch.setattr(usage_report, "SUMS_MAX", 1)
    answer = await asked(rig, COST | {"granularity": "Daily"})
    assert answer.status == 400
    assert "ask of fewer days, or group by less" in answer.body["message"]


async def test_dollars_are_not_invented(rig: Rig) -> None:
    """Where prices are in another currency."""
    rig.surface.currency = "EUR"
    dataset = {"aggregation": {"a": {"name": "CostUSD"}}}
    assert "are in EUR" in (await asked(rig, dataset)).body["message"]
    assert await rows(rig, COST) == [[1.0, "EUR"]]


async def test_readers_may_ask_where_they_read(rig: Rig) -> None:
    """Nobody else, and nowhere else; what is not there is not found."""
    reader = person("reader")
    path = "/providers/Microsoft.CostManagement/query?api-version=2025-03-01"
    body = {"type": "Usage", "timeframe": "MonthToDate", "dataset": COST}
    assert (await rig.ask("POST", CONTOSO + path, body, caller=reader)).status == 403
    await assign(rig, READER, "reader", CONTOSO)
    assert (await rig.ask("POST", CONTOSO + path, body, caller=reader)).status == 200
    for scope in (FABRIKAM, GROUP, WHOLE):
        assert (await rig.ask("POST", scope + path, body, caller=reader)).status == 403
    assert (await rig.ask("POST", f"{ACCOUNTS}/nobody{path}", body)).status == 404
