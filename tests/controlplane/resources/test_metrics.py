"""Questions about metrics: what is answered, to whom, and what is refused."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from linarite.domain.azure_metrics.catalogue import METRICS
from linarite.domain.azure_metrics.grains import Grain, Series, Spread, Tally
from tests.controlplane.people import READER, assign, person
from tests.controlplane.rig import ACCOUNT, ACCOUNTS, GROUP, SUBSCRIPTION, Rig

pytestmark = pytest.mark.anyio

CONTOSO = f"{ACCOUNTS}/contoso"
FABRIKAM = f"{ACCOUNTS}/fabrikam"
NAMESPACE = "Microsoft.CognitiveServices/accounts"
SPAN = "2026-01-01T00:00:00Z/2026-01-01T01:00:00Z"
HOUR = 1_767_225_600
MONITORING_READER = "43d0d8ad-25c7-4714-9337-8ba259a9fe05"
BATCH = f"/subscriptions/{SUBSCRIPTION}/metrics:getBatch"


def grain(minute: int, requests: int, account: str = CONTOSO, **changed: Any) -> Grain:  # noqa: ANN401 - fields
    """Requests of a minute."""
    fields: dict[str, Any] = {
        "account_key": account.lower(),
        "region": "Local",
        "deployment": "chat",
        "model": "gpt",
        "operation": "ChatCompletions_Create",
        "api_version": "2024-10-21",
        "status": 200,
    }
    tally = Tally(
        requests=requests,
        prompt_tokens=10 * requests,
        completion_tokens=5 * requests,
        to_last_byte=Spread(requests, 100.0 * requests, 50.0, 150.0),
    )
    return Grain(HOUR + 60 * minute, Series(**(fields | changed)), tally)


@pytest.fixture
async def rig() -> Rig:
    """Two accounts; one has been used."""
    made = await Rig(anywhere=True).with_group()
    for path, location in ((CONTOSO, "local"), (FABRIKAM, "eastus2")):
        assert (await made.ask("PUT", path, ACCOUNT | {"location": location})).status < 300
    await made.metrics.add(
        [
            grain(0, 4),
            grain(1, 1, status=429),
            grain(5, 2, deployment="other"),
            grain(5, 8, FABRIKAM),
        ]
    )
    return made


async def asked(rig: Rig, scope: str = CONTOSO, **query: str) -> Any:  # noqa: ANN401 - JSON
    """The body of an answer about metrics."""
    query = {"timespan": SPAN, "interval": "PT5M", "api-version": "2023-10-01"} | query
    path = f"{scope}/providers/Microsoft.Insights/metrics?{urlencode(query)}"
    answer = await rig.ask("GET", path)
    assert answer.status == 200, answer.body
    return answer.body


async def refused(rig: Rig, **query: str) -> str:
    """Why a question is refused."""
    query = {"timespan": SPAN, "api-version": "2023-10-01"} | query
    path = f"{CONTOSO}/providers/Microsoft.Insights/metrics?{urlencode(query)}"
    answer = await rig.ask("GET", path)
    assert (answer.status, answer.body["code"]) == (400, "BadRequest")
    return str(answer.body["message"])


def totals(metric: dict[str, Any], aggregation: str = "total") -> dict[tuple[str, ...], float]:
    """What each series comes to, by the values of its dimensions."""
    return {
        tuple(each["value"] for each in series["metadatavalues"]): sum(
            point.get(aggregation, 0) for point in series["data"]
        )
        for series in metric["timeseries"]
    }


async def test_an_answer_has_azures_shape(rig: Rig) -> None:
    """Every step has its point: 0 where nothing was counted."""
    body = await asked(rig, metricnames="AzureOpenAIRequests", interval="PT30M")
    assert body == {
        "cost": 59,
        "timespan": SPAN,
        "interval": "PT30M",
        "namespace": NAMESPACE,
        "resourceregion": "local",
        "value": [
            {
                "id": f"{CONTOSO}/providers/Microsoft.Insights/metrics/AzureOpenAIRequests",
                "type": "Microsoft.Insights/metrics",
                "name": {
                    "value": "AzureOpenAIRequests",
                    "localizedValue": "Azure OpenAI Requests",
                },
                "displayDescription": "Calls to the API, whatever became of them.",
                "unit": "Count",
                "errorCode": "Success",
                "timeseries": [
                    {
                        "metadatavalues": [],
                        "data": [
                            {"timeStamp": "2026-01-01T00:00:00Z", "total": 7.0},
                            {"timeStamp": "2026-01-01T00:30:00Z", "total": 0.0},
                        ],
                    }
                ],
            }
        ],
    }


async def test_latencies_have_no_value_where_nothing_was_measured(rig: Rig) -> None:
    """Of answered requests; several aggregations at once."""
    body = await asked(
        rig, metricnames="AzureOpenAITTLTInMS", aggregation="Average,minimum,Maximum,count"
    )
    first, second, *rest = body["value"][0]["timeseries"][0]["data"]
    assert first == {
        "timeStamp": "2026-01-01T00:00:00Z",
        "average": 100.0,
        "minimum": 50.0,
        "maximum": 150.0,
        "count": 4.0,
    }
    assert second["count"] == 2
    assert all(set(point) == {"timeStamp"} for point in rest)


async def test_several_metrics_in_the_order_of_the_question(rig: Rig) -> None:
    """Names in any case; no name is asked twice."""
    body = await asked(rig, metricnames="tokentransaction,ActiveTokens,TokenTransaction")
    assert [each["name"]["value"] for each in body["value"]] == ["TokenTransaction", "ActiveTokens"]
    assert totals(body["value"][0]) == {(): 105}


async def test_filters_split(rig: Rig) -> None:
    """A dimension that is named makes a series of each of its values, unless rolled up."""
    split = {"$filter": "ModelDeploymentName eq '*' and StatusCode eq '*'"}
    found = await asked(rig, metricnames="AzureOpenAIRequests", **split)
    assert totals(found["value"][0]) == {
        ("chat", "200"): 4,
        ("chat", "429"): 1,
        ("other", "200"): 2,
    }
    name = found["value"][0]["timeseries"][0]["metadatavalues"][0]["name"]
    assert name == {"value": "modeldeploymentname", "localizedValue": "modeldeploymentname"}
    rolled = await asked(
        rig, metricnames="AzureOpenAIRequests", rollupby="modeldeploymentname", **split
    )
    assert totals(rolled["value"][0]) == {("200",): 6, ("429",): 1}
    one = {"$filter": "StatusCode eq '429' or StatusCode eq '500'"}
    assert totals((await asked(rig, **one))["value"][0]) == {("429",): 1}


async def test_top_and_order(rig: Rig) -> None:
    """The largest series first, unless the question says otherwise; ten unless it says more."""
    await rig.metrics.add([grain(2, n + 10, deployment=f"d{n:02}") for n in range(12)])
    split = {"$filter": "ModelDeploymentName eq '*'"}
    body = await asked(rig, **split)
    assert list(totals(body["value"][0])) == [(f"d{n:02}",) for n in range(11, 1, -1)]
    body = await asked(rig, top="2", orderby="total asc", **split)
    assert list(totals(body["value"][0])) == [("other",), ("chat",)]


async def test_metadata_has_no_data(rig: Rig) -> None:
    """Only which series there are."""
    body = await asked(rig, resulttype="Metadata", **{"$filter": "StatusCode eq '*'"})
    series = body["value"][0]["timeseries"]
    assert [each["metadatavalues"][0]["value"] for each in series] == ["200", "429"]
    assert all("data" not in each for each in series)


@pytest.mark.parametrize(
    "timespan",
    [SPAN, quote(SPAN), "PT1H/2026-01-01T01:00:00Z", "2026-01-01T00:00:00+00:00/PT60M"],
)
async def test_times_are_written_in_several_ways(rig: Rig, timespan: str) -> None:
    """With a duration at either end; az encodes it twice."""
    body = await asked(rig, timespan=timespan, interval="FULL")
    assert (body["timespan"], body["interval"]) == (SPAN, "FULL")
    assert body["value"][0]["timeseries"][0]["data"] == [
        {"timeStamp": "2026-01-01T00:00:00Z", "total": 7.0}
    ]


async def test_an_odd_interval_is_adjusted_where_that_is_asked(rig: Rig) -> None:
    """To the next longer one there is."""
    body = await asked(rig, interval="PT2M", autoadjusttimegrain="true")
    assert body["interval"] == "PT5M"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"metricnames": "Nonsense"}, "metric: Nonsense, Valid metrics: AzureOpenAIAvail"),
        ({"metricnames": ",".join(f"m{n}" for n in range(21))}, "bigger than allowed max: 20"),
        ({"interval": "PT2M"}, "PT1M,PT5M"),
        ({"interval": "PT0M", "autoadjusttimegrain": "true"}, "ISO 8601"),
        ({"timespan": "yesterday"}, "ISO 8601"),
        ({"timespan": "2026-01-01T01:00:00Z/2026-01-01T00:00:00Z"}, "later than"),
        ({"timespan": "2020-01-01T00:00:00Z/2026-01-01T00:00:00Z"}, "longer than"),
        ({"timespan": "9999-12-31T23:59:59Z/PT1H"}, "ISO 8601"),
        ({"timespan": "0001-01-01T00:00:00+14:00/PT1H"}, "ISO 8601"),
        ({"timespan": "P94D", "interval": "PT1M"}, "steps"),
        ({"aggregation": "median"}, "None,Average"),
        ({"$filter": "StatusCode = '200'"}, "eq, ne or sw"),
        ({"$filter": "Color eq '*'"}, "does not support requested dimension combination: color"),
        ({"top": "0"}, "from 1 to"),
        ({"top": "²"}, "from 1 to"),
        ({"orderby": "size desc"}, "aggregation"),
        ({"resulttype": "Both"}, "Data or Metadata"),
        ({"metricnamespace": "Microsoft.Storage/storageAccounts"}, NAMESPACE),
    ],
)
async def test_what_is_wrong_is_explained(rig: Rig, query: dict[str, str], said: str) -> None:
    """As Azure's BadRequest, and with what would be right."""
    assert said in await refused(rig, **query)


async def test_unknown_dimensions_pass_where_nobody_shall_look(rig: Rig) -> None:
    """`ValidateDimensions=false`: a dimension that there is not has no value."""
    body = await asked(rig, validatedimensions="false", **{"$filter": "Color eq '*'"})
    assert totals(body["value"][0]) == {("",): 7}


async def test_a_subscription_is_asked_by_region(rig: Rig) -> None:
    """All accounts of a region together, or each by its id; in a POST the same."""
    scope = f"/subscriptions/{SUBSCRIPTION}"
    body = await asked(rig, scope, region="East US 2", metricnamespace=NAMESPACE)
    assert totals(body["value"][0]) == {(): 8}
    assert body["resourceregion"] == "eastus2"
    body = await asked(rig, scope, region="local", **{"$filter": "Microsoft.ResourceId eq '*'"})
    assert totals(body["value"][0]) == {(CONTOSO,): 7}
    path = f"{scope}/providers/Microsoft.Insights/metrics?api-version=2023-10-01&region=local"
    sent = {"timespan": SPAN, "metricNames": "ModelRequests", "autoAdjustTimegrain": True}
    posted = await rig.ask("POST", path, sent)
    assert totals(posted.body["value"][0]) == {(): 7}
    assert (await rig.ask("POST", path, [1])).status == 400
    missing = await rig.ask("GET", path.replace("&region=local", ""))
    assert "region" in missing.body["message"]


async def test_several_accounts_are_asked_at_once(rig: Rig) -> None:
    """Each is answered by itself, in the order of the question; it leaves no trace."""
    query = urlencode(
        {
            "starttime": "2026-01-01T00:00:00Z",
            "endtime": "2026-01-01T01:00:00Z",
            "metricnames": "AzureOpenAIRequests",
            "metricnamespace": NAMESPACE,
            "interval": "PT1H",
            "filter": "StatusCode eq '*'",
            "api-version": "2024-02-01",
        }
    )
    before = len(rig.audit.events)
    answer = await rig.ask("POST", f"{BATCH}?{query}", {"resourceids": [FABRIKAM, CONTOSO]})
    assert answer.status == 200, answer.body
    first, second = answer.body["values"]
    assert (first["resourceid"], first["resourceregion"]) == (FABRIKAM, "eastus2")
    assert (first["starttime"], first["endtime"]) == (
        "2026-01-01T00:00:00Z",
        "2026-01-01T01:00:00Z",
    )
    assert totals(first["value"][0]) == {("200",): 8}
    assert totals(second["value"][0]) == {("200",): 6, ("429",): 1}
    assert len(rig.audit.events) == before
    for ids in ([], [CONTOSO] * 51, [f"{ACCOUNTS}/nobody"], "x"):
        wrong = await rig.ask("POST", f"{BATCH}?{query}", {"resourceids": ids})
        assert (wrong.status, wrong.body["code"]) == (400, "BadRequest")


async def test_an_account_that_is_asked_about_twice_is_told_of_once(rig: Rig) -> None:
    """In whatever case it is written."""
    query = f"{BATCH}?metricnames=ModelRequests&metricnamespace={NAMESPACE}&api-version=2024-02-01"
    ids = [FABRIKAM, CONTOSO, FABRIKAM.upper(), f"{CONTOSO}/"]
    answer = await rig.ask("POST", query, {"resourceids": ids})
    assert [each["resourceid"] for each in answer.body["values"]] == [FABRIKAM, CONTOSO]


async def test_an_answer_has_only_so_many_points(rig: Rig) -> None:
    """Of all metrics, series and accounts together."""
    month = "2026-01-01T00:00:00Z/2026-01-31T00:00:00Z"
    split = {
        "timespan": month,
        "metricnames": "AzureOpenAIRequests",
        "$filter": "StatusCode eq '*'",
    }
    message = await refused(rig, interval="PT1M", top="30", **split)
    assert "1296000 points, more than the 1000000 allowed: 43200 steps of up to 30 ser" in message
    for fewer in (
        {"interval": "PT1M", "top": "20"},
        {"interval": "PT5M", "top": "30"},
        {"interval": "PT1M", "top": "30", "resulttype": "metadata"},
    ):
        assert (await asked(rig, **split, **fewer))["value"]
    body = {"resourceids": [CONTOSO, FABRIKAM]}
    query = {
        "starttime": month[:20],
        "endtime": month[21:],
        "interval": "PT1M",
        "metricnames": ",".join(list(METRICS)[:12]),
        "metricnamespace": NAMESPACE,
        "api-version": "2024-02-01",
    }
    wide = await rig.ask("POST", f"{BATCH}?{urlencode(query)}", body)
    assert (wide.status, "43200 steps of up to 24 series" in str(wide.body)) == (400, True)
    query["interval"] = "PT1H"
    narrow = await rig.ask("POST", f"{BATCH}?{urlencode(query)}", body)
    assert narrow.status == 200, narrow.body


async def test_definitions_and_namespaces(rig: Rig) -> None:
    """Each metric with its unit, aggregations and dimensions; one namespace."""
    base = f"{CONTOSO}/providers/Microsoft.Insights"
    answer = await rig.ask("GET", f"{base}/metricDefinitions?api-version=2023-10-01")
    by_name = {each["name"]["value"]: each for each in answer.body["value"]}
    shown = by_name["AzureOpenAITimeToResponse"]
    assert (shown["unit"], shown["primaryAggregationType"]) == ("MilliSeconds", "Average")
    assert {"value": "StatusCode", "localizedValue": "StatusCode"} in shown["dimensions"]
    assert {"timeGrain": "PT1M", "retention": "P93D"} in shown["metricAvailabilities"]
    for name, metric in by_name.items():
        body = await asked(rig, metricnames=name)
        assert body["value"][0]["unit"] == metric["unit"]
    scope = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Insights"
    everywhere = await rig.ask(
        "GET", f"{scope}/metricDefinitions?api-version=2023-10-01&region=local"
    )
    assert len(everywhere.body["value"]) == len(by_name)
    names = await rig.ask("GET", f"{base}/metricNamespaces?api-version=2024-02-01")
    (only,) = names.body["value"]
    assert only["properties"] == {"metricNamespaceName": NAMESPACE}


@pytest.mark.parametrize("role", [READER, MONITORING_READER])
async def test_readers_may_ask(rig: Rig, role: str) -> None:
    """Reader and Monitoring Reader, of the account they have it on and of no other."""
    ann = person("ann")
    path = "{}/providers/Microsoft.Insights/metrics?api-version=2023-10-01"
    stranger = await rig.ask("GET", path.format(CONTOSO), caller=ann)
    assert (stranger.status, stranger.body["code"]) == (403, "AuthorizationFailed")
    await assign(rig, role, "ann", CONTOSO)
    assert (await rig.ask("GET", path.format(CONTOSO), caller=ann)).status == 200
    assert (await rig.ask("GET", path.format(FABRIKAM), caller=ann)).status == 403
    assert (await rig.ask("GET", path.format(GROUP[:52]), caller=ann)).status == 403
    batch = f"{BATCH}?metricnames=ModelRequests&metricnamespace={NAMESPACE}&api-version=2024-02-01"
    own = await rig.ask("POST", batch, {"resourceids": [CONTOSO]}, caller=ann)
    assert own.status == 200
    for other in (FABRIKAM, f"{ACCOUNTS}/nobody"):
        both = await rig.ask("POST", batch, {"resourceids": [CONTOSO, other]}, caller=ann)
        assert both.status == 403


PIECES = st.sampled_from(
    (
        *("2026-01-01T00:00:00Z", "P1D", "PT", "/", "%2F", "9999-12-31", "-", "*", "'", "eq"),
        *("StatusCode", "429", ",", "PT1M", "FULL", "Average", "total desc", "true", " ", "²"),
        *("1e9", "\x00", ""),
    )
)
NAMES = ("timespan", "interval", "metricnames", "aggregation", "$filter", "top", "orderby")
MORE_NAMES = ("rollupby", "resulttype", "autoadjusttimegrain", "validatedimensions", "region")


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    query=st.dictionaries(
        st.sampled_from(NAMES + MORE_NAMES), st.lists(PIECES, max_size=6).map("".join)
    )
)
async def test_no_question_breaks_the_server(rig: Rig, query: dict[str, str]) -> None:
    """Whatever is asked is answered or refused."""
    for path in (CONTOSO, f"/subscriptions/{SUBSCRIPTION}"):
        sent = urlencode(query | {"api-version": "2023-10-01"})
        answer = await rig.ask("GET", f"{path}/providers/Microsoft.Insights/metrics?{sent}")
        assert answer.status in {200, 400}, answer.body
