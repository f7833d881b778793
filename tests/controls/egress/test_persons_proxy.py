"""The proxy of a person's own tools, as commands that do their work go through it."""

from __future__ import annotations

import pytest

from linarite.controls.egress.persons_proxy import persons_proxy
from linarite.domain.errors import SetupError

PROXY = "http://proxy.example:3128"


@pytest.mark.parametrize(
    ("environment", "configured", "expected"),
    [
        ({}, "", None),
        ({"HTTPS_PROXY": PROXY}, "", PROXY),
        ({"https_proxy": PROXY, "HTTPS_PROXY": "http://other:1"}, "", PROXY),
        ({"ALL_PROXY": PROXY}, "", PROXY),
        ({"HTTP_PROXY": PROXY}, "", None),
        ({"HTTPS_PROXY": "http://other:1"}, PROXY, PROXY),
        ({"HTTPS_PROXY": "proxy.example:3128"}, "", PROXY),
        ({"HTTPS_PROXY": f"{PROXY}/"}, "", PROXY),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "*"}, "", None),
        ({"HTTPS_PROXY": ""}, "", None),
    ],
)
def test_which_one(environment: dict[str, str], configured: str, expected: str | None) -> None:
    """What the tool is configured with, then the variables, those written small first."""
    found = persons_proxy(environment, configured=configured)
    assert (found and found.proxy) == expected


def test_plain_http_has_a_variable_of_its_own() -> None:
    """As tools have it, that one alone counts then."""
    found = persons_proxy({"HTTPS_PROXY": "http://other:1", "http_proxy": PROXY}, plain=True)
    assert found is not None
    assert found.proxy == PROXY


def test_name_and_password_are_its_credentials() -> None:
    """Decoded, and shown by no text of it."""
    found = persons_proxy({"HTTPS_PROXY": "http://me:p%40ss@proxy.example:3128"})
    assert found is not None
    assert (found.proxy, found.proxy_credentials) == (PROXY, "me:p@ss")
    assert "p@ss" not in repr(found)


def test_what_is_passed_by_is_a_name_and_all_below_it() -> None:
    """As curl and requests have it; networks are no hosts."""
    found = persons_proxy({"HTTPS_PROXY": PROXY, "NO_PROXY": ".lan, index.example:443,10.0.0.0/8"})
    assert found is not None
    assert found.no_proxy == ["lan", "*.lan", "index.example:443", "*.index.example:443"]


@pytest.mark.parametrize("address", ["socks5://proxy.example:1080", "https://proxy.example:3128"])
def test_another_kind_is_told(address: str) -> None:
    """Nothing is tried past it, and a password in it is not repeated."""
    with pytest.raises(SetupError, match=r"egress\.proxy") as caught:
        persons_proxy({"ALL_PROXY": address.replace("//", "//me:secret@")})
    assert "secret" not in caught.value.message
