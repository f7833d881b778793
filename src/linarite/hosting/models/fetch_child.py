"""The process that brings one model into the store: a child of the server, or of a command.

Reads its order from standard input, tells its progress and its end on standard output, a JSON
object a line. Here, and not in the server, are archives opened and headers of model files read.
It ends, with everything that it has started, when its parent does: standard input ends then.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from linarite.domain.errors import LinariteError
from linarite.hosting.models.catalogue import known
from linarite.hosting.models.errors import ModelUnavailable
from linarite.hosting.models.hub import PREFIX as HUB_PREFIX
from linarite.hosting.models.logins import NO_LOGINS, Logins
from linarite.hosting.models.oci import PREFIX as REGISTRY_PREFIX
from linarite.hosting.models.package_file import PREFIX as PACKAGE_PREFIX
from linarite.hosting.models.progress import Step
from linarite.hosting.models.store import ModelStore

if TYPE_CHECKING:
    from linarite.hosting.models.manifest import Manifest

FILE_PREFIX = "file:"


class FetchOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What to bring."""

    store: str
    """the store's folder"""
    source: str
    name: str | None = None
    """None: what the source suggests"""
    version: str | None = None
    """as `name`"""
    default: bool = False
    """make it the default version of its model"""
    imports: str = ""
    """the folder from which files may be taken; "" for none"""
    hub: str | None = None
    """address of the hub, if not the library's own"""
    logins: Logins = NO_LOGINS


class Told(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of what it tells."""

    step: Step | None = None
    done: bool = False
    name: str = ""
    """of what was brought"""
    version: str = ""
    code: str = ""
    message: str = ""
    """why it failed"""


def fetch(order: FetchOrder) -> Manifest:
    """Bring it. Raises any ModelStoreError."""
    store = ModelStore(Path(order.store), hub_endpoint=order.hub, logins=order.logins)
    source, name, version = order.source, order.name, order.version
    if source.startswith(FILE_PREFIX):
        return store.add_file(_imported(order), name=name, version=version, progress=_progress)
    if not source.startswith((HUB_PREFIX, REGISTRY_PREFIX, PACKAGE_PREFIX)):
        source = known(source).name
    return store.add(source, name=name, version=version, default=order.default, progress=_progress)


def _imported(order: FetchOrder) -> Path:
    """A file of the one folder that is meant for it: no name leads elsewhere."""
    name = order.source.removeprefix(FILE_PREFIX)
    path = Path(order.imports) / name
    inside = order.imports and Path(name).name == name and not path.is_symlink()
    if not inside or not path.is_file():
        raise ModelUnavailable(
            f"There is no file '{name[:200]}' in the server's folder for models that are brought "
            "to it (models.import_folder). Put it there, on the server's machine."
        )
    return path


def _progress(step: Step) -> None:
    _say(Told(step=step))


def _say(told: Told) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n")
    sys.stdout.buffer.flush()


def _end_with_parent() -> None:
    """Wait for the end of standard input, then end this process and its children."""
    sys.stdin.buffer.read()
    os.killpg(0, signal.SIGKILL)


def main() -> None:
    """Obey the order on standard input."""
    order = msgspec.json.decode(sys.stdin.buffer.readline(), type=FetchOrder)
    threading.Thread(target=_end_with_parent, name="parent watch", daemon=True).start()
    try:
        brought = fetch(order)
    except LinariteError as problem:
        _say(Told(code=problem.code or "ModelStoreError", message=problem.message))
    else:
        _say(Told(done=True, name=brought.name, version=brought.version))


if __name__ == "__main__":
    main()
