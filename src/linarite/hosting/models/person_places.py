"""Where a command may bring a model from: what it names, and what the person's own tools name.

Who types `oci://HOST/…` names that host; who configured an index for pip names the index. No more
is opened by that than by a setting that names a host: for bringing models, and for this command.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from linarite.domain.errors import EgressRefused
from linarite.domain.target import host_of
from linarite.hosting.models.hub import HUB_HOSTS
from linarite.hosting.models.hub import PREFIX as HUB_PREFIX
from linarite.hosting.models.oci import PREFIX as REGISTRY_PREFIX
from linarite.hosting.models.oci import registry_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_ASK_PIP = """
import runpy, sys
try:
    from pip._internal.models.index import PyPI
    print(PyPI.simple_url, "https://" + PyPI.file_storage_domain)
except (ImportError, AttributeError):
    print()
sys.argv[1:] = ["config", "list"]
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""
"""where pip looks by itself, then `pip config list`"""
_STRONGEST_FIRST = (":env:", "download", "global")
"""whose word counts, as pip has it"""
_TRUE = frozenset(("1", "true", "yes", "on", "y", "t"))


class Places(msgspec.Struct, frozen=True):
    """Hosts that are named for one command."""

    hosts: frozenset[str] = frozenset()
    """they may have any address"""
    patterns: tuple[str, ...] = ()
    """as of `egress.allowed_hosts`: public addresses only"""
    proxy: str = ""
    """the proxy that the tool itself is configured to go through"""
    plain: bool = False
    """they are all spoken to by plain HTTP"""


def places_named(source: str, environment: Mapping[str, str]) -> Places | None:
    """Those of a source `hf:` or `oci://`; None of packages, which are pip's affair."""
    if source.startswith(HUB_PREFIX):
        told = environment.get("HF_ENDPOINT", "")
        return _named([told]) if told else Places(patterns=HUB_HOSTS)
    if source.startswith(REGISTRY_PREFIX):
        return _named([registry_of(source)])
    return None


def pip_places(environment: Mapping[str, str]) -> Places:
    """The indexes and folders of packages that pip is configured to look in, and its own one.

    Nothing where there is no pip, or one that can't say: it then says itself what is wrong.
    """
    asked = subprocess.run(  # noqa: S603 - our own interpreter, our own words
        [sys.executable, "-P", "-c", _ASK_PIP],
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    own, *lines = asked.stdout.splitlines() or [""]
    told = {name: shown for name, _, shown in (line.partition("=") for line in lines)}
    urls = _said(told, "find-links").split()
    if _said(told, "no-index").lower() in _TRUE:
        own = ""
    else:
        urls += (_said(told, "index-url") or own).split()
        urls += _said(told, "extra-index-url").split()
    # Where another index is configured, it may lead on to pip's own one.
    hosts = _named([*urls, *own.split()]).hosts
    return Places(hosts=hosts, proxy=_said(told, "proxy"), plain=_named(urls).plain)


def _said(told: Mapping[str, str], name: str) -> str:
    """What pip's configuration has under a name, as `pip config list` shows it."""
    for section in _STRONGEST_FIRST:
        shown = told.get(f"{section}.{name}")
        if shown is not None:
            try:
                return str(ast.literal_eval(shown))
            except (ValueError, SyntaxError):
                return ""
    return ""


def _named(urls: Iterable[str]) -> Places:
    hosts: set[str] = set()
    schemes: set[str] = set()
    for url in urls:
        try:
            parts = urlsplit(url)
            if parts.scheme in {"http", "https"} and parts.hostname:
                hosts.add(host_of(parts.hostname))
                schemes.add(parts.scheme)
        except (ValueError, EgressRefused):
            continue  # the tool says itself what is wrong with it
    return Places(hosts=frozenset(hosts), plain=schemes == {"http"})
