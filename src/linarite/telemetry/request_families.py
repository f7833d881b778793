"""The metrics of requests, from the counts of their series.

https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from linarite.telemetry.families import counter, histogram
from linarite.telemetry.request_series import RequestSeries

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from linarite.telemetry.families import Family, Labels
    from linarite.telemetry.request_series import SeriesKey

PROVIDER = "azure.ai.openai"
"""The conventions' name for this kind of endpoint: dashboards made for Azure OpenAI work."""

OPERATION_NAMES = {
    "ChatCompletions_Create": "chat",
    "Completions_Create": "text_completion",
    "Embeddings_Create": "embeddings",
}
"""our name → the conventions' well-known one; operations that have none keep ours"""

CLIENT_ERRORS_FROM = 400

Told = tuple[str, str, str, str]
"""operation, request model, response model, error type"""


def request_families(series: Mapping[SeriesKey, RequestSeries]) -> Iterator[Family]:
    """Every metric that requests make."""
    yield from _counters(series)
    yield from _generative(_by_labels(series))


def _counters(series: Mapping[SeriesKey, RequestSeries]) -> Iterator[Family]:
    requests: Counter[tuple[str, str, str, int]] = Counter()
    tokens: Counter[tuple[str, str, str]] = Counter()
    for (account, deployment, _, operation, status, _, _), one in series.items():
        requests[account, deployment, operation, status] += one.requests
        tokens[account, deployment, "prompt"] += int(one.input_tokens.total)
        tokens[account, deployment, "cached"] += one.cached_tokens
        tokens[account, deployment, "completion"] += int(one.output_tokens.total)
    yield counter(
        "linarite.requests",
        "Requests by account and outcome; an empty operation is a path that does not exist.",
        (
            (
                {
                    "account": account,
                    "deployment": deployment,
                    "operation": operation,
                    "status": str(status),
                },
                count,
            )
            for (account, deployment, operation, status), count in requests.items()
        ),
    )
    yield counter(
        "linarite.tokens",
        "Tokens by account. Cached ones are part of prompt.",
        (
            ({"account": account, "deployment": deployment, "type": kind}, count)
            for (account, deployment, kind), count in tokens.items()
            if count
        ),
        "{token}",
    )


def _by_labels(series: Mapping[SeriesKey, RequestSeries]) -> dict[Told, RequestSeries]:
    """Only what reached a deployment; the conventions know no accounts, so those are added up."""
    found: dict[Told, RequestSeries] = {}
    for (_, deployment, model, operation, status, error_code, finish), one in series.items():
        if deployment:
            name = OPERATION_NAMES.get(operation, operation)
            told = (name, deployment, model, _error_type(status, error_code, finish))
            found.setdefault(told, RequestSeries()).add(one)
    return found


def _error_type(status: int, error_code: str, finish: str) -> str:
    """Empty when all went well; then the label is left out."""
    if error_code:
        return error_code
    if finish in {"client_left", "failed"}:
        return finish
    return str(status) if status >= CLIENT_ERRORS_FROM else ""


def _generative(found: Mapping[Told, RequestSeries]) -> Iterator[Family]:
    labelled = [(_conventional(told), not told[-1], one) for told, one in found.items()]
    yield histogram(
        "gen_ai.server.request.duration",
        "Time from the request to the last byte of its answer.",
        [(labels, one.durations) for labels, _, one in labelled],
        "s",
    )
    yield histogram(
        "gen_ai.server.time_to_first_token",
        "Time to the first token, of requests that were answered.",
        [(labels, one.first_token) for labels, answered, one in labelled if answered],
        "s",
    )
    yield histogram(
        "gen_ai.server.time_per_output_token",
        "Time per token after the first, of requests that were answered.",
        [(labels, one.per_token) for labels, answered, one in labelled if answered],
        "s",
    )
    yield histogram(
        "gen_ai.client.token.usage",
        "Tokens of a request, as its engine counted them.",
        [
            ({**labels, "gen_ai.token.type": kind}, tokens)
            for labels, _, one in labelled
            for kind, tokens in (("input", one.input_tokens), ("output", one.output_tokens))
        ],
        "{token}",
    )


def _conventional(told: Told) -> Labels:
    operation, request_model, response_model, error_type = told
    named = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": PROVIDER,
        "gen_ai.request.model": request_model,
        "gen_ai.response.model": response_model,
        "error.type": error_type,
    }
    return {name: value for name, value in named.items() if value}
