from __future__ import annotations

import math

from linarite.engines.text_chat.logprobs import (
    TokenProbability,
    TopProbability,
    chat_logprobs,
    completion_logprobs,
    legacy_token,
)


def token(text: str, logprob: float, *others: tuple[str, float]) -> TokenProbability:
    """A token with its alternatives."""
    tops = [TopProbability(other, list(other.encode()), value) for other, value in others]
    return TokenProbability(text, list(text.encode()), logprob, tops)


SEEN = [
    token("Hi", -0.5, ("Hi", -0.5), ("Yo", -1.5), ("So", -2.5)),
    token("😀", -3.0, ("!", -0.1)),
    token("", -9.0, ("\n", -0.1)),
]


def test_the_shape_of_chats() -> None:
    """Token, bytes, logprob and as many alternatives as asked for; no end-of-reply token."""
    content = chat_logprobs(SEEN, 2).content
    assert content is not None
    assert [seen.token for seen in content] == ["Hi", "😀"]
    assert content[1].bytes == list("😀".encode())
    assert [top.token for top in content[0].top_logprobs] == ["Hi", "Yo"]
    assert chat_logprobs(SEEN, 0).content[0].top_logprobs == []  # pyright: ignore[reportOptionalSubscript] - asserted above


def test_the_legacy_shape() -> None:
    """Parallel lists; the token that came is among the alternatives, offsets count characters."""
    legacy = completion_logprobs(SEEN, 1, 10)
    assert legacy.tokens == ["Hi", "😀"]
    assert legacy.token_logprobs == [-0.5, -3.0]
    assert legacy.top_logprobs == [{"Hi": -0.5}, {"!": -0.1, "😀": -3.0}]
    assert legacy.text_offset == [10, 12]
    assert completion_logprobs(SEEN, 0, 0).top_logprobs is None


def test_json_has_no_infinity() -> None:
    """What could not have come has the service's least number."""
    impossible = token("x", -math.inf)
    assert chat_logprobs([impossible], 0).content[0].logprob == -9999.0  # pyright: ignore[reportOptionalSubscript] - one token in, one out
    assert completion_logprobs([impossible], 1, 0).token_logprobs == [-9999.0]


def test_bytes_that_are_no_text_are_written_out() -> None:
    """As the legacy service writes them."""
    assert legacy_token(b"\xf0\x9f") == "bytes:\\xf0\\x9f"
    assert legacy_token("é".encode()) == "é"
