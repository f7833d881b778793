"""The options that engines with a process of their own share, and how options are typed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, TypeVar

import msgspec

from linarite.domain.errors import SetupError

if TYPE_CHECKING:
    from linarite.domain.engine import InstanceSpec

OptionsT = TypeVar("OptionsT", bound=msgspec.Struct)
Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400)]


def described(text: str) -> msgspec.Meta:
    """What an option means, for refusals and for who looks it up."""
    return msgspec.Meta(description=text)


class WorkerOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an instance of any engine that runs a model in a process of its own can be told."""

    context_tokens: Annotated[
        int,
        msgspec.Meta(ge=0, le=1_048_576),
        described(
            "Tokens one request may use, prompt and reply together, at most what the model was "
            "trained for; 0 is just that, up to context_tokens_max."
        ),
    ] = 4_096
    context_tokens_max: Annotated[
        int,
        msgspec.Meta(ge=256, le=1_048_576),
        described("Bound on what context_tokens = 0 may choose."),
    ] = 32_768
    threads: Annotated[
        int,
        msgspec.Meta(ge=0, le=1_024),
        described("Processor threads; 0 is what the gateway does not keep for itself."),
    ] = 0
    niceness: Annotated[
        int,
        msgspec.Meta(ge=0, le=19),
        described(
            "How far the process steps back for others, the gateway first of all; 0 is not at all."
        ),
    ] = 5
    repeated_calls_answered: Annotated[
        bool,
        described(
            "When the model calls once more for just what a tool has answered, have it answer in "
            "words. Small models otherwise call for ever; say false for agents that poll."
        ),
    ] = True
    chat_template: Annotated[
        str, described("A Jinja template that replaces the one in the model file.")
    ] = ""
    schema_bytes_max: Annotated[
        int,
        msgspec.Meta(ge=1_024, le=16_777_216),
        described("Longest JSON schema, in bytes, that a reply is held to."),
    ] = 131_072
    schema_depth_max: Annotated[
        int,
        msgspec.Meta(ge=4, le=100),
        described("Deepest nesting of such a schema, as JSON."),
    ] = 48
    first_byte_s: Annotated[
        Seconds, described("A request fails when the engine has not taken it up by then.")
    ] = 120.0
    idle_s: Annotated[
        Seconds,
        described("A request fails when the engine then falls silent for so long."),
    ] = 120.0
    load_timeout_s: Annotated[Seconds, described("Loading the model fails after that.")] = 900.0
    probe_interval_s: Annotated[Seconds, described("Time between two health probes.")] = 5.0
    probe_deadline_s: Annotated[Seconds, described("A probe without answer by then failed.")] = 10.0
    probe_failures_max: Annotated[
        int,
        msgspec.Meta(ge=1, le=100),
        described("After so many failed probes in a row the engine is killed and restarted."),
    ] = 3
    address_space_mib: Annotated[
        int,
        msgspec.Meta(ge=0),
        described("Bound on the process's address space, in MiB; 0 is none."),
    ] = 0
    environment: Annotated[
        dict[str, str],
        described(
            "Environment variables for the process, such as LD_LIBRARY_PATH; it inherits none."
        ),
    ] = {}

    def context_within(self, trained: int) -> int:
        """What one request may use of a model trained for that many tokens; 0 is not known."""
        most = self.context_tokens_max
        return min(self.context_tokens or most, trained or most)


def typed_options(spec: InstanceSpec, kind: type[OptionsT]) -> OptionsT:
    """Type an instance's options. Raises SetupError that names the key and its meaning."""
    try:
        return msgspec.convert(spec.options, kind)
    except msgspec.ValidationError as error:
        raise SetupError(_explain(spec, kind, str(error))) from error


def _explain(spec: InstanceSpec, kind: type[msgspec.Struct], problem: str) -> str:
    place = f"instances.{spec.name}.options"
    match = re.fullmatch(r"(?P<what>.*?) - at `\$\.?(?P<path>.*)`", problem, re.DOTALL)
    what, path = (match["what"], match["path"]) if match else (problem, "")
    if "unknown field" in what:
        known = ", ".join(kind.__struct_fields__)
        return f"{place}: {what}. The {spec.engine} engine's options are: {known}."
    where = f"{place}.{path}" if path else place
    meaning = _meaning(kind, re.split(r"[.\[]", path)[0])
    return f"{where}: {what[:1].lower()}{what[1:]}. {meaning}".rstrip()


def _meaning(kind: type[msgspec.Struct], field: str) -> str:
    for known in msgspec.structs.fields(kind):
        if known.name == field:
            described = getattr(known.type, "__metadata__", ())
            texts = [meta.description for meta in described if meta.description]
            return f"It is: {texts[-1]}" if texts else ""
    return ""
