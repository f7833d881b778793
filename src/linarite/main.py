"""The console script: what each command does, wired to the parts that do it."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, cast

import msgspec
import structlog

from linarite import __version__
from linarite.cli.commands import Commands, SettingShown, UpOptions
from linarite.cli.loading_line import show_loading
from linarite.cli.model_progress import ModelProgress
from linarite.cli.plain import console_on
from linarite.cli.root import build_root
from linarite.cli.serving_file import (
    API_VERSION,
    SERVING_FILE,
    ServedDeployment,
    ServingFile,
    write_serving_file,
)
from linarite.cli.snippets import chat_command
from linarite.cli.start_panel import show_panel
from linarite.diagnostics.options import SinkSettings
from linarite.domain.errors import LinariteError
from linarite.hosting.models.catalogue import DEFAULT_MODELS, MINIMAL_MODELS
from linarite.hosting.models.store import ModelStore
from linarite.hosting.models.wanted import Wanted
from linarite.hosting.options import InstanceSettings
from linarite.settings import HIDDEN, Loaded, load, reference, reference_page, variable
from linarite.signin.options import BoundIdentity
from linarite.telemetry.logs import configure_logs
from linarite.web.certificates.places import FOLDER as AUTHORITY
from linarite.web.certificates.places import KEY_FILE as AUTHORITY_KEY
from linarite.web.certificates.places import AuthorityPlace
from linarite.web.descriptors import allow_many_connections
from linarite.webhooks.options import WebhookSettings

if TYPE_CHECKING:
    from pathlib import Path

    from linarite.assembly import Assembly
    from linarite.domain.resource import AccountKeys
    from linarite.model_parts import ModelBringer

log = structlog.get_logger("linarite")

SECRET_FIELDS: dict[type, tuple[str, ...]] = {
    BoundIdentity: ("header_secret",),
    SinkSettings: ("account_key", "sas_token", "secret_access_key"),
    WebhookSettings: ("url", "secret"),
}
"""what is shown of no row of a table; webhooks' URLs often hold a secret"""
SAME_STOP_S = 0.5
"""Signals closer together than this are one wish to stop."""
GARBAGE_THRESHOLD = 50_000
"""Objects made before the collector looks for cycles; requests make hardly any."""


def main() -> None:
    """Run the command line."""
    # Until settings say more: what a library has to say goes through the mask from the start.
    configure_logs("auto", "warning", sys.stderr)
    build_root(
        Commands(
            serve=serve,
            settings_shown=settings_shown,
            settings_markdown=reference_page,
            model_store=lambda: model_store(load()),
            bring_model=lambda wanted, progress: bringer(load()).bring(wanted, progress),
            home=lambda: load().home,
            stored_keys=keys_of_stopped_server,
            version=__version__,
            client=lambda: load().settings.client,
            variable=variable,
            authority=authority_place,
        )
    )()


def serve(options: UpOptions) -> int:
    """Run a server until it is told to stop. Raises SetupError; returns the exit code."""
    loaded = load(options.config, overrides_of(options))
    configure_logs(loaded.settings.logs.format, loaded.settings.logs.level, sys.stderr)
    allow_many_connections()
    if options.ready_file is not None:
        # An earlier server's. One that can't be removed can't be written either, and is told then.
        with suppress(OSError):
            options.ready_file.unlink()
    models = fetch_models(loaded)
    with asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(run_server(loaded, models, options.ready_file))


def keys_of_stopped_server(new: str | None) -> AccountKeys:
    """The keys in the home, the one named `new` replaced before. Raises SetupError."""
    from linarite.stored_keys import stored_keys  # noqa: PLC0415 - slow, and seldom needed

    return stored_keys(load(), new)


def authority_place() -> AuthorityPlace:
    """Where the local authority lies. Raises SetupError."""
    from linarite.storage.database import STATE_FILE  # noqa: PLC0415 - slow, and few commands need it
    from linarite.storage.master_key import master_key  # noqa: PLC0415 - the same
    from linarite.storage.sealing import Sealing  # noqa: PLC0415 - the same
    from linarite.storage.sqlite_file import private_folder  # noqa: PLC0415 - the same

    loaded = load()
    server, home = loaded.settings.server, loaded.home
    private_folder(home)
    sealed_before = (home / STATE_FILE).exists() or (home / AUTHORITY / AUTHORITY_KEY).exists()
    sealing = Sealing(master_key(home, loaded.master_key, sealed_before=sealed_before))
    names = tuple(server.local_names)
    return AuthorityPlace(home / AUTHORITY, server.domain, names, sealing.authority_secret)


def overrides_of(options: UpOptions) -> dict[str, object]:
    """The settings that the command line's flags stand for."""
    given = {
        "server.host": options.host,
        "server.port": options.port,
        "models.minimal": options.minimal or None,
    }
    return {key: value for key, value in given.items() if value is not None}


def fetch_models(loaded: Loaded) -> list[str]:
    """Bring the default models that are missing; return those to serve: them and added ones.

    Nothing is fetched when settings declare deployments: those name models added by hand.
    A model that can't be had is told about and left out.
    """
    if loaded.settings.deployments:
        return []
    store = model_store(loaded)
    wanted = MINIMAL_MODELS if loaded.settings.models.minimal else DEFAULT_MODELS
    present = {manifest.name for manifest in store.list()}
    if loaded.settings.models.fetch and not present.issuperset(wanted):
        require_startable(loaded)
    served: list[str] = []
    brings = cache(lambda: bringer(loaded))
    with ModelProgress(console_on()) as progress:
        for name in wanted:
            try:
                if name not in present and loaded.settings.models.fetch:
                    brings().bring(Wanted(name), progress)
                    present.add(name)
            except LinariteError as problem:
                log.warning(
                    "model not available, serving the others", model=name, reason=problem.message
                )
            if name in present:
                served.append(name)
    return served + sorted(present.difference(DEFAULT_MODELS))


def bringer(loaded: Loaded) -> ModelBringer:
    """What brings models from elsewhere into the store of the home, by the rules of egress."""
    from linarite.model_parts import ModelBringer  # noqa: PLC0415 - slow, and seldom needed

    return ModelBringer(loaded, model_store(loaded))


def require_startable(loaded: Loaded) -> None:
    """Say before a long download what would stop the server after it. Raises SetupError."""
    from linarite.hosting.instance_maker import require_right_options  # noqa: PLC0415 - slow, seldom needed
    from linarite.storage.lock import FolderLock  # noqa: PLC0415 - the same
    from linarite.storage.sqlite_file import private_folder  # noqa: PLC0415 - the same
    from linarite.web.listener import require_free  # noqa: PLC0415 - the same

    require_right_options(loaded.settings.instances)
    private_folder(loaded.home)
    FolderLock(loaded.home).release()
    require_free(loaded.settings.server)


async def run_server(loaded: Loaded, models: list[str], ready_file: Path | None) -> int:
    """Start, tell how to use it, wait for a signal, stop. Raises what kept it from telling."""
    from linarite.assembly import Assembly  # noqa: PLC0415 - half a second that only `up` needs

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    # The loop would list every generator that begins, to close those that are left at its end. Ours
    # are closed by who opened them; the list cost each request more than its place in the queue.
    sys.set_asyncgen_hooks(firstiter=None)
    signals = StopSignals(stop)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, signals.take)
    server = Assembly(loaded, model_store(loaded), models)
    await server.start()
    serving_file = loaded.home / SERVING_FILE
    serving_file.unlink(missing_ok=True)  # of a server that was killed
    try:
        log.info("listening", url=server.url, home=str(loaded.home))
        telling = asyncio.create_task(_tell(server, serving_file, ready_file))
        telling.add_done_callback(lambda told: stop.set() if _failed(told) else None)
        await stop.wait()
        telling.cancel()
        log.info("stopping: running requests may finish", timeout_s=loaded.settings.server.drain_s)
    finally:
        serving_file.unlink(missing_ok=True)
        await server.stop()
    if _failed(telling):
        telling.result()
    return 0


def _failed(task: asyncio.Task[None]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is not None


class StopSignals:
    """The first signal drains; another one ends at once.

    One stop often comes twice: a supervisor tells the whole group, and `make` tells its child.
    """

    def __init__(self, stop: asyncio.Event) -> None:
        """`stop` is set by the first signal."""
        self._stop = stop
        self._first_at = 0.0

    def take(self) -> None:
        """Take a signal."""
        now = time.monotonic()
        if not self._stop.is_set():
            self._first_at = now
            self._stop.set()
        elif now - self._first_at > SAME_STOP_S:
            os._exit(130)


async def _tell(server: Assembly, serving_file: Path, ready_file: Path | None) -> None:
    """Once the models have come up (or failed), say how to use the server."""
    await show_loading(server.settled(), lambda: served_deployments(server), console=console_on())
    loaded, content = server.loaded, serving_content(server)
    files = [file for file in (serving_file, ready_file) if file is not None]
    for file in files:
        write_serving_file(file, content)
    server.on_new_key = lambda keys: _tell_key(keys.key1, content, files)
    named_here = loaded.origins.get("home", "").startswith("environment")
    chat = chat_command(sys.argv[0], content.home if named_here else None)
    show_panel(content, console=console_on(sys.stdout), chat=chat)
    if server.seen.https_url or server.seen.ca_file:
        await asyncio.to_thread(server.tls.warm)
    # What start-up made stays: collecting it again and again would only cost requests time.
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD, 20, 20)


def _tell_key(key: str, content: ServingFile, files: list[Path]) -> None:
    """Write the files again with a new key: whoever reads them must not be sent with a dead one."""
    for file in files:
        try:
            write_serving_file(file, msgspec.structs.replace(content, api_key=key))
        except LinariteError as problem:
            log.warning("a file still holds the old key", file=str(file), reason=problem.message)


def serving_content(server: Assembly) -> ServingFile:
    """How the server can be used, for scripts and for the panel."""
    loaded = server.loaded
    return ServingFile(
        endpoint=server.url,
        openai_v1=f"{server.url}/openai/v1/",
        api_key=server.keys.key1,
        api_version=API_VERSION,
        deployments=served_deployments(server),
        https_endpoint=server.seen.https_url or None,
        listeners=server.seen.listeners,
        ca_file=server.seen.ca_file,
        pid=os.getpid(),
        home=str(loaded.home),
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        management_key=server.management_keys.key1
        if loaded.settings.controlplane.management_key
        else "",
        account_id=server.account_id,
    )


def served_deployments(server: Assembly) -> list[ServedDeployment]:
    """Every deployment as it stands now, in the order in which settings declare them."""
    order = {item.name: place for place, item in enumerate(server.plan.deployments)}
    return [
        ServedDeployment(
            name=item.deployment.name,
            model=item.deployment.model.name,
            state=item.state,
            detail=item.detail,
            operations=operations_of(item.capabilities),
        )
        for item in sorted(
            server.serving(), key=lambda item: order.get(item.deployment.name, len(order))
        )
    ]


def operations_of(able: object) -> list[str]:
    """The operations an instance takes, by the words of their URLs."""
    offered = {
        "chat/completions": "chat_completion",
        "completions": "completion",
        "embeddings": "embeddings",
    }
    return [path for path, flag in offered.items() if getattr(able, flag, False)]


def model_store(loaded: Loaded) -> ModelStore:
    """The store in the server's home, in its present layout."""
    store = ModelStore(loaded.home / "models")
    store.modernise()
    return store


def settings_shown(config: Path | None) -> list[SettingShown]:
    """Every setting with its value and where that came from."""
    loaded = load(config)
    rows: list[SettingShown] = []
    for row in reference():
        value: object = loaded.settings
        for part in row.key.split("."):
            value = getattr(value, part)
        if row.key in HIDDEN and value:
            value = "(hidden)"
        rows.append(
            SettingShown(
                key=row.key,
                value=str(loaded.home) if row.key == "home" else shown(value),
                origin=loaded.origins.get(row.key, "default"),
                description=row.description,
            )
        )
    return rows


def shown(value: object) -> object:
    """A setting's value for JSON. Of an engine's options only the names: some hold keys."""
    if isinstance(value, InstanceSettings):
        return {**msgspec.structs.asdict(value), "options": sorted(value.options)}
    if isinstance(value, msgspec.Struct):
        fields = msgspec.structs.asdict(value)
        secret = SECRET_FIELDS.get(type(value), ())
        return {key: "(hidden)" if key in secret and it else it for key, it in fields.items()}
    if isinstance(value, list):
        return [shown(each) for each in cast("list[object]", value)]
    if isinstance(value, dict):
        return {key: shown(each) for key, each in cast("dict[str, object]", value).items()}
    return value


def new_loop() -> asyncio.AbstractEventLoop:
    """The fastest loop this system has."""
    if sys.platform == "win32":
        return asyncio.new_event_loop()
    import uvloop  # noqa: PLC0415 - there is none for Windows

    return uvloop.new_event_loop()


if __name__ == "__main__":
    main()
