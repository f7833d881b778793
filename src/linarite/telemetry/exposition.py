"""How the counts of requests become Prometheus' text format.

Written out here, not by prometheus-client: a server with some forty deployments has ten thousand
lines of histogram, which that takes a tenth of a second for, and the event loop would stand
still meanwhile. Format: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from collections import Counter
from itertools import accumulate
from typing import TYPE_CHECKING

from linarite.telemetry.request_series import RequestSeries

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from linarite.telemetry.request_series import Histogram, SeriesKey

PROVIDER = "azure.ai.openai"
"""The conventions' name for this kind of endpoint: dashboards made for Azure OpenAI work."""

OPERATION_NAMES = {
    "ChatCompletions_Create": "chat",
    "Completions_Create": "text_completion",
    "Embeddings_Create": "embeddings",
}
"""our name → the conventions' well-known one; operations that have none keep ours"""

CLIENT_ERRORS_FROM = 400

Labels = tuple[str, str, str, str]
"""operation, request model, response model, error type"""


def request_lines(series: Mapping[SeriesKey, RequestSeries]) -> Iterator[str]:
    """Every metric that requests make, line by line."""
    yield from _counters(series)
    yield from _generative(_by_labels(series))


def counter_lines(name: str, help_text: str, counts: Iterable[tuple[str, float]]) -> Iterator[str]:
    """A counter: pairs of rendered labels (see `rendered`) and count."""
    yield from _head(name, help_text, "counter")
    for labels, count in counts:
        yield f"{name}{{{labels}}} {count}" if labels else f"{name} {count}"


def rendered(**labels: str) -> str:
    """Labels as they stand between the braces."""
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())


def _counters(series: Mapping[SeriesKey, RequestSeries]) -> Iterator[str]:
    requests: Counter[tuple[str, str, str, int]] = Counter()
    tokens: Counter[tuple[str, str, str]] = Counter()
    for (account, deployment, _, operation, status, _, _), one in series.items():
        requests[account, deployment, operation, status] += one.requests
        tokens[account, deployment, "prompt"] += int(one.input_tokens.total)
        tokens[account, deployment, "cached"] += one.cached_tokens
        tokens[account, deployment, "completion"] += int(one.output_tokens.total)
    yield from counter_lines(
        "linarite_requests_total",
        "Requests by account and outcome; an empty operation is a path that does not exist.",
        (
            (
                rendered(
                    account=account, deployment=deployment, operation=operation, status=str(status)
                ),
                count,
            )
            for (account, deployment, operation, status), count in requests.items()
        ),
    )
    yield from counter_lines(
        "linarite_tokens_total",
        "Tokens by account. Cached ones are part of prompt.",
        (
            (rendered(account=account, deployment=deployment, type=kind), count)
            for (account, deployment, kind), count in tokens.items()
            if count
        ),
    )


def _by_labels(series: Mapping[SeriesKey, RequestSeries]) -> dict[Labels, RequestSeries]:
    """Only what reached a deployment; the conventions know no accounts, so those are added up."""
    found: dict[Labels, RequestSeries] = {}
    for (_, deployment, model, operation, status, error_code, finish), one in series.items():
        if deployment:
            name = OPERATION_NAMES.get(operation, operation)
            labels = (name, deployment, model, _error_type(status, error_code, finish))
            found.setdefault(labels, RequestSeries()).add(one)
    return found


def _error_type(status: int, error_code: str, finish: str) -> str:
    """Empty when all went well; then the label is left out."""
    if error_code:
        return error_code
    if finish in {"client_left", "failed"}:
        return finish
    return str(status) if status >= CLIENT_ERRORS_FROM else ""


def _generative(found: Mapping[Labels, RequestSeries]) -> Iterator[str]:
    labelled = [(_conventional(labels), not labels[-1], one) for labels, one in found.items()]
    yield from _histogram(
        "gen_ai_server_request_duration_seconds",
        "Time from the request to the last byte of its answer.",
        [(labels, one.durations) for labels, _, one in labelled],
    )
    yield from _histogram(
        "gen_ai_server_time_to_first_token_seconds",
        "Time to the first token, of requests that were answered.",
        [(labels, one.first_token) for labels, answered, one in labelled if answered],
    )
    yield from _histogram(
        "gen_ai_server_time_per_output_token_seconds",
        "Time per token after the first, of requests that were answered.",
        [(labels, one.per_token) for labels, answered, one in labelled if answered],
    )
    yield from _histogram(
        "gen_ai_client_token_usage",
        "Tokens of a request, as its engine counted them.",
        [
            (f'{labels},gen_ai_token_type="{kind}"', tokens)
            for labels, _, one in labelled
            for kind, tokens in (("input", one.input_tokens), ("output", one.output_tokens))
        ],
    )


def _conventional(labels: Labels) -> str:
    operation, request_model, response_model, error_type = labels
    named = {
        "gen_ai_operation_name": operation,
        "gen_ai_provider_name": PROVIDER,
        "gen_ai_request_model": request_model,
        "gen_ai_response_model": response_model,
        "error_type": error_type,
    }
    return rendered(**{name: value for name, value in named.items() if value})


def _histogram(
    name: str, help_text: str, histograms: Iterable[tuple[str, Histogram]]
) -> Iterator[str]:
    yield from _head(name, help_text, "histogram")
    for labels, histogram in histograms:
        *cumulated, count = accumulate(histogram.counts)
        if not count:
            continue
        start = f'{name}_bucket{{{labels},le="'
        for bound, below in zip(histogram.bounds, cumulated, strict=True):
            yield f'{start}{bound}"}} {below}'
        yield f'{start}+Inf"}} {count}'
        yield f"{name}_count{{{labels}}} {count}"
        yield f"{name}_sum{{{labels}}} {histogram.total / histogram.scale}"


def _head(name: str, help_text: str, kind: str) -> tuple[str, str]:
    return f"# HELP {name} {help_text}", f"# TYPE {name} {kind}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
