from __future__ import annotations

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linarite.controls.authenticate.api_key import KEY_BYTES_MAX, identify
from linarite.domain.errors import InvalidKey, KeyAuthenticationDisabled
from linarite.domain.facts import Account


def digest(presented: str) -> bytes:
    """As a key store makes it."""
    return hmac.digest(b"pepper", presented.encode(), "sha256")


ACCOUNT = Account(
    id="/a",
    name="a",
    location="local",
    region_title="Local",
    key_digests={digest("first"): "key1", digest("second"): "key2", digest("zwölf"): "key2"},
)


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ({b"api-key": b"first"}, "key1"),
        ({b"api-key": b"second"}, "key2"),
        ({b"api-key": "zwölf".encode("latin-1")}, "key2"),
        ({b"ocp-apim-subscription-key": b"first"}, "key1"),
        ({b"authorization": b"Bearer first"}, "key1"),
        ({b"authorization": b"beaRER  second  "}, "key2"),
        ({b"api-key": b"first", b"authorization": b"Bearer second"}, "key1"),
        ({b"api-key": b"first", b"ocp-apim-subscription-key": b"second"}, "key1"),
        ({b"ocp-apim-subscription-key": b"second", b"authorization": b"Bearer first"}, "key2"),
        ({b"api-key": b"", b"authorization": b"Bearer first"}, "key1"),
    ],
)
def test_a_key_is_recognised_by_name(headers: dict[bytes, bytes], name: str) -> None:
    """`api-key` comes first, then the general header, then the bearer."""
    assert identify(headers, ACCOUNT, digest).name == name


@given(
    key=st.binary(max_size=KEY_BYTES_MAX + 50), name=st.sampled_from([b"api-key", b"authorization"])
)
def test_no_bytes_but_the_keys_are_recognised(key: bytes, name: bytes) -> None:
    """Whatever is presented, the answer is InvalidKey and never another error."""
    value = key if name == b"api-key" else b"Bearer " + key
    if key.strip() in {b"first", b"second", "zwölf".encode("latin-1")}:
        return
    with pytest.raises(InvalidKey):
        identify({name: value}, ACCOUNT, digest)


def test_a_huge_key_is_not_even_hashed() -> None:
    """What is longer than any key costs nothing."""

    def must_not_be_called(presented: str) -> bytes:
        raise AssertionError(presented)

    with pytest.raises(InvalidKey):
        identify({b"api-key": b"x" * (KEY_BYTES_MAX + 1)}, ACCOUNT, must_not_be_called)


def test_an_account_without_keys_knows_nobody() -> None:
    """An empty table of digests matches nothing."""
    bare = Account(id="/b", name="b", location="local", region_title="Local")
    with pytest.raises(InvalidKey):
        identify({b"api-key": b"first"}, bare, digest)


def test_disabled_keys_are_refused_only_to_those_who_present_one() -> None:
    """403 for a key, good or bad; 401 for none."""
    closed = Account(
        id="/c",
        name="c",
        location="local",
        region_title="Local",
        key_digests=ACCOUNT.key_digests,
        local_auth_disabled=True,
    )
    for key in (b"first", b"wrong"):
        with pytest.raises(KeyAuthenticationDisabled):
            identify({b"api-key": key}, closed, digest)
    with pytest.raises(InvalidKey):
        identify({}, closed, digest)
