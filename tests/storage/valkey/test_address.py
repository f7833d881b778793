"""How settings name the shared ledger."""

from __future__ import annotations

import pytest

from linarite.domain.errors import SetupError
from linarite.storage.valkey.address import ValkeyAddress, valkey_address


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("valkey://store", ValkeyAddress(tls=False, places=(("store", 6379),))),
        ("redis://Store:1/", ValkeyAddress(tls=False, places=(("store", 1),))),
        (
            "rediss://me@a:1,[2001:db8::1]:2,c/4",
            ValkeyAddress(
                tls=True,
                places=(("a", 1), ("2001:db8::1", 2), ("c", 6379)),
                user="me",
                number=4,
            ),
        ),
    ],
)
def test_one_or_several(url: str, expected: ValkeyAddress) -> None:
    """With what stands for what is left out."""
    assert valkey_address(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "",
        "memory2",
        "http://store",
        "valkey://",
        "valkey://me:s3cret@store",
        "valkey://store:99999",
        "valkey://store:0",
        "valkey://a,,b",
        "valkey://store/x",
        "valkey://store?a=b",
        "valkey://a b",
    ],
)
def test_what_else_is_refused(url: str) -> None:
    """In words that show no password."""
    with pytest.raises(SetupError, match=r"quota\.ledger") as refused:
        valkey_address(url)
    assert "s3cret" not in refused.value.message
