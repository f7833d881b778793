"""Options: what is refused, in which words, and that the key never shows."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from linarite.domain.engine import InstanceSpec
from linarite.domain.errors import SetupError
from linarite.engines.upstream.options import UpstreamOptions, read_options
from linarite.engines.upstream.secret import Secret

KEY = "sk-canary-5b1f"


def options_of(**given: Any) -> UpstreamOptions:  # noqa: ANN401 - as in a settings file
    """Read options as an instance named `up` would."""
    return read_options(InstanceSpec("up", "upstream", "m", options=given))


def test_an_address_is_enough() -> None:
    """Everything but the address has a default."""
    options = options_of(base_url="https://api.example/v1")
    assert options.kind == "openai"
    assert options.capabilities.chat_completion
    assert not options.capabilities.embeddings


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, r"instances\.up\.options: .*`base_url`"),
        ({"base_url": 1}, r"instances\.up\.options\.base_url: .*Where it is"),
        ({"base_url": "http://a", "kind": "x"}, r"options\.kind: .*azure_v1"),
        ({"base_url": "http://a", "retrys": 1}, r"unknown field `retrys`.*retries"),
        ({"base_url": "http://a", "retries": -1}, r"options\.retries"),
        ({"base_url": "http://a", "connect_s": 0}, r"options\.connect_s.*Seconds to connect"),
        ({"base_url": "http://a", "api_version": "latest"}, r"options\.api_version"),
        ({"base_url": "http://a", "api_key": 7}, r"options\.api_key"),
        ({"base_url": "http://a", "api_key": f"{KEY}\n"}, r"options\.api_key contains"),
        ({"base_url": "http://a", "api_key": KEY, "token_file": "/t"}, "not both"),
        ({"base_url": "http://a", "extra_headers": {"Host": "b"}}, r"extra_headers: 'Host'"),
        ({"base_url": "http://a", "extra_headers": {"Api-Key": "b"}}, r"extra_headers: 'Api-Key'"),
        ({"base_url": "http://a", "extra_headers": {"a b": "c"}}, r"extra_headers: 'a b'"),
        ({"base_url": "http://a", "extra_headers": {"a": "b\r\nc: d"}}, r"extra_headers\.a must"),
        ({"base_url": "http://a", "extra_headers": {"a": "\u00fc"}}, r"extra_headers\.a must"),
    ],
)
def test_wrong_options_are_named(given: dict[str, Any], said: str) -> None:
    """A mistake is a set-up error that names the key and what it means, and never the secret."""
    with pytest.raises(SetupError, match=said) as caught:
        options_of(**given)
    assert KEY not in caught.value.message
    assert caught.value.__cause__ is None


def test_the_key_never_shows() -> None:
    """No way to turn options, spec or secret into text gives the key away."""
    spec = InstanceSpec("up", "upstream", "m", options={"base_url": "http://a", "api_key": KEY})
    options = read_options(spec)
    assert options.api_key.reveal() == KEY
    key = options.api_key
    shown = [repr(options), str(options), repr(spec), repr(key), str(key), f"{key}", f"{key!r:>40}"]
    shown += ["%s" % key, "{:s}".format(key), repr([key])]  # noqa: UP031, UP032 - every way
    assert not any(KEY in text for text in shown)
    with pytest.raises(TypeError):
        pickle.dumps(key)


def test_secrets_compare() -> None:
    """Secrets are equal by what they hold, and false when they hold nothing."""
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert len({Secret("a"), Secret("a")}) == 1
    assert Secret("a")
    assert not Secret("")
