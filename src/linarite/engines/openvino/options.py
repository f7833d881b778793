"""The openvino engine's own options, beside those of every worker: defaults, meanings, bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from linarite.engines.worker_process.options import WorkerOptions, described, typed_options

if TYPE_CHECKING:
    from linarite.domain.engine import InstanceSpec

CacheType = Literal["u8", "f16"]


class OpenvinoOptions(WorkerOptions, frozen=True, forbid_unknown_fields=True):
    """What an instance of the openvino engine can be told, beside what `WorkerOptions` has."""

    parallel_requests: Annotated[
        int,
        msgspec.Meta(ge=1, le=256),
        described("Requests answered at the same time, in one batch."),
    ] = 8
    cache_tokens: Annotated[
        int,
        msgspec.Meta(ge=0, le=16_777_216),
        described(
            "Tokens that the cache holds, of all requests together; 0 is parallel_requests x "
            "context_tokens. With less, requests that find no room wait or are computed again."
        ),
    ] = 0
    cache_type: Annotated[CacheType, described("Number format of cached keys and values.")] = "u8"
    device: Annotated[
        str,
        msgspec.Meta(pattern=r"^(CPU|GPU)(\.\d+)?$"),
        described("What computes, in OpenVINO's words: CPU, or GPU for Intel's."),
    ] = "CPU"
    prompt_batch_tokens: Annotated[
        int,
        msgspec.Meta(ge=16, le=8_192),
        described(
            "Tokens computed in one step, of all requests together. For so long running replies "
            "pause while a prompt is computed, and so long may a cancelled one go on."
        ),
    ] = 256
    prompt_cache: Annotated[
        bool,
        described(
            "Keep computed prompts, so that a prompt that begins like an earlier one starts "
            "sooner. Time tells a caller then whether somebody sent the same beginning before, "
            "and replies of one seed may differ in their first digits, and so in their text."
        ),
    ] = True
    requantise: Annotated[
        bool,
        described(
            "Turn tensors of a number format that OpenVINO does not read into Q8_0 at every "
            "start, which takes seconds and the model's size on disk; false refuses such files."
        ),
    ] = True


def read_options(spec: InstanceSpec) -> OpenvinoOptions:
    """Type an instance's options. Raises SetupError that names the key and its meaning."""
    return typed_options(spec, OpenvinoOptions)
