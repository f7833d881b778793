"""The tree of all settings, and what one field's type can't say about it."""

from __future__ import annotations

import re
from ipaddress import ip_network
from typing import Annotated

import msgspec
from msgspec import Meta

from linarite.batches.options import Batches
from linarite.cli.options import Client
from linarite.content_log.options import ContentLogSettings
from linarite.controlplane.options import ControlPlaneSettings, Quota
from linarite.controls.audit.options import Audit
from linarite.controls.authenticate.options import IssuerSettings, Tokens
from linarite.controls.egress.options import Egress
from linarite.controls.network.options import NetworkRuleSettings, NetworkSettings
from linarite.controls.usage_limits.options import UsageLimitSettings
from linarite.dataplane.options import Limits
from linarite.dataplane.sockets.options import WebSockets
from linarite.diagnostics.options import SinkSettings
from linarite.domain.errors import SetupError
from linarite.files.options import Files, StoredCompletions, WebhookEndpoints
from linarite.hosting.declared import account_id
from linarite.hosting.options import (
    AccountSettings,
    DeploymentSettings,
    Hosting,
    InstanceSettings,
    Models,
)
from linarite.hosting.regions import Regions, RegionSettings
from linarite.knowledge.options import DataSources, SearchServiceSettings
from linarite.mcp.options import Mcp
from linarite.privatelink.addresses import check_networks
from linarite.privatelink.options import DnsSettings
from linarite.responses.options import Responses
from linarite.signin.options import BoundIdentity, SignIn
from linarite.storage.options import KeptMetrics, KeyVaultSettings, Records, Storage
from linarite.telemetry.options import Logs, Otlp
from linarite.telemetry.price_options import Prices
from linarite.vector_stores.options import VectorStores
from linarite.web.declared import check_listeners
from linarite.web.options import (
    CertificateSettings,
    ClientCertificateSettings,
    ListenerSettings,
    Server,
)
from linarite.webhooks.options import WebhookSettings

HEADER_SECRET_CHARACTERS_MIN = 16
GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
INSTANCE_NAME = re.compile(r"[a-zA-Z0-9][\w.-]{0,63}")


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of it."""

    home: Annotated[
        str,
        Meta(description="Folder of all data: models, database, keys."),
    ] = ""
    server: Server = Server()
    account: AccountSettings = AccountSettings()
    models: Models = Models()
    hosting: Hosting = Hosting()
    limits: Limits = Limits()
    storage: Storage = Storage()
    websockets: WebSockets = WebSockets()
    files: Files = Files()
    vector_stores: VectorStores = VectorStores()
    data_sources: DataSources = DataSources()
    responses: Responses = Responses()
    mcp: Mcp = Mcp()
    batches: Batches = Batches()
    stored_completions: StoredCompletions = StoredCompletions()
    webhook_endpoints: WebhookEndpoints = WebhookEndpoints()
    logs: Logs = Logs()
    otlp: Otlp = Otlp()
    records: Records = Records()
    content_log: ContentLogSettings = ContentLogSettings()
    metrics: KeptMetrics = KeptMetrics()
    audit: Audit = Audit()
    egress: Egress = Egress()
    tokens: Tokens = Tokens()
    network_rules: NetworkRuleSettings = NetworkRuleSettings()
    quota: Quota = Quota()
    prices: Prices = Prices()
    controlplane: ControlPlaneSettings = ControlPlaneSettings()
    signin: SignIn = SignIn()
    dns: DnsSettings = DnsSettings()
    client: Client = Client()
    deployments: Annotated[
        list[DeploymentSettings],
        Meta(
            description="Empty: one for each default model and each model added to the store, "
            "named like it."
        ),
    ] = []
    instances: Annotated[
        dict[str, InstanceSettings], Meta(description="Engines to run, by name.")
    ] = {}
    usage_limits: Annotated[
        list[UsageLimitSettings], Meta(description="How much anybody may use.")
    ] = []
    managed_identities: Annotated[
        dict[str, BoundIdentity],
        Meta(description="Callers that get the tokens of a managed identity, by name."),
    ] = {}
    issuers: Annotated[
        dict[str, IssuerSettings],
        Meta(description="Whose access tokens are taken, beside this server's own, by name."),
    ] = {}
    regions: Annotated[
        dict[str, RegionSettings],
        Meta(description="Regions of this installation, by name. Empty: one that stands for all."),
    ] = {}
    listeners: Annotated[
        dict[str, ListenerSettings],
        Meta(description="Listeners beside the one of `[server]`, by name."),
    ] = {}
    certificates: Annotated[
        dict[str, CertificateSettings],
        Meta(description="Certificates to serve with, chosen by the host name asked for."),
    ] = {}
    client_certificates: Annotated[
        dict[str, ClientCertificateSettings],
        Meta(description="Who clients are by their certificates, by name."),
    ] = {}
    diagnostic_sinks: Annotated[
        dict[str, SinkSettings],
        Meta(description="Where diagnostic settings may send records to, by name."),
    ] = {}
    webhooks: Annotated[
        dict[str, WebhookSettings],
        Meta(description="Who is told of what happens here, by name."),
    ] = {}
    search_services: Annotated[
        dict[str, SearchServiceSettings],
        Meta(description="Azure AI Search services that chat may be over, by name."),
    ] = {}
    key_vaults: Annotated[
        dict[str, KeyVaultSettings],
        Meta(description="Key vaults whose keys accounts can be sealed with, by name."),
    ] = {}
    networks: Annotated[
        dict[str, NetworkSettings],
        Meta(description="Networks around this machine whose clients rules name, by name."),
    ] = {}


def check(settings: Settings) -> None:
    """What one field's type can't say. Raises SetupError."""
    check_listeners(settings.server, settings.listeners, settings.client_certificates)
    names = [deployment.name.lower() for deployment in settings.deployments]
    for name in names:
        if names.count(name) > 1:
            raise SetupError(
                f"deployments: '{name}' is declared twice; names are compared without case."
            )
    for name in settings.instances:
        if not INSTANCE_NAME.fullmatch(name):
            raise SetupError(
                f"instances: '{name}' can't be a name. Use up to 64 letters, digits, '_', '.' and "
                "'-', beginning with a letter or digit."
            )
    check_regions(settings)
    check_identities(settings)
    check_trusted_services(settings)
    check_networks(settings.networks, account_id(settings.account), settings.dns, settings.server)
    for deployment in settings.deployments:
        if deployment.instance and deployment.instance not in settings.instances:
            known = ", ".join(sorted(settings.instances)) or "none"
            raise SetupError(
                f"deployments '{deployment.name}': instance = '{deployment.instance}' is not "
                f"declared. Add [instances.{deployment.instance}] or use one of: {known}."
            )


def check_regions(settings: Settings) -> None:
    """Where regions are declared, what names one must name one of them. Raises SetupError."""
    if not settings.regions:
        return
    known = ", ".join(settings.regions)
    named = {"account.location": settings.account.location} | {
        f"instances.{name}.region": instance.region
        for name, instance in settings.instances.items()
        if instance.region
    }
    for key, region in named.items():
        if region not in settings.regions:
            raise SetupError(
                f"{key} is '{region}', which is not declared. Add [regions.{region}] or use one "
                f"of: {known}."
            )
    for deployment in settings.deployments:
        check_reach(deployment, settings)


def check_reach(deployment: DeploymentSettings, settings: Settings) -> None:
    """A declared deployment's instance runs where its SKU lets prompts go. Raises SetupError."""
    name = deployment.instance or deployment.model
    home = settings.account.location
    said = settings.instances.get(name)
    region = (said.region if said is not None else "") or home
    reached = Regions(settings.regions).eligible(deployment.sku, home)
    if region not in reached:
        raise SetupError(
            f"deployments '{deployment.name}': its SKU {deployment.sku} keeps prompts in "
            f"{' or '.join(reached)}, but its instance '{name}' runs in {region}. Name an instance "
            f"there, or set sku to one that reaches {region}."
        )


def check_identities(settings: Settings) -> None:
    """A managed identity's tokens are for somebody in particular. Raises SetupError."""
    for name, bound in settings.managed_identities.items():
        place = f"managed_identities.{name}"
        if not INSTANCE_NAME.fullmatch(name):
            raise SetupError(f"{place}: a name has up to 64 letters, digits, '_', '.' and '-'.")
        if not (bound.address or bound.header_secret or bound.user):
            raise SetupError(
                f"{place}: say who gets its tokens by address, header_secret or user; whoever "
                "reaches this machine's loopback could have them otherwise."
            )
        if bound.header_secret and len(bound.header_secret) < HEADER_SECRET_CHARACTERS_MIN:
            raise SetupError(
                f"{place}.header_secret has fewer than {HEADER_SECRET_CHARACTERS_MIN} characters. "
                "Make one with: python3 -c 'import secrets; print(secrets.token_hex(16))'"
            )
        try:
            ip_network(bound.address or "127.0.0.1", strict=False)
        except ValueError:
            raise SetupError(
                f"{place}.address is '{bound.address}', which is neither an address nor a network "
                "such as 10.0.0.0/24."
            ) from None


def check_trusted_services(settings: Settings) -> None:
    """Trusted services are named by their object ids. Raises SetupError."""
    for object_id in settings.network_rules.trusted_services:
        if not GUID.fullmatch(object_id):
            raise SetupError(
                f"network_rules.trusted_services has '{object_id[:100]}', which is no object id: "
                "`linarite identity principal list` shows those of this server's own."
            )
