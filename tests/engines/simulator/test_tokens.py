from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from linarite.engines.simulator.dice import Dice
from linarite.engines.simulator.prose import sentences
from linarite.engines.simulator.tokens import count, least, render, split


@given(st.text())
def test_tokens_of_any_text_join_to_the_text(text: str) -> None:
    """Nothing is lost or added between a text and its tokens."""
    assert "".join(split(text)) == text


@given(st.text(alphabet=" \t\nabcdefg1.,_é", max_size=200))
def test_the_least_is_never_more_than_there_are(text: str) -> None:
    """What is known without counting holds for every text."""
    assert least(len(text)) <= count(text)


def test_tokens_follow_the_stated_rule() -> None:
    """Words are cut after six letters, numbers after three digits, with the blank before them."""
    assert split("The lighthouse, 12345 (miles)") == [
        "The",
        " lightho"[:7],
        "ouse",
        ",",
        " 123",
        "45",
        " (",
        "miles",
        ")",
    ]
    assert count("") == 0


@given(st.lists(st.integers(min_value=-1_000_000, max_value=1_000_000), unique=True))
def test_every_token_id_has_a_word_of_its_own(token_ids: list[int]) -> None:
    """Different ids are shown as different words, so that different prompts stay different."""
    words = render(token_ids)
    assert len(words) == len(set(words)) == len(token_ids)
    assert all(word.startswith(" ") and word[1:].isalpha() for word in words)


@given(st.integers(), st.integers(min_value=1, max_value=300))
def test_sentences_are_made_of_tokens_by_the_rule(seed: int, wanted: int) -> None:
    """Counting a generated text again gives the count it was generated with."""
    tokens = sentences(Dice(seed), wanted)
    assert split("".join(tokens)) == tokens
    assert len(tokens) >= wanted


def test_the_same_parts_throw_the_same_dice_on_every_machine() -> None:
    """A seed's sequence is part of what is promised: recorded tests depend on it."""
    dice = Dice(7, "model", b"bytes")
    assert [dice.below(100) for _ in range(6)] == [57, 68, 98, 31, 1, 23]
    assert Dice("a", "bc").below(10**9) != Dice("ab", "c").below(10**9)
