from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from linarite.engines.llamacpp.embedding import grouped

inputs = st.lists(
    st.one_of(
        st.integers(0, 5_000).map(lambda length: "a" * length),
        st.integers(0, 1_500).map(lambda length: [1] * length),
    ),
    min_size=1,
    max_size=40,
)


@given(inputs, st.integers(1, 16))
def test_groups_are_small_and_lose_nothing(given_inputs: list[str | list[int]], most: int) -> None:
    """In order, never more than allowed, and long inputs never behind one another."""
    groups = list(grouped(given_inputs, most))
    assert [item for group in groups for item in group] == given_inputs
    for group in groups:
        assert 1 <= len(group) <= most
        characters = sum(len(item) * (1 if isinstance(item, str) else 4) for item in group)
        assert len(group) == 1 or characters <= 2_048
