from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from linarite.dataplane.routes import ROUTES
from linarite.domain.resource import Resource
from tests.dataplane.rig import CHAT, HELLO, foreign_account_id, rig

if TYPE_CHECKING:
    from tests.dataplane.rig import Rig

pytestmark = pytest.mark.anyio

DENIED = (
    b'{"error":{"code":"401","message": "Access denied due to invalid subscription key or wrong '
    b"API endpoint. Make sure to provide a valid key for an active subscription and use a correct "
    b'regional API endpoint for your resource."}}'
)
HEADERS_OF_A_REFUSAL = {
    "date",
    "apim-request-id",
    "x-request-id",
    "x-ms-client-request-id",
    "openai-processing-ms",
    "x-content-type-options",
    "x-ms-rai-invoked",
    "content-type",
    "content-length",
}
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJodHRwczovL2NvZ25pdGl2ZSJ9.c2lnbmF0dXJl"


def every_target() -> list[tuple[str, str]]:
    """Each route in both dialects, and paths and methods that no route has."""
    targets: list[tuple[str, str]] = []
    for route in ROUTES:
        path = route.template.replace("{model}", "gpt-4o")
        base = "/openai/deployments/gpt" if route.dated == "deployment" else "/openai"
        version = max(route.versions, default="v1")
        targets += [
            (route.method, f"/openai/v1{path}"),
            (route.method, f"/openai/v1{path}?api-version=2024-10-21"),
            (route.method, f"{base}{path}?api-version={version}"),
            (route.method, f"{base}{path}"),
            (route.method, f"/other{base}{path}?api-version={version}"),
            ("DELETE", f"{base}{path}?api-version={version}"),
            ("OPTIONS", f"{base}{path}?api-version={version}"),
        ]
    targets += [
        ("POST", CHAT.replace("gpt", "absent")),
        ("GET", "/"),
        ("GET", "/.env"),
        ("POST", "/openai/v1/moderations"),
        ("GET", "/absent/openai/v1/models"),
        ("GET", "/openai/deployments?api-version=2024-10-21"),
    ]
    return targets


@pytest.mark.parametrize("key", [None, "wrong", "of another account"])
async def test_nothing_is_told_to_a_caller_without_a_key(pair: Rig, key: str | None) -> None:
    """Azure's 401 to the letter, on every path there is or is not, and no header that tells more.

    `pair` has two accounts: a call that names none finds none.
    """
    denied = (401, DENIED, HEADERS_OF_A_REFUSAL, "application/json")
    otherwise: dict[tuple[str, str], object] = {}
    for method, target in every_target():
        presented = pair.other_keys.key1 if key == "of another account" else key
        if target.startswith("/other") and presented == pair.other_keys.key1:
            presented = pair.keys.key1
        body = HELLO if method == "POST" else None
        answer = await pair.send(method, target, body, key=presented)
        shown = {name for name, _ in answer.headers} - {"connection"}
        told = (answer.status, answer.body, shown, answer.header("content-type"))
        if told != denied:
            otherwise[method, target] = told
    assert otherwise == {}


async def test_a_refusal_does_not_wait_for_the_body_nor_judge_it(server: Rig) -> None:
    """Malformed, too large or of the wrong type: without a key all is 401."""
    length = ("content-length", "99999999999")
    for headers in ([("content-type", "text/plain")], [length], [("a" * 9, "b")] * 50):
        answer = (
            await server.chat(b"{", headers=headers, key="wrong")
            if headers != [length]
            else await server.send("POST", CHAT, headers=headers, key="wrong")
        )
        assert answer.status == 401
        assert answer.body == DENIED


@pytest.mark.parametrize("target", [CHAT, "/openai/v1/chat/completions"])
async def test_a_key_is_taken_wherever_clients_put_it(server: Rig, target: str) -> None:
    """`api-key`, the general Cognitive Services header, and as a bearer on both dialects."""
    body = HELLO | {"model": "gpt"}
    for which, key in (("key1", server.keys.key1), ("key2", server.keys.key2)):
        for header in (
            ("api-key", key),
            ("API-Key", key),
            ("Ocp-Apim-Subscription-Key", key),
            ("authorization", f"Bearer {key}"),
            ("Authorization", f"bearer   {key} "),
            ("authorization", f"BEARER {key}"),
        ):
            answer = await server.send("POST", target, body, key=None, headers=[header])
            assert answer.status == 200, header[0]
            assert (await server.recorded()).caller_key == which


@pytest.mark.parametrize("beside", [f"Bearer {JWT}", "Bearer wrong", "Basic eDp5", "Bearer", ""])
async def test_api_key_decides_beside_a_bearer(server: Rig, beside: str) -> None:
    """Clients send both; the bearer is ignored, whatever it is."""
    headers = [("authorization", beside)]
    assert (await server.chat(HELLO, headers=headers)).status == 200
    assert (await server.chat(HELLO, headers=headers, key="wrong")).status == 401


async def test_a_wrong_api_key_is_not_saved_by_a_good_bearer(server: Rig) -> None:
    """What decides, decides."""
    headers = [("authorization", f"Bearer {server.keys.key1}")]
    assert (await server.chat(HELLO, headers=headers, key="wrong")).status == 401


@pytest.mark.parametrize(
    "header",
    [
        ("api-key", ""),
        ("api-key", " "),
        ("api-key", "x" * 512),
        ("api-key", "x" * 513),
        ("api-key", "x" * 60_000),
        ("api-key", "schlüssel"),
        ("api-key", "\xff\xfe\x80"),
        ("api-key", "{key}x"),
        ("api-key", "{key},{key}"),
        ("authorization", ""),
        ("authorization", "Bearer"),
        ("authorization", "Bearer "),
        ("authorization", "Bearer {key} {key}"),
        ("authorization", "{key}"),
        ("authorization", "Basic {key}"),
        ("authorization", "Bearer\t{key}"),
        ("ocp-apim-subscription-key", ""),
        ("ocp-apim-subscription-key", "wrong"),
        ("x-api-key", "{key}"),
        ("cookie", "api-key={key}"),
    ],
)
async def test_what_is_no_key_opens_nothing(server: Rig, header: tuple[str, str]) -> None:
    """Empty, huge, non-ASCII and misplaced keys are all the same 401."""
    name, value = header
    value = value.replace("{key}", server.keys.key1)
    answer = await server.send("POST", CHAT, HELLO, key=None, headers=[(name, value)])
    assert answer.status == 401
    assert answer.body == DENIED


async def test_a_token_of_nobody_who_is_trusted_is_told_what_is_wrong(pair: Rig) -> None:
    """Azure's text, with the reason and where to get one, whether there is such an account or not.

    As much is told of a path that there is not.
    """
    told: set[bytes] = set()
    for path in (CHAT, f"/absent{CHAT}", f"/other{CHAT}", "/nowhere"):
        headers = [("authorization", f"Bearer {JWT}")]
        answer = await pair.send("POST", path, HELLO, key=None, headers=headers)
        assert (answer.status, answer.error["code"]) == (401, "Unauthorized")
        assert answer.error["message"].startswith("Access token is missing, invalid, audience is")
        assert answer.error["innererror"]["message"].startswith("The header's 'kid' must name")
        assert answer.header("www-authenticate") == "Bearer"
        assert (await pair.recorded()).account == ""
        told.add(answer.body)
    assert len(told) == 1


async def test_a_key_in_the_query_opens_nothing(server: Rig) -> None:
    """Only realtime connections may carry it there; it would end up in logs."""
    answer = await server.send("POST", f"{CHAT}&api-key={server.keys.key1}", HELLO, key=None)
    assert answer.status == 401
    assert server.keys.key1 not in (await server.recorded()).path


async def test_records_hold_names_of_keys_and_no_keys(server: Rig) -> None:
    """Nor the account, for a caller who did not prove to belong to it."""
    await server.chat(HELLO)
    assert (await server.recorded()).caller_key == "key1"
    await server.chat(HELLO, key="wrong")
    record = await server.recorded()
    assert (record.caller_key, record.account, record.status) == ("", "", 401)
    everything = repr(server.records)
    assert server.keys.key1 not in everything
    assert server.keys.key2 not in everything


async def test_an_account_may_refuse_keys() -> None:
    """With local authentication disabled every key is 403, as Azure says it."""
    async with rig(accounts=2) as running:
        account = foreign_account_id("other")
        found = await running.resources.get(account)
        assert found is not None
        await running.resources.put(
            Resource(
                id=account,
                type=found.type,
                name=found.name,
                properties={"disableLocalAuth": True},
            )
        )
        await running.facts.refresh()
        target = "/other/openai/v1/models"
        answer = await running.send("GET", target, key=running.other_keys.key1)
        assert answer.status == 403
        assert answer.body == (
            b'{"error":{"code":"AuthenticationTypeDisabled","message": "Key based authentication '
            b'is disabled for this resource."}}'
        )
        assert (await running.send("GET", target, key=None)).status == 401
