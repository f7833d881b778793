"""What settings say about the account, its deployments, instances and models."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

SkuName = Literal[
    "Standard",
    "GlobalStandard",
    "DataZoneStandard",
    "ProvisionedManaged",
    "GlobalProvisionedManaged",
    "DataZoneProvisionedManaged",
    "GlobalBatch",
    "DataZoneBatch",
    "DeveloperTier",
]
"""`sku.name` of a deployment: Azure's deployment types (learn.microsoft.com, "Deployment types for
Azure AI Foundry Models"). Names are compared with their case, as Azure compares them."""


EngineName = Literal["llamacpp", "openvino", "simulator", "upstream"]
MODEL_FILE_ENGINES = frozenset({"llamacpp", "openvino"})
"""engines that run a model file of the store"""
ONE_PROMPT_CACHE_ENGINES = frozenset({"openvino"})
"""engines whose cache of prompts knows no accounts; it is off where several share an instance"""


class AccountSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The account: what owns the keys and the deployments."""

    name: Annotated[
        str,
        Meta(
            description="Its name, as in Azure.",
            pattern=r"^[a-zA-Z0-9][a-zA-Z0-9-]{0,62}[a-zA-Z0-9]$",
        ),
    ] = "linarite"
    location: Annotated[
        str, Meta(description="Its region, as Azure writes one.", pattern=r"^[a-z0-9-]{2,40}$")
    ] = "local"
    region_title: Annotated[
        str, Meta(description="The region as the header x-ms-region shows it.", min_length=1)
    ] = "Local"
    subscription: Annotated[
        str,
        Meta(
            description="The subscription's GUID.",
            pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
        ),
    ] = "00000000-0000-0000-0000-000000000001"
    resource_group: Annotated[
        str, Meta(description="The resource group.", pattern=r"^[\w.()-]{1,90}$")
    ] = "linarite"


class DeploymentSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A name clients call, and the model behind it. One `[[deployments]]` table each."""

    name: Annotated[
        str, Meta(description="What clients put in the path.", pattern=r"^[a-zA-Z0-9][\w.-]{0,63}$")
    ]
    model: Annotated[str, Meta(description="The model's name, as clients see it.", min_length=1)]
    model_version: Annotated[str, Meta(description="The model's version.")] = "1"
    model_format: Annotated[str, Meta(description="The model's format, as in Azure.")] = "OpenAI"
    sku: Annotated[
        SkuName, Meta(description="Deployment type: how it is paid, and where prompts may go.")
    ] = "GlobalStandard"
    capacity: Annotated[
        int,
        Meta(
            description="Units of 1,000 tokens a minute; of a provisioned type: throughput units. "
            "0: 100 of its quota pool, and no limit on its rate.",
            ge=0,
        ),
    ] = 0
    service_tier: Annotated[
        Literal["", "default", "priority"],
        Meta(
            description="The service tier of requests that ask for none. Empty: as the control "
            "plane has it."
        ),
    ] = ""
    spillover: Annotated[
        str,
        Meta(
            description="Of a provisioned type: the deployment that serves what this one refuses. "
            "Empty: as the control plane has it."
        ),
    ] = ""
    instance: Annotated[
        str,
        Meta(
            description="The instance that answers. Empty: the instance named like the model, "
            "made with the llamacpp engine if the settings declare none."
        ),
    ] = ""


class InstanceSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A running engine with a model. One `[instances.NAME]` table each."""

    engine: Annotated[EngineName, Meta(description="What runs the model.")] = "llamacpp"
    model: Annotated[
        str,
        Meta(
            description="A model of the model store (llamacpp, openvino), or a name you choose. "
            "Empty: the instance's own name."
        ),
    ] = ""
    model_version: Annotated[
        str, Meta(description="The version in the model store. Empty: the default one.")
    ] = ""
    start: Annotated[
        Literal["boot", "first_use"],
        Meta(description="Start with the server, or with the first request."),
    ] = "boot"
    queue_max: Annotated[
        int, Meta(description="Requests that may wait; beyond it 503 with Retry-After.", ge=0)
    ] = 256
    queue_wait_s: Annotated[
        float, Meta(description="Seconds a request may wait for its turn.", gt=0, le=3600)
    ] = 60.0
    start_wait_s: Annotated[
        float, Meta(description="Seconds a request may wait for the model to load.", gt=0, le=3600)
    ] = 120.0
    unload_after_s: Annotated[
        float,
        Meta(
            description="Seconds without a request after which the model is unloaded; the next "
            "request loads it again. 0: never.",
            ge=0,
        ),
    ] = 0.0
    region: Annotated[
        str, Meta(description="The region it runs in: one of [regions]. Empty: the account's.")
    ] = ""
    options: Annotated[
        dict[str, Any], Meta(description="The engine's own options: see the engine's page.")
    ] = {}

    def __repr__(self) -> str:
        """Hide the options' values: there may be keys of other services among them."""
        return (
            f"InstanceSettings(engine={self.engine!r}, model={self.model!r}, start={self.start!r}, "
            f"options={sorted(self.options)})"
        )


class Hosting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How instances are made for deployments that are created while the server runs."""

    engine: Annotated[EngineName, Meta(description="What runs the models of new instances.")] = (
        "llamacpp"
    )
    slots: Annotated[
        int, Meta(description="Requests a new instance answers at the same time.", ge=1, le=256)
    ] = 4
    slots_max: Annotated[
        int,
        Meta(description="The most it may get when deployments on it scale up.", ge=1, le=256),
    ] = 8
    units_per_slot: Annotated[
        int,
        Meta(
            description="Capacity units (1,000 tokens a minute) for which an instance gets one "
            "more slot, beyond those it has anyway.",
            ge=1,
        ),
    ] = 25
    tokens_per_second_per_ptu: Annotated[
        float,
        Meta(description="Tokens per second that a provisioned throughput unit reserves.", gt=0),
    ] = 1.0
    memory_mib: Annotated[
        int,
        Meta(
            description="Memory for all models together. 0: that of the machine or container, "
            "less memory_reserve_mib.",
            ge=0,
        ),
    ] = 0
    memory_reserve_mib: Annotated[
        int, Meta(description="Memory that is left to the gateway and to others.", ge=0)
    ] = 1024
    unload_after_s: Annotated[
        float,
        Meta(
            description="Seconds without a request after which a new instance unloads its model; "
            "the next request loads it again. 0: never.",
            ge=0,
        ),
    ] = 0.0
    options: Annotated[
        dict[str, Any], Meta(description="Options of the engine, for every new instance.")
    ] = {}

    def __repr__(self) -> str:
        """Hide the options' values, as InstanceSettings does."""
        return f"Hosting(engine={self.engine!r}, options={sorted(self.options)})"


class Models(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which models the server fetches and serves when no deployment is declared."""

    minimal: Annotated[
        bool, Meta(description="Only the small models: SmolLM2-135M and the embedding model.")
    ] = False
    fetch: Annotated[
        bool, Meta(description="Fetch default models that are missing from the store at start.")
    ] = True
    import_folder: Annotated[
        str,
        Meta(
            description="Folder of files that the control plane may have added to the store "
            "(source file:NAME). Empty: imports in the server's home."
        ),
    ] = ""
    index_url: Annotated[
        str,
        Meta(
            description="Package index, or folder of packages, for models that the control plane "
            "adds. Empty: pip's own index; its hosts must be in egress.allowed_hosts."
        ),
    ] = ""
    index_credentials: Annotated[
        str, Meta(description="USER:PASSWORD for index_url; may be env:NAME.")
    ] = ""
    hub_url: Annotated[
        str,
        Meta(description="Hugging Face Hub for such models. Empty: the library's own."),
    ] = ""
    hub_token: Annotated[
        str,
        Meta(
            description="Access token for the hub's private and gated repositories; may be "
            "env:NAME. Whoever may list models can bring what it opens."
        ),
    ] = ""
    registries: Annotated[
        dict[str, str],
        Meta(
            description="USER:PASSWORD for OCI registries by host (and port); each may be env:NAME."
        ),
    ] = {}
    private_hosts: Annotated[
        list[str],
        Meta(
            description="Hosts of indexes, hubs and registries that such models may come from "
            "and that may have private addresses."
        ),
    ] = []

    def __repr__(self) -> str:
        """Hide what is shown to others."""
        return f"Models(fetch={self.fetch}, registries={sorted(self.registries)})"
