"""The llamacpp engine's options: every one with its default, its meaning and its bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from linarite.engines.worker_process.options import typed_options

if TYPE_CHECKING:
    from linarite.domain.engine import InstanceSpec

CacheType = Literal["f16", "bf16", "f32", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0"]
Pooling = Literal["auto", "mean", "cls", "last"]
WaitPolicy = Literal["active", "balanced", "passive"]

Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400)]


def _described(text: str) -> msgspec.Meta:
    return msgspec.Meta(description=text)


class LlamacppOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an instance of the llamacpp engine can be told."""

    parallel_requests: Annotated[
        int,
        msgspec.Meta(ge=1, le=256),
        _described("Requests answered at the same time; each has its own share of the memory."),
    ] = 4
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
    threads: Annotated[
        int,
        msgspec.Meta(ge=0, le=1_024),
        _described("Processor threads; 0 is what the gateway does not keep for itself."),
    ] = 0
    wait_policy: Annotated[
        WaitPolicy,
        _described(
            "How threads wait for each other. 'active' spins: fastest where nothing else runs, "
            "very slow where the processor is shared. 'passive' sleeps. 'balanced' spins briefly."
        ),
    ] = "balanced"
    niceness: Annotated[
        int,
        msgspec.Meta(ge=0, le=19),
        _described(
            "How far the process steps back for others, the gateway first of all; 0 is not at all."
        ),
    ] = 5
    prompt_batch_tokens: Annotated[
        int,
        msgspec.Meta(ge=16, le=8_192),
        _described(
            "Prompt tokens computed in one go, and at least one for each of parallel_requests. "
            "Running replies pause for that long, and so long may a cancelled prompt go on. "
            "Without a GPU more is hardly faster; with one, take 512."
        ),
    ] = 64
    gpu_layers: Annotated[
        int,
        msgspec.Meta(ge=-1),
        _described("Layers that go on a GPU, if there is one; -1 is as many as fit."),
    ] = -1
    cache_type_k: Annotated[CacheType, _described("Number format of cached keys.")] = "f16"
    cache_type_v: Annotated[CacheType, _described("Number format of cached values.")] = "f16"
    prompt_cache: Annotated[
        bool,
        _described(
            "Keep computed prompts, so that a prompt that begins like an earlier one starts "
            "sooner. Time tells a caller then whether somebody sent the same beginning before."
        ),
    ] = True
    cache_ram_mib: Annotated[
        int,
        msgspec.Meta(ge=0, le=1_048_576),
        _described("Memory for prompts that no slot holds any more, in MiB."),
    ] = 512
    seed_skips_prompt_cache: Annotated[
        bool,
        _described("Compute the prompt anew when a request has a seed, so that replies repeat."),
    ] = True
    sampling_defaults: Annotated[
        Literal["azure", "model"],
        _described(
            "Temperature and top_p of requests that name none: the service's own, 1 and 1, or "
            "what the model's authors recommend, where the catalogue knows it."
        ),
    ] = "azure"
    penalty_last_tokens: Annotated[
        int,
        msgspec.Meta(ge=0, le=65_536),
        _described("Tokens looked back at by presence_penalty and frequency_penalty."),
    ] = 64
    repeated_calls_answered: Annotated[
        bool,
        _described(
            "When the model calls once more for just what a tool has answered, have it answer in "
            "words. Small models otherwise call for ever; say false for agents that poll."
        ),
    ] = True
    embedding: Annotated[
        bool | None,
        _described(
            "Make vectors instead of text; by default when the model file says it was made for it."
        ),
    ] = None
    pooling: Annotated[
        Pooling,
        _described("How token vectors become one; 'auto' is what the file says, or else the mean."),
    ] = "auto"
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


def read_options(spec: InstanceSpec) -> LlamacppOptions:
    """Type an instance's options. Raises SetupError that names the key and its meaning."""
    return typed_options(spec, LlamacppOptions)
