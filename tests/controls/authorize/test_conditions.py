"""Conditions: what they mean, and what is said about those that can't be read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linarite.controls.authorize.built_in_roles import assigning_only, built_in_roles
from linarite.controls.authorize.conditions.evaluation import holds
from linarite.controls.authorize.conditions.reading import ConditionUnfit, read_condition

ROLE = "53ca6127-db72-4b80-b1b0-d745d6d5456d"
WRITE = "microsoft.authorization/roleassignments/write"
ASKED = "@request[microsoft.authorization/roleassignments:roledefinitionid]"


def outcome(text: str, action: str = "a/read", **attributes: str | tuple[str, ...]) -> bool | None:
    """Evaluate; attributes are of the request, `x="1"` being `@Request[X]`."""
    known = {
        f"@request[{name}]": value if isinstance(value, tuple) else (value,)
        for name, value in attributes.items()
    }
    return holds(read_condition(text).expression, action, known)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("@Request[x] StringEquals 'One'", True),
        ("@Request[x] StringEquals 'one'", False),
        ("@request[X] stringequalsignorecase 'one'", True),
        ("@Request[x] StringNotEquals 'One'", False),
        ("@Request[x] StringStartsWith 'O'", True),
        ("@Request[x] StringLike 'O*e'", True),
        ("@Request[x] StringLike '?n?'", True),
        ("@Request[x] StringNotLike '*z*'", True),
        ("@Request[n] NumericEquals 7", True),
        ("@Request[n] NumericGreaterThan '6.5'", True),
        ("@Request[n] NumericLessThanEquals 6", False),
        ("@Request[n] NumericInRange {5, 7}", True),
        ("@Request[b] BoolEquals true", True),
        ("@Request[b] BoolNotEquals true", False),
        ("@Request[t] DateTimeLessThan '2030-01-01T00:00:00Z'", True),
        ("@Request[t] DateTimeEquals '2026-05-01T13:00:00+01:00'", True),
        ("@Request[t] TimeOfDayInRange {'11:00:00', '12:30:00'}", True),
        ("@Request[i] IpMatch '10.0.0.0/8'", True),
        ("@Request[i] IpNotMatch 10.0.0.1", False),
        (f"@Request[g] GuidEquals {ROLE.upper()}", True),
        ("@Request[many] ForAnyOfAnyValues:StringEquals {'b', 'z'}", True),
        ("@Request[many] ForAllOfAnyValues:StringEquals {'a', 'b', 'c'}", True),
        ("@Request[many] ForAllOfAnyValues:StringEquals {'a'}", False),
        ("@Request[many] ForAnyOfAllValues:StringNotEquals {'a', 'z'}", True),
        ("@Request[many] ForAllOfAllValues:StringNotEquals {'y', 'z'}", True),
        ("Exists @Request[x] AND NotExists @Request[absent]", True),
        ("ActionMatches{'A/*'} AND NOT SubOperationMatches{'Blob.List'}", True),
        ("NOT (@Request[x] StringEquals 'One' OR @Request[absent] StringEquals 'z')", False),
        ("@Request[x] StringEquals 'One' || @Request[absent] StringEquals 'z'", True),
        (
            "@Request[x] StringEquals 'no' AND ActionMatches{'z'} OR ActionMatches{'*'}",
            True,
        ),
        ("@Request[absent] StringEquals 'z'", None),
        ("!(@Request[absent] StringEquals 'z')", None),
        ("@Request[x] NumericEquals 1", None),
    ],
)
def test_what_it_means(text: str, wanted: bool | None) -> None:
    """Azure's operators; what rests on an attribute that is not there is neither true nor false."""
    found = outcome(
        text,
        x="One",
        n="7",
        b="true",
        t="2026-05-01T12:00:00Z",
        i="10.0.0.1",
        g=ROLE,
        many=("a", "b"),
    )
    assert found is wanted


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("", 1),
        ("(ActionMatches{'a'}", 20),
        ("ActionMatches{'a'} AND", 23),
        ("ActionMatches{'a'} ActionMatches{'b'}", 20),
        ("ActionMatches 'a'", 15),
        ("@Request[x] StringEquls 'a'", 13),
        ("@Request[x] StringMatches 'a'", 13),
        ("@Request[x] StringEquals", 25),
        ("@Request[x] StringEquals {'a', 'b'}", 13),
        ("@Request[x] NumericInRange 5", 13),
        ("@Request[x] ForSomeValues:StringEquals {'a'}", 13),
        ("@Request[x] GuidEquals {'no-guid'}", 13),
        ("@Elsewhere[x] StringEquals 'a'", 1),
        ("ActionMatches{'a} OR ActionMatches{'b'}", 38),
        ("a # b", 3),
        ("(" * 60 + "ActionMatches{'a'}" + ")" * 60, 41),
        ("!" * 5000 + "ActionMatches{'a'}", 41),
    ],
)
def test_what_cant_be_read_is_told_with_its_place(text: str, at: int) -> None:
    """Counted from one."""
    with pytest.raises(ConditionUnfit, match=rf"at character {at}\)"):
        read_condition(text)


def test_a_condition_is_bounded() -> None:
    """Azure's limit."""
    with pytest.raises(ConditionUnfit, match="8192"):
        read_condition("ActionMatches{'" + "a" * 9000 + "'}")


def test_roles_that_may_assign_some_may_assign_no_others() -> None:
    """The condition of Foundry's owners, in Azure's words."""
    text = assigning_only([ROLE])
    expression = read_condition(text).expression
    other = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
    assert holds(expression, "microsoft.cognitiveservices/accounts/read", {}) is True
    assert holds(expression, WRITE, {ASKED: (ROLE,)}) is True
    assert holds(expression, WRITE, {ASKED: (other,)}) is False
    assert holds(expression, WRITE, {}) is None
    assert holds(expression, WRITE, None) is None


def test_every_built_in_role_can_be_read() -> None:
    """Ids are GUIDs and differ; conditions are conditions."""
    roles = built_in_roles()
    assert len({role.id for role in roles}) == len(roles) == len({role.name for role in roles})
    for role in roles:
        condition = role.permission().get("condition")
        assert condition is None or read_condition(condition)


WORDS = st.sampled_from(
    [
        "ActionMatches{'a/*'}",
        "@Request[x]",
        "StringEquals",
        "'One'",
        "AND",
        "OR",
        "!",
        "(",
        ")",
        "{",
    ]
)


@given(st.lists(WORDS, max_size=12).map(" ".join))
def test_anything_is_read_or_refused(text: str) -> None:
    """And what is read can be evaluated."""
    try:
        condition = read_condition(text)
    except ConditionUnfit:
        return
    assert holds(condition.expression, "a/read", {"@request[x]": ("One",)}) in (True, False)
    assert holds(condition.expression, "a/read", None) in (True, False, None)


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_a_moment_outside_of_time_has_no_time_of_day(moment: str) -> None:
    """It is told as what can't be compared; in an attribute it settles nothing."""
    with pytest.raises(ConditionUnfit):
        read_condition(f"@Request[x] TimeOfDayEquals '{moment}'")
    assert outcome("@Request[x] TimeOfDayEquals '12:00'", x=moment) is None
