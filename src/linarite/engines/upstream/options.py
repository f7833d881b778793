"""The upstream engine's options: every one with its default, its meaning and its bounds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar, cast

import msgspec

from linarite.domain.engine import Capabilities
from linarite.domain.errors import SetupError
from linarite.engines.upstream.secret import Secret

if TYPE_CHECKING:
    from linarite.domain.engine import InstanceSpec

T = TypeVar("T")

Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400)]
Count = Annotated[int, msgspec.Meta(ge=0)]

_RESERVED_HEADERS = frozenset(
    (
        "accept-encoding",
        "api-key",
        "authorization",
        "connection",
        "content-length",
        "content-type",
        "host",
        "keep-alive",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
    )
)
_HEADER_NAME = re.compile(r"[a-z0-9-]{1,64}")
_HEADER_VALUE = re.compile(r"[\t !-~]{0,4096}")


def _described(text: str) -> msgspec.Meta:
    return msgspec.Meta(description=text)


class UpstreamOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an instance of the upstream engine can be told."""

    base_url: Annotated[
        str,
        _described(
            "Where it is: for kind openai the part before /chat/completions, such as "
            "https://api.example.com/v1; for the azure kinds the resource's endpoint, such as "
            "https://NAME.openai.azure.com."
        ),
    ]
    kind: Annotated[
        Literal["openai", "azure", "azure_v1"],
        _described(
            "openai: {base_url}/chat/completions. azure: {base_url}/openai/deployments/{model}/…"
            "?api-version=. azure_v1: {base_url}/openai/v1/…."
        ),
    ] = "openai"
    model: Annotated[
        str,
        _described(
            "The model's name there; for the azure kinds the deployment's. Empty: the instance's "
            "model."
        ),
    ] = ""
    api_version: Annotated[
        str,
        msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}(-preview)?$"),
        _described("The api-version, for kind azure."),
    ] = "2024-10-21"
    api_key: Annotated[
        Secret, _described("The key; write 'env:NAME' to take it from the environment.")
    ] = Secret("")
    token_file: Annotated[
        str, _described("A file with a bearer token, used instead of a key; read when it changes.")
    ] = ""
    ca_file: Annotated[
        str, _described("PEM file with the authorities to trust instead of the system's.")
    ] = ""
    extra_headers: Annotated[
        dict[str, str], _described("Headers to send with every request, such as a project's name.")
    ] = {}

    connect_s: Annotated[Seconds, _described("Seconds to connect.")] = 5.0
    first_byte_s: Annotated[
        Seconds, _described("Seconds until the answer begins, retries included; beyond it 408.")
    ] = 120.0
    idle_s: Annotated[Seconds, _described("Seconds between two pieces of an answer.")] = 60.0
    keep_alive_s: Annotated[
        Seconds, _described("Seconds an unused connection is kept; less than the upstream does.")
    ] = 4.0

    retries: Annotated[
        Count, _described("Further tries when it cannot be reached or answers 408, 429 or 5xx.")
    ] = 2
    retry_after_s_max: Annotated[
        Annotated[float, msgspec.Meta(ge=0, le=86_400)],
        _described("The longest Retry-After that is waited for; a longer one goes to the client."),
    ] = 5.0
    breaker_failures: Annotated[
        int, msgspec.Meta(ge=1), _described("Failures in a row after which it is left alone.")
    ] = 5
    breaker_open_s: Annotated[
        Seconds, _described("Seconds it is left alone before one request tries it again.")
    ] = 10.0
    breaker_open_s_max: Annotated[
        Seconds, _described("The longest that a Retry-After of a 429 or 503 keeps requests away.")
    ] = 60.0

    chat_completion: Annotated[bool, _described("It can do chat/completions.")] = True
    completion: Annotated[bool, _described("It can do completions.")] = False
    fill_in_the_middle: Annotated[bool, _described("Its completions honour suffix.")] = False
    embeddings: Annotated[bool, _described("It can do embeddings.")] = False
    embedding_format: Annotated[
        Literal["base64", "float"],
        _described("How vectors are asked for; float for servers that refuse base64."),
    ] = "base64"
    context_tokens: Annotated[
        Count, _described("Tokens a request may use, prompt and reply together; 0: unknown.")
    ] = 0
    embedding_dimensions: Annotated[Count, _described("Length of a vector; 0: unknown.")] = 0
    parallel_requests: Annotated[
        int, msgspec.Meta(ge=1), _described("Requests sent at a time; more wait in the queue.")
    ] = 256
    probe: Annotated[
        bool,
        _described(
            "Look at start whether it can be reached, and log what is wrong. Starts anyhow."
        ),
    ] = False

    @property
    def capabilities(self) -> Capabilities:
        """What the operator says it can do."""
        return Capabilities(
            chat_completion=self.chat_completion,
            completion=self.completion,
            embeddings=self.embeddings,
            fill_in_the_middle=self.fill_in_the_middle,
            reads_files=True,
            context_tokens=self.context_tokens,
            embedding_dimensions=self.embedding_dimensions,
            parallel_requests=self.parallel_requests,
        )


def read_options(spec: InstanceSpec) -> UpstreamOptions:
    """Type and check an instance's options. Raises SetupError naming the key and its meaning."""
    place = f"instances.{spec.name}.options"
    try:
        options = msgspec.convert(spec.options, UpstreamOptions, dec_hook=_make_secret)
    except msgspec.ValidationError as error:
        # Without `from`: the cause would show the values, and one of them is the key.
        raise SetupError(_explain(place, str(error))) from None
    if options.api_key and options.token_file:
        raise SetupError(f"{place}: give api_key or token_file, not both.")
    if any(character.isspace() for character in options.api_key.reveal()):
        raise SetupError(f"{place}.api_key contains a space or line break, which no key does.")
    for name, value in options.extra_headers.items():
        if name.lower() in _RESERVED_HEADERS or not _HEADER_NAME.fullmatch(name.lower()):
            raise SetupError(
                f"{place}.extra_headers: '{name}' cannot be set. It is no header's name, or one "
                "that Linarite sets itself (for keys there is api_key)."
            )
        if not _HEADER_VALUE.fullmatch(value):
            raise SetupError(f"{place}.extra_headers.{name} must be one line of plain ASCII.")
    return options


def _make_secret(kind: type[T], value: object) -> T:
    if kind is Secret and isinstance(value, str):
        return cast("T", Secret(value))
    raise ValueError(f"Expected `str`, got `{type(value).__name__}`")


def _explain(place: str, problem: str) -> str:
    what, _, path = problem.partition(" - at `$")
    path = path.rstrip("`").lstrip(".")
    if "unknown field" in what:
        known = ", ".join(UpstreamOptions.__struct_fields__)
        return f"{place}: {what}. The upstream engine's options are: {known}."
    if "missing required" in what:
        return f"{place}: {what}. It is: {_meaning('base_url')}"
    where = f"{place}.{path}" if path else place
    meaning = _meaning(re.split(r"[.\[]", path)[0])
    return f"{where}: {what[:1].lower()}{what[1:]}. {meaning}".rstrip()


def _meaning(field: str) -> str:
    for known in msgspec.structs.fields(UpstreamOptions):
        if known.name == field:
            described = getattr(known.type, "__metadata__", ())
            texts = [meta.description for meta in described if meta.description]
            return texts[-1] if texts else ""
    return ""
