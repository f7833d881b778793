"""Forms are taken from our own pages only."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from linarite.signin.request import Ask


def is_from_elsewhere(ask: Ask) -> bool:
    """Whether another site's page sent a form.

    Browsers say so by `Sec-Fetch-Site` and `Origin`, which pages can't forge. Nothing else is
    needed: there is no cookie, a form that signs in carries the password itself.
    """
    site = ask.headers.get("sec-fetch-site", "same-origin")
    origin = ask.headers.get("origin")
    if site not in ("same-origin", "none"):
        return True
    if origin is None:
        return False
    try:
        # By host alone: what ends TLS in front of us has another scheme.
        return urlsplit(origin).netloc != urlsplit(ask.base_url).netloc
    except ValueError:
        return True
