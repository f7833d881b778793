from __future__ import annotations

import pytest

from linarite.engines.openvino.worker.text_stream import TextStream

# A vocabulary in which characters are spread over tokens: é is 0 and 1, 🙂 is 2 to 4.
PIECES = [b"\xc3", b"\xa9", b"\xf0\x9f", b"\x99", b"\x82", b"ab", b"c", b"END", b"E", b"ND", b""]


def told(
    tokens: list[int], stops: list[str], *, logprobs: bool = False, at_once: int = 1
) -> tuple[list[str], list[bytes], bool]:
    """Feed tokens, `at_once` at a time, until the end or a stop string."""
    stream = TextStream(PIECES, stops, logprobs=logprobs)
    texts: list[str] = []
    pieces: list[bytes] = []
    for at in range(0, len(tokens), at_once):
        part = tokens[at : at + at_once]
        news = stream.feed(part, [-1.0] * len(part), last=at + at_once >= len(tokens))
        texts.append(news.text)
        pieces += [bytes(each.bytes or []) for each in news.probabilities]
        if news.stopped:
            return texts, pieces, True
    return texts, pieces, False


@pytest.mark.parametrize("logprobs", [False, True])
@pytest.mark.parametrize("at_once", [1, 2, 3, 9])
def test_characters_come_whole(logprobs: bool, at_once: int) -> None:
    """However tokens cut characters, and however many come at a time, the text is the same."""
    tokens = [5, 0, 1, 2, 3, 4, 6, 10, 2]
    texts, pieces, _ = told(tokens, [], logprobs=logprobs, at_once=at_once)
    assert "".join(texts) == "abé🙂c\ufffd"
    assert all("\ufffd" not in text for text in texts[:-1])
    if logprobs:
        assert pieces == [PIECES[token] for token in tokens if PIECES[token]]


@pytest.mark.parametrize("logprobs", [False, True])
@pytest.mark.parametrize(
    ("tokens", "stops", "text"),
    [
        ([5, 7, 6], ["END"], "ab"),
        ([5, 8, 9, 6], ["END"], "ab"),
        ([5, 8, 6], ["END"], "abEc"),
        ([5, 8], ["END"], "abE"),
        ([5, 6], ["b"], "a"),
        ([5, 0, 1, 6], ["é"], "ab"),
        ([5, 8, 9], ["D", "bE"], "a"),
    ],
)
def test_a_text_ends_before_a_stop_string(
    tokens: list[int], stops: list[str], text: str, logprobs: bool
) -> None:
    """Within a token or across several; what only looked like one comes in the end."""
    texts, _, stopped = told(tokens, stops, logprobs=logprobs)
    assert "".join(texts) == text
    assert stopped == any(stop in b"".join(PIECES[t] for t in tokens).decode() for stop in stops)


def test_text_that_is_certain_is_told_at_once() -> None:
    """Only what may begin a stop string is held back."""
    texts, _, _ = told([5, 8, 6], ["END"])
    assert texts == ["ab", "", "Ec"]
