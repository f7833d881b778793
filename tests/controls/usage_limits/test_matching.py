"""Which limits a call meets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controls.usage_limits import AccountLimits, LimitDesk, Served, subjects
from linarite.controls.usage_limits.subjects import OTHERS, SubjectBook
from linarite.domain.ledger import Window
from linarite.domain.usage_limits import Caller, UsageLimit, counts_in
from tests.controls.usage_limits.builders import ACCOUNT, OTHER, SUBSCRIPTION, limit

if TYPE_CHECKING:
    import pytest

CHAT = f"{ACCOUNT}/deployments/Chat".lower()
MINI = f"{ACCOUNT}/deployments/mini".lower()
SERVED = {
    CHAT: Served("Chat", "One", "OpenAI.Standard.gpt-4o", "eastus", {"Team": "Search"}),
    MINI: Served("mini", "One", "OpenAI.Standard.gpt-4o-mini", "eastus"),
}
NOBODY = Caller()


def in_force(*limits: UsageLimit, desk: LimitDesk | None = None) -> AccountLimits:
    """They, for an account with two deployments and a key that has a tag."""
    return AccountLimits(limits, SERVED, {"web": {"team": "Shop"}}, desk or LimitDesk())


def met(limits: AccountLimits, deployment: str = CHAT, caller: Caller = NOBODY) -> list[str]:
    """What a call is counted in: name of the limit, then whose count it is."""
    return [
        f"{each.name.split('/')[1]}:{each.key.rpartition('|')[2]}"
        for each in limits.buckets(deployment, caller)
    ]


def test_all_that_match_count() -> None:
    """Every scope, stacked; none stands in for another."""
    limits = in_force(
        limit("all", "subscription", scope=SUBSCRIPTION),
        limit("pools", "pool", scope=SUBSCRIPTION),
        limit("whole", "account"),
        limit("chat", "deployment", "chat"),
        limit("keys", "applicationKey"),
        limit("people", "principal"),
        limit("users", "endUser"),
        limit("projects", "project"),
        limit("team", "tag", "team=search"),
        limit("teams", "tag", "team"),
    )
    caller = Caller(application_key="api", principal="ann-id", end_user="U1", project="web")
    assert met(limits, CHAT, caller) == [
        "all:subscription",
        "pools:eastus/OpenAI.Standard.gpt-4o",
        "whole:One",
        "chat:chat",
        "keys:api",
        "people:ann-id",
        "users:U1",
        "projects:web",
        "team:team=search",
        "teams:team=search",
    ]
    assert met(limits, MINI) == [
        "all:subscription",
        "pools:eastus/OpenAI.Standard.gpt-4o-mini",
        "whole:One",
    ]


def test_who_is_named_is_limited_alone() -> None:
    """Names are compared without case, but for those that applications give their users."""
    limits = in_force(
        limit("key", "applicationKey", "Web"),
        limit("person", "principal", "ANN-ID"),
        limit("user", "endUser", "Ann"),
    )
    assert met(limits, caller=Caller("web", "ann-id", "Ann")) == [
        "key:web",
        "person:ann-id",
        "user:Ann",
    ]
    assert met(limits, caller=Caller("api", "bob-id", "ann")) == []


def test_a_subscription_counts_accounts_apart_where_names_are_the_accounts_own() -> None:
    """Two accounts may each have a deployment `chat`; a name with the account is one of them."""
    limits = in_force(
        limit("each", "deployment", scope=SUBSCRIPTION),
        limit("both", "deployment", "chat", scope=SUBSCRIPTION),
        limit("one", "deployment", "one/chat", scope=SUBSCRIPTION),
        limit("two", "deployment", "two/chat", scope=SUBSCRIPTION),
        limit("accounts", "account", scope=SUBSCRIPTION),
    )
    assert met(limits) == ["each:One/Chat", "both:chat", "one:one/chat", "accounts:One"]


def test_a_keys_tags_stand_before_its_deployments() -> None:
    """The nearer one wins, as with any tag that is inherited."""
    limits = in_force(limit("teams", "tag", "team"), limit("search", "tag", "team=search"))
    assert met(limits, caller=Caller("web")) == ["teams:team=shop"]
    assert met(limits) == ["teams:team=search", "search:team=search"]


def test_only_calls_of_certain_deployments_count_where_a_limit_says_so() -> None:
    """Whatever else they do."""
    limits = in_force(limit("people", "principal", tokensPerDay=5, deployments=["CHAT"]))
    caller = Caller(principal="ann-id")
    assert met(limits, CHAT, caller) == ["people:ann-id"]
    assert met(limits, MINI, caller) == []


def test_each_measure_has_a_bucket() -> None:
    """Its limit, window and unit; money in billionths."""
    said = {"tokensPerMonth": 7, "concurrentRequests": 2, "costPerDay": 1.5}
    buckets = in_force(limit("whole", "account", **said)).buckets(CHAT, NOBODY)
    assert [(each.measure, each.window, each.limit) for each in buckets] == [
        ("concurrent", Window.HELD, 2),
        ("tokens", Window.MONTH, 7),
        ("cost", Window.DAY, 1_500_000_000),
    ]
    assert len({each.key for each in buckets}) == len(buckets)
    assert (
        "raise costPerDay of the usage limit 'whole', which counts each account"
        in buckets[2].remedy
    )


def test_an_account_meets_its_own_and_its_subscriptions_limits() -> None:
    """Another account's not."""
    assert counts_in(limit("a", "account"), ACCOUNT.upper())
    assert counts_in(limit("a", "account", scope=SUBSCRIPTION), ACCOUNT)
    assert not counts_in(limit("a", "account"), OTHER)


def test_invented_names_fill_no_memory_and_escape_no_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Beyond a number they are counted together; who is idle for the whole window is forgotten.

    All are looked through for those once a minute, however many come.
    """
    scans: list[float] = []
    look_through = subjects._forget_idle

    def counted(limit: UsageLimit, seen: dict[str, float], now: float) -> None:
        scans.append(now)
        look_through(limit, seen, now)

    monkeypatch.setattr(subjects, "_forget_idle", counted)
    now = [0.0]
    book = SubjectBook(subjects_max=3, clock=lambda: now[0])
    users = limit("users", "endUser", tokensPerDay=5)
    desk = LimitDesk(subjects=book)
    limits = in_force(users, desk=desk)
    for name in "abc":
        assert met(limits, caller=Caller(end_user=name)) == [f"users:{name}"]
    for name in "defgh":
        assert met(limits, caller=Caller(end_user=name)) == [f"users:{OTHERS}"]
    scans.clear()
    for number in range(100):
        now[0] += 1.0
        assert met(limits, caller=Caller(end_user=f"new {number}")) == [f"users:{OTHERS}"]
    assert len(scans) <= 2
    assert [each.name for each in book.known(users)] == ["a", "b", "c", OTHERS]
    now[0] = 2 * 86_400.0
    assert met(limits, caller=Caller(end_user="z")) == ["users:z"]
    assert [each.name for each in book.known(users)] == ["z"]


def test_a_name_is_compared_up_to_a_length() -> None:
    """What is longer is counted with those that begin alike: it escapes nothing."""
    limits = in_force(limit("users", "endUser"))
    one, other = (limits.buckets(CHAT, Caller(end_user="x" * 256 + end))[0].key for end in "ab")
    assert one == other
