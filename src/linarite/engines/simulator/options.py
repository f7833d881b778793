"""The simulator's options: every one with its default, its meaning and its bounds."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from linarite.domain.engine import InstanceSpec
from linarite.domain.errors import SetupError
from linarite.engines import check_options

FaultName = Literal[
    "429",
    "500",
    "503",
    "408",
    "stall",
    "cut_mid_stream",
    "drop",
    "slow_headers",
    429,
    500,
    503,
    408,
]
"""a fault, as written in settings: a status may be a number or a text"""

Outcome = FaultName | Literal["ok"]

FAULT_NAMES = ("429", "500", "503", "408", "stall", "cut_mid_stream", "drop", "slow_headers")

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=86_400)]


def _described(text: str) -> msgspec.Meta:
    return msgspec.Meta(description=text)


class FaultRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of fault and how often it happens: by `rate` or by `every_nth`, not both."""

    kind: Annotated[FaultName, _described("What happens to the request.")]
    rate: Annotated[Share, _described("Share of requests it happens to, drawn by the seed.")] = 0.0
    every_nth: Annotated[
        int, msgspec.Meta(ge=0), _described("It happens to every nth request; 1 is each one.")
    ] = 0

    def __post_init__(self) -> None:
        """Refuse a rule that never fires or fires in two ways."""
        if (self.rate > 0) == (self.every_nth > 0):
            raise ValueError(
                "a fault needs either a rate above 0 (such as rate = 0.1) or every_nth of at "
                "least 1 (such as every_nth = 10)"
            )


class Wraps(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another engine that gives the answers, while the simulator adds faults and records."""

    engine: Annotated[str, _described("Name of the wrapped engine, such as 'upstream'.")]
    model: Annotated[str | None, _described("Its model; by default the instance's.")] = None
    model_path: Annotated[str | None, _described("Its model file; by default the instance's.")] = (
        None
    )
    options: Annotated[dict[str, Any], _described("The wrapped engine's own options.")] = {}

    def __repr__(self) -> str:
        """Hide the options: they may hold a key."""
        return f"Wraps(engine={self.engine!r}, model={self.model!r}, options=…)"


class SimulatorOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an instance of the simulator can be told."""

    seed: Annotated[int, _described("Changes every text, vector and drawn fault.")] = 0
    operations: Annotated[
        list[Literal["chat", "completion", "embeddings"]],
        msgspec.Meta(min_length=1),
        _described("What the simulated model can do."),
    ] = msgspec.field(default_factory=lambda: ["chat", "completion", "embeddings"])
    context_tokens: Annotated[
        int, msgspec.Meta(ge=1), _described("Tokens a request may use, prompt and reply together.")
    ] = 128_000
    embedding_dimensions: Annotated[
        int, msgspec.Meta(ge=1, le=65_536), _described("Length of a vector.")
    ] = 1_536
    parallel_requests: Annotated[
        int, msgspec.Meta(ge=1), _described("Requests let in at a time; more wait in the queue.")
    ] = 1_000
    reply_tokens: Annotated[
        int,
        msgspec.Meta(ge=1, le=1_000_000),
        _described("Typical length of a text; each is between half and one and a half of it."),
    ] = 60

    load_s: Annotated[Seconds, _described("Seconds that starting takes.")] = 0.0
    time_to_first_token_ms: Annotated[
        float, msgspec.Meta(ge=0, le=3_600_000), _described("Wait before the first token.")
    ] = 0.0
    tokens_per_second: Annotated[
        float, msgspec.Meta(ge=0), _described("Pace of a choice; 0 is as fast as possible.")
    ] = 0.0
    jitter: Annotated[
        Share, _described("Share by which the first wait and each gap vary, drawn by the seed.")
    ] = 0.0
    first_event_s_max: Annotated[
        Seconds, _described("A request fails with 408 when nothing came for so long; 0 is never.")
    ] = 120.0
    idle_s_max: Annotated[
        Seconds, _described("A stream fails when it pauses for so long; 0 is never.")
    ] = 60.0

    faults: Annotated[
        list[FaultRule], _described("Rules for faults; the first that fires decides.")
    ] = []
    fault_script: Annotated[
        list[Outcome],
        _described("Outcome of request 1, 2, 3…: 'ok' or a fault. The rules apply after its end."),
    ] = []
    fault_script_repeats: Annotated[
        bool, _described("Start the script again at its end, instead of going on with the rules.")
    ] = False
    faults_by_request: Annotated[
        bool,
        _described("Let a user message ask for a fault, as in '[simulate 429]'. For tests only."),
    ] = False
    fault_after_chunks: Annotated[
        int, msgspec.Meta(ge=0), _described("Chunks sent before a stall or a cut.")
    ] = 3
    retry_after_s: Annotated[
        Seconds, _described("Retry-After of simulated 429 and 503 answers.")
    ] = 1.0
    stall_s: Annotated[Seconds, _described("How long a stalled stream pauses.")] = 30.0
    slow_headers_s: Annotated[
        Seconds, _described("Extra wait before the first event of a slow_headers request.")
    ] = 5.0

    wraps: Annotated[
        Wraps | None, _described("An engine that gives the answers instead of the simulator.")
    ] = None
    record_folder: Annotated[
        str | None, _described("Folder into which every complete answer is written.")
    ] = None
    replay_folder: Annotated[
        str | None, _described("Folder from which recorded answers are given.")
    ] = None
    replay_speed: Annotated[
        float,
        msgspec.Meta(ge=0),
        _described("1 replays at the recorded pace, 2 twice as fast, 0 as fast as possible."),
    ] = 1.0

    def __post_init__(self) -> None:
        """Refuse a repeating script without an entry."""
        if self.fault_script_repeats and not self.fault_script:
            raise ValueError(
                "fault_script_repeats needs a fault_script, such as ['ok', '429', 'ok']"
            )


def read_options(spec: InstanceSpec) -> SimulatorOptions:
    """Type an instance's options. Raises SetupError that names the key and its meaning."""
    place = f"instances.{spec.name}.options"
    try:
        options = msgspec.convert(spec.options, SimulatorOptions)
    except msgspec.ValidationError as error:
        raise SetupError(_explain(place, str(error))) from error
    replay = options.replay_folder
    if replay and not Path(replay).expanduser().is_dir():
        raise SetupError(
            f"{place}.replay_folder is '{replay}', which is no folder. Name a folder of "
            "recordings, or record one first with record_folder and wraps."
        )
    if options.wraps is not None:
        check_options(wrapped_spec(spec, options.wraps))
    return options


def wrapped_spec(spec: InstanceSpec, wraps: Wraps) -> InstanceSpec:
    """The wrapped engine as an instance. Messages about it name the right key of the settings."""
    return InstanceSpec(
        name=f"{spec.name}.options.wraps",
        engine=wraps.engine,
        model=wraps.model or spec.model,
        model_path=wraps.model_path or spec.model_path,
        options=wraps.options,
    )


def _explain(place: str, problem: str) -> str:
    match = re.fullmatch(r"(?P<what>.*?) - at `\$\.?(?P<path>.*)`", problem, re.DOTALL)
    what, path = (match["what"], match["path"]) if match else (problem, "")
    if "unknown field" in what:
        known = ", ".join(SimulatorOptions.__struct_fields__)
        return f"{place}: {what}. The simulator's options are: {known}."
    meaning = _meaning(re.split(r"[.\[]", path)[0])
    where = f"{place}.{path}" if path else place
    return f"{where}: {what[:1].lower()}{what[1:]}. {meaning}".rstrip()


def _meaning(field: str) -> str:
    for known in msgspec.structs.fields(SimulatorOptions):
        if known.name == field:
            described = getattr(known.type, "__metadata__", ())
            texts = [meta.description for meta in described if meta.description]
            return f"It is: {texts[-1]}" if texts else ""
    return ""
