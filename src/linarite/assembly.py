"""A whole server, wired from its settings: what is built, in which order it starts and stops."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import structlog

from linarite import __version__
from linarite.content_log.opening import open_content_log
from linarite.controlplane.opening import ControlPlaneParts, open_control_plane
from linarite.dataplane.direct import DirectCalls
from linarite.dataplane.http import DataPlane
from linarite.dataplane.router import Router
from linarite.dataplane.routes import ROUTES
from linarite.dataplane.sockets.door import SocketDoor
from linarite.diagnostic_parts import DiagnosticParts
from linarite.domain.held_data import HeldData
from linarite.domain.jobs import DEPLOY_TEMPLATE
from linarite.domain.principal import MANAGEMENT_KEYS_ID
from linarite.facts_parts import FactsParts
from linarite.file_parts import Around
from linarite.hosting.declared import declare
from linarite.hosting.host import Host
from linarite.hosting.instance_maker import InstanceMaker, require_right_options
from linarite.hosting.models.fetcher import StoreFetcher
from linarite.hosting.regions import Regions
from linarite.identity.auditing import AuditParts, running_trail
from linarite.identity.opening import Identity, IdentityParts, open_identity
from linarite.identity.tenant import tenant_of
from linarite.jobs.kinds.model_import import model_kinds
from linarite.jobs.kinds.template_deployment.kind import TemplateDeployment
from linarite.limit_parts import LimitParts, declare_limits
from linarite.metric_parts import charge_provisioned, open_metrics
from linarite.network_parts import NetworkParts
from linarite.privatelink.opening import open_private_link
from linarite.quota_parts import limiter_over, open_ledger
from linarite.record_parts import observer
from linarite.serving_plan import (
    account_hosts_in,
    as_clients_see_it,
    egress_policy,
    known_hosts,
    network_rules,
    plan,
)
from linarite.settings import open_pages
from linarite.status_pages import StatusPages
from linarite.storage.database import open_database
from linarite.storage.retention import retention_of
from linarite.storage.sqlite.activity import SqliteActivityLog
from linarite.storage.sqlite.jobs import SqliteJobStore
from linarite.storage.sqlite.requests import open_request_ledger
from linarite.storage.sqlite.resources import SqliteResourceStore
from linarite.stored_keys import keys_if_open, open_keys
from linarite.stored_parts import open_stored
from linarite.telemetry.price_options import price_book
from linarite.web.edge import Edge
from linarite.web.listeners import Listeners
from linarite.web.tls import ServerTls
from linarite.webhooks.opening import running_webhooks, tell_endpoints
from linarite.work_parts import WorkParts, engine_surroundings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from linarite.controlplane.http import ManagementApp
    from linarite.controls.egress import EgressDialer
    from linarite.dataplane.pipeline import Surface
    from linarite.domain.activity import ActivityLog
    from linarite.domain.facts import Serving
    from linarite.domain.jobs import JobStore
    from linarite.domain.resource import AccountKeys, KeyStore, ResourceStore
    from linarite.hosting.models.store import ModelStore
    from linarite.jobs.kind import Kind
    from linarite.settings import Loaded
    from linarite.storage.database import Database
    from linarite.storage.sqlite.requests import SqliteRequestLedger
    from linarite.stored_parts import StoredParts
    from linarite.web.asgi import App
    from linarite.web.exchange import Handler

log = structlog.get_logger("linarite")


class Assembly:
    """One running server. `start`, then `stop` once."""

    def __init__(self, loaded: Loaded, store: ModelStore, default_models: Sequence[str]) -> None:
        self.loaded = loaded
        self.plan = plan(loaded.settings, default_models, store.versions())
        self.on_new_key: Callable[[AccountKeys], None] = lambda _: None
        """called with both keys when one of them has been replaced"""
        self._store = store
        self._regions = Regions(loaded.settings.regions)
        self._prices = price_book(loaded.settings.prices)
        self._stack = AsyncExitStack()

    async def start(self) -> None:
        """Open everything and listen. Raises SetupError; then nothing is left open."""
        try:
            await self._open()
        except BaseException:
            await self._stack.aclose()
            raise

    async def stop(self) -> None:
        """Drain and close everything, in the reverse order of opening."""
        await self._stack.aclose()

    @property
    def url(self) -> str:
        """The endpoint, as clients write it: on this machine, or by the certificate's name."""
        return self.seen.url

    @property
    def keys(self) -> AccountKeys:
        """The account's keys, for the person who started the server."""
        return self._keys

    def serving(self) -> list[Serving]:
        """Every deployment with the state of its instance."""
        deployments = [d for facts in self._facts.all() for d in facts.deployments.values()]
        return self._host.serving(deployments)

    async def settled(self) -> None:
        """Return once every instance that starts with the server has come up or failed."""
        await asyncio.gather(*(instance.settled() for instance in self._host.instances()))

    async def _open(self) -> None:
        settings = self.loaded.settings
        require_right_options(self.plan.instances)
        database = open_database(self.loaded.home)
        self._stack.push_async_callback(database.close)
        self._ledger = self._open_ledger()
        self._metrics = await open_metrics(self._stack, settings, self.loaded.home)
        keys = await open_keys(self.loaded, database)
        resources, jobs = SqliteResourceStore(database), SqliteJobStore(database)
        self.account_id = await declare(resources, settings.account, self.plan.deployments)
        self._keys, self._key_store = await keys.ensure(self.account_id), keys
        await self._open_links(resources)
        self._network = NetworkParts(database, resources)
        await self._open_facts(resources, keys)
        policy, anew = egress_policy(settings, self.plan), self._facts.read_anew
        dialer = await self._network.open(self._stack, policy, anew)
        self._notifier = await running_webhooks(self._stack, database, dialer, settings.webhooks)
        instances = self._open_host(dialer)
        tenant = await tenant_of(resources, settings.signin.tenant)
        await self._open_trail(database, resources, dialer, tenant)
        activity = SqliteActivityLog(database)
        self._held = HeldData(self._ledger, self._content_log.store)
        self._limits = LimitParts(
            self._facts, settings.quota.rates, activity, self._notifier, tenant, self._stack
        )
        identity = await self._identity(tenant, resources, dialer)
        door = identity.door()
        management = await self._management(tenant, identity, resources, jobs, activity)
        fetcher = StoreFetcher(self._store, dialer, settings.models, self.loaded.home)
        around = Around(resources, keys, dialer, self._trail, self._held)
        stored = await open_stored(self._stack, self.loaded.home, settings, around)
        kinds: dict[str, Kind] = {
            **stored.kinds,
            DEPLOY_TEMPLATE: TemplateDeployment(management.deployer),
            **model_kinds(resources, fetcher),
        }
        begin_work = await self._work().open(self._stack, resources, jobs, instances, kinds)
        counts = await open_ledger(settings.quota, database, dialer, self._stack)
        limiter = limiter_over(self._limits.over(counts), settings.quota)
        self._metrics.measure_provisioned(self._facts.all, limiter)
        charge_provisioned(self._facts.all, self._ledger, self._prices, self._stack)
        dataplane = self._data_plane(
            stored,
            identity.admission(door, self._facts, self._host, limiter, keys, self._stack),
        )
        pages = self._status_pages(dialer, keys)
        hosts = await asyncio.to_thread(known_hosts, settings)
        edge = Edge(pages, dataplane, management, identity.sign_in.app, hosts=hosts)
        await stored.recover(self._stack, resources, jobs)
        await self._listen(edge)
        for url in filter(None, {self.seen.url, self.seen.https_url}):
            identity.verification.audiences.add_own_address(url)
        door.authorization_uri = f"{self.seen.url}/{tenant}"
        self._host.start(
            name for name, declared in self.plan.instances.items() if declared.start == "boot"
        )
        await stored.responses.recover()
        await begin_work()
        await management.upkeep.start()
        self._stack.push_async_callback(management.upkeep.stop)

    def _status_pages(self, dialer: EgressDialer, keys: KeyStore) -> dict[str, App]:
        pages = StatusPages(
            self._host, self._facts, self._ledger, self._metrics, dialer, self._trail
        )
        self._metrics.watch(self._host, self._stack)
        self._metrics.tell(self.loaded.settings.otlp, dialer, pages.refresh, self._stack)
        is_open = open_pages(self.loaded.settings)
        return pages.by_path(None if is_open else self._facts.recogniser(keys.digest))

    async def _open_trail(
        self, database: Database, resources: ResourceStore, dialer: EgressDialer, tenant: str
    ) -> None:
        """The audit log, what diagnostic settings send of it and of requests, and alerts."""
        loaded, keys = self.loaded, self._key_store
        parts = AuditParts(loaded.home, loaded.settings, resources, keys, __version__)
        self._trail = await running_trail(self._stack, parts)
        self._diagnostics = DiagnosticParts(loaded, resources, self._notifier)
        logs = (self._ledger, self._trail, self._metrics.recorder)
        await self._diagnostics.open(self._stack, database, dialer, logs, tenant)
        self._metrics.told = self._diagnostics.counts
        self._metrics.trace(loaded.settings.otlp, dialer, self._stack)
        measured = (self._metrics.recorder, self._ledger)
        await self._diagnostics.watch(self._stack, database, measured, keys.box)
        self._content_log = await open_content_log(
            self._stack, loaded.home, loaded.settings.content_log, (resources, keys), self._trail
        )

    def _open_host(self, dialer: EgressDialer) -> InstanceMaker:
        settings = self.loaded.settings
        surroundings = engine_surroundings(self.loaded.home, dialer, self._stack)
        instances = InstanceMaker(settings.hosting, self._store, surroundings)
        self._host = Host(
            {name: instances.declared(name, said) for name, said in self.plan.instances.items()}
        )
        self._stack.push_async_callback(self._host.stop, settings.server.drain_s)
        return instances

    async def _listen(self, edge: Edge) -> None:
        """On the addresses of the settings, and on those of private endpoints."""
        loaded, server = self.loaded, self.loaded.settings.server
        tls = self.tls = ServerTls(
            server, loaded.settings.certificates, loaded.home, self._key_store.authority_secret
        )
        tls.renamed = edge.hosts.certify
        listeners = Listeners(edge, tls)
        self._stack.push_async_callback(listeners.close_all, server.drain_s)
        declared = await listeners.open_declared(server, loaded.settings.listeners)
        await self._links.serve(listeners, server, loaded.settings.dns, self._stack)
        self.seen = await asyncio.to_thread(as_clients_see_it, declared, server, tls, loaded.home)

    async def _open_links(self, resources: ResourceStore) -> None:
        """The networks around this machine, and private endpoints in them."""
        settings = self.loaded.settings
        self._links = await open_private_link(
            resources, settings.networks, self.account_id, settings.server.domain
        )

    async def _open_facts(self, resources: ResourceStore, keys: KeyStore) -> None:
        """What models are on offer, and what the data path looks up."""
        await declare_limits(resources, self.loaded.settings.usage_limits, self.account_id)
        parts = FactsParts(self.loaded.settings, self.plan, self._store.list, self._regions)
        rules = self._network.rules_by(network_rules(parts.settings, self._links.networks))
        self._offers = await parts.open_offers(resources)
        self._facts = await parts.open_book((resources, keys), self.account_id, self._offers, rules)

    def _data_plane(self, stored: StoredParts, surface: Surface) -> Handler:
        settings = self.loaded.settings
        self._limits.counted = self._metrics.requests.warn
        self._metrics.stored = stored.files.room.stored
        kit = stored.kit(settings, self._host.capabilities_of)
        router = Router(ROUTES, kit)
        observe = observer(settings, self._ledger, self._trail, self._metrics)
        journal = self._ledger.journal
        plane = DataPlane(router, surface, settings.limits, observe, self._prices, journal)
        calls = DirectCalls(router, plane.surface, observe, self._prices, journal)
        plane.content_log = calls.content_log = self._content_log
        tell_endpoints(self._notifier, stored.webhook_endpoints, settings.files)
        stored.responses.make_by(calls, kit, self._notifier)
        stored.batches.answer_by(calls, self._facts, self._host.capabilities_of, self._notifier)
        stored.knowledge.answer_by(calls)
        stored.vectors.answer_by(calls, self._facts, self._host.capabilities_of)
        plane.tracer = self._metrics.tracer
        return SocketDoor(plane, router, kit, settings.websockets, settings.limits)

    def _open_ledger(self) -> SqliteRequestLedger:
        ledger = open_request_ledger(
            self.loaded.home,
            retention=retention_of(self.loaded.settings.records),
            cost_of=self._prices.cost_of_begun,
        )
        self._stack.push_async_callback(ledger.close)
        return ledger

    async def _identity(
        self, tenant: str, resources: ResourceStore, dialer: EgressDialer
    ) -> Identity:
        keys = self._key_store
        await keys.ensure(MANAGEMENT_KEYS_ID)
        identity = await open_identity(
            IdentityParts(
                tenant=tenant,
                settings=self.loaded.settings,
                resources=resources,
                box=keys.box,
                digest=keys.digest,
                management=await keys.digests(MANAGEMENT_KEYS_ID),
                dialer=dialer,
                audit=self._trail,
            )
        )
        self._network.know(identity.sign_in.directory)
        self._stack.push_async_callback(identity.verification.stop)
        return identity

    async def _management(
        self,
        tenant: str,
        identity: Identity,
        resources: ResourceStore,
        jobs: JobStore,
        activity: ActivityLog,
    ) -> ManagementApp:
        settings = self.loaded.settings
        self.management_keys, management = await open_control_plane(
            ControlPlaneParts(
                account=settings.account,
                tenant=tenant,
                resources=resources,
                tokens=identity.verification.verifier,
                holders=identity.holders,
                audiences=lambda: identity.verification.audiences.management,
                keys=self._key_store,
                box=self._key_store.box,
                offers=self._offers,
                keys_changed=self._keys_changed,
                quota=settings.quota,
                tokens_per_second_per_ptu=settings.hosting.tokens_per_second_per_ptu,
                jobs=jobs,
                activity=activity,
                audit=self._trail,
                access=identity.access,
                links=self._links.book,
                networks=self._links.networks,
                account_hosts_in=account_hosts_in(settings.server),
                directory=identity.sign_in.directory,
                requests=self._ledger,
                limit_counts=self._limits,
                usage=self._ledger,
                currency=self._prices.currency,
                network_log=self._network.log,
                metrics=self._metrics.recorder,
                perimeters=self._network.perimeters,
                diagnostics=self._diagnostics,
                outbox=self._notifier,
                content_log=self._content_log.access,
                held=self._held,
                management_key=settings.controlplane.management_key,
                regions={name: each.title or name for name, each in settings.regions.items()},
            )
        )
        return management

    async def _keys_changed(self, account_id: str) -> None:
        await self._facts.read_anew(account_id)
        if account_id.lower() != self.account_id.lower():
            return
        keys = await keys_if_open(self._key_store, account_id)
        if keys and keys != self._keys:
            self._keys = keys
            self.on_new_key(keys)

    def _work(self) -> WorkParts:
        return WorkParts(
            self.loaded.settings,
            self.plan,
            self._store,
            self._regions,
            self._host,
            (self._facts, self._offers),
        )
