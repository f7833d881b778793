"""Rules over a metric store that a test fills, with a clock that it sets and a real receiver."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from structlog.testing import capture_logs

from linarite.alerts.evaluation import Met, met_by
from linarite.alerts.watch import AlertWatch
from linarite.controls.egress import EgressDialer, EgressPolicy, PurposeHosts
from linarite.domain.alerts import ACTION_GROUP_TYPE, CRITERIA, METRIC_ALERT_TYPE, AlertRule
from linarite.domain.azure_metrics.grains import Grain, Series, Spread, Tally
from linarite.domain.resource import Resource
from linarite.domain.target import target_of
from linarite.storage.database import open_database
from linarite.storage.memory.metrics import MemoryMetricStore
from linarite.storage.memory.resources import MemoryResourceStore
from linarite.storage.sqlite.alert_states import SqliteAlertStates
from linarite.storage.sqlite.outbox import SqliteOutbox
from linarite.webhooks.destination import Destination
from linarite.webhooks.sender import WebhookSender
from tests.webhook_receiver import SECRET, Receiver, webhook_receiver

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

pytestmark = pytest.mark.anyio

GROUP = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg"
ACCOUNT = f"{GROUP}/providers/Microsoft.CognitiveServices/accounts/Contoso"
TEAM = f"{GROUP}/providers/{ACTION_GROUP_TYPE}/team"
RULE = f"{GROUP}/providers/{METRIC_ALERT_TYPE}/throttled"
NOON = 1_700_000_000 - 1_700_000_000 % 3600


def criterion(**changed: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """More than two calls refused with 429."""
    return {
        "criterionType": "StaticThresholdCriterion",
        "name": "cond0",
        "metricName": "AzureOpenAIRequests",
        "operator": "GreaterThan",
        "threshold": 2,
        "timeAggregation": "Total",
        "dimensions": [{"name": "StatusCode", "operator": "Include", "values": ["429"]}],
    } | changed


def rule(*criteria: dict[str, Any], **changed: Any) -> Resource:  # noqa: ANN401 - JSON
    """A rule over five minutes, looked at each minute."""
    return Resource(
        id=RULE,
        type=METRIC_ALERT_TYPE,
        name="throttled",
        location="global",
        properties={
            "severity": 2,
            "enabled": True,
            "scopes": [ACCOUNT],
            "evaluationFrequency": "PT1M",
            "windowSize": "PT5M",
            "criteria": {"odata.type": CRITERIA, "allOf": list(criteria or [criterion()])},
            "actions": [{"actionGroupId": TEAM, "webHookProperties": {"team": "models"}}],
        }
        | changed,
    )


class Site:
    """A watch, what it reads, and who is told."""

    def __init__(self, receiver: Receiver, folder: Path, *, common: bool = True) -> None:
        self.receiver = receiver
        self.metrics = MemoryMetricStore()
        self.resources = MemoryResourceStore()
        self.now = float(NOON + 2)
        self._folder = folder
        self._group = Resource(
            id=TEAM,
            type=ACTION_GROUP_TYPE,
            name="team",
            properties={
                "webhookReceivers": [
                    {
                        "name": "ops",
                        "serviceUri": receiver.url,
                        "useCommonAlertSchema": common,
                    }
                ]
            },
        )

    @asynccontextmanager
    async def server(self) -> AsyncIterator[AlertWatch]:
        """A server on the same folder; the watch does nothing by itself."""
        database = open_database(self._folder)
        hosts = PurposeHosts(named_hosts=frozenset(("127.0.0.1",)))
        dialer = EgressDialer(EgressPolicy(purposes={"webhook": hosts}))
        sender = WebhookSender(SqliteOutbox(database), dialer, {})

        async def find(name: str) -> Destination | None:
            assert name == f"{TEAM}#ops"
            return Destination(target_of(self.receiver.url), (b"a secret of thirty-two bytes....",))

        sender.also_find(find)
        await sender.start()
        watch = AlertWatch(
            self.resources,
            self.metrics,
            SqliteAlertStates(database),
            sender,
            clock=lambda: self.now,
        )
        await watch.start()
        await watch.stop()  # from here on it is swept by hand
        yield watch
        await sender.stop()
        await database.close()

    async def write(self, kept: Resource) -> None:
        """Write a rule, beside the action group."""
        await self.resources.put(self._group)
        await self.resources.put(kept)

    async def calls(self, count: int, status: int = 429, deployment: str = "chat") -> None:
        """So many calls in the minute before now."""
        series = Series(
            account_key=ACCOUNT.lower(),
            deployment=deployment,
            model="gpt-4o",
            operation="ChatCompletions_Create",
            status=status,
        )
        spread = Spread(count=count, total=100.0 * count, least=100.0, most=100.0)
        tally = Tally(requests=count, to_response=spread)
        await self.metrics.add([Grain(int(self.now - 2) // 60 * 60 - 60, series, tally)])

    async def pass_minutes(self, watch: AlertWatch, minutes: int = 1) -> None:
        """Evaluate each."""
        for _ in range(minutes):
            self.now += 60
            await watch.sweep()

    async def told(self, count: int) -> list[dict[str, Any]]:
        """The bodies that came, once there are so many."""
        await asyncio.to_thread(self.receiver.wait_for, count)
        return [each.json for each in self.receiver.received]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Nothing has happened."""
    with webhook_receiver() as receiver:
        yield Site(receiver, tmp_path)


async def test_fired_and_resolved_once(site: Site) -> None:
    """Each told once, however often the rule is looked at; in the common schema."""
    await site.write(rule())
    async with site.server() as watch:
        await site.calls(2)
        await watch.sweep()
        await site.calls(1)
        await site.pass_minutes(watch, 4)
        assert [each.dimensions for each in watch.fired(RULE)] == [{"StatusCode": "429"}]
        await site.pass_minutes(watch, 6)
        fired, resolved = await site.told(2)
        await site.pass_minutes(watch, 5)
        assert watch.fired(RULE) == []
    assert len(site.receiver.received) == 2
    assert all(got.is_signed_with(SECRET) for got in site.receiver.received)
    essentials = fired["data"]["essentials"]
    assert (fired["schemaId"], essentials["monitorCondition"]) == (
        "azureMonitorCommonAlertSchema",
        "Fired",
    )
    assert (essentials["severity"], essentials["alertTargetIDs"]) == ("Sev2", [ACCOUNT.lower()])
    context = fired["data"]["alertContext"]
    assert context["properties"] == {"team": "models"}
    assert context["condition"]["windowSize"] == "PT5M"
    assert context["condition"]["allOf"] == [
        {
            "metricName": "AzureOpenAIRequests",
            "metricNamespace": "Microsoft.CognitiveServices/accounts",
            "operator": "GreaterThan",
            "threshold": "2",
            "timeAggregation": "Total",
            "dimensions": [{"name": "StatusCode", "value": "429"}],
            "metricValue": 3.0,
            "webTestName": None,
        }
    ]
    done = resolved["data"]["essentials"]
    assert done["monitorCondition"] == "Resolved"
    assert done["alertId"] == essentials["alertId"]
    assert done["resolvedDateTime"] > done["firedDateTime"]


async def test_a_restart_fires_nothing_again(site: Site) -> None:
    """Nor does it forget that something is to be resolved."""
    await site.write(rule())
    await site.calls(5)
    async with site.server() as watch:
        await watch.sweep()
        await site.told(1)
    async with site.server() as watch:
        await watch.sweep()
        await site.pass_minutes(watch, 2)
        assert len(watch.fired(RULE)) == 1
        await site.pass_minutes(watch, 6)
        await site.told(2)
    conditions = [
        got.json["data"]["essentials"]["monitorCondition"] for got in site.receiver.received
    ]
    assert conditions == ["Fired", "Resolved"]


async def test_a_server_that_died_before_it_told_tells(site: Site, tmp_path: Path) -> None:
    """What was written and not handed on is handed on, and once."""
    await site.write(rule())
    await site.calls(5)

    class DiesFirst:
        async def post(self, letters: object) -> None:
            assert letters
            raise KeyboardInterrupt

    database = open_database(tmp_path)
    dying = AlertWatch(
        site.resources,
        site.metrics,
        SqliteAlertStates(database),
        DiesFirst(),
        clock=lambda: site.now,
    )
    await dying._read_rules()
    with pytest.raises(KeyboardInterrupt):
        await dying.sweep()
    await database.close()
    async with site.server() as watch:
        await watch.sweep()
        await site.told(1)
        await site.pass_minutes(watch)
    assert len(site.receiver.received) == 1


async def test_a_rule_that_fails_holds_up_no_other(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is logged, and looked at again when it is due again."""
    first = rule()
    broken = msgspec.structs.replace(first, id=RULE.replace("throttled", "broken"), name="broken")
    assert broken.id != first.id
    await site.write(broken)
    await site.write(first)

    def failing(rule: AlertRule, grains: Any, window: Any) -> list[Met]:  # noqa: ANN401 - passed on
        if rule.name == "broken":
            raise ZeroDivisionError
        return met_by(rule, grains, window)

    monkeypatch.setattr("linarite.alerts.watch.met_by", failing)
    async with site.server() as watch:
        await site.calls(5)
        with capture_logs() as logs:
            await watch.sweep()
        assert watch.fired(RULE)
        assert [each["resource"] for each in logs if each["log_level"] == "error"] == [broken.id]


async def test_each_value_is_an_alert_of_its_own(site: Site) -> None:
    """One deployment may be resolved while another fires."""
    split = {"name": "ModelDeploymentName", "operator": "Include", "values": ["*"]}
    await site.write(rule(criterion(dimensions=[split])))
    async with site.server() as watch:
        await site.calls(5, deployment="chat")
        await site.calls(1, deployment="quiet")
        await watch.sweep()
        await site.pass_minutes(watch, 3)
        await site.calls(5, deployment="late")
        await site.pass_minutes(watch, 5)
        named = [each.dimensions["ModelDeploymentName"] for each in watch.fired(RULE)]
        assert named == ["late"]
        await site.told(3)


@pytest.mark.parametrize(
    ("criteria", "fires"),
    [
        ([criterion(operator="GreaterThanOrEqual", threshold=5)], True),
        ([criterion(operator="LessThan", threshold=5)], False),
        ([criterion(operator="Equals", threshold=5)], True),
        ([criterion(), criterion(name="b", threshold=9)], False),
        ([criterion(), criterion(name="b", metricName="AzureOpenAITimeToResponse",
                                 timeAggregation="Average", threshold=99)], True),
        ([criterion(metricName="AzureOpenAITimeToResponse", timeAggregation="Average",
                    threshold=100)], False),
        ([criterion(dimensions=[{"name": "StatusCode", "operator": "Exclude",
                                 "values": ["429"]}])], False),
        ([criterion(dimensions=[{"name": "StatusCode", "operator": "StartsWith",
                                 "values": ["4"]}])], True),
        ([criterion(metricName="GeneratedTokens", dimensions=[], operator="LessThan",
                    threshold=1)], True),
    ],
)  # fmt: skip
async def test_conditions(site: Site, criteria: list[dict[str, Any]], fires: bool) -> None:
    """All of them must be met; where nothing was counted there were none."""
    await site.write(rule(*criteria))
    async with site.server() as watch:
        await site.calls(5)
        await watch.sweep()
        assert bool(watch.fired(RULE)) is fires


async def test_without_mitigation_each_look_tells(site: Site) -> None:
    """As Azure's stateless alerts do; nothing is resolved."""
    await site.write(rule(autoMitigate=False))
    async with site.server() as watch:
        await site.calls(5)
        await watch.sweep()
        await site.pass_minutes(watch, 1)
        bodies = await site.told(2)
        await site.pass_minutes(watch, 8)
    assert len(site.receiver.received) == 5  # as long as the calls lie in the window
    assert len({each["data"]["essentials"]["alertId"] for each in bodies}) == 2


async def test_a_rule_that_is_off_or_gone_is_silent(site: Site) -> None:
    """And what it had fired is forgotten."""
    await site.write(rule())
    async with site.server() as watch:
        await site.calls(5)
        await watch.sweep()
        assert watch.fired(RULE)
        await site.write(rule(enabled=False))
        await site.pass_minutes(watch)
        assert watch.fired(RULE) == []
        await site.told(1)


async def test_the_older_schema(tmp_path: Path) -> None:
    """For receivers that do not ask for the common one."""
    with webhook_receiver() as receiver:
        site = Site(receiver, tmp_path, common=False)
        await site.write(rule())
        async with site.server() as watch:
            await site.calls(5)
            await watch.sweep()
            [body] = await site.told(1)
    assert body["schemaId"] == "AzureMonitorMetricAlert"
    assert body["data"]["status"] == "Activated"
    assert body["data"]["context"]["resourceName"] == "Contoso"
