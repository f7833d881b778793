"""Rules over networks on the wire: judged before any credential, whatever is asked for."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from linarite.dataplane.routes import ROUTES
from linarite.domain.access_errors import TokenRefused
from linarite.domain.network import OPEN
from linarite.domain.principal import SERVICE_PRINCIPAL, USER, Principal
from tests.dataplane.rig import CHAT, GA, HELLO, rig
from tests.web.wire import get_lines, read_answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.dataplane.rig import Rig
    from tests.web.wire import Answer

pytestmark = pytest.mark.anyio

DENIED = "Access denied due to Virtual Network/Firewall rules."
SEARCH = "11111111-1111-1111-1111-111111111111"
TOKEN = "a.good.token"
OWN = ("host", "linarite.openai.linarite.internal")
REGIONAL = ("host", "local.api.cognitive.linarite.internal")


class OnePrincipal:
    """A verifier that knows one token."""

    def __init__(self, object_id: str = SEARCH, kind: str = SERVICE_PRINCIPAL) -> None:
        self.principal = Principal(kind=kind, name="search", object_id=object_id)
        self.asked = 0

    def known(self, token: str, audiences: frozenset[str]) -> Principal | None:
        """Nobody yet."""
        del token, audiences
        return None

    async def verify(self, token: str, audiences: frozenset[str]) -> Principal:
        """Whose it is."""
        del audiences
        self.asked += 1
        if token != TOKEN:
            raise TokenRefused("it is another")
        return self.principal

    def says_to_be(self, token: str, object_ids: frozenset[str]) -> bool:
        """Whoever shows a token claims to be the one."""
        del token
        return self.principal.object_id in object_ids

    def as_it_is_now(self, principal: Principal) -> Principal:
        """The same."""
        return principal


async def change(running: Rig, **properties: Any) -> None:  # noqa: ANN401 - any JSON
    """Set properties of the account `linarite`, as the control plane would."""
    account = await running.resources.get(running.account_id)
    assert account is not None
    changed = msgspec.structs.replace(account, properties=account.properties | properties)
    await running.resources.put(changed)
    await running.facts.read_anew(running.account_id)


async def deny(running: Rig, *allowed: str, **more: Any) -> None:  # noqa: ANN401 - any JSON
    """Refuse all but these addresses."""
    rules = [{"value": each} for each in allowed]
    await change(running, networkAcls={"defaultAction": "Deny", "ipRules": rules, **more})


def targets() -> list[tuple[str, str]]:
    """Every route in both dialects, and paths that there are not."""
    found = [("GET", "/openai/v1/nothing"), ("POST", "/openai/nothing"), ("GET", "/linarite/x")]
    for route in ROUTES:
        template = route.template.replace("{model}", "gpt-4o")
        deployment = "/deployments/gpt" if route.dated == "deployment" else ""
        found.append((route.method, f"/openai/v1{template}"))
        found.append((route.method, f"/openai{deployment}{template}?api-version={GA}"))
        found.append((route.method, f"/linarite/openai{deployment}{template}?api-version={GA}"))
    return found


CREDENTIALS: dict[str, Sequence[tuple[str, str]]] = {
    "key": [],
    "wrong key": [("api-key", "wrong")],
    "token": [("authorization", f"Bearer {TOKEN}")],
    "wrong token": [("authorization", "Bearer a.b.c")],
    "none": [],
}


async def test_a_refused_address_learns_nothing_else() -> None:
    """Every route with every credential: the same 403, and no token is looked at."""
    tokens = OnePrincipal()
    async with rig(tokens=tokens) as running:
        await deny(running, "203.0.113.0/24")
        for (method, target), credential in itertools.product(targets(), CREDENTIALS):
            answer = await running.send(
                method,
                target,
                HELLO if method == "POST" else None,
                headers=CREDENTIALS[credential],
                key="" if credential == "key" else None,
            )
            if target == "/linarite/x":  # names no account: nothing but a key leads on
                assert answer.status != 200
                continue
            assert (answer.status, answer.error["code"]) == (403, "403"), (target, credential)
            assert answer.error["message"] == DENIED
            assert "127.0.0.1" in answer.error["innererror"]["message"]
            assert "203.0.113" not in answer.body.decode()
        assert not running.engine.asked
        assert not tokens.asked
        record = running.records[0]
        assert (record.refused_by, record.network_rule) == ("network", "defaultAction Deny")
        assert record.account_id == running.account_id


async def test_an_allowed_address_goes_on_to_the_credential() -> None:
    """The rule that let it in is recorded, for good and bad keys."""
    async with rig() as running:
        await deny(running, "127.0.0.0/8")
        for key, status in {"": 200, "wrong": 401, None: 401}.items():
            assert (await running.chat(HELLO, key=key)).status == status
        assert {each.network_rule for each in running.records} == {"ipRule 127.0.0.0/8"}


async def test_azures_body_to_the_byte() -> None:
    """Our hint comes after it."""
    async with rig() as running:
        await deny(running)
        body = (await running.chat(HELLO)).body
        assert body.startswith(b'{"error":{"code":"403","message": "' + DENIED.encode() + b'",')


async def test_new_rules_act_on_the_next_request_of_an_open_connection() -> None:
    """In both directions."""
    async with rig() as running:
        head = get_lines(
            "GET", "/openai/v1/models", [("host", "localhost"), ("api-key", running.keys.key1)]
        )
        reader, writer = await running.connect()

        async def ask() -> Answer:
            writer.write(head)
            return await read_answer(reader, method="GET")

        assert (await ask()).status == 200
        await deny(running, "10.0.0.0/8")
        assert (await ask()).status == 403
        await deny(running, "127.0.0.1")
        assert (await ask()).status == 200
        await change(running, networkAcls={"defaultAction": "Allow"})
        assert running.facts.for_account("linarite").account.network is OPEN
        assert (await ask()).status == 200
        writer.close()


async def chat_with_token(running: Rig, token: str = TOKEN, **more: Any) -> Answer:  # noqa: ANN401 - passed on
    """A chat by a token alone."""
    headers = [("authorization", f"Bearer {token}"), *more.pop("headers", ())]
    return await running.send("POST", CHAT, HELLO, headers=headers, key=None, **more)


@pytest.mark.parametrize("closed", [False, True])
async def test_a_trusted_service_passes_and_needs_its_role_all_the_same(*, closed: bool) -> None:
    """By the bypass, also where the public side is closed; who it is, roles ask as of others."""
    tokens = OnePrincipal()
    async with rig(tokens=tokens, trusted=frozenset((SEARCH,))) as running:
        await deny(running, bypass="AzureServices")
        if closed:
            await change(running, publicNetworkAccess="Disabled")
        answer = await chat_with_token(running)
        assert (answer.status, answer.error["code"]) == (401, "PermissionDenied")
        assert (await running.recorded()).network_rule == f"bypass AzureServices {SEARCH}"
        assert (await running.chat(HELLO)).status == 403
        assert (await chat_with_token(running, "a.b.c")).status == 403


@pytest.mark.parametrize(
    ("tokens", "bypass", "trusted"),
    [
        (OnePrincipal(), "None", SEARCH),
        (OnePrincipal(), "AzureServices", "22222222-2222-2222-2222-222222222222"),
        (OnePrincipal(kind=USER), "AzureServices", SEARCH),
    ],
)
async def test_others_do_not_pass_by_the_bypass(
    tokens: OnePrincipal, bypass: str, trusted: str
) -> None:
    """Without it, by another identity, as a person: the same 403 as without a token.

    No signature is verified of who does not even claim to be one that passes.
    """
    async with rig(tokens=tokens, trusted=frozenset((trusted,))) as running:
        await deny(running, bypass=bypass)
        answer = await chat_with_token(running)
        assert (answer.status, answer.error["message"]) == (403, DENIED)
        assert tokens.asked == (tokens.principal.kind == USER)


async def test_a_host_name_chooses_the_account() -> None:
    """In any case, with a port, with a dot; a name that no account has is told before a key."""
    async with rig(accounts=2) as running:
        for host in ("Linarite.OpenAI.linarite.internal:8080", f"{OWN[1]}."):
            answer = await running.chat(HELLO, headers=[("host", host)], own_host=False)
            assert answer.status == 200
        other = [("host", "other.services.ai.linarite.internal")]
        assert (await running.chat(HELLO, headers=other, own_host=False)).status == 401
        key = running.other_keys.key1
        theirs = CHAT.replace("/gpt/", "/theirs/")
        assert (
            await running.send("POST", theirs, HELLO, headers=other, key=key, own_host=False)
        ).status == 200
        nobody = [("host", "nobody.openai.linarite.internal")]
        for key in ("", None):
            answer = await running.chat(HELLO, headers=nobody, key=key, own_host=False)
            assert answer.status == 404
            assert answer.body == (
                b'{"error":{"code":"404","message": "Subdomain does not map to a resource."}}'
            )


async def test_host_and_path_must_not_contradict_each_other() -> None:
    """The same account twice is fine."""
    async with rig(accounts=2) as running:
        same = await running.chat_at(f"/Linarite{CHAT}", headers=[OWN], own_host=False)
        assert same.status == 200
        other = await running.chat_at(f"/other{CHAT}", headers=[OWN], own_host=False)
        assert other.status == 404
        assert other.error["innererror"]["code"] == "AccountContradicted"


async def test_an_accounts_name_leads_to_the_data_plane_alone() -> None:
    """As on Azure: neither Resource Manager nor sign-in is there."""
    async with rig() as running:
        for path in ("/subscriptions?api-version=2022-12-01", "/common/oauth2/v2.0/token"):
            answer = await running.send("GET", path, headers=[OWN], own_host=False)
            assert answer.error == {"code": "404", "message": "Resource not found"}


async def test_a_regional_endpoint_takes_keys_alone() -> None:
    """The key says which account is meant, whose rules then act; tokens want a subdomain."""
    async with rig(accounts=2, tokens=OnePrincipal()) as running:
        assert (await running.chat(HELLO, headers=[REGIONAL], own_host=False)).status == 200
        wrong = await running.chat(HELLO, headers=[REGIONAL], own_host=False, key="wrong")
        assert wrong.status == 401
        refused = await chat_with_token(running, headers=[REGIONAL], own_host=False)
        assert (refused.status, refused.error["code"]) == (400, "BadRequest")
        assert "custom subdomain" in refused.error["message"]
        elsewhere = [("host", "mars.api.cognitive.linarite.internal")]
        assert (await running.chat(HELLO, headers=elsewhere, own_host=False)).status == 401
        await deny(running)
        assert (await running.chat(HELLO, headers=[REGIONAL], own_host=False)).status == 403


async def test_a_foreign_name_is_refused_on_every_plane() -> None:
    """Before anything else: with a good key as without."""
    async with rig() as running:
        for target in (CHAT, "/subscriptions", "/common/oauth2/v2.0/token", "/healthz", "/"):
            answer = await running.chat_at(
                target, headers=[("host", "evil.example")], own_host=False
            )
            assert (answer.status, answer.error["code"]) == (421, "421")
            assert "server.hosts" in answer.error["message"]
        absolute = await running.chat_at(f"http://evil.example{CHAT}")
        assert absolute.status == 421
        twice = await running.chat(HELLO, headers=[("host", "localhost")])
        assert twice.status == 400
        assert not running.engine.asked
        assert (await running.chat_at(f"http://LOCALHOST:80{CHAT}")).status == 200
