"""The sections of `linarite.toml`: every key with its default, its bounds and its description."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta


def described(text: str, **bounds: Any) -> Meta:  # noqa: ANN401 - msgspec's own bounds
    """A setting's description with its bounds."""
    return Meta(description=text, **bounds)


class Server(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where Linarite listens."""

    host: Annotated[
        str, described("Address to listen on. Anything but loopback needs TLS (see below).")
    ] = "127.0.0.1"
    port: Annotated[int, described("TCP port; 0 picks a free one.", ge=0, le=65535)] = 8080
    tls_certificate: Annotated[str, described("PEM file with the certificate chain.")] = ""
    tls_key: Annotated[str, described("PEM file with the certificate's private key.")] = ""
    plaintext_beyond_loopback: Annotated[
        bool,
        described(
            "Serve plain HTTP on an address other machines reach. Only behind something that "
            "ends TLS, or inside a container whose port is published on loopback."
        ),
    ] = False
    keep_alive_s: Annotated[
        float, described("Seconds an idle connection is kept open.", gt=0, le=3600)
    ] = 65.0
    connections_max: Annotated[
        int, described("Open connections at once; more are refused with 503.", ge=1)
    ] = 10_000
    drain_s: Annotated[
        float, described("Seconds running requests get when the server stops.", ge=0, le=600)
    ] = 10.0
    open_pages: Annotated[
        Literal["auto", "always", "never"],
        described(
            "Whether /readyz and /metrics answer without a key: auto means only on loopback. "
            "/healthz always does."
        ),
    ] = "auto"


class AccountSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The account: what owns the keys and the deployments."""

    name: Annotated[
        str,
        described("Its name, as in Azure.", pattern=r"^[a-zA-Z0-9][a-zA-Z0-9-]{0,62}[a-zA-Z0-9]$"),
    ] = "linarite"
    location: Annotated[
        str, described("Its region, as Azure writes one.", pattern=r"^[a-z0-9-]{2,40}$")
    ] = "local"
    region_title: Annotated[
        str, described("The region as the header x-ms-region shows it.", min_length=1)
    ] = "Local"
    subscription: Annotated[
        str,
        described(
            "The subscription's GUID.",
            pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
        ),
    ] = "00000000-0000-0000-0000-000000000001"
    resource_group: Annotated[
        str, described("The resource group.", pattern=r"^[\w.()-]{1,90}$")
    ] = "linarite"


class DeploymentSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A name clients call, and the model behind it. One `[[deployments]]` table each."""

    name: Annotated[
        str, described("What clients put in the path.", pattern=r"^[a-zA-Z0-9][\w.-]{0,63}$")
    ]
    model: Annotated[str, described("The model's name, as clients see it.", min_length=1)]
    model_version: Annotated[str, described("The model's version.")] = "1"
    model_format: Annotated[str, described("The model's format, as in Azure.")] = "OpenAI"
    sku: Annotated[
        str, described("Deployment type: Standard, GlobalStandard, DataZoneStandard …")
    ] = "GlobalStandard"
    capacity: Annotated[int, described("Units of 1,000 tokens a minute.", ge=1)] = 100
    instance: Annotated[
        str,
        described(
            "The instance that answers. Empty: the instance named like the model, made with the "
            "llamacpp engine if the settings declare none."
        ),
    ] = ""


class InstanceSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A running engine with a model. One `[instances.NAME]` table each."""

    engine: Annotated[
        Literal["llamacpp", "simulator", "upstream"], described("What runs the model.")
    ] = "llamacpp"
    model: Annotated[
        str,
        described(
            "A model of the model store (llamacpp), or a name of your choice. "
            "Empty: the instance's own name."
        ),
    ] = ""
    start: Annotated[
        Literal["boot", "first_use"],
        described("Start with the server, or with the first request."),
    ] = "boot"
    queue_max: Annotated[
        int, described("Requests that may wait; beyond it 503 with Retry-After.", ge=0)
    ] = 256
    queue_wait_s: Annotated[
        float, described("Seconds a request may wait for its turn.", gt=0, le=3600)
    ] = 60.0
    start_wait_s: Annotated[
        float, described("Seconds a request may wait for the model to load.", gt=0, le=3600)
    ] = 120.0
    options: Annotated[
        dict[str, Any], described("The engine's own options: see the engine's page.")
    ] = {}


class Models(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which models the server fetches and serves when no deployment is declared."""

    minimal: Annotated[
        bool, described("Only the small models: SmolLM2-135M and the embedding model.")
    ] = False
    fetch: Annotated[
        bool, described("Fetch default models that are missing from the store at start.")
    ] = True


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bounds on requests."""

    body_bytes_max: Annotated[
        int, described("Largest request body in bytes; beyond it 413.", ge=1024)
    ] = 32 * 1024 * 1024
    body_read_s: Annotated[
        float, described("Seconds a request body may take to arrive; beyond it 408.", gt=0)
    ] = 60.0
    custom_headers_max: Annotated[
        int, described("Custom request headers, as Azure counts them; beyond it 431.", ge=0)
    ] = 10
    accept_unknown_arguments: Annotated[
        bool,
        described(
            "Ignore request arguments that Azure would refuse. Some benchmarks send ignore_eos."
        ),
    ] = False


class Logs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is logged, and how."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"], described("The least level shown.")
    ] = "info"
    format: Annotated[
        Literal["auto", "console", "json"],
        described("auto means console on a terminal and JSON elsewhere."),
    ] = "auto"


class Records(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long request records are kept."""

    keep_days: Annotated[
        float, described("Days after which request records are removed; 0 keeps all.", ge=0)
    ] = 90.0
    rows_max: Annotated[int, described("Most request records kept; 0 means no bound.", ge=0)] = (
        10_000_000
    )


class Egress(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where Linarite may connect to, beyond the upstreams that instances name."""

    allowed_hosts: Annotated[
        list[str], described("Host names, exact or `*.suffix`; empty means none.")
    ] = []


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of it."""

    home: Annotated[
        str,
        described("Folder of all data: models, database, keys. Also the variable LINARITE_HOME."),
    ] = ""
    server: Server = Server()
    account: AccountSettings = AccountSettings()
    models: Models = Models()
    limits: Limits = Limits()
    logs: Logs = Logs()
    records: Records = Records()
    egress: Egress = Egress()
    deployments: Annotated[
        list[DeploymentSettings],
        described("Empty: one deployment for each default model, named like it."),
    ] = []
    instances: Annotated[dict[str, InstanceSettings], described("Engines to run, by name.")] = {}
