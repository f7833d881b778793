from __future__ import annotations

import pytest

from linarite.domain.completion import CompletionAsk
from linarite.domain.errors import ContextLengthExceeded
from linarite.engines.text_chat.completion import given_prompts


def test_nothing_is_continued_from_the_token_that_texts_begin_with() -> None:
    """Unless it is nothing before a suffix: there it is just that."""
    assert given_prompts(CompletionAsk(prompt=""), "<s>", 100) == ["<s>"]
    assert given_prompts(CompletionAsk(), "<s>", 100) == ["<s>"]
    assert given_prompts(CompletionAsk(prompt=["", "a"]), "<s>", 100) == ["<s>", "a"]
    assert given_prompts(CompletionAsk(prompt="", suffix="b"), "<s>", 100) == [""]


def test_a_prompt_that_cannot_fit_is_refused_with_its_suffix() -> None:
    """Before the engine is asked to cut it into tokens."""
    with pytest.raises(ContextLengthExceeded):
        given_prompts(CompletionAsk(prompt="a" * 7_000, suffix="b" * 7_000), "", 100)
