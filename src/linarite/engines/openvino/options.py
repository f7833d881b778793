"""The openvino engine's options: every one with its default, its meaning and its bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from linarite.engines.worker_process.options import typed_options

if TYPE_CHECKING:
    from linarite.domain.engine import InstanceSpec

CacheType = Literal["u8", "f16"]
Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400)]


def _described(text: str) -> msgspec.Meta:
    return msgspec.Meta(description=text)


class OpenvinoOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an instance of the openvino engine can be told."""

    parallel_requests: Annotated[
        int,
        msgspec.Meta(ge=1, le=256),
        _described("Requests answered at the same time, in one batch."),
    ] = 8
    context_tokens: Annotated[
        int,
        msgspec.Meta(ge=0, le=1_048_576),
        _described(
            "Tokens one request may use, prompt and reply together, at most what the model was "
            "trained for; 0 is just that, up to context_tokens_max."
        ),
    ] = 4_096
    context_tokens_max: Annotated[
        int,
        msgspec.Meta(ge=256, le=1_048_576),
        _described("Bound on what context_tokens = 0 may choose."),
    ] = 32_768
    cache_tokens: Annotated[
        int,
        msgspec.Meta(ge=0, le=16_777_216),
        _described(
            "Tokens that the cache holds, of all requests together; 0 is parallel_requests x "
            "context_tokens. With less, requests that find no room wait or are computed again."
        ),
    ] = 0
    cache_type: Annotated[CacheType, _described("Number format of cached keys and values.")] = "u8"
    threads: Annotated[
        int,
        msgspec.Meta(ge=0, le=1_024),
        _described("Processor threads; 0 is what the gateway does not keep for itself."),
    ] = 0
    niceness: Annotated[
        int,
        msgspec.Meta(ge=0, le=19),
        _described(
            "How far the process steps back for others, the gateway first of all; 0 is not at all."
        ),
    ] = 5
    device: Annotated[
        str,
        msgspec.Meta(pattern=r"^(CPU|GPU)(\.\d+)?$"),
        _described("What computes, in OpenVINO's words: CPU, or GPU for Intel's."),
    ] = "CPU"
    prompt_batch_tokens: Annotated[
        int,
        msgspec.Meta(ge=16, le=8_192),
        _described(
            "Tokens computed in one step, of all requests together. For so long running replies "
            "pause while a prompt is computed, and so long may a cancelled one go on."
        ),
    ] = 256
    prompt_cache: Annotated[
        bool,
        _described(
            "Keep computed prompts, so that a prompt that begins like an earlier one starts "
            "sooner. Time tells a caller then whether somebody sent the same beginning before, "
            "and replies of one seed may differ in their first digits, and so in their text."
        ),
    ] = True
    requantise: Annotated[
        bool,
        _described(
            "Turn tensors of a number format that OpenVINO does not read into Q8_0 at every "
            "start, which takes seconds and the model's size on disk; false refuses such files."
        ),
    ] = True
    repeated_calls_answered: Annotated[
        bool,
        _described(
            "When the model calls once more for just what a tool has answered, have it answer in "
            "words. Small models otherwise call for ever; say false for agents that poll."
        ),
    ] = True
    chat_template: Annotated[
        str, _described("A Jinja template that replaces the one in the model file.")
    ] = ""
    schema_bytes_max: Annotated[
        int,
        msgspec.Meta(ge=1_024, le=16_777_216),
        _described("Longest JSON schema, in bytes, that a reply is held to."),
    ] = 131_072
    schema_depth_max: Annotated[
        int,
        msgspec.Meta(ge=4, le=100),
        _described("Deepest nesting of such a schema, as JSON."),
    ] = 48
    first_byte_s: Annotated[
        Seconds, _described("A request fails when the engine has not taken it up by then.")
    ] = 120.0
    idle_s: Annotated[
        Seconds,
        _described("A request fails when the engine then falls silent for so long."),
    ] = 120.0
    load_timeout_s: Annotated[Seconds, _described("Loading the model fails after that.")] = 900.0
    probe_interval_s: Annotated[Seconds, _described("Time between two health probes.")] = 5.0
    probe_deadline_s: Annotated[Seconds, _described("A probe without answer by then failed.")] = (
        10.0
    )
    probe_failures_max: Annotated[
        int,
        msgspec.Meta(ge=1, le=100),
        _described("After so many failed probes in a row the engine is killed and restarted."),
    ] = 3
    address_space_mib: Annotated[
        int,
        msgspec.Meta(ge=0),
        _described("Bound on the process's address space, in MiB; 0 is none."),
    ] = 0
    environment: Annotated[
        dict[str, str],
        _described(
            "Environment variables for the process, such as LD_LIBRARY_PATH; it inherits none."
        ),
    ] = {}


def read_options(spec: InstanceSpec) -> OpenvinoOptions:
    """Type an instance's options. Raises SetupError that names the key and its meaning."""
    return typed_options(spec, OpenvinoOptions)
