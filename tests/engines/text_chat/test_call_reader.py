from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linarite.engines.text_chat.call_reader import CallArguments, CallBegan, CallReader, Said

if TYPE_CHECKING:
    from collections.abc import Iterable

NAMES = {"get_weather", "get_time", 'odd"name'}
ROME = '{"city": "Rome {}\\"]"}'


class Read(msgspec.Struct):
    """A reply, read to its end."""

    text: str = ""
    calls: list[tuple[str, str]] = []
    unknown: str = ""


def read(pieces: Iterable[str], calls_max: int | None = None) -> Read:
    """Feed the pieces and put the items together."""
    reader = CallReader(NAMES, calls_max=calls_max)
    items = [item for piece in pieces for item in reader.feed(piece)] + reader.finish()
    names: dict[int, str] = {}
    arguments: dict[int, str] = {}
    text = ""
    for item in items:
        if isinstance(item, Said):
            assert not names, "text came behind a call"
            text += item.text
        elif isinstance(item, CallBegan):
            assert item.number == len(names)
            names[item.number] = item.name
        else:
            assert isinstance(item, CallArguments)
            assert item.number == len(names) - 1
            arguments[item.number] = arguments.get(item.number, "") + item.text
    calls = [(name, arguments.get(number, "")) for number, name in names.items()]
    return Read(text, calls, reader.unknown_call)


CALLS = {
    "tag": f'<tool_call>\n{{"name": "get_weather", "arguments": {ROME}}}\n</tool_call>',
    "tag left open": f'<tool_call>{{"name": "get_weather", "arguments": {ROME}}}',
    "other tag": f'<tools>\n{{"name": "get_weather", "arguments": {ROME}}}\n</tools>',
    "fence": f'```json\n{{\n  "name": "get_weather",\n  "arguments": {ROME}\n}}\n```',
    "fence without a language": f'```\n{{"name":"get_weather","arguments":{ROME}}}\n```',
    "fenced tag": f'```xml\n<tool_call>\n{{"name":"get_weather","arguments":{ROME}}}\n```',
    "bare": f'{{"name": "get_weather", "arguments": {ROME}}}',
    "parameters": f'{{"name": "get_weather", "parameters": {ROME}}}',
    "list": f'[{{"name": "get_weather", "arguments": {ROME}}}]',
    "indented": f'  \n\t{{"name": "get_weather", "arguments": {ROME}}}',
    "outer brace forgotten": f'<tool_call>{{"name": "get_weather", "arguments": {ROME}</tool_call>',
}


@pytest.mark.parametrize("reply", CALLS.values(), ids=CALLS)
def test_every_form_of_a_call_is_found(reply: str) -> None:
    """Whichever form a model writes, the call and its arguments come out as it wrote them."""
    assert read([reply]) == Read(calls=[("get_weather", ROME)])


@pytest.mark.parametrize(
    ("reply", "arguments"),
    [
        ('{"arguments": {"zone": "UTC"}, "name": "get_time"}', {"zone": "UTC"}),
        ('{"type":"function","function":{"name":"get_time","arguments":{"a":1}}}', {"a": 1}),
        ('{"function": "get_time", "arguments": {"a": 1}}', {"a": 1}),
        ('{"name": "get_time", "arguments": "{\\"a\\": 1}"}', {"a": 1}),
        ('{"name": "get_time", "id": "x", "arguments": {"a": 1}}', {"a": 1}),
        ('{"name": "get_time"}', {}),
        ('{"name": "get_time", "arguments": null}', {}),
        ('{"name": "get_time", "arguments": [1]}', [1]),
    ],
)
def test_unusual_objects_are_calls_too(reply: str, arguments: object) -> None:
    """Order and shape of the members vary from model to model."""
    found = read([reply])
    assert [name for name, _ in found.calls] == ["get_time"]
    assert msgspec.json.decode(found.calls[0][1]) == arguments
    assert not found.text


@pytest.mark.parametrize(
    "reply",
    [
        "Hello there.",
        "It is 3 < 4 and `x` is a list: [1, 2].",
        "```python\nprint({'name': 'get_time'})\n```",
        '```json\n{"city": "Rome"}\n```\nThat is all.',
        '{"name": "Bob", "age": 3}',
        '{"name": 7}',
        '{"type": "person", "name": "get_time"}',
        '{"name": "get_weather", "colour": "blue"}',
        'Say {"name": "get_time", "arguments": {}} to call it.',
        '{"name": "get_weather", "argu',
        "<tool_call>",
        "<tool_call>nothing</tool_call>",
        "<table><tr></tr></table>",
        "```",
        "[",
        "{}",
        "[[]]",
        "line\n\n",
        "",
    ],
)
def test_everything_else_stays_text(reply: str) -> None:
    """What is no call of a known function reaches the reader unchanged."""
    assert read([reply]) == Read(text=reply)


def test_text_before_a_call_is_kept_and_text_behind_it_dropped() -> None:
    """Models announce calls, which is said, and make up results, which is not."""
    call = '<tool_call>{"name": "get_time", "arguments": {}}</tool_call>'
    assert read([f"Let me see.\n\n{call}\nIt is noon."]) == Read(
        "Let me see.", [("get_time", "{}")]
    )


@pytest.mark.parametrize(
    "reply",
    [
        (
            '<tool_call>{"name":"get_time","arguments":{}}</tool_call>\n'
            '<tool_call>{"name":"get_weather","arguments":{"a":1}}</tool_call>'
        ),
        '[{"name":"get_time","arguments":{}}, {"name":"get_weather","arguments":{"a":1}}]',
        '```json\n{"name":"get_time","arguments":{}}\n{"name":"get_weather","arguments":{"a":1}}```',
        (
            '{"name":"get_time","arguments":{}}\n{"name":"nobody","arguments":{}}\n'
            '{"name":"get_weather","arguments":{"a":1}}'
        ),
    ],
)
def test_several_calls_are_found(reply: str) -> None:
    """Calls side by side are numbered in order; unknown ones among them are dropped."""
    assert read([reply]).calls == [("get_time", "{}"), ("get_weather", '{"a":1}')]
    assert read([reply], calls_max=1).calls == [("get_time", "{}")]


def test_reading_is_complete_after_the_last_call() -> None:
    """So that generation can end there."""
    reader = CallReader(NAMES, calls_max=1)
    reader.feed('<tool_call>{"name": "get_time", "arguments": {"a"')
    assert not reader.complete
    reader.feed(": 1}")
    assert reader.complete
    unbounded = CallReader(NAMES)
    unbounded.feed('{"name": "get_time", "arguments": {}}')
    assert not unbounded.complete


@pytest.mark.parametrize(
    ("reply", "unknown"),
    [
        ('{"name": "tell_joke", "arguments": {"topic": "cats"}}', True),
        ('```json\n{"name": "tell_joke", "arguments": {}}\n```', True),
        ('<tool_call>\n{"name": "tell_joke", "arguments": {}}\n</tool_call>', True),
        ('{"name": "tell_joke", "arguments": {}} is what I would call.', False),
        ('Sure: \n{"name": "tell_joke", "arguments": {}}', False),
    ],
)
def test_a_reply_that_only_calls_the_unknown_is_reported(reply: str, unknown: bool) -> None:
    """Only then is nothing told of it; with any other word it is text."""
    assert read([reply]) == (Read(unknown=reply) if unknown else Read(text=reply))


def test_arguments_are_passed_on_while_they_are_written() -> None:
    """The name comes first, then pieces, long before the call is complete."""
    reader = CallReader(NAMES)
    assert reader.feed('<tool_call>{"name": "get_time", "argu') == []
    assert reader.feed('ments": {"zo') == [CallBegan(0, "get_time"), CallArguments(0, '{"zo')]
    assert reader.feed('ne": "U') == [CallArguments(0, 'ne": "U')]


def test_text_is_passed_on_at_once() -> None:
    """Only what may begin a call waits."""
    reader = CallReader(NAMES)
    assert reader.feed("Hello") == [Said("Hello")]
    assert reader.feed(" <tool") == []
    assert reader.feed("box> is") == [Said(" <toolbox> is")]
    assert reader.feed("\n{") == []
    assert reader.feed('"colour') == [Said('\n{"colour')]


FRAGMENTS = st.sampled_from(
    [
        *CALLS.values(),
        *('{"name": "nobody", "arguments": {}}', '"name"', '"arguments"', "get_time", "name"),
        *("<tool_call>", "</tool_call>", "```json\n", "```", "{", "}", "[", "]", '"', "\\", ","),
        *(" ", "\n", ":", "text", "é😀"),
    ]
)
REPLIES = st.lists(FRAGMENTS | st.text(max_size=6), max_size=12).map("".join)


@given(REPLIES, st.lists(st.integers(0, 400)), st.sampled_from([None, 1, 2]))
def test_pieces_do_not_matter(reply: str, cuts: list[int], calls_max: int | None) -> None:
    """However the stream is cut, the result is that of the whole reply."""
    edges = [0, *sorted(cut % (len(reply) + 1) for cut in cuts), len(reply)]
    pieces = [reply[start:end] for start, end in itertools.pairwise(edges)]
    assert read(pieces, calls_max) == read([reply], calls_max)


@given(REPLIES)
def test_text_is_never_lost(reply: str) -> None:
    """Without a call, text and held-back text together are the reply."""
    found = read([reply])
    if not found.calls:
        assert found.text + found.unknown == reply
