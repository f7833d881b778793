"""What Prometheus reads: right numbers, the conventions' names, bounded memory."""

from __future__ import annotations

import asyncio
import random
import threading
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import (
    CollectorRegistry,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.parser import text_string_to_metric_families

from linarite.domain.engine import EngineUse
from linarite.telemetry.metrics import PIECE_LINES, RequestMetrics
from linarite.telemetry.process_families import process_families
from linarite.telemetry.standing import InstanceStanding
from tests.storage.builders import make_record

if TYPE_CHECKING:
    from collections.abc import Mapping

CHAT = {
    "gen_ai_operation_name": "chat",
    "gen_ai_provider_name": "azure.ai.openai",
    "gen_ai_request_model": "chat",
    "gen_ai_response_model": "smollm2-135m-instruct",
}


class Scrape:
    """What a Prometheus server makes of the text, by name and labels."""

    def __init__(self, metrics: RequestMetrics) -> None:
        families = list(text_string_to_metric_families(metrics.render().decode()))
        self.types = {family.name: family.type for family in families}
        self.samples = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in families
            for sample in family.samples
        }

    def value(self, name: str, labels: Mapping[str, str] | None = None) -> float | None:
        """One sample; None when there is none with exactly these labels."""
        return self.samples.get((name, frozenset((labels or {}).items())))

    def names(self) -> set[str]:
        """Every sample's name."""
        return {name for name, _ in self.samples}

    def label_values(self, name: str) -> set[str]:
        """Every value that a label has anywhere."""
        return {value for _, labels in self.samples for key, value in labels if key == name}


def test_the_process_is_told_as_by_prometheus_client() -> None:
    """Under the same names and kinds, with the same labels and the same numbers, near enough."""
    theirs = CollectorRegistry()
    ProcessCollector(registry=theirs)
    PlatformCollector(registry=theirs)
    ours = Scrape(RequestMetrics())
    families = list(text_string_to_metric_families(generate_latest(theirs).decode()))
    assert len(families) == 7
    for family in families:
        assert ours.types[family.name] == family.type
        for sample in family.samples:
            value = ours.value(sample.name, sample.labels)
            assert value == pytest.approx(sample.value, rel=0.2), sample.name


def test_a_system_without_proc_tells_python_alone(tmp_path: Path) -> None:
    """And no numbers that are none."""
    assert [family.name for family in process_families(tmp_path)] == ["python.info"]


def test_an_answered_request_is_in_every_histogram() -> None:
    """Durations are in seconds, tokens by type, each under the conventions' name and labels."""
    metrics = RequestMetrics()
    metrics.observe(
        make_record(
            total_us=500_000,
            to_first_token_us=100_000,
            to_last_token_us=400_000,
            prompt_tokens=12,
            completion_tokens=31,
        )
    )
    scrape = Scrape(metrics)
    expected = {
        "gen_ai_server_request_duration_seconds": (0.5, {}),
        "gen_ai_server_time_to_first_token_seconds": (0.1, {}),
        "gen_ai_server_time_per_output_token_seconds": (0.01, {}),
    }
    for name, (total, labels) in expected.items():
        assert scrape.types[name] == "histogram"
        assert scrape.value(f"{name}_count", CHAT | labels) == 1
        assert scrape.value(f"{name}_sum", CHAT | labels) == pytest.approx(total)
    for kind, total in (("input", 12), ("output", 31)):
        labels = CHAT | {"gen_ai_token_type": kind}
        assert scrape.value("gen_ai_client_token_usage_sum", labels) == total


def test_a_bucket_holds_what_is_not_above_its_bound() -> None:
    """Bounds are inclusive and counts cumulative, up to +Inf, which holds all."""
    metrics = RequestMetrics()
    for total_us in (1, 10_000, 10_001, 20_000, 81_920_000, 81_920_001):
        metrics.observe(make_record(total_us=total_us))
    scrape = Scrape(metrics)
    name = "gen_ai_server_request_duration_seconds_bucket"
    expected = {"0.01": 2, "0.02": 4, "0.04": 4, "40.96": 4, "81.92": 5, "+Inf": 6}
    for bound, count in expected.items():
        assert scrape.value(name, CHAT | {"le": bound}) == count


@pytest.mark.parametrize(
    ("changed", "error_type"),
    [
        ({"status": 429, "error_code": "429"}, "429"),
        ({"status": 400, "error_code": "context_length_exceeded"}, "context_length_exceeded"),
        ({"status": 503}, "503"),
        ({"status": 499, "finish": "client_left"}, "client_left"),
        ({"status": 200, "finish": "client_left"}, "client_left"),
        ({"status": 200, "finish": "failed", "error_code": "server_error"}, "server_error"),
        ({"status": 200, "finish": "failed"}, "failed"),
    ],
)
def test_what_went_wrong_has_a_type_and_no_token_times(
    changed: dict[str, Any], error_type: str
) -> None:
    """Errors count in the duration under `error_type`, and not among times of good answers."""
    metrics = RequestMetrics()
    metrics.observe(make_record(**changed))
    scrape = Scrape(metrics)
    duration = "gen_ai_server_request_duration_seconds_count"
    assert scrape.value(duration, CHAT | {"error_type": error_type}) == 1
    assert scrape.value(duration, CHAT) is None
    assert "gen_ai_server_time_to_first_token_seconds_count" not in scrape.names()
    assert "gen_ai_server_time_per_output_token_seconds_count" not in scrape.names()


def test_unknown_numbers_are_not_observed() -> None:
    """No tokens, no token metrics; one token has no time between tokens; embeddings no first."""
    metrics = RequestMetrics()
    metrics.observe(make_record(prompt_tokens=0, completion_tokens=0, cached_tokens=0))
    metrics.observe(make_record(completion_tokens=1))
    metrics.observe(
        make_record(operation="Embeddings_Create", completion_tokens=0, prompt_tokens=5)
    )
    scrape = Scrape(metrics)
    embeddings = CHAT | {"gen_ai_operation_name": "embeddings"}
    first_token = "gen_ai_server_time_to_first_token_seconds_count"
    assert scrape.value(first_token, CHAT) == 1
    assert scrape.value(first_token, embeddings) is None
    assert "gen_ai_server_time_per_output_token_seconds_count" not in scrape.names()
    usage = "gen_ai_client_token_usage_count"
    assert scrape.value(usage, embeddings | {"gen_ai_token_type": "input"}) == 1
    assert scrape.value(usage, embeddings | {"gen_ai_token_type": "output"}) is None


@pytest.mark.parametrize(
    ("operation", "name"),
    [
        ("ChatCompletions_Create", "chat"),
        ("Completions_Create", "text_completion"),
        ("Embeddings_Create", "embeddings"),
        ("Something_New", "Something_New"),
    ],
)
def test_operations_have_the_conventions_names(operation: str, name: str) -> None:
    """Well-known ones have the well-known name, others their own."""
    metrics = RequestMetrics()
    metrics.observe(make_record(operation=operation))
    assert Scrape(metrics).label_values("gen_ai_operation_name") == {name}


def test_accounts_are_told_apart_in_our_own_counters() -> None:
    """Requests by status and tokens by kind, per account; the conventions' metrics add them up."""
    metrics = RequestMetrics()
    for account in ("contoso", "contoso", "fabrikam"):
        metrics.observe(make_record(account=account))
    metrics.observe(make_record(account="contoso", status=429, prompt_tokens=0, cached_tokens=0))
    scrape = Scrape(metrics)
    requests = {"deployment": "chat", "operation": "ChatCompletions_Create"}
    expected = {("contoso", "200"): 2, ("contoso", "429"): 1, ("fabrikam", "200"): 1}
    for (account, status), count in expected.items():
        labels = requests | {"account": account, "status": status}
        assert scrape.value("linarite_requests_total", labels) == count
    tokens = {"account": "contoso", "deployment": "chat"}
    for kind, count in (("prompt", 24), ("cached", 8), ("completion", 102)):
        assert scrape.value("linarite_tokens_total", tokens | {"type": kind}) == count
    assert scrape.value("gen_ai_server_request_duration_seconds_count", CHAT) == 3


def test_a_request_that_reached_no_deployment_is_counted_apart() -> None:
    """Refusals before routing are in our counter and in no metric of a model."""
    metrics = RequestMetrics()
    metrics.observe(make_record(account="", deployment="", model="", operation="", status=404))
    scrape = Scrape(metrics)
    labels = {"account": "", "deployment": "", "operation": "", "status": "404"}
    assert scrape.value("linarite_requests_total", labels) == 1
    assert not any(name.startswith("gen_ai") for name in scrape.names())


def test_a_callers_invention_makes_no_label() -> None:
    """Deployment names that no model stands behind are all counted as one."""
    metrics = RequestMetrics()
    for number in range(5_000):
        metrics.observe(make_record(deployment=f"guess{number}", model="", status=404))
    scrape = Scrape(metrics)
    assert scrape.label_values("deployment") == {""}
    assert len(metrics._series) == 1


def test_the_number_of_series_is_bounded() -> None:
    """Beyond the bound everything new is one more series, and nothing is lost from the count."""
    metrics = RequestMetrics(series_max=10)
    for number in range(100):
        metrics.observe(make_record(error_code=f"upstream says {number}"))
    scrape = Scrape(metrics)
    assert len(metrics._series) == 11
    counts = [v for (name, _), v in scrape.samples.items() if name == "linarite_requests_total"]
    assert sum(counts) == 100
    assert "_OTHER" in scrape.label_values("error_type")


def test_label_values_are_escaped() -> None:
    """Quotes, backslashes and line ends in a name break neither the line nor the value."""
    name = 'a"b\\c\nd{}'
    metrics = RequestMetrics()
    metrics.observe(make_record(deployment=name))
    assert Scrape(metrics).label_values("gen_ai_request_model") == {name}


def ready(*, running: int = 0, waiting: int = 0, use: EngineUse | None = None) -> InstanceStanding:
    """An instance that serves."""
    queue = {"priority": 0, "default": waiting}
    return InstanceStanding(state="Ready", running=running, waiting=queue, use=use)


def test_gauges_show_what_was_set_last() -> None:
    """Instances by state with zeros for states left behind, queues, engines, and the ledger."""
    metrics = RequestMetrics(version="1.2.3")
    standing = metrics.standing
    standing.set_instances({"a": InstanceStanding(state="Starting", running=0, waiting={})})
    use = EngineUse(
        slots=4,
        slots_busy=3,
        kv_cache_share=0.25,
        prompt_tokens=100,
        generated_tokens=50,
        generated_tokens_per_s=12.5,
    )
    standing.set_instances({"a": ready(running=3, waiting=1, use=use), "b": ready(running=2)})
    standing.set_ledger(backlog=7, dropped=2)
    scrape = Scrape(metrics)
    a = {"model_instance": "a"}
    assert scrape.value("linarite_instances", {"state": "Ready"}) == 2
    assert scrape.value("linarite_instances", {"state": "Starting"}) == 0
    assert scrape.value("linarite_requests_running", a) == 3
    assert scrape.value("linarite_requests_waiting", a) == 1
    assert scrape.value("linarite_queue_length", a | {"class": "default"}) == 1
    assert scrape.value("linarite_queue_length", a | {"class": "priority"}) == 0
    assert scrape.value("linarite_engine_slots", a) == 4
    assert scrape.value("linarite_engine_slots_busy", a) == 3
    assert scrape.value("linarite_engine_kv_cache_usage", a) == 0.25
    assert scrape.value("linarite_engine_tokens_total", a | {"type": "generated"}) == 50
    assert scrape.value("linarite_engine_tokens_rate", a | {"type": "generated"}) == 12.5
    assert scrape.value("linarite_engine_slots", {"model_instance": "b"}) is None
    assert scrape.value("linarite_ledger_backlog") == 7
    assert scrape.value("linarite_ledger_dropped_total") == 2
    assert scrape.value("linarite_build_info", {"version": "1.2.3"}) == 1
    standing.set_instances({"b": ready()})
    scrape = Scrape(metrics)
    assert scrape.value("linarite_instances", {"state": "Ready"}) == 1
    assert scrape.label_values("model_instance") == {"b"}


def test_special_requests_have_counters_of_their_own() -> None:
    """What a limit refused, what spilled over, what was served in another tier."""
    metrics = RequestMetrics(series_max=3)
    metrics.observe(make_record(status=429, limited_by="deployment tokens"))
    metrics.observe(make_record(spilled_from="ptu", service_tier="default"))
    metrics.observe(make_record(service_tier="priority"))
    metrics.observe(make_record())
    scrape = Scrape(metrics)
    of = {"account": "contoso", "deployment": "chat"}
    limited = of | {"limit": "deployment tokens"}
    assert scrape.value("linarite_requests_limited_total", limited) == 1
    assert scrape.value("linarite_requests_spilled_total", of | {"spilled_from": "ptu"}) == 1
    assert scrape.value("linarite_requests_tiered_total", of | {"service_tier": "priority"}) == 1
    for number in range(100):
        metrics.observe(make_record(status=429, limited_by=f"limit {number}"))
    values = Scrape(metrics).label_values("limit")
    assert values == {"deployment tokens", "limit 0", "limit 1", "_OTHER"}


def test_warnings_of_usage_limits_are_counted() -> None:
    """By the limit and the percentage; bounded, as all labels are."""
    metrics = RequestMetrics(series_max=3)
    for threshold in ("80", "80", "refusing"):
        metrics.warn("people", threshold)
    name, people = "linarite_usage_limit_warnings_total", {"limit": "people"}
    assert Scrape(metrics).value(name, people | {"threshold": "80"}) == 2
    for number in range(10):
        metrics.warn(f"limit {number}", "80")
    assert Scrape(metrics).label_values("limit") == {"people", "limit 0", "_OTHER"}


def test_every_metric_is_documented() -> None:
    """The page for operators names each family that a server can show."""
    metrics = RequestMetrics()
    metrics.observe(make_record())
    metrics.standing.set_instances({"a": ready(use=EngineUse(kv_cache_share=0, prompt_tokens=0))})
    page = (Path(__file__).parents[2] / "docs" / "telemetry.md").read_text()
    families = text_string_to_metric_families(metrics.render().decode())
    names = {family.name for family in families}
    own = {name for name in names if not name.startswith(("process_", "python_"))}
    assert len(own) >= 10
    assert {name for name in own if f"`{name}" not in page} == set()


def test_two_servers_in_a_process_do_not_share_counts() -> None:
    """Each has a registry of its own."""
    first, second = RequestMetrics(), RequestMetrics()
    first.observe(make_record())
    assert Scrape(second).value("gen_ai_server_request_duration_seconds_count", CHAT) is None


def test_requests_cost_no_memory() -> None:
    """Once its labels are known, a request leaves nothing behind."""
    metrics = RequestMetrics()
    record = make_record()
    for _ in range(100):
        metrics.observe(record)
    metrics.render()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(20_000):
            metrics.observe(record)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 10_000


def test_rendering_while_requests_finish() -> None:
    """A scrape in another thread meets no half-made series."""
    metrics = RequestMetrics()
    ended = threading.Event()
    failures: list[BaseException] = []

    def scrape() -> None:
        try:
            while not ended.is_set():
                metrics.render()
        except BaseException as failure:  # noqa: BLE001 - told below, in the test's own thread
            failures.append(failure)

    thread = threading.Thread(target=scrape)
    thread.start()
    for _ in range(3_000):
        metrics.observe(make_record(deployment=f"d{random.randrange(300)}"))
    ended.set()
    thread.join()
    assert failures == []
    counts = Scrape(metrics).samples
    total = sum(v for (name, _), v in counts.items() if name == "linarite_requests_total")
    assert total == 3_000


def test_applications_are_told_apart_by_their_keys() -> None:
    """In counters of their own, with what each deployment cost; Azure's two keys are not there."""
    metrics = RequestMetrics()
    used: dict[str, Any] = {
        "account": "a",
        "prompt_tokens": 3,
        "completion_tokens": 5,
        "cached_tokens": 0,
    }
    for _ in range(2):
        metrics.observe(make_record(caller_key="app:web", deployment="gpt", **used))
    metrics.observe(make_record(caller_key="app:batch", deployment="gpt", **used))
    metrics.observe(make_record(caller_key="app:web", deployment="made-up", model="", status=404))
    metrics.observe(make_record(caller_key="key1", deployment="gpt", **used))
    text = metrics.render().decode()
    requests = "linarite_application_key_requests_total"
    tokens = "linarite_application_key_tokens_total"
    assert f'{requests}{{account="a",key="app:web",deployment="gpt",status="200"}} 2' in text
    assert f'{tokens}{{account="a",key="app:web",deployment="gpt",type="prompt"}} 6' in text
    assert f'{tokens}{{account="a",key="app:batch",deployment="gpt",type="completion"}} 5' in text
    assert "key1" not in text
    assert "made-up" not in text


def test_applications_beyond_the_bound_are_counted_together() -> None:
    """However many keys come and go, memory is bounded."""
    metrics = RequestMetrics(series_max=3)
    for number in range(10):
        metrics.observe(make_record(caller_key=f"app:k{number}"))
    counted = [
        line
        for line in metrics.render().decode().splitlines()
        if line.startswith("linarite_application_key_requests_total")
    ]
    assert len(counted) == 4
    assert counted[-1].endswith('key="_OTHER",deployment="_OTHER",status="0"} 7')


@pytest.mark.anyio
async def test_a_long_page_is_written_in_pieces() -> None:
    """The same text; whatever else there is to do is done between them."""
    metrics = RequestMetrics()
    for number in range(200):
        metrics.observe(make_record(deployment=f"d{number}"))
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    task = asyncio.create_task(others())
    told = await metrics.rendered()
    task.cancel()
    lines = [line for line in told.splitlines() if not line.startswith(b"process_")]
    whole = [line for line in metrics.render().splitlines() if not line.startswith(b"process_")]
    assert lines == whole
    assert turns >= len(whole) // PIECE_LINES > 5
