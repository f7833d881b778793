"""Headers that every answer carries, and what of the caller's is echoed."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import pytest

from linarite.domain.chat import ChatEvent
from linarite.domain.errors import TooManyRequests, UpstreamRefused
from linarite.domain.usage import usage_of
from linarite.hosting.options import InstanceSettings
from linarite.telemetry.logs import request_id
from tests.dataplane.rig import CHAT, EMBEDDINGS, HELLO, ScriptedEngine, rig

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from linarite.domain.chat import ChatAsk
    from tests.dataplane.rig import Rig

pytestmark = pytest.mark.anyio

GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")

ANSWERS: list[tuple[int, str, str, Any]] = [
    (200, "POST", CHAT, HELLO),
    (200, "POST", CHAT, HELLO | {"stream": True}),
    (200, "POST", EMBEDDINGS, {"input": "x"}),
    (200, "GET", "/openai/v1/models", None),
    (200, "GET", "/openai/v1/models/gpt-4o", None),
    (400, "POST", CHAT, {"messages": []}),
    (400, "POST", CHAT, b"{"),
    (400, "GET", "/openai/v1/models?api-version=2024-10-21", None),
    (401, "POST", CHAT, HELLO),
    (404, "GET", "/nowhere", None),
    (404, "POST", CHAT.replace("gpt", "nope"), HELLO),
    (404, "GET", "/openai/v1/models/nope", None),
    (405, "DELETE", "/openai/v1/models", None),
]


@pytest.mark.parametrize(("status", "method", "target", "body"), ANSWERS)
async def test_every_answer_has_the_gateways_headers(
    server: Rig, status: int, method: str, target: str, body: object
) -> None:
    """Ids, time taken, region, date: refusals too; nothing comes twice."""
    key = "wrong" if status == 401 else ""
    answer = await server.send(method, target, body, key=key)
    assert answer.status == status
    names = [name for name, _ in answer.headers]
    assert len(names) == len(set(names))
    request_id = answer.header("apim-request-id") or ""
    assert GUID.fullmatch(request_id)
    assert answer.header("x-request-id") == request_id
    assert answer.header("x-ms-client-request-id") == request_id
    assert int(answer.header("openai-processing-ms") or "") >= 0
    assert answer.header("x-content-type-options") == "nosniff"
    assert answer.header("x-ms-rai-invoked") == "false"
    assert parsedate_to_datetime(answer.header("date") or "").year > 2000
    assert answer.header("x-ms-region") == (None if status == 401 else "Local")
    assert answer.header("server") is None
    deployed = status in {200, 400} and method == "POST"
    assert answer.header("x-ms-deployment-name") == ("gpt" if deployed else None)
    assert (answer.header("x-ms-served-model") is not None) is deployed
    assert (answer.header("azureml-model-session") is not None) is deployed
    assert answer.header("x-ms-is-spilled-over") == ("false" if deployed else None)
    streams = isinstance(body, dict) and "stream" in body
    assert answer.header("azureai-fe-is-streaming") == (str(streams) if deployed else None)
    served = "default" if status == 200 and deployed else None
    assert answer.header("azureai-processed-tier") == served
    assert answer.header("azureai-requested-tier") is None
    assert answer.header("strict-transport-security") is None
    assert (await server.recorded()).request_id == request_id


async def test_request_ids_are_never_the_same(server: Rig) -> None:
    """Two hundred are two hundred, and each has its record."""
    seen = {
        (await server.send("GET", "/openai/v1/models", key=None)).header("apim-request-id")
        for _ in range(200)
    }
    assert len(seen) == 200


@pytest.mark.parametrize(
    ("given", "echoed"),
    [
        ("abc", True),
        ("3f2504e0-4f89-11d3-9a0c-0305e82c3301", True),
        ("x" * 128, True),
        ("x" * 129, False),
        ('a b;c=d,"e"', True),
        ("", False),
        ("café", False),
        ("\xff\xfe", False),
        ("a\tb", False),
    ],
)
async def test_the_callers_id_is_echoed_if_it_is_fit(server: Rig, given: str, echoed: bool) -> None:
    """Up to 128 printable ASCII characters; else our own id stands there, as in Azure."""
    for key in ("", "wrong"):
        answer = await server.chat(HELLO, headers=[("x-ms-client-request-id", given)], key=key)
        shown = answer.header("x-ms-client-request-id")
        assert shown == (given if echoed else answer.header("apim-request-id"))


@pytest.mark.parametrize("ending", ["\n", "\r", "\r\n", "\x00", "\x0b"])
async def test_no_header_can_be_injected(server: Rig, ending: str) -> None:
    """Whatever stands in an id, the answer has no header more and no second answer."""
    value = f"a{ending}x-injected: 1"
    answer = await server.chat(HELLO, headers=[("x-ms-client-request-id", value)])
    assert answer.status in {200, 400}
    assert answer.header("x-injected") is None
    assert "x-injected" not in (answer.header("x-ms-client-request-id") or "")


async def test_of_a_header_that_comes_twice_one_is_taken(server: Rig) -> None:
    """The last, for every reader alike: what is checked is what is used."""
    good, wrong = ("api-key", server.keys.key1), ("api-key", "wrong")
    for headers, status in (([good, wrong], 401), ([wrong, good], 200)):
        answer = await server.send("POST", CHAT, HELLO, headers=headers, key=None)
        assert answer.status == status
    twice = [("x-ms-client-request-id", "one"), ("x-ms-client-request-id", "two")]
    assert (await server.chat(HELLO, headers=twice)).header("x-ms-client-request-id") == "two"
    types = [("content-type", "text/plain"), ("content-type", "application/json")]
    assert (await server.chat(HELLO, headers=types)).status == 200
    lengths = [("content-length", "5"), ("content-length", "6")]
    assert (await server.send("POST", CHAT, headers=lengths)).status == 400


async def test_names_outside_latin_1_do_not_break_headers() -> None:
    """Header values are latin-1; what does not fit becomes a question mark."""
    async with rig(deployments=("名前-é",)) as running:
        answer = await running.send(
            "POST", "/openai/v1/chat/completions", HELLO | {"model": "名前-é"}
        )
        assert answer.status == 200
        assert answer.header("x-ms-deployment-name") == "??-é"


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (TooManyRequests("Too many.", 1.2), {"retry-after": "2", "retry-after-ms": "1200"}),
        (
            UpstreamRefused(
                429, {"message": "x"}, {"retry-after": "7", "x-note": "a\r\nb: c\x00é"}
            ),
            {"retry-after": "7", "x-note": "a??b: c?é"},
        ),
    ],
)
async def test_a_refusals_own_headers_are_sent_safely(
    failure: Exception, expected: dict[str, str]
) -> None:
    """Waits, and what an upstream sent, as far as it is a header's value."""

    async def script(ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        del ask
        if failure:
            raise failure
        yield ChatEvent()

    async with rig(ScriptedEngine(script)) as running:
        answer = await running.chat(HELLO)
        assert answer.status == 429
        assert {name: answer.header(name) for name in expected} == expected
        assert answer.header("b") is None


async def test_a_full_queue_says_when_to_come_back() -> None:
    """503 carries both waits, whole seconds and milliseconds, and names the setting."""
    policy = InstanceSettings(queue_max=0, queue_wait_s=1)
    async with rig(policy=policy) as running:
        running.instance.start()
        await running.instance.settled()
        running.instance.gate.running = running.instance.gate.parallel
        answer = await running.chat(HELLO)
        running.instance.gate.running = 0
        assert answer.status == 503
        assert int(answer.header("retry-after") or "") >= 1
        assert int(answer.header("retry-after-ms") or "") >= 1
        assert answer.error["code"] == "503"
        assert answer.error["message"].startswith(
            "The service is temporarily unable to process your request. Please try again later. "
        )
        assert "instances.*.queue_max" in answer.error["message"]


async def test_log_lines_of_a_request_carry_its_id() -> None:
    """Whatever an engine logs while it answers can be found by the id in the answer's headers."""
    seen: list[str] = []

    async def script(_: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        seen.append(request_id.get())
        yield ChatEvent(usage=usage_of(1, 1))

    async with rig(ScriptedEngine(script)) as server:
        ids = [(await server.chat(HELLO)).header("apim-request-id") for _ in range(2)]
    assert seen == ids
