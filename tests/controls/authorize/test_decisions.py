"""The evaluator, against a plainer one and in the cases that matter."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from linarite.controls.authorize.decisions import Question, decided, locks_on, reaches_into
from linarite.controls.authorize.definitions import deny_assignment_of, role_assignment_of, role_of
from linarite.controls.authorize.rules import EVERYONE, Lock, Rules
from linarite.domain.resource import Resource
from linarite.domain.roles import DENY_ASSIGNMENT_TYPE, ROLE_ASSIGNMENT_TYPE, ROLE_DEFINITION_TYPE
from linarite.domain.scopes import scope_key
from tests.controls.authorize import naive

SUBSCRIPTION = "/subscriptions/S"
GROUP = f"{SUBSCRIPTION}/resourceGroups/rg"
ACCOUNT = f"{GROUP}/providers/Microsoft.CognitiveServices/accounts/a"
SCOPES = [
    "",
    "/providers/Microsoft.Management/managementGroups/t",
    SUBSCRIPTION,
    GROUP,
    f"{GROUP}2",
    ACCOUNT,
    f"{ACCOUNT}/deployments/d",
    f"{ACCOUNT}b",
]
ACTIONS = ["M/accounts/read", "M/accounts/write", "M/accounts/keys/action", "N/read"]
PATTERNS = st.sampled_from(["*", "*/read", "M/*", "m/ACCOUNTS/*", "*/accounts/*/action", *ACTIONS])
PERMISSIONS = st.fixed_dictionaries(
    {
        key: st.lists(PATTERNS, max_size=2)
        for key in ("actions", "notActions", "dataActions", "notDataActions")
    }
)
IDENTITIES = ["ann", "bob", "staff"]
ASSIGNMENTS = st.fixed_dictionaries(
    {
        "principal": st.sampled_from(IDENTITIES),
        "role": st.lists(PERMISSIONS, min_size=1, max_size=2),
        "scope": st.sampled_from(SCOPES).flatmap(
            lambda scope: st.sampled_from([scope, scope.upper()])
        ),
    }
)
DENIALS = st.fixed_dictionaries(
    {
        "principal": st.sampled_from([*IDENTITIES, "everyone"]),
        "excluded": st.lists(st.sampled_from(IDENTITIES), max_size=1),
        "role": st.lists(PERMISSIONS, min_size=1, max_size=1),
        "scope": st.sampled_from(SCOPES),
        "here_only": st.booleans(),
    }
)
CALLERS = st.sampled_from([{"ann"}, {"ann", "staff"}, {"bob", "staff"}, {"nobody"}])
ASKED = st.tuples(st.sampled_from(ACTIONS), st.sampled_from(SCOPES), st.booleans())


def rules_of(assignments: list[dict[str, Any]], denials: list[dict[str, Any]]) -> Rules:
    """The same facts as the evaluator reads them, through stored resources."""
    roles = {}
    filed: dict[str, Any] = {}
    for at, each in enumerate(assignments):
        definition = Resource(
            id=f"/providers/{ROLE_DEFINITION_TYPE}/r{at}",
            type=ROLE_DEFINITION_TYPE,
            name=f"r{at}",
            properties={"roleName": "R", "assignableScopes": ["/"], "permissions": each["role"]},
        )
        roles[f"r{at}"] = role_of(definition)
        assignment = Resource(
            id=f"{each['scope']}/providers/{ROLE_ASSIGNMENT_TYPE}/{at}",
            type=ROLE_ASSIGNMENT_TYPE,
            name=str(at),
            properties={"roleDefinitionId": definition.id, "principalId": each["principal"]},
        )
        filed.setdefault(each["principal"], []).append(role_assignment_of(assignment))
    made = [
        deny_assignment_of(
            Resource(
                id=f"{each['scope']}/providers/{DENY_ASSIGNMENT_TYPE}/{at}",
                type=DENY_ASSIGNMENT_TYPE,
                name=str(at),
                properties={
                    "denyAssignmentName": "no",
                    "permissions": each["role"],
                    "principals": [
                        {"id": EVERYONE if each["principal"] == "everyone" else each["principal"]}
                    ],
                    "excludePrincipals": [{"id": one} for one in each["excluded"]],
                    "doNotApplyToChildScopes": each["here_only"],
                },
            )
        )
        for at, each in enumerate(denials)
    ]
    return Rules(
        roles=roles,
        assignments={key: tuple(found) for key, found in filed.items()},
        denials=tuple(made),
    )


def question(identities: set[str], asked: tuple[str, str, bool]) -> Question:
    """As the book asks."""
    action, scope, is_data = asked
    return Question(frozenset(identities), action.lower(), scope_key(scope), is_data)


@settings(max_examples=300)
@given(
    assignments=st.lists(ASSIGNMENTS, max_size=4),
    denials=st.lists(DENIALS, max_size=2),
    identities=CALLERS,
    asked=ASKED,
)
def test_it_decides_as_the_plain_one(
    assignments: list[dict[str, Any]],
    denials: list[dict[str, Any]],
    identities: set[str],
    asked: tuple[str, str, bool],
) -> None:
    """Union of roles, `not…` within one role, deny first, scopes hold what is below them."""
    verdict = decided(rules_of(assignments, denials), question(identities, asked))
    assert verdict.lasting
    assert verdict.decision.allowed == naive.allowed(assignments, denials, identities, asked)


@given(
    assignments=st.lists(ASSIGNMENTS, max_size=4),
    denials=st.lists(DENIALS, max_size=2),
    identities=CALLERS,
    asked=ASKED,
)
def test_it_reaches_where_something_below_is_allowed(
    assignments: list[dict[str, Any]],
    denials: list[dict[str, Any]],
    identities: set[str],
    asked: tuple[str, str, bool],
) -> None:
    """Never where nothing is; always where it is allowed at a scope that something names."""
    rules = rules_of(assignments, denials)
    action, scope, is_data = asked
    below = [one for one in SCOPES if naive.is_in(scope, one)]
    somewhere = any(
        naive.allowed(assignments, denials, identities, (action, one, is_data)) for one in below
    )
    # A deny assignment may stand where the role is given and not further down: then what is
    # below is reached only through a scope that an assignment names.
    if reaches_into(rules, question(identities, asked)):
        assert somewhere
    elif not denials:
        assert not somewhere


def test_locks_hold_what_is_around_and_below() -> None:
    """A deletion takes along what lies below; a change does not."""
    keep = Lock(id="k", scope=scope_key(ACCOUNT), read_only=False)
    freeze = Lock(id="f", scope=scope_key(GROUP), read_only=True)
    rules = Rules(locks=(keep, freeze))

    def found(scope: str, *, deleting: bool) -> list[str]:
        return [lock.id for lock in locks_on(rules, scope_key(scope), deleting=deleting)]

    assert found(ACCOUNT, deleting=True) == ["k", "f"]
    assert found(f"{ACCOUNT}/deployments/d", deleting=True) == ["k", "f"]
    assert found(ACCOUNT, deleting=False) == ["f"]
    assert found(SUBSCRIPTION, deleting=True) == ["k", "f"]
    assert found(SUBSCRIPTION, deleting=False) == []
    assert found(f"{GROUP}2", deleting=True) == []
