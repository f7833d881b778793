"""The metrics of an account, under Azure Monitor's names, and what each is made of.

Source: learn.microsoft.com, "Supported metrics for Microsoft.CognitiveServices/accounts": names,
units, aggregations and dimensions are those of its tables. Metrics of services that are not here
(speech, vision, content safety, fine-tuning) are left out, and so are the bytes in and out.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from linarite.domain.azure_metrics.grains import Series, Spread, Tally

NAMESPACE = "Microsoft.CognitiveServices/accounts"

CLIENT_ERRORS_FROM = 400
SERVER_ERRORS_FROM = 500
TOO_MANY = 429
HUNDRED_PERCENT = 100.0

Value = Callable[[Series, Tally], Spread | None]
"""what a grain adds to a metric; None for nothing"""


def _stream_type(series: Series) -> str:
    return "Streaming" if series.streamed else "Non-Streaming"


def _api_name(series: Series) -> str:
    version = series.api_version
    return f"Azure OpenAI API version {version}" if version else ""


def _status_code(series: Series) -> str:
    return str(series.status) if series.status else ""


def _unknown(series: Series) -> str:
    """A dimension that nothing here tells apart."""
    del series
    return ""


DIMENSIONS: dict[str, Callable[[Series], str]] = {
    "Region": lambda series: series.region,
    "ModelDeploymentName": lambda series: series.deployment,
    "ModelName": lambda series: series.model,
    "ModelVersion": lambda series: series.model_version,
    "ApiName": _api_name,
    "OperationName": lambda series: series.operation,
    "StreamType": _stream_type,
    "StatusCode": _status_code,
    "IsSpillover": lambda series: str(series.spilled),
    "ServiceTierRequest": lambda series: series.tier_asked,
    "ServiceTierResponse": lambda series: series.tier,
    "FeatureName": _unknown,
    "UsageChannel": _unknown,
    "RatelimitKey": _unknown,
    "ContextLength": _unknown,
}

_MODEL = ("Region", "ModelDeploymentName", "ModelName", "ModelVersion")
_CALL = ("ApiName", "OperationName", "Region", "StreamType", *_MODEL[1:])
_REQUEST = (
    *("ApiName", "OperationName", "Region", "StreamType", *_MODEL[1:], "StatusCode"),
    *("IsSpillover", "ServiceTierRequest", "ServiceTierResponse"),
)
_TOKENS = ("ApiName", *_MODEL[1:3], "FeatureName", "UsageChannel", "Region", "ModelVersion")
_MODEL_TOKENS = ("ApiName", *_MODEL)
_LEGACY = ("ApiName", "OperationName", "Region", "RatelimitKey")

TOTAL = ("Total",)
SPREAD = ("Average", "Minimum", "Maximum")


class MetricDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """One metric."""

    name: str
    title: str
    """as people read it"""
    description: str
    category: str
    unit: str
    """as ARM writes it: `Count`, `MilliSeconds`, `Percent`"""
    aggregations: tuple[str, ...]
    """that mean something; the first is taken where a question names none"""
    dimensions: tuple[str, ...]
    value: Value


def _of_models(series: Series) -> bool:
    """Only what was asked of a deployment that there is."""
    return bool(series.deployment) and series.status != 0


def _answered(series: Series) -> bool:
    return _of_models(series) and series.status < CLIENT_ERRORS_FROM


def _counted(wanted: Callable[[Series], bool]) -> Value:
    def value(series: Series, tally: Tally) -> Spread | None:
        requests = tally.requests
        if not requests or not wanted(series):
            return None
        return Spread(requests, requests, 1.0, 1.0)

    return value


def _available(wanted: Callable[[Series], bool]) -> Value:
    def value(series: Series, tally: Tally) -> Spread | None:
        requests = tally.requests
        if not requests or not wanted(series):
            return None
        percent = HUNDRED_PERCENT if series.status < SERVER_ERRORS_FROM else 0.0
        return Spread(requests, requests * percent, percent, percent)

    return value


def _summed(tokens: Callable[[Tally], int]) -> Value:
    def value(series: Series, tally: Tally) -> Spread | None:
        del series
        total = tokens(tally)
        return Spread(tally.requests, total, 0.0, total) if total else None

    return value


def _spread(field: str, wanted: Callable[[Series], bool] = _of_models) -> Value:
    def value(series: Series, tally: Tally) -> Spread | None:
        found: Spread = getattr(tally, field)
        return found if found.count and wanted(series) else None

    return value


def _provisioned(series: Series) -> bool:
    return series.status == 0


def _any_call(series: Series) -> bool:
    return series.status != 0


def _refused(low: int, high: int) -> Callable[[Series], bool]:
    return lambda series: low <= series.status < high


def _prompt(tally: Tally) -> int:
    return tally.prompt_tokens


def _completion(tally: Tally) -> int:
    return tally.completion_tokens


def _both(tally: Tally) -> int:
    return tally.prompt_tokens + tally.completion_tokens


_HTTP = "Azure OpenAI - HTTP Requests"
_LATENCY = "Azure OpenAI - Latency"
_USAGE = "Azure OpenAI - Usage"
_MODELS_HTTP = "Models - HTTP Requests"
_MODELS_LATENCY = "Models - Latency"
_MODELS_USAGE = "Models - Usage"
_OLD_HTTP = "Cognitive Services - HTTP Requests"

_Row = tuple[str, str, str, str, str, tuple[str, ...], tuple[str, ...], Value]
_ROWS: tuple[_Row, ...] = (
    (
        *("AzureOpenAIAvailabilityRate", "Azure OpenAI AvailabilityRate", _HTTP, "Percent"),
        "Share of the calls that did not end with a status of 500 or above.",
        *(("Average", "Minimum", "Maximum"), _CALL, _available(_of_models)),
    ),
    (
        *("AzureOpenAIRequests", "Azure OpenAI Requests", _HTTP, "Count"),
        "Calls to the API, whatever became of them.",
        *(TOTAL, _REQUEST, _counted(lambda series: bool(series.operation))),
    ),
    (
        *("AzureOpenAITimeToResponse", "Time to Response", _LATENCY, "MilliSeconds"),
        "From the request to the beginning of its answer.",
        *(SPREAD, (*_CALL, "StatusCode"), _spread("to_response")),
    ),
    (
        *("AzureOpenAINormalizedTTFTInMS", "Normalized Time to First Byte", _LATENCY),
        *("MilliSeconds", "Time to the first byte of an answer, for each token of the prompt."),
        *(SPREAD, _MODEL, _spread("to_first_byte_per_token")),
    ),
    (
        *("AzureOpenAINormalizedTBTInMS", "Time Between Token", _LATENCY, "MilliSeconds"),
        "Time from one token of a streamed answer to the next.",
        *(SPREAD, _MODEL, _spread("between_tokens", lambda series: series.streamed)),
    ),
    (
        *("AzureOpenAITTLTInMS", "Time to Last Byte", _LATENCY, "MilliSeconds"),
        "From the request to the last byte of its answer.",
        *(SPREAD, _MODEL, _spread("to_last_byte", _answered)),
    ),
    (
        *("AzureOpenAITokenPerSecond", "Tokens Per Second", _LATENCY, "Count"),
        "Tokens of an answer by the seconds it took to generate them.",
        *(SPREAD, _MODEL, _spread("tokens_per_second")),
    ),
    (
        *("AzureOpenAIContextTokensCacheMatchRate", "Prompt Token Cache Match Rate", _USAGE),
        *("Percent", "Share of the prompt's tokens that were in the cache."),
        *(SPREAD, _MODEL, _spread("cache_match")),
    ),
    (
        *("AzureOpenAIProvisionedManagedUtilizationV2", "Provisioned-managed Utilization V2"),
        *(_USAGE, "Percent", "How much of a provisioned deployment's throughput is in use."),
        *(SPREAD, (*_MODEL, "StreamType"), _spread("utilization", _provisioned)),
    ),
    (
        *("ProcessedPromptTokens", "Processed Prompt Tokens", _USAGE, "Count"),
        "Tokens of prompts.",
        *(TOTAL, _TOKENS, _summed(_prompt)),
    ),
    (
        *("GeneratedTokens", "Generated Completion Tokens", _USAGE, "Count"),
        "Tokens of answers.",
        *(TOTAL, _TOKENS, _summed(_completion)),
    ),
    (
        *("TokenTransaction", "Processed Inference Tokens", _USAGE, "Count"),
        "Tokens of prompts and answers.",
        *(TOTAL, _TOKENS, _summed(_both)),
    ),
    (
        *("ActiveTokens", "Active Tokens", _USAGE, "Count"),
        "Tokens of prompts and answers, less those that were cached.",
        *((*TOTAL, *SPREAD), _MODEL, _spread("active_tokens")),
    ),
    (
        *("AudioPromptTokens", "Audio Prompt Tokens", _USAGE, "Count"),
        "Tokens of prompts that were audio.",
        *(TOTAL, _MODEL, _summed(lambda tally: tally.audio_prompt_tokens)),
    ),
    (
        *("AudioCompletionTokens", "Audio Completion Tokens", _USAGE, "Count"),
        "Tokens of answers that were audio.",
        *(TOTAL, _MODEL, _summed(lambda tally: tally.audio_completion_tokens)),
    ),
    (
        *("ModelAvailabilityRate", "Model Availability Rate", _MODELS_HTTP, "Percent"),
        "Share of the calls that did not end with a status of 500 or above.",
        *(SPREAD, _MODEL, _available(_of_models)),
    ),
    (
        *("ModelRequests", "Model Requests", _MODELS_HTTP, "Count"),
        "Calls to models.",
        *(TOTAL, _REQUEST, _counted(_of_models)),
    ),
    (
        *("TimeToResponse", "Time to Response", _MODELS_LATENCY, "MilliSeconds"),
        "From the request to the beginning of its answer.",
        *(SPREAD, (*_CALL, "StatusCode"), _spread("to_response")),
    ),
    (
        *("TimeToLastByte", "Time to Last Byte", _MODELS_LATENCY, "MilliSeconds"),
        "From the request to the last byte of its answer.",
        *(SPREAD, _CALL, _spread("to_last_byte", _answered)),
    ),
    (
        *("NormalizedTimeToFirstToken", "Normalized Time to First Byte", _MODELS_LATENCY),
        *("MilliSeconds", "Time to the first byte of an answer, for each token of the prompt."),
        *(SPREAD, _CALL, _spread("to_first_byte_per_token")),
    ),
    (
        *("NormalizedTimeBetweenTokens", "Time Between Tokens", _MODELS_LATENCY),
        *("MilliSeconds", "Time from one token of an answer to the next."),
        *(SPREAD, _CALL, _spread("between_tokens")),
    ),
    (
        *("TokensPerSecond", "Tokens Per Second", _MODELS_LATENCY, "Count"),
        "Tokens of an answer by the seconds it took to generate them.",
        *(SPREAD, _CALL, _spread("tokens_per_second")),
    ),
    (
        *("InputTokens", "Input Tokens", _MODELS_USAGE, "Count"),
        "Tokens of prompts.",
        *(TOTAL, _MODEL_TOKENS, _summed(_prompt)),
    ),
    (
        *("OutputTokens", "Output Tokens", _MODELS_USAGE, "Count"),
        "Tokens of answers.",
        *(TOTAL, _MODEL_TOKENS, _summed(_completion)),
    ),
    (
        *("TotalTokens", "Total Tokens", _MODELS_USAGE, "Count"),
        "Tokens of prompts and answers.",
        *(TOTAL, _MODEL_TOKENS, _summed(_both)),
    ),
    (
        *("AudioInputTokens", "Audio Input Tokens", _MODELS_USAGE, "Count"),
        "Tokens of prompts that were audio.",
        *(TOTAL, _MODEL, _summed(lambda tally: tally.audio_prompt_tokens)),
    ),
    (
        *("AudioOutputTokens", "Audio Output Tokens", _MODELS_USAGE, "Count"),
        "Tokens of answers that were audio.",
        *(TOTAL, _MODEL, _summed(lambda tally: tally.audio_completion_tokens)),
    ),
    (
        *("cacheReadInputTokens", "Prompt tokens read from cache", _MODELS_USAGE, "Count"),
        "Tokens of prompts that were in the cache.",
        *(TOTAL, (*_MODEL_TOKENS, "ContextLength"), _summed(lambda tally: tally.cached_tokens)),
    ),
    (
        *("ProvisionedUtilization", "Provisioned Utilization", _MODELS_USAGE, "Percent"),
        "How much of a provisioned deployment's throughput is in use.",
        *(SPREAD, _MODEL, _spread("utilization", _provisioned)),
    ),
    (
        *("TotalCalls", "Total Calls", _OLD_HTTP, "Count"),
        "All calls, also of paths that do not exist.",
        *(TOTAL, _LEGACY, _counted(_any_call)),
    ),
    (
        *("SuccessfulCalls", "Successful Calls", _OLD_HTTP, "Count"),
        "Calls with a status below 400.",
        *(TOTAL, _LEGACY, _counted(_refused(1, CLIENT_ERRORS_FROM))),
    ),
    (
        *("TotalErrors", "Total Errors", _OLD_HTTP, "Count"),
        "Calls with a status of 400 or above.",
        *(TOTAL, _LEGACY, _counted(_refused(CLIENT_ERRORS_FROM, 1000))),
    ),
    (
        *("ClientErrors", "Client Errors", _OLD_HTTP, "Count"),
        "Calls with a status of 400 to 499.",
        *(TOTAL, _LEGACY, _counted(_refused(CLIENT_ERRORS_FROM, SERVER_ERRORS_FROM))),
    ),
    (
        *("ServerErrors", "Server Errors", _OLD_HTTP, "Count"),
        "Calls with a status of 500 or above.",
        *(TOTAL, _LEGACY, _counted(_refused(SERVER_ERRORS_FROM, 1000))),
    ),
    (
        *("BlockedCalls", "Blocked Calls", _OLD_HTTP, "Count"),
        "Calls that exceeded a rate or a quota.",
        *(TOTAL, _LEGACY, _counted(_refused(TOO_MANY, TOO_MANY + 1))),
    ),
    (
        *("Latency", "Latency", _OLD_HTTP, "MilliSeconds"),
        "From a request to the last byte of its answer.",
        *(("Average",), _LEGACY, _spread("to_last_byte", _any_call)),
    ),
    (
        *("SuccessRate", "AvailabilityRate", "Cognitive Services - SLI", "Percent"),
        "Share of the calls that did not end with a status of 500 or above.",
        *(SPREAD, _LEGACY, _available(_any_call)),
    ),
)


def _definition(row: _Row) -> MetricDefinition:
    name, title, category, unit, description, aggregations, dimensions, value = row
    return MetricDefinition(
        name=name,
        title=title,
        description=description,
        category=category,
        unit=unit,
        aggregations=aggregations,
        dimensions=dimensions,
        value=value,
    )


METRICS: dict[str, MetricDefinition] = {row[0].lower(): _definition(row) for row in _ROWS}
"""by their names in lower case: questions write them in any"""
