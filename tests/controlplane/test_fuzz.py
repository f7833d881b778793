"""Whatever is sent, the control plane answers it or refuses it; it never breaks."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from linarite.controlplane.actions import ACTIONS
from linarite.controlplane.resources.accounts.properties import SentAccount
from linarite.controlplane.resources.deployments.properties import SentDeployment
from linarite.controlplane.routes import RESOURCE_TYPES
from tests.controlplane.rig import ACCOUNT, ACCOUNTS, DEPLOYMENT, SUBSCRIPTION, Rig

WORDS = sorted(
    {
        field.encode_name
        for shape in (SentAccount, SentDeployment)
        for field in msgspec.structs.fields(shape)
    }
    | {"location", "kind", "sku", "tags", "identity", "properties", "name", "capacity", "type"}
    | {"version", "format", "ipRules", "value", "pattern", "isRegex", "keyName", "skus", "model"}
    | {"workloads", "basePolicyName", "customBlocklists", "contentFilters", "displayName"}
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "local", "OpenAI", "S0", "Standard", "gpt-4o", "1", "\u0000", "x/y"])
    | st.text(max_size=8)
)
BODIES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=6)
    ),
    max_leaves=20,
)
TEMPLATES = sorted(
    {row.template for row in RESOURCE_TYPES}
    | {collection for row in RESOURCE_TYPES for collection in row.collections}
    | {action.template for action in ACTIONS if action.type != "Microsoft.Resources/deployments"}
)
NAMES = {
    "subscription": st.sampled_from([SUBSCRIPTION, "other"]),
    "resource_group": st.sampled_from(["rg", "RG", "none", "a" * 91]),
    "account": st.sampled_from(["one", "ONE", "x", "new-one"]),
    "deployment": st.sampled_from(["chat", "new", ".."]),
    "location": st.sampled_from(["local", "mars"]),
}


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, str, Any]:
    """A method, a path of the table and a body."""
    path = draw(st.sampled_from(TEMPLATES))
    for part in path.split("/"):
        if part.startswith("{"):
            names = NAMES.get(part.strip("{}"), st.sampled_from(["one", "default", "%"]))
            path = path.replace(part, draw(names), 1)
    query = draw(st.sampled_from(["", "?$top=1", "?$top=x", "?$skiptoken=e30=", "?$filter=a eq 1"]))
    method = draw(st.sampled_from(["GET", "PUT", "PATCH", "DELETE", "POST", "HEAD"]))
    known = ACCOUNT if "deployments" not in path else DEPLOYMENT
    body = draw(BODIES | st.builds(lambda more: known | {"properties": more}, BODIES))
    return method, path + query, body


async def carry_out(asked: list[tuple[str, str, Any]]) -> None:
    """Each request is answered with a status that clients know."""
    rig = await Rig().with_group()
    await rig.ask("PUT", f"{ACCOUNTS}/one", ACCOUNT)
    await rig.ask("PUT", f"{ACCOUNTS}/one/deployments/chat", DEPLOYMENT)
    await rig.end_jobs()
    for method, path, body in asked:
        answer = await rig.ask(method, path, body)
        assert answer.status in {200, 201, 202, 204, 400, 404, 405, 409, 412}, answer
        msgspec.json.encode(answer.body)
        if answer.status >= 400 and method != "HEAD":
            assert answer.body["code"]
            assert answer.body["message"]
        await rig.end_jobs()


@given(st.lists(requests(), min_size=1, max_size=6))
@settings(max_examples=150)
def test_nothing_breaks_it(asked: list[tuple[str, str, Any]]) -> None:
    """Random sequences of random requests."""
    asyncio.run(carry_out(asked))
