"""Dashboard and rules name metrics and labels that there are, and a real Prometheus takes them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from linarite.domain.engine import EngineUse
from linarite.telemetry.metrics import RequestMetrics
from linarite.telemetry.standing import InstanceStanding
from tests.serving import SIMULATED, free_port, serving
from tests.storage.builders import make_record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.serving import Server

MONITORING = Path(__file__).parent.parent.parent / "docs" / "monitoring"
RULES = MONITORING / "prometheus-rules.yml"
DASHBOARD: dict[str, Any] = json.loads((MONITORING / "grafana-dashboard.json").read_text())
SELECTOR = re.compile(r"(\w+)\{([^}]*)\}")
MATCHER = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"")
GROUPED = re.compile(r"\bby\s*\(([^)]*)\)")
SHOWN = re.compile(r"\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}")
OF_PROMETHEUS = {"job", "instance", "le", "alertname"}
"""labels that a scrape adds"""
WAIT_S = 30.0
TELLS_ALL = EngineUse(kv_cache_share=0, prompt_tokens=0, generated_tokens=0)


def expressions() -> list[str]:
    """Every query of the dashboard."""
    return [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", ())]


def rule_expressions() -> list[str]:
    """Every expression of the rules, its lines joined."""
    text = re.sub(r"expr: >-\n((?: {10}.*\n)+)", lambda m: f"expr: {_joined(m[1])}\n", _rules())
    return re.findall(r"^ +expr: (.*)$", text, re.MULTILINE)


def _joined(lines: str) -> str:
    return " ".join(line.strip() for line in lines.splitlines())


def _rules() -> str:
    return RULES.read_text()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that has been used: answers, a stream, and refusals."""
    for running in serving(tmp_path_factory.mktemp("monitored"), SIMULATED):
        url = f"{running.endpoint}/openai/v1/chat/completions"
        body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
        for more in ({}, {"stream": True}, {"temperature": 9}, {"model": "nobody"}):
            httpx.post(url, headers={"api-key": running.key}, json=body | more, timeout=30)
        yield running


@pytest.fixture(scope="module")
def labels_by_metric(server: Server) -> dict[str, set[str]]:
    """What a scrape has: of the server, and of what happens too seldom to be made here."""
    seldom = RequestMetrics()
    seldom.observe(make_record(caller_key="app:web", status=429, error_code="429"))
    seldom.observe(make_record(limited_by="x", spilled_from="y", service_tier="priority"))
    seldom.standing.set_egress({("upstream", "address"): 1})
    instance = InstanceStanding(state="Ready", running=0, waiting={"default": 0}, use=TELLS_ALL)
    seldom.standing.set_instances({"a": instance})
    told = httpx.get(f"{server.endpoint}/metrics").text
    known = {family.name for family in text_string_to_metric_families(told)}
    found: dict[str, set[str]] = {}
    for text in (told, seldom.render().decode()):
        for family in text_string_to_metric_families(text):
            if family.name in known or family.name.startswith("linarite_application_key"):
                for sample in family.samples:
                    found.setdefault(sample.name, set()).update(sample.labels)
    return found


@pytest.mark.parametrize("expression", [*expressions(), *rule_expressions()])
def test_metrics_and_labels_are_there(
    expression: str, labels_by_metric: dict[str, set[str]]
) -> None:
    """Of each query: every metric, and every label by which it chooses or groups."""
    plain = re.sub(r'"[^"]*"', '""', expression)
    named = re.sub(r"\{[^}]*\}|\bby\s*\([^)]*\)", " ", plain)
    metrics = set(re.findall(r"\b(?:linarite|gen_ai|process)_\w+", named))
    assert metrics <= labels_by_metric.keys()
    of_all = set[str]().union(*(labels_by_metric[metric] for metric in metrics)) | OF_PROMETHEUS
    for metric, matchers in SELECTOR.findall(expression):
        chosen = set(MATCHER.findall(matchers)) - OF_PROMETHEUS
        assert chosen <= labels_by_metric.get(metric, OF_PROMETHEUS), metric
    for names in GROUPED.findall(expression):
        assert {name.strip() for name in names.split(",")} <= of_all


def test_legends_and_variables_are_there(labels_by_metric: dict[str, set[str]]) -> None:
    """What is shown beside a line is a label of it."""
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            shown = set(SHOWN.findall(target["legendFormat"])) - OF_PROMETHEUS
            grouped = GROUPED.search(target["expr"])
            if grouped is not None:
                kept = {name.strip() for name in grouped[1].split(",")}
            else:
                metric = re.findall(r"(?:linarite|process)_\w+", target["expr"])[0]
                kept = labels_by_metric[metric]
            assert shown <= kept, panel["title"]
    for variable in DASHBOARD["templating"]["list"][1:]:
        metric, label = re.findall(r"label_values\((\w+), (\w+)\)", variable["definition"])[0]
        assert label in labels_by_metric[metric] | OF_PROMETHEUS


def test_panels_do_not_lie_over_one_another() -> None:
    """Ids are used once, and each panel has its place."""
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        squares = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not squares & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= squares


@pytest.fixture(scope="module")
def prometheus(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Prometheus that reads the server, with our rules."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("there is no prometheus: `make setup-clients` installs it on Debian")
    folder, port = tmp_path_factory.mktemp("prometheus"), free_port()
    config = folder / "prometheus.yml"
    config.write_text(f"""
global: {{ scrape_interval: 500ms, evaluation_interval: 500ms }}
rule_files: ["{RULES}"]
scrape_configs:
  - job_name: linarite
    static_configs: [{{ targets: ["{server.endpoint.removeprefix("http://")}"] }}]
""")
    process = subprocess.Popen(
        [
            program,
            f"--config.file={config}",
            f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        address = f"http://127.0.0.1:{port}"
        wait_until(lambda: len(asked(address, "linarite_build_info[5m]", values=True)) >= 2)
        yield address
    finally:
        process.terminate()
        process.wait(WAIT_S)


def wait_until(there: Any) -> None:  # noqa: ANN401 - a condition
    """Ask until it is so."""
    deadline = time.monotonic() + WAIT_S
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def asked(address: str, query: str, *, values: bool = False) -> list[Any]:
    """What Prometheus answers; with `values` the points of the first series."""
    try:
        answer = httpx.get(f"{address}/api/v1/query", params={"query": query})
    except httpx.TransportError:
        return []
    if answer.status_code == 503:
        return []  # it has just started
    body = answer.json()
    assert body["status"] == "success", body
    result: list[Any] = body["data"]["result"]
    return result[0]["values"] if values and result else result


def test_prometheus_takes_every_query(prometheus: str) -> None:
    """Each parses, and what the server was used for is in the answers."""
    answered: dict[str, list[Any]] = {}
    for expression in expressions():
        query = expression.replace("$__rate_interval", "1m")
        query = re.sub(r"\$(\w+)", ".*", query)
        answered[expression] = asked(prometheus, query)
    assert any(answer for query, answer in answered.items() if "time_to_first_token" in query)
    (found,) = asked(prometheus, 'sum(linarite_requests_total{status="400"})')
    assert found["value"][1] == "1"
    labels = asked(prometheus, "linarite_requests_running")[0]["metric"]
    assert labels["model_instance"]
    assert "exported_instance" not in labels


def test_prometheus_takes_every_rule(prometheus: str) -> None:
    """All are evaluated without an error, and no alert is raised for a server that is well."""

    def rules() -> list[Any]:
        groups = httpx.get(f"{prometheus}/api/v1/rules").json()["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]

    wait_until(lambda: all(rule["health"] == "ok" for rule in rules()))
    found = rules()
    assert len(found) == len(rule_expressions())
    assert {rule["name"] for rule in found if rule.get("state") == "firing"} == set()
