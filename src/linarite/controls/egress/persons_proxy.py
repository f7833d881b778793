"""The proxy that a person's own tools go through, as far as it is one that can be gone through.

A server is told of its proxy by `egress.proxy` alone. A command that does for a person what pip
would do reads what pip reads: its own configuration, then `HTTPS_PROXY` or `ALL_PROXY`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from linarite.controls.egress.options import Egress
from linarite.domain.errors import SetupError
from linarite.domain.host_patterns import HostPatterns

if TYPE_CHECKING:
    from collections.abc import Mapping

_SCHEMES = frozenset(("http", "https"))


def persons_proxy(
    environment: Mapping[str, str], *, configured: str = "", plain: bool = False
) -> Egress | None:
    """It as settings would name it; None where there is none.

    `configured` is what the tool's own configuration says, which counts first; `plain` says that
    plain HTTP alone will be spoken. Raises SetupError for a proxy of another kind.
    """
    lower = {name.lower(): text for name, text in environment.items() if text}
    # Where both are set, tools take the one that is written small.
    lower |= {name: text for name, text in environment.items() if text and name.islower()}
    named = configured or lower.get("http_proxy" if plain else "https_proxy", "")
    address = named or lower.get("all_proxy", "")
    passed_by = lower.get("no_proxy", "")
    if not address or "*" in passed_by.replace(",", " ").split():
        return None
    parts = urlsplit(address if "://" in address else f"http://{address}")
    host = parts.netloc.rpartition("@")[2]
    if parts.scheme != "http" or not host:
        kind = parts.scheme if parts.scheme not in _SCHEMES else "a proxy spoken to by TLS"
        raise SetupError(
            f"The proxy that pip's configuration or HTTPS_PROXY names can't be gone through "
            f"({kind}): it must look like http://proxy.example.com:3128. Set egress.proxy to one "
            "that does."
        )
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return Egress(
        proxy=f"http://{host}",
        proxy_credentials=f"{user}:{password}" if user else "",
        no_proxy=_patterns(passed_by),
    )


def _patterns(passed_by: str) -> list[str]:
    """`NO_PROXY` in the words of `egress.no_proxy`: each name with all below it."""
    found: list[str] = []
    for entry in passed_by.replace(",", " ").split():
        name = entry.removeprefix("*").removeprefix(".")
        for pattern in (name, f"*.{name}"):
            try:
                HostPatterns([pattern], "NO_PROXY")
            except SetupError:
                continue  # a network, or nothing that a host could be
            found.append(pattern)
    return found
