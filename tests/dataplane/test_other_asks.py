"""What completions and embeddings refuse, and what they take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from linarite.domain.engine import Capabilities
from tests.dataplane.rig import CHAT, COMPLETIONS, EMBEDDINGS, HELLO, ScriptedEngine, rig

if TYPE_CHECKING:
    from tests.dataplane.rig import Rig

pytestmark = pytest.mark.anyio

TYPE, VALUE, COMBINATION = "invalid_type", "invalid_value", "invalid_parameter_combination"


@pytest.mark.parametrize(
    ("fields", "param", "code", "message"),
    [
        ({"prompt": []}, "prompt", "empty_array", "empty array"),
        ({"prompt": [[]]}, "prompt[0]", "empty_array", "empty array"),
        ({"prompt": ["a", 1]}, "prompt", TYPE, "not a mixture"),
        ({"prompt": [1, [1]]}, "prompt", TYPE, "not a mixture"),
        ({"prompt": [-1]}, "prompt", VALUE, "token ids are integers from 0 up"),
        ({"prompt": [2**31]}, "prompt", VALUE, "token ids"),
        ({"prompt": [[1], [10**40]]}, "prompt[1]", VALUE, "token ids"),
        ({"prompt": [1.5]}, "prompt[0]", TYPE, "got a number"),
        ({"prompt": [True]}, "prompt[0]", TYPE, "got a boolean"),
        ({"prompt": {}}, "prompt", TYPE, "got an object"),
        ({"prompt": ["x"] * 2049}, "prompt", "array_above_max_length", "length 2049"),
        ({"prompt": [[1]] * 2049}, "prompt", "array_above_max_length", "length 2049"),
        ({"prompt": [1] * (2**20 + 1)}, "prompt", "array_above_max_length", "1048576"),
        ({"prompt": [[1] * 2**19] * 3}, "prompt", "array_above_max_length", "1048576"),
        ({"best_of": 21}, "best_of", "integer_above_max_value", "<= 20"),
        ({"best_of": 0}, "best_of", "integer_below_min_value", ">= 1"),
        ({"best_of": 1, "n": 2}, "best_of", COMBINATION, "must be at least 'n' (2)"),
        ({"best_of": 2, "stream": True}, "best_of", COMBINATION, "can't be streamed"),
        ({"logprobs": 6}, "logprobs", "integer_above_max_value", "<= 5"),
        ({"logprobs": True}, "logprobs", TYPE, "expected an integer, but got a boolean"),
        ({"max_tokens": 0}, "max_tokens", "integer_below_min_value", "together with 'echo'"),
        ({"max_tokens": -1}, "max_tokens", "integer_below_min_value", ">= 0"),
        ({"suffix": "x", "echo": True}, "echo", COMBINATION, "together with 'suffix'"),
        ({"suffix": "x"}, "suffix", "unsupported_parameter", "fill in the middle"),
        ({"stream_options": {}}, "stream_options", COMBINATION, "'stream' is enabled"),
        ({"n": 128, "prompt": ["x"] * 17}, "prompt", VALUE, "2176, at most 2048"),
        ({"temperature": 2.5}, "temperature", "decimal_above_max_value", "<= 2"),
        ({"stop": ["a"] * 5}, "stop", "array_above_max_length", "length 5"),
        ({"logit_bias": {"a": 1}}, "logit_bias", VALUE, "Invalid key"),
        ({"messages": []}, None, None, "Unrecognized request argument supplied: messages"),
    ],
)
async def test_what_is_wrong_with_a_completion_is_named(
    server: Rig, fields: dict[str, Any], param: str | None, code: str | None, message: str
) -> None:
    """400 in OpenAI's shape, before an engine generates anything."""
    answer = await server.send("POST", COMPLETIONS, {"prompt": "x"} | fields)
    assert answer.status == 400
    assert (answer.error["param"], answer.error["code"]) == (param, code)
    assert message in answer.error["message"]


@pytest.mark.parametrize(
    ("fields", "param", "code", "message"),
    [
        ({"input": None}, "input", TYPE, "got null"),
        ({"input": ""}, "input", VALUE, "must not be empty"),
        ({"input": [""]}, "input", VALUE, "must not be empty"),
        ({"input": ["a", ""]}, "input", VALUE, "must not be empty"),
        ({"input": []}, "input", "empty_array", "empty array"),
        ({"input": [[]]}, "input[0]", "empty_array", "empty array"),
        ({"input": [1, "a"]}, "input", TYPE, "not a mixture"),
        ({"input": [-1]}, "input", VALUE, "token ids"),
        ({"input": 3}, "input", TYPE, "got an integer"),
        (
            {"input": ["x"] * 2049},
            "input",
            "array_above_max_length",
            (
                "Invalid 'input': array too long. Expected an array with maximum length 2048, but "
                "got an array with length 2049 instead."
            ),
        ),
        ({"dimensions": 0}, "dimensions", "integer_below_min_value", ">= 1"),
        ({"dimensions": 9}, "dimensions", VALUE, "Must be less than or equal to 8."),
        ({"dimensions": 65_537}, "dimensions", "integer_above_max_value", "<= 65536"),
        ({"dimensions": "8"}, "dimensions", TYPE, "expected an integer"),
        ({"encoding_format": "hex"}, "encoding_format", VALUE, "'hex'"),
        ({"stream": True}, None, None, "Unrecognized request argument supplied: stream"),
    ],
)
async def test_what_is_wrong_with_an_embedding_is_named(
    server: Rig, fields: dict[str, Any], param: str | None, code: str | None, message: str
) -> None:
    """400 in OpenAI's shape."""
    answer = await server.send("POST", EMBEDDINGS, {"input": "x"} | fields)
    assert answer.status == 400
    assert (answer.error["param"], answer.error["code"]) == (param, code)
    assert message in answer.error["message"]


@pytest.mark.parametrize("value", ["x", ["x"], ["x"] * 2048, [1, 2], [0], [[1], [2**31 - 1]]])
async def test_text_and_tokens_are_taken_in_every_form(server: Rig, value: object) -> None:
    """One text, many texts, token ids, arrays of token ids."""
    answer = await server.send("POST", EMBEDDINGS, {"input": value})
    assert answer.status == 200
    expected = 2048 if value == ["x"] * 2048 else 2 if value == [[1], [2**31 - 1]] else 1
    assert [item["index"] for item in answer.json()["data"]] == list(range(expected))
    answer = await server.send("POST", COMPLETIONS, {"prompt": value})
    assert answer.status == 200
    assert len(answer.json()["choices"]) == expected


@pytest.mark.parametrize(
    ("able", "path", "body", "verb"),
    [
        (Capabilities(embeddings=True), CHAT, HELLO, "chatCompletion"),
        (Capabilities(embeddings=True), COMPLETIONS, {"prompt": "x"}, "completion"),
        (Capabilities(chat_completion=True), EMBEDDINGS, {"input": "x"}, "embeddings"),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
async def test_a_model_that_cannot_is_refused_in_azures_words(
    able: Capabilities, path: str, body: dict[str, Any], verb: str, stream: bool
) -> None:
    """OperationNotSupported names Azure's word for the operation, and frees the place."""
    async with rig(ScriptedEngine(able=able)) as running:
        if stream and path != EMBEDDINGS:
            body = body | {"stream": True}
        answer = await running.send("POST", path, body)
        assert answer.status == 400
        assert answer.body == (
            b'{"error":{"code":"OperationNotSupported","message": "The %s operation does not work '
            b"with the specified model, gpt-4o. Please choose different model and try again. You "
            b"can learn more about which models can be used with each operation here: "
            b'https://go.microsoft.com/fwlink/?linkid=2197993."}}' % verb.encode()
        )
        assert running.instance.gate.running == 0
        assert running.engine.opened == running.engine.closed
