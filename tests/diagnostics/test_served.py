"""Diagnostic settings of a real server: real sinks, real calls, a real kill."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.collector import Collector
from tests.diagnostics.syslog_server import SyslogServer
from tests.serving import SIMULATED, Server, start_server, stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

VERSION = "?api-version=2021-05-01-preview"
PARTNER = "/subscriptions/s/resourceGroups/g/providers/Linarite.Operations/diagnosticSinks"
STORAGE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/ops"
REQUEST = {"messages": [{"role": "user", "content": "a prompt that is nobody's business"}]}


def settings_file(collector: str, syslog: str) -> str:
    """A server with one sink of each kind."""
    return f"""
{SIMULATED}
[otlp]
endpoint = "{collector}"
metrics = false
traces = false
[diagnostic_sinks.ops]
kind = "folder"
path = "exported"
[diagnostic_sinks.siem]
kind = "syslog"
address = "{syslog}"
[diagnostic_sinks.otel]
kind = "otlp"
"""


class Running:
    """A server, and short words for what tests do with it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.account = str(server.ready["account_id"])

    def arm(self, method: str, path: str, **extra: Any) -> httpx.Response:  # noqa: ANN401 - httpx
        """A request to the account's control plane."""
        headers = {"authorization": f"Bearer {self.server.ready['management_key']}"}
        url = f"{self.server.endpoint}{self.account}/providers/{path}"
        return httpx.request(method, url, headers=headers, timeout=30, **extra)

    def put(self, name: str, **properties: Any) -> httpx.Response:  # noqa: ANN401 - JSON
        """Write a diagnostic setting; all logs, unless told otherwise."""
        logs = [{"categoryGroup": "allLogs", "enabled": True}]
        body = {"properties": {"logs": logs, **properties}}
        path = f"microsoft.insights/diagnosticSettings/{name}{VERSION}"
        return self.arm("PUT", path, json=body)

    def deliveries(self) -> list[dict[str, Any]]:
        """How its settings stand."""
        path = "Linarite.Operations/diagnosticDeliveries?api-version=2026-11-01"
        return self.arm("GET", path).json()["value"]

    def chat(self, key: str = "", **extra: object) -> str:
        """One call; its `apim-request-id`."""
        answer = httpx.post(
            f"{self.server.endpoint}/openai/deployments/gpt-4o/chat/completions"
            "?api-version=2024-10-21",
            headers={"api-key": key or self.server.key},
            json=REQUEST | extra,
            timeout=30,
        )
        return answer.headers["apim-request-id"]


def exported(server: Server, category: str) -> list[dict[str, Any]]:
    """Every record of a category in the folder sink."""
    files = (server.home / "exported" / f"insights-logs-{category.lower()}").rglob("PT1H.json")
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def until(there: Callable[[], Any], within_s: float = 15.0) -> Any:  # noqa: ANN401 - as asked
    """What is there at last."""
    end = time.monotonic() + within_s
    while not (found := there()):
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)
    return found


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    """A collector that takes everything."""
    with Collector() as running:
        yield running


@pytest.fixture(scope="module")
def syslog() -> Iterator[SyslogServer]:
    """A syslog server over TCP."""
    with SyslogServer("tcp") as running:
        yield running


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory, collector: Collector, syslog: SyslogServer
) -> Iterator[Running]:
    """A server that sends all its logs to all its sinks."""
    home = tmp_path_factory.mktemp("diagnostics")
    with stopped(start_server(home, settings_file(collector.url, syslog.address))) as server:
        made = Running(server)
        made.chat()  # before there is a setting: nobody's
        time.sleep(0.3)  # until it is recorded: a setting is told of what is recorded after it
        assert made.put("files", storageAccountId=STORAGE).status_code == 200
        assert made.put("siem", marketplacePartnerId=f"{PARTNER}/siem").status_code == 200
        assert made.put("otel", workspaceId=f"{PARTNER}/otel").status_code == 200
        yield made


def test_a_call_reaches_the_folder_in_azures_shape(running: Running) -> None:
    """A line in the file of its category and hour; what is said in it is nobody's business."""
    request_id = running.chat()
    found = until(
        lambda: [r for r in exported(running.server, "RequestResponse") if _is(r, request_id)]
    )
    [record] = found
    assert record["operationName"] == "ChatCompletions_Create"
    assert record["callerIpAddress"] == "127.0.0.***"
    assert record["resultSignature"] == "200"
    assert record["event"] == "ShoeboxCallResult"
    assert record["resourceId"] == running.account.upper()
    properties = record["properties"]
    assert properties["apiName"] == "Azure OpenAI API version 2024-10-21"
    assert (properties["modelName"], properties["modelVersion"]) == ("gpt-4o", "2024-11-20")
    seconds = properties["requestTime"] / 1e7 - 62_135_596_800
    assert abs(seconds - time.time()) < 60
    assert properties["responseTime"] >= properties["requestTime"]
    [usage] = until(
        lambda: [
            r for r in exported(running.server, "AzureOpenAIRequestUsage") if _is(r, request_id)
        ]
    )
    assert usage["properties"]["promptTokens"][0] > 0
    assert usage["properties"]["generatedTokens"][0] > 0
    folder = running.server.home / "exported"
    [place] = {str(f.relative_to(folder)) for f in folder.rglob("*requestresponse/**/PT1H.json")}
    day = time.strftime("y=%Y/m=%m/d=%d", time.gmtime())
    assert place.startswith(
        f"insights-logs-requestresponse/resourceId={running.account.upper()}/{day}/h="
    )
    everything = "".join(f.read_text() for f in folder.rglob("PT1H.json"))
    assert "nobody's business" not in everything
    assert running.server.key not in everything


def test_refusals_and_what_was_audited_too(running: Running) -> None:
    """Of a request with a wrong key its record; of the keys' reading an audit record."""
    refused = running.chat(key="wrong")
    [record] = until(
        lambda: [r for r in exported(running.server, "RequestResponse") if _is(r, refused)]
    )
    assert (record["resultSignature"], record["properties"]["errorCode"]) == ("401", "401")
    [trace] = until(lambda: [r for r in exported(running.server, "Trace") if _is(r, refused)])
    assert trace["properties"]["refusedBy"] == "authentication"
    headers = {"authorization": f"Bearer {running.server.ready['management_key']}"}
    path = f"{running.server.endpoint}{running.account}/listKeys?api-version=2026-05-01"
    assert httpx.post(path, headers=headers).is_success
    audited = until(
        lambda: [r for r in exported(running.server, "Audit") if r["operationName"] == "ListKey"]
    )
    assert audited[0]["category"] == "Audit"


def test_syslog_hears_the_same(running: Running, syslog: SyslogServer) -> None:
    """RFC 5424: facility local0, the category as message id, the record as text."""
    request_id, refused = running.chat(), running.chat(key="wrong")
    messages = until(
        lambda: [
            m
            for m in syslog.messages
            if m.kind == "RequestResponse" and json.loads(m.text)["correlationId"] == refused
        ]
    )
    assert (messages[0].priority, messages[0].app) == (16 * 8 + 4, "linarite")
    well = [json.loads(m.text) for m in syslog.messages if m.priority == 16 * 8 + 6]
    assert {"RequestResponse", "AzureOpenAIRequestUsage", "Trace"} <= {
        r["category"] for r in well if r.get("correlationId") == request_id
    }


def test_a_collector_hears_the_same(running: Running, collector: Collector) -> None:
    """As OpenTelemetry's logs, with a severity, the category and the record's id."""
    request_id = running.chat()

    def logs() -> list[Any]:
        return [
            log
            for export in collector.taken
            for resource in export.resource_logs
            for scope in resource.scope_logs
            for log in scope.log_records
            if json.loads(log.body.string_value).get("correlationId") == request_id
        ]

    until(lambda: len(logs()) == 3)
    named = [{a.key: a.value.string_value for a in log.attributes} for log in logs()]
    assert {each["azure.category"] for each in named} == {
        "RequestResponse",
        "AzureOpenAIRequestUsage",
        "Trace",
    }
    assert {each["log.record.uid"] for each in named} >= {f"{request_id}/Trace"}
    assert {log.severity_number for log in logs()} == {9}


def test_only_what_came_after_the_setting_is_sent(running: Running) -> None:
    """The fixture's first call is in no file: who makes a setting is not told of the past."""
    running.chat()
    records = until(lambda: exported(running.server, "RequestResponse"))
    [shown] = [s for s in running.deliveries() if s["setting"] == "files"]
    assert shown["state"] == "Running"
    assert shown["lost"] == 0
    assert shown["sent"] >= len(records)
    made_at = running.arm("GET", f"Microsoft.Insights/diagnosticSettings/files{VERSION}").json()
    assert min(r["time"] for r in records) > made_at["systemData"]["createdAt"][:26]


def test_a_setting_that_is_gone_sends_nothing_more(running: Running) -> None:
    """And one of the same name later begins anew."""
    path = f"Microsoft.Insights/diagnosticSettings/late{VERSION}"
    audit = [{"category": "Audit", "enabled": True}]
    made = running.put("late", marketplacePartnerId=f"{PARTNER}/ops", logs=audit)
    assert made.status_code == 409  # "files" has the category there already
    assert "already used in diagnostic setting 'files'" in made.json()["error"]["message"]
    assert running.arm("DELETE", path).status_code == 204
    assert running.arm("DELETE", f"Microsoft.Insights/diagnosticSettings/siem{VERSION}").is_success
    assert "siem" not in {each["setting"] for each in running.deliveries()}
    assert running.put("siem", marketplacePartnerId=f"{PARTNER}/siem").status_code == 200


@pytest.mark.parametrize(
    ("properties", "told"),
    [
        ({"storageAccountId": f"{STORAGE}2"}, "[diagnostic_sinks.ops2]"),
        ({"storageAccountId": f"{PARTNER}/siem"}, "'siem' is a syslog"),
        ({}, "At least one data sink"),
        ({"eventHubName": "hub"}, "no event hubs"),
        ({"storageAccountId": STORAGE, "logs": []}, "at least one log"),
        (
            {"storageAccountId": STORAGE, "logs": [{"category": "Prompts", "enabled": True}]},
            "There are: Audit, RequestResponse, AzureOpenAIRequestUsage, Trace",
        ),
    ],
)
def test_what_cannot_work_is_refused(
    running: Running, properties: dict[str, Any], told: str
) -> None:
    """With a word about the way out."""
    answer = running.put("wrong", **properties)
    assert answer.status_code == 400
    assert told in answer.text.replace("\\", "")


def test_nothing_is_lost_over_a_kill_and_a_sink_that_is_down(tmp_path: Path) -> None:
    """Calls before, during and after: each record arrives, though twice, maybe."""
    with SyslogServer("tcp") as first:
        port = first.port
        server = start_server(tmp_path, settings_file("http://127.0.0.1:9", first.address))
        running = Running(server)
        assert running.put("siem", marketplacePartnerId=f"{PARTNER}/siem").status_code == 200
        assert running.put("files", storageAccountId=STORAGE).status_code == 200
        ids = [running.chat() for _ in range(5)]
        first.wait_for(5)
    ids += [running.chat() for _ in range(5)]
    [waiting] = until(lambda: [d for d in running.deliveries() if d["state"] == "Waiting"])
    assert "linarite_diagnostics_waiting 1" in httpx.get(f"{server.endpoint}/metrics").text
    assert waiting["reason"]
    assert "127.0.0.1" not in waiting["reason"]
    time.sleep(0.3)  # what a killed process loses of its request records
    server.kill()
    with SyslogServer("tcp", port=port) as second:
        server = start_server(tmp_path, settings_file("http://127.0.0.1:9", first.address))
        with stopped(server):
            ids += [Running(server).chat() for _ in range(5)]
            until(
                lambda: (
                    {
                        json.loads(m.text).get("correlationId")
                        for m in (*first.messages, *second.messages)
                        if m.kind == "RequestResponse"
                    }
                    >= set(ids)
                )
            )
            until(
                lambda: (
                    {r["correlationId"] for r in exported(server, "RequestResponse")} >= set(ids)
                )
            )
    lines = [r["linariteRecordId"] for r in exported(server, "RequestResponse")]
    assert len(set(lines)) == 15


def _is(record: dict[str, Any], request_id: str) -> bool:
    return record.get("correlationId") == request_id
