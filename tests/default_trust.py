"""One TLS context for all of httpx' clients that trust what is usual, the OpenAI client's included.

Loading the list of public authorities takes 20 ms, and a test asks dozens of times, mostly without
TLS. A client that is given its trust (`verify`, `cert`) has a context of its own. A plugin.
"""

from __future__ import annotations

import os
from functools import cache, wraps
from typing import TYPE_CHECKING, Any

from httpx._transports import default

if TYPE_CHECKING:
    import ssl

_create: Any = vars(default)["create_ssl_context"]


@cache
def _usual(*_trusted: str | None) -> ssl.SSLContext:
    """The one of a process, as long as OpenSSL's variables stay what they are."""
    return _create()


@wraps(_create)
def _shared(verify: Any = True, cert: Any = None, trust_env: bool = True) -> ssl.SSLContext:  # noqa: ANN401 - as httpx has them
    if verify is True and cert is None and trust_env:
        return _usual(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
    return _create(verify=verify, cert=cert, trust_env=trust_env)


default.create_ssl_context = _shared  # pyright: ignore[reportPrivateImportUsage] - it imports it
