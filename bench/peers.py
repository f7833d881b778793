"""Installs the gateways that the benchmark compares with, each in its own folder of `.peers`.

Nothing of them is installed into the system or into the project's own environment. Versions are
pinned where the source keeps old ones. A peer that can't be had is told about; the others are
installed all the same, and the benchmark's tables say which are missing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

PEERS = Path(__file__).parent / ".peers"
LITELLM = "litellm[proxy]>=1.100,<=1.109.1"
"""the newest whose dependencies, which it pins to the day, are all to be had"""
PORTKEY = "@portkey-ai/gateway@1.15.2"


class Unavailable(Exception):
    """A peer can't be installed or run here; the message says why and what would help."""


def main() -> int:
    """Install all of them, or those named on the command line."""
    installers = {"nginx": install_nginx, "litellm": install_litellm, "portkey": install_portkey}
    wanted = sys.argv[1:] or list(installers)
    failed = 0
    for name in wanted:
        if name not in installers:
            print(f"{name}: unknown; choose from {', '.join(installers)}")
            failed += 1
            continue
        print(f"── {name}", flush=True)
        try:
            installers[name](PEERS / name)
            print(f"{name}: installed in {PEERS / name}")
        except (Unavailable, subprocess.CalledProcessError) as problem:
            failed += 1
            print(f"{name}: not installed: {problem}")
    return 1 if failed == len(wanted) else 0


def install_nginx(folder: Path) -> None:
    """Unpack Debian's package: that starts no service and needs no rights."""
    if shutil.which("nginx"):
        print("nginx: the one on the PATH will be used")
        return
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise Unavailable(f"there is no {tool}; install nginx yourself, on the PATH")
    folder.mkdir(parents=True, exist_ok=True)
    download = ["apt-get", "download", "-qq", "nginx"]
    if subprocess.run(download, cwd=folder, check=False).returncode:
        if os.geteuid() != 0:
            raise Unavailable("run `sudo apt-get update` first, or install nginx yourself")
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        subprocess.run(download, cwd=folder, check=True)
    for package in folder.glob("nginx_*.deb"):
        subprocess.run(["dpkg-deb", "-x", str(package), str(folder)], check=True)
        package.unlink()
    subprocess.run([nginx_binary(), "-v"], check=True)


def install_litellm(folder: Path) -> None:
    """A virtual environment of its own."""
    uv = [sys.executable, "-m", "uv", "--quiet"]
    subprocess.run([*uv, "venv", "--clear", "--python", sys.executable, str(folder)], check=True)
    python = str(folder / "bin" / "python")
    subprocess.run([*uv, "pip", "install", "--python", python, LITELLM], check=True)


def install_portkey(folder: Path) -> None:
    """An npm prefix of its own."""
    npm = shutil.which("npm")
    if npm is None:
        raise Unavailable("there is no npm; it comes with Node.js 20 or newer")
    folder.mkdir(parents=True, exist_ok=True)
    quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel", "error"]
    subprocess.run([npm, "install", "--prefix", str(folder), *quiet, PORTKEY], check=True)


def nginx_binary() -> str:
    """Raises Unavailable."""
    unpacked = PEERS / "nginx" / "usr" / "sbin" / "nginx"
    found = str(unpacked) if unpacked.exists() else shutil.which("nginx")
    if found is None:
        raise Unavailable("not installed: make bench-peers")
    return found


def litellm_binary() -> str:
    """Raises Unavailable."""
    return _installed(PEERS / "litellm" / "bin" / "litellm")


def portkey_script() -> str:
    """The server's script, for Node.js. Raises Unavailable."""
    package = PEERS / "portkey" / "node_modules" / "@portkey-ai" / "gateway"
    return _installed(package / "build" / "start-server.js")


def _installed(path: Path) -> str:
    if not path.exists():
        raise Unavailable("not installed: make bench-peers")
    return str(path)


if __name__ == "__main__":
    raise SystemExit(main())
