"""What a server is to serve and on what of this machine, resolved from its settings."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.controlplane.options import IN_MEMORY
from linarite.controls.egress import EgressPolicy, HttpProxy, PurposeHosts, target_of
from linarite.controls.network import rules_of
from linarite.diagnostics.sinks.opening import sink_hosts
from linarite.domain.errors import EgressRefused, SetupError
from linarite.hosting.instance_maker import answering_engine
from linarite.hosting.options import DeploymentSettings, InstanceSettings
from linarite.identity.verification import issuer_hosts
from linarite.knowledge.search_services import search_hosts
from linarite.otlp_endpoint import collector_hosts
from linarite.storage.valkey.address import valkey_address
from linarite.web.hosts import Hosts
from linarite.webhooks.destination import declared_hosts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from linarite.controlplane.options import Quota
    from linarite.domain.network import NetworkRules
    from linarite.privatelink.networks import Networks
    from linarite.setting_tree import Settings
    from linarite.web.listeners import Declared
    from linarite.web.options import Server
    from linarite.web.tls import ServerTls

SCRATCH_PATH_MAX = 48
"""characters; leaves room for the names of instances"""


class Plan(msgspec.Struct, frozen=True):
    """What to serve, and what to run for it."""

    deployments: list[DeploymentSettings]
    """each with its instance resolved"""
    instances: dict[str, InstanceSettings]


def plan(
    settings: Settings,
    default_models: Sequence[str],
    versions: Mapping[str, Sequence[str]] | None = None,
) -> Plan:
    """Resolve settings: defaults filled in, every deployment with an instance.

    `default_models` are those of the store, served when settings declare no deployment.
    `versions` are those that the store has of its models, each model's default one first.
    """
    there = versions or {}
    declared = settings.deployments or [
        DeploymentSettings(name=model, model=model, model_version=there.get(model, ["1"])[0])
        for model in default_models
    ]
    instances = dict(settings.instances)
    deployments: list[DeploymentSettings] = []
    for deployment in declared:
        name = deployment.instance or deployment.model
        # A version that the store does not have is but a label.
        labels = there.get(deployment.model.lower(), ())
        version = deployment.model_version if deployment.model_version in labels else ""
        wanted = InstanceSettings(model=deployment.model, model_version=version)
        default = labels[0] if labels else ""  # what an instance that names none runs
        runs = instances.get(name, wanted).model_version or default
        if not deployment.instance and runs != (version or default):
            name = f"{name}-{version or default}"
        instances.setdefault(name, wanted)
        deployments.append(msgspec.structs.replace(deployment, instance=name))
    return Plan(deployments=deployments, instances=instances)


def scratch_folder(home: Path) -> Path:
    """A private empty folder for sockets, whose paths may have only about a hundred characters.

    In the home where that is short enough: what a killed server left there is swept away, which
    is safe because the home is locked by now.
    """
    folder = home / "run"
    if len(str(folder)) > SCRATCH_PATH_MAX:
        return Path(tempfile.mkdtemp(prefix="linarite-"))
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    return folder


def usable_cores() -> int:
    """The processor cores this process may run on."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def threads_for_engines(cores: int) -> int:
    """How many threads engines share: one core is the gateway's, where there are three or more.

    On two cores a thread less would cost engines half their speed; there the engine processes'
    lower priority keeps the gateway's share.
    """
    return cores if cores <= 2 else cores - 1  # noqa: PLR2004 - explained above


def egress_policy(settings: Settings, planned: Plan) -> EgressPolicy:
    """Where connections may go: upstreams and issuers that settings name, wherever they are.

    Raises SetupError for an address that can't be one.
    """
    upstreams: set[str] = set()
    for name, declared in planned.instances.items():
        engine, options = answering_engine(declared.engine, declared.options)
        address = options.get("base_url")
        if engine != "upstream" or not address:
            continue
        try:
            upstreams.add(target_of(str(address)).host)
        except EgressRefused as refused:
            raise SetupError(f"instances.{name}.options.base_url: {refused.message}") from None
    egress = settings.egress
    return EgressPolicy(
        allowed_hosts=tuple(egress.allowed_hosts),
        purposes={
            "upstream": PurposeHosts(tuple(egress.upstream.allowed_hosts), frozenset(upstreams)),
            "issuer": PurposeHosts(
                tuple(egress.issuer.allowed_hosts), issuer_hosts(settings.issuers)
            ),
            "models": PurposeHosts(
                tuple(egress.models.allowed_hosts), frozenset(settings.models.private_hosts)
            ),
            "telemetry": PurposeHosts(
                tuple(egress.telemetry.allowed_hosts), collector_hosts(settings.otlp)
            ),
            "diagnostics": PurposeHosts(
                tuple(egress.diagnostics.allowed_hosts), sink_hosts(settings.diagnostic_sinks)
            ),
            "ledger": PurposeHosts(
                tuple(egress.ledger.allowed_hosts), ledger_hosts(settings.quota)
            ),
            "webhook": PurposeHosts(
                tuple(egress.webhook.allowed_hosts), declared_hosts(settings.webhooks)
            ),
            "file_import": PurposeHosts(
                tuple(egress.file_import.allowed_hosts),
                frozenset(settings.files.import_private_hosts),
            ),
            "mcp": PurposeHosts(
                tuple(egress.mcp.allowed_hosts), frozenset(settings.mcp.private_hosts)
            ),
            "data_source": PurposeHosts(
                tuple(egress.data_source.allowed_hosts), search_hosts(settings.search_services)
            ),
            "webhook_endpoint": PurposeHosts(
                tuple(egress.webhook_endpoint.allowed_hosts),
                frozenset(settings.webhook_endpoints.private_hosts),
            ),
            # Callers write these: what settings name for others is not named for them.
            "action_group": PurposeHosts(tuple(egress.action_group.allowed_hosts)),
        },
        proxy=HttpProxy(egress) if egress.proxy else None,
    )


def ledger_hosts(quota: Quota) -> frozenset[str]:
    """Where the ledger of limits is. Raises SetupError."""
    if quota.ledger == IN_MEMORY:
        return frozenset()
    return frozenset(host for host, _ in valkey_address(quota.ledger).places)


def account_hosts_in(options: Server) -> str:
    """The domain under which accounts' endpoints are shown; "" shows them by path."""
    return options.domain if options.account_endpoints == "host" else ""


def known_hosts(settings: Settings) -> Hosts:
    """The names that the server answers to. Reads the certificates' files."""
    options = settings.server
    files = {
        f"certificates.{name}": each.certificate for name, each in settings.certificates.items()
    }
    if options.tls_certificate:
        files["server.tls_certificate"] = options.tls_certificate
    if not files:
        return Hosts(options)
    from linarite.web.certificates.served import served_names  # noqa: PLC0415 - only with TLS

    served = [name for key, file in files.items() for name in served_names(file, key)]
    return Hosts(options, served)


def network_rules(
    settings: Settings, networks: Networks
) -> Callable[[Mapping[str, Any]], NetworkRules]:
    """What reads an account's properties into its rules."""
    trusted = frozenset(each.lower() for each in settings.network_rules.trusted_services)
    return partial(rules_of, ranges_of=networks.ranges_of, trusted=trusted)


class Seen(msgspec.Struct, frozen=True):
    """Where clients find a server, and whom they have to trust."""

    url: str
    https_url: str
    """the same as `url`, or of https beside it; "" where there is none"""
    ca_file: str | None
    """the authority of https, if it is no public one"""
    listeners: dict[str, str]
    """the URLs of `[listeners.NAME]`, by name"""


def as_clients_see_it(declared: Declared, options: Server, tls: ServerTls, home: Path) -> Seen:
    """The endpoints, and the file with the authority to trust, if it is no public one.

    Reads the certificate's files.
    """
    local = str(tls.authority_file) if tls.authority_file is not None else None
    others = declared.others
    if not options.has_tls:
        secure = declared.https_url or any(url.startswith("https:") for url in others.values())
        return Seen(declared.url, declared.https_url, local if secure else None, others)
    if not options.tls_certificate:
        return Seen(declared.url, declared.url, local, others)
    from linarite.web.certificates.served import ServedCertificate  # noqa: PLC0415 - only with TLS

    served = ServedCertificate(options)
    here = target_of(declared.url)
    named = msgspec.structs.replace(here, host=served.host_for(here.host))
    url = f"https://{named.host_header}"
    return Seen(url, url, served.authority_file(home), others)
