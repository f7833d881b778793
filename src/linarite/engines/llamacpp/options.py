"""The llamacpp engine's own options, beside those of every worker: defaults, meanings, bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from linarite.engines.worker_process.options import WorkerOptions, described, typed_options

if TYPE_CHECKING:
    from linarite.domain.engine import InstanceSpec

CacheType = Literal["f16", "bf16", "f32", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0"]
Pooling = Literal["auto", "mean", "cls", "last"]
WaitPolicy = Literal["active", "balanced", "passive"]
_SPARE_CONNECTIONS = 16


class LlamacppOptions(WorkerOptions, frozen=True, forbid_unknown_fields=True):
    """What an instance of the llamacpp engine can be told, beside what `WorkerOptions` has."""

    parallel_requests: Annotated[
        int,
        msgspec.Meta(ge=1, le=256),
        described("Requests answered at the same time; each has its own share of the memory."),
    ] = 4
    wait_policy: Annotated[
        WaitPolicy,
        described(
            "How threads wait for each other. 'active' spins: fastest where nothing else runs, "
            "very slow where the processor is shared. 'passive' sleeps. 'balanced' spins briefly."
        ),
    ] = "balanced"
    prompt_batch_tokens: Annotated[
        int,
        msgspec.Meta(ge=16, le=8_192),
        described(
            "Prompt tokens computed in one go, and at least one for each of parallel_requests. "
            "Running replies pause for that long, and so long may a cancelled prompt go on. "
            "Without a GPU more is hardly faster; with one, take 512."
        ),
    ] = 64
    gpu_layers: Annotated[
        int,
        msgspec.Meta(ge=-1),
        described("Layers that go on a GPU, if there is one; -1 is as many as fit."),
    ] = -1
    cache_type_k: Annotated[CacheType, described("Number format of cached keys.")] = "f16"
    cache_type_v: Annotated[CacheType, described("Number format of cached values.")] = "f16"
    prompt_cache: Annotated[
        bool,
        described(
            "Keep computed prompts, so that a prompt that begins like an earlier one starts "
            "sooner. Time tells a caller then whether somebody sent the same beginning before."
        ),
    ] = True
    cache_ram_mib: Annotated[
        int,
        msgspec.Meta(ge=0, le=1_048_576),
        described("Memory for prompts that no slot holds any more, in MiB."),
    ] = 512
    seed_skips_prompt_cache: Annotated[
        bool,
        described("Compute the prompt anew when a request has a seed, so that replies repeat."),
    ] = True
    sampling_defaults: Annotated[
        Literal["azure", "model"],
        described(
            "Temperature and top_p of requests that name none: the service's own, 1 and 1, or "
            "what the model's authors recommend, where the catalogue knows it."
        ),
    ] = "azure"
    min_p: Annotated[
        float,
        msgspec.Meta(ge=0, le=1),
        described(
            "Never choose a token that is less likely than this share of the likeliest. 0 leaves "
            "all that temperature and top_p leave; 0.000001 halves the time that choosing takes."
        ),
    ] = 0.0
    penalty_last_tokens: Annotated[
        int,
        msgspec.Meta(ge=0, le=65_536),
        described("Tokens looked back at by presence_penalty and frequency_penalty."),
    ] = 64
    embedding: Annotated[
        bool | None,
        described(
            "Make vectors instead of text; by default when the model file says it was made for it."
        ),
    ] = None
    pooling: Annotated[
        Pooling,
        described("How token vectors become one; 'auto' is what the file says, or else the mean."),
    ] = "auto"

    @property
    def connections_max(self) -> int:
        """Connections that the gateway opens for requests, at most."""
        return 4 * self.parallel_requests + _SPARE_CONNECTIONS


def read_options(spec: InstanceSpec) -> LlamacppOptions:
    """Type an instance's options. Raises SetupError that names the key and its meaning."""
    return typed_options(spec, LlamacppOptions)
