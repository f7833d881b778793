"""Random sequences of requests, against a model of what must come of them."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.controlplane.rig import ACCOUNT, ACCOUNTS, GROUP, Rig

NAMES = st.sampled_from(["alpha", "Beta", "BETA", "gamma"])
LISTS = st.sampled_from(["words", "Words", "more"])
TAGS = st.dictionaries(st.sampled_from(["a", "b"]), st.sampled_from(["1", "2"]), max_size=2)
PROPERTIES = st.fixed_dictionaries(
    {},
    optional={
        "disableLocalAuth": st.booleans(),
        "unknown": st.one_of(st.integers(), st.lists(st.integers(), max_size=2)),
        "nested": st.dictionaries(st.sampled_from(["x", "y"]), st.integers(), max_size=2),
    },
)
PATCHES = st.fixed_dictionaries(
    {},
    optional={
        "disableLocalAuth": st.one_of(st.none(), st.booleans()),
        "unknown": st.one_of(st.none(), st.integers()),
        "nested": st.dictionaries(
            st.sampled_from(["x", "y"]), st.one_of(st.none(), st.integers()), max_size=2
        ),
    },
)
CONDITIONS = st.sampled_from(["current", "any", "stale", "absent", "not current", ""])
"""which condition a write has: If-Match with an etag, `*`; If-None-Match with `*`, an etag"""
WRITES = st.sampled_from(["PUT", "PATCH", "DELETE"])
OURS = ("disableLocalAuth", "unknown", "nested")


class KernelMachine(RuleBasedStateMachine):
    """Accounts with blocklists in one group; the model is two dictionaries."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.rig = Rig()
        self.do(self.rig.with_group())
        self.accounts: dict[str, dict[str, Any]] = {}
        self.lists: dict[tuple[str, str], str] = {}

    def do(self, work: Any) -> Any:  # noqa: ANN401 - whatever the coroutine returns
        """Run a coroutine to its end."""
        return self.loop.run_until_complete(work)

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Any:  # noqa: ANN401 - an Answer
        """One request; headers with underscores for hyphens."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.do(self.rig.ask(method, path, body, headers=sent))

    @rule(name=NAMES, tags=TAGS, properties=PROPERTIES)
    def put_account(self, name: str, tags: dict[str, str], properties: dict[str, Any]) -> None:
        """Make or replace an account."""
        body = ACCOUNT | {"tags": tags, "properties": properties}
        answer = self.ask("PUT", f"{ACCOUNTS}/{name}", body)
        known = self.accounts.get(name.lower())
        assert answer.status == (201 if known is None else 200)
        shown = known["name"] if known else name
        self.accounts[name.lower()] = {"name": shown, "tags": tags, "properties": properties}

    @rule(name=NAMES, tags=st.one_of(st.none(), TAGS), properties=PATCHES)
    def patch_account(
        self, name: str, tags: dict[str, str] | None, properties: dict[str, Any]
    ) -> None:
        """Change parts of an account."""
        body: dict[str, Any] = {"properties": properties}
        if tags is not None:
            body["tags"] = tags
        answer = self.ask("PATCH", f"{ACCOUNTS}/{name}", body)
        known = self.accounts.get(name.lower())
        assert answer.status == (404 if known is None else 200)
        if known is None:
            return
        if tags is not None:
            known["tags"] = tags
        known["properties"] = patched(known["properties"], properties)

    @rule(name=NAMES)
    def delete_account(self, name: str) -> None:
        """Delete an account with its lists, and purge it so that its name is free again."""
        answer = self.ask("DELETE", f"{ACCOUNTS}/{name}")
        known = self.accounts.pop(name.lower(), None)
        assert answer.status == (204 if known is None else 200)
        for account, blocklist in list(self.lists):
            if account == name.lower():
                del self.lists[account, blocklist]
        if known is not None:
            path = ACCOUNTS.replace("/resourceGroups/rg", "").replace(
                "/accounts", f"/locations/local/resourceGroups/rg/deletedAccounts/{name}"
            )
            assert self.ask("GET", path).status == 200
            assert self.ask("DELETE", path).status == 200
            assert self.ask("GET", path).status == 404

    @rule(name=NAMES, blocklist=LISTS, text=st.sampled_from(["one", "two"]))
    def put_list(self, name: str, blocklist: str, text: str) -> None:
        """Make or replace a blocklist."""
        answer = self.ask(
            "PUT",
            f"{ACCOUNTS}/{name}/raiBlocklists/{blocklist}",
            {"properties": {"description": text}},
        )
        key = (name.lower(), blocklist.lower())
        if name.lower() not in self.accounts:
            assert answer.status == 404
            return
        assert answer.status == (200 if key in self.lists else 201)
        self.lists[key] = text

    @rule(
        name=NAMES,
        blocklist=LISTS,
        condition=CONDITIONS,
        method=WRITES,
        text=st.sampled_from(["one", "two"]),
        tags=st.one_of(st.none(), TAGS),
    )
    def write_on_condition(
        self,
        name: str,
        blocklist: str,
        condition: str,
        method: str,
        text: str,
        tags: dict[str, str] | None,
    ) -> None:
        """A write happens if and only if its condition holds of what is there (RFC 9110, 13.1)."""
        of_account = method == "PATCH"
        path = f"{ACCOUNTS}/{name}" + ("" if of_account else f"/raiBlocklists/{blocklist}")
        present = self.ask("GET", path)
        there = present.status == 200
        etag = present.body["etag"] if there else '"none"'
        headers, holds = {
            "current": ({"if_match": etag}, there),
            "any": ({"if_match": "*"}, there),
            "stale": ({"if_match": '"stale", W/"older"'}, False),
            "absent": ({"if_none_match": "*"}, not there),
            "not current": ({"if_none_match": etag}, not there),
            "": ({}, True),
        }[condition]
        body = {"tags": tags} if of_account else {"properties": {"description": text}}
        answer = self.ask(method, path, None if method == "DELETE" else body, **headers)
        if name.lower() not in self.accounts or (of_account and not there):
            assert answer.status == 404
            return
        if not holds:
            assert (answer.status, answer.body["code"]) == (412, "PreconditionFailed")
            unchanged = self.ask("GET", path)
            assert (unchanged.status, unchanged.body) == (present.status, present.body)
            return
        if of_account:
            self.accounts[name.lower()]["tags"] = tags or {}
        elif method == "DELETE":
            assert answer.status == 204
            self.lists.pop((name.lower(), blocklist.lower()), None)
        else:
            assert answer.status == (200 if there else 201)
            self.lists[name.lower(), blocklist.lower()] = text
        changed = answer.body is not None and there and answer.body != present.body
        assert changed == (answer.body is not None and there and answer.body["etag"] != etag)

    @rule(name=NAMES, blocklist=LISTS)
    def delete_list(self, name: str, blocklist: str) -> None:
        """Delete a blocklist."""
        answer = self.ask("DELETE", f"{ACCOUNTS}/{name}/raiBlocklists/{blocklist}")
        self.lists.pop((name.lower(), blocklist.lower()), None)
        assert answer.status == (204 if name.lower() in self.accounts else 404)

    @invariant()
    def lists_show_the_model(self) -> None:
        """What is listed is what the model has, property by property."""
        listed = self.ask("GET", ACCOUNTS).body["value"]
        assert {each["name"].lower() for each in listed} == set(self.accounts)
        for each in listed:
            known = self.accounts[each["name"].lower()]
            assert each["name"] == known["name"]
            assert each["tags"] == known["tags"]
            ours = {key: each["properties"][key] for key in OURS if key in each["properties"]}
            assert ours == known["properties"]
            got = self.ask("GET", f"{ACCOUNTS}/{each['name'].upper()}")
            assert got.body == each
            below = self.ask("GET", f"{each['id']}/raiBlocklists").body["value"]
            assert {one["name"].lower(): one["properties"]["description"] for one in below} == {
                name: text
                for (account, name), text in self.lists.items()
                if account == each["name"].lower()
            }

    @invariant()
    def the_group_is_there(self) -> None:
        """Nothing that happens inside touches the group."""
        assert self.ask("HEAD", GROUP).status == 204

    def teardown(self) -> None:
        """Let go of the loop."""
        self.loop.close()


def patched(old: Any, patch: Any) -> Any:  # noqa: ANN401 - JSON
    """RFC 7396, written from its text and not from our code."""
    if not isinstance(patch, dict):
        return patch
    result = dict(old) if isinstance(old, dict) else {}
    for key, value in patch.items():
        if value is None:
            if key in result:
                del result[key]
        else:
            result[key] = patched(result.get(key), value)
    return result


KernelMachine.TestCase.settings = settings(
    max_examples=60, stateful_step_count=20, deadline=None, print_blob=True
)
TestKernel = KernelMachine.TestCase
