"""A real browser, without a window: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import base64
import hashlib
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

NAMES = ("chromium-headless-shell", "chromium", "google-chrome")


@contextmanager
def browser(chain: Path) -> Iterator[Browser]:
    """One that trusts the server with this certificate, and no other with one that it can't check.

    Skips the test where there is no browser.
    """
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(f"none of {', '.join(NAMES)} is installed; `make test` does as root on Debian")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=found,
            args=["--no-sandbox", f"--ignore-certificate-errors-spki-list={pin_of(chain)}"],
        )
        try:
            yield running
        finally:
            running.close()


def pin_of(chain: Path) -> str:
    """The hash of a certificate's public key, as browsers name it."""
    key = x509.load_pem_x509_certificate(chain.read_bytes()).public_key()
    encoded = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(hashlib.sha256(encoded).digest()).decode()
