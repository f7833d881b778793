"""Every template function, by what Azure's reference says of it."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from linarite.controlplane.templates.functions import FUNCTIONS
from linarite.controlplane.templates.problems import ExpressionFailed
from linarite.controlplane.templates.scope import OwnFunction, Place
from tests.controlplane.templates.samples import GROUP, SUBSCRIPTION, value_of

STRINGS: list[tuple[str, Any]] = [
    ("concat('a', 'b', 'c')", "abc"),
    ("concat('a', 1, true())", "a1True"),
    ("contains('OneTwo', 'Two')", True),
    ("contains('OneTwo', 'two')", False),
    ("empty('')", True),
    ("empty(null())", True),
    ("endsWith('abcdef', 'EF')", True),
    ("startsWith('abcdef', 'AB')", True),
    ("first('One')", "O"),
    ("first('')", ""),
    ("last('One')", "e"),
    ("format('{0}, {1}. n: {2:N0}', 'Hello', 'User', 8175133)", "Hello, User. n: 8,175,133"),
    ("format('{0:D3}|{0:X4}|{0,5}|{0,-3}|{{}}', 10)", "010|000A|   10|10 |{}"),
    ("format('{0}{1}', true(), createArray(1))", "True[1]"),
    ("format('{0:000}', 7)", "007"),
    ("indexOf('abcdef', 'CD')", 2),
    ("indexOf('abc', 'z')", -1),
    ("lastIndexOf('abcabc', 'A')", 3),
    ("join(createArray('a', 'b'), '-')", "a-b"),
    ("length('One Two')", 7),
    ("padLeft('123', 6, '0')", "000123"),
    ("padLeft(7, 3)", "  7"),
    ("replace('123-123', '123', 'x')", "x-x"),
    ("skip('one two', 4)", "two"),
    ("take('on', 9)", "on"),
    ("split('one,two', ',')", ["one", "two"]),
    ("split('one;two,three', createArray(',', ';'))", ["one", "two", "three"]),
    ("string(createObject('a', 1, 'b', createArray(true())))", '{"a":1,"b":[true]}'),
    ("string(5)", "5"),
    ("substring('one two three', 4, 3)", "two"),
    ("substring('one two', 4)", "two"),
    ("toLower('One')", "one"),
    ("toUpper('One')", "ONE"),
    ("trim('  a ')", "a"),
    ("uri('http://contoso.org/first/', 'a.json')", "http://contoso.org/first/a.json"),
    ("uri('http://contoso.org/first', 'a.json')", "http://contoso.org/a.json"),
    ("uriComponent('http://contoso.com/a b')", "http%3A%2F%2Fcontoso.com%2Fa%20b"),
    ("uriComponentToString('a%20b')", "a b"),
    ("base64('one, two')", "b25lLCB0d28="),
    ("base64ToString('b25lLCB0d28=')", "one, two"),
    ("base64ToJson(base64('{\"one\": 1}')).one", 1),
    ("dataUri('Hello')", "data:text/plain;charset=utf8;base64,SGVsbG8="),
    ("dataUriToString('data:;base64,SGVsbG8sIFdvcmxkIQ==')", "Hello, World!"),
    ("dataUriToString('data:,a%20b')", "a b"),
    ("json('{\"a\": [1, null]}')", {"a": [1, None]}),
    ("'it''s'", "it's"),
]
ARRAYS: list[tuple[str, Any]] = [
    ("array(1)", [1]),
    ("array(createArray(1))", [1]),
    ("concat(createArray(1), createArray(2, 3))", [1, 2, 3]),
    ("contains(createArray('a', 'b'), 'b')", True),
    ("contains(createArray(1), true())", False),
    ("contains(createObject('Key', 1), 'key')", True),
    ("createArray()", []),
    ("empty(createArray())", True),
    ("first(createArray(1, 2))", 1),
    ("first(createArray())", None),
    ("last(createArray(1, 2))", 2),
    ("flatten(createArray(createArray(1), createArray(2, 3)))", [1, 2, 3]),
    ("indexFromEnd(createArray('a', 'b', 'c'), 2)", "b"),
    ("tryIndexFromEnd(createArray('a'), 2)", None),
    ("indexOf(createArray('a', 'b', 'a'), 'a')", 0),
    ("lastIndexOf(createArray('a', 'b', 'a'), 'a')", 2),
    ("intersection(createArray('a', 'b', 'c'), createArray('c', 'b'))", ["b", "c"]),
    ("length(createObject('a', 1))", 1),
    ("max(createArray(1, 5, 3))", 5),
    ("min(4, 2)", 2),
    ("range(5, 3)", [5, 6, 7]),
    ("skip(createArray(1, 2, 3), 2)", [3]),
    ("take(createArray(1, 2, 3), 2)", [1, 2]),
    ("tryGet(createObject('a', createArray(7)), 'A', 0)", 7),
    ("tryGet(createObject('a', 1), 'b', 'c')", None),
    ("union(createArray('one', 'two'), createArray('two', 'three'))", ["one", "two", "three"]),
]
OBJECTS: list[tuple[str, Any]] = [
    ("createObject('a', 1, 'b', null())", {"a": 1, "b": None}),
    ("intersection(createObject('a', 1, 'b', 2), createObject('b', 2, 'a', 3))", {"b": 2}),
    ("items(createObject('b', 2, 'a', 1))", [{"key": "a", "value": 1}, {"key": "b", "value": 2}]),
    ("objectKeys(createObject('b', 2, 'A', 1))", ["A", "b"]),
    (
        (
            "union(createObject('a', createObject('x', 1), 'l', createArray(1)), "
            "createObject('A', createObject('y', 2), 'l', createArray(2)))"
        ),
        {"a": {"x": 1, "y": 2}, "l": [2]},
    ),
    (
        (
            "shallowMerge(createArray(createObject('a', createObject('x', 1)), "
            "createObject('a', createObject('y', 2))))"
        ),
        {"a": {"y": 2}},
    ),
    ("createObject('Key', 1).kEY", 1),
    ("createObject('a', createArray(5, 6)).a[1]", 6),
    ("createObject('a', 1).?b", None),
    ("createObject('a', 1).?b.?c", None),
    ("createArray(1)[?9]", None),
]
NUMBERS: list[tuple[str, Any]] = [
    ("add(5, 3)", 8),
    ("sub(3, 5)", -2),
    ("mul(5, -3)", -15),
    ("div(8, 3)", 2),
    ("div(-8, 3)", -2),
    ("mod(7, 3)", 1),
    ("mod(-7, 3)", -1),
    ("int('42')", 42),
    ("float('1.5')", 1.5),
    ("bool('True')", True),
    ("bool(0)", False),
    ("equals('a', 'A')", False),
    ("equals(createArray(1), createArray(1))", True),
    ("equals(createObject('A', 1), createObject('a', 1))", True),
    ("equals(1, true())", False),
    ("less('ABC', 'abc')", True),
    ("lessOrEquals(1, 1)", True),
    ("greater(2, 1)", True),
    ("greaterOrEquals(1, 2)", False),
    ("and(true(), false())", False),
    ("or(false(), true(), div(1, 0))", True),
    ("not(true())", False),
    ("if(equals(1, 1), 'yes', div(1, 0))", "yes"),
    ("coalesce(null(), null(), 'x', div(1, 0))", "x"),
]
LAMBDAS: list[tuple[str, Any]] = [
    ("map(range(0, 3), lambda('i', mul(lambdaVariables('i'), 2)))", [0, 2, 4]),
    (
        (
            "map(createArray('a', 'b'), "
            "lambda('x', 'i', format('{0}{1}', lambdaVariables('x'), lambdaVariables('i'))))"
        ),
        ["a0", "b1"],
    ),
    ("filter(range(0, 6), lambda('i', equals(mod(lambdaVariables('i'), 2), 0)))", [0, 2, 4]),
    (
        "reduce(range(1, 4), 0, lambda('c', 'n', add(lambdaVariables('c'), lambdaVariables('n'))))",
        10,
    ),
    (
        (
            "sort(createArray(3, 1, 2), "
            "lambda('a', 'b', less(lambdaVariables('a'), lambdaVariables('b'))))"
        ),
        [1, 2, 3],
    ),
    (
        (
            "toObject(createArray('a', 'b'), lambda('x', lambdaVariables('x')), "
            "lambda('x', toUpper(lambdaVariables('x'))))"
        ),
        {"a": "A", "b": "B"},
    ),
    (
        "groupBy(createArray('a1', 'b', 'a2'), lambda('x', take(lambdaVariables('x'), 1)))",
        {"a": ["a1", "a2"], "b": ["b"]},
    ),
    ("mapValues(createObject('a', 1), lambda('v', add(lambdaVariables('v'), 1)))", {"a": 2}),
    (
        (
            "map(range(0, 2), lambda('i', "
            "map(range(0, 2), lambda('j', add(lambdaVariables('i'), lambdaVariables('j'))))))"
        ),
        [[0, 1], [1, 2]],
    ),
]
DATES: list[tuple[str, Any]] = [
    ("dateTimeAdd('2020-04-07 14:53:14Z', 'P3Y')", "2023-04-07T14:53:14Z"),
    ("dateTimeAdd('2020-04-07T14:53:14Z', '-P9D')", "2020-03-29T14:53:14Z"),
    ("dateTimeAdd('2020-04-07T14:53:14Z', 'PT1H')", "2020-04-07T15:53:14Z"),
    ("dateTimeAdd('2024-01-31T00:00:00Z', 'P1M', 'yyyy-MM-dd')", "2024-02-29"),
    ("dateTimeAdd('2024-12-31T00:00:00Z', 'P1D', 'd')", "01/01/2025"),
    ("dateTimeFromEpoch(1683040573)", "2023-05-02T15:16:13Z"),
    ("dateTimeToEpoch('2023-05-02T15:16:13Z')", 1683040573),
]
NETWORKS: list[tuple[str, Any]] = [
    (
        "parseCidr('10.144.0.0/20')",
        {
            "network": "10.144.0.0",
            "netmask": "255.255.240.0",
            "cidr": 20,
            "broadcast": "10.144.15.255",
            "firstUsable": "10.144.0.1",
            "lastUsable": "10.144.15.254",
        },
    ),
    ("parseCidr('255.255.255.255/32').firstUsable", "255.255.255.255"),
    ("parseCidr('0.0.0.0/31').lastUsable", "0.0.0.1"),
    ("cidrSubnet('10.144.0.0/20', 24, 1)", "10.144.1.0/24"),
    ("cidrHost('10.144.3.0/24', 0)", "10.144.3.1"),
]
SCOPES: list[tuple[str, Any]] = [
    ("subscription().subscriptionId", "11111111-1111-1111-1111-111111111111"),
    ("resourceGroup().location", "swedencentral"),
    ("deployment().name", "main"),
    ("deployment().properties.mode", "Incremental"),
    ("environment().name", "Linarite"),
    ("tenant().tenantId", "22222222-2222-2222-2222-222222222222"),
    ("deployer().objectId", "33333333-3333-3333-3333-333333333333"),
    ("resourceId('A.B/cs', 'x')", f"{GROUP}/providers/A.B/cs/x"),
    ("resourceId('A.B/cs/ds', 'x', 'y')", f"{GROUP}/providers/A.B/cs/x/ds/y"),
    ("resourceId('A.B/cs/ds', 'x/y')", f"{GROUP}/providers/A.B/cs/x/ds/y"),
    (
        "resourceId('other', 'A.B/cs', 'x')",
        f"{SUBSCRIPTION}/resourceGroups/other/providers/A.B/cs/x",
    ),
    (
        "resourceId('44444444-4444-4444-4444-444444444444', 'g', 'A.B/cs', 'x')",
        "/subscriptions/44444444-4444-4444-4444-444444444444/resourceGroups/g/providers/A.B/cs/x",
    ),
    (
        "subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'r')",
        f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/r",
    ),
    (
        "tenantResourceId('Microsoft.Authorization/roleDefinitions', 'r')",
        "/providers/Microsoft.Authorization/roleDefinitions/r",
    ),
    (
        "extensionResourceId(resourceId('A.B/cs', 'x'), 'E.F/gs', 'y')",
        f"{GROUP}/providers/A.B/cs/x/providers/E.F/gs/y",
    ),
    ("pickZones('A.B', 'c', 'westus')", []),
]
TABLE = [*STRINGS, *ARRAYS, *OBJECTS, *NUMBERS, *LAMBDAS, *DATES, *NETWORKS, *SCOPES]

SHOWN_ELSEWHERE = {
    "copyIndex",
    "fail",
    "false",
    "guid",
    "newGuid",
    "parameters",
    "reference",
    "references",
    "resourceInfo",
    "uniqueString",
    "utcNow",
    "variables",
}


@pytest.mark.parametrize(("expression", "expected"), TABLE)
def test_function_has_the_value_that_azure_documents(expression: str, expected: object) -> None:
    """An expression evaluates to what the reference says, type included."""
    value = value_of(expression)
    assert value == expected
    assert type(value) is type(expected)


def test_every_function_is_in_the_table() -> None:
    """No function goes untested."""
    text = " ".join(expression for expression, _ in TABLE)
    untested = {name for name in FUNCTIONS if f"{name}(" not in text}
    assert untested - SHOWN_ELSEWHERE == set()


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (
            (
                "'/subscriptions/12345678-1234-1234-1234-123456789012/resourceGroups/my-rg', "
                "'Microsoft.Storage/storageAccounts'"
            ),
            "z22rah77jfqry",
        ),
        (
            (
                "'/subscriptions/00000000-0000-4000-8000-000000000084/resourceGroups/rg-p84', "
                "'p84fixture'"
            ),
            "52p2c4jfs43ig",
        ),
    ],
)
def test_unique_string_is_azures(parts: str, expected: str) -> None:
    """Names are those that Azure makes: values that the azapi provider and Bicep print."""
    assert value_of(f"uniqueString({parts})") == expected


def test_guid_is_a_version_5_uuid() -> None:
    """Azure documents the namespace and that the parts are joined by hyphens."""
    assert value_of("guid('a', 'b')") == value_of("guid('a-b')")
    namespace = bytes.fromhex("11fb06fb712d4ddd98c7e71bbd588830")
    digest = bytearray(hashlib.sha1(namespace + b"a-b", usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    assert value_of("guid('a-b')").replace("-", "") == digest.hex()


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("", "20260331T130509Z"),
        ("'yyyy-MM-dd'", "2026-03-31"),
        ("'d'", "03/31/2026"),
        ("'h:mm tt, dddd dd MMM yy'", "1:05 PM, Tuesday 31 Mar 26"),
        ("'o'", "2026-03-31T13:05:09.1234560Z"),
        ("'u'", "2026-03-31 13:05:09Z"),
    ],
)
def test_utc_now_is_written_in_nets_formats(form: str, expected: str) -> None:
    """A default value may ask for the time, in any of .NET's formats."""
    assert value_of(f"utcNow({form})", place=Place(defaults=True)) == expected


def test_own_function_sees_its_arguments_alone() -> None:
    """A function of the template's own takes parameters and cannot look around."""
    own = OwnFunction("my.name", ("prefix",), "[concat(toLower(parameters('PREFIX')), '-x')]")
    assert value_of("my.name('OAI')", functions={"my.name": own}) == "oai-x"
    blind = OwnFunction("my.name", ("prefix",), "[variables('v')]")
    with pytest.raises(ExpressionFailed, match="variable 'v' is not found"):
        value_of("my.name('x')", functions={"my.name": blind}, variables={"v": 1})


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("nope('a')", "The template function 'nope' is not valid"),
        ("toLower(1)", "'toLower' expects its parameter to be a string.*'Integer'"),
        ("toLower()", "requires 1 argument.s. while '0' were provided"),
        ("div(1, 0)", "divide by zero"),
        ("int('x')", "cannot be converted"),
        ("add(9223372036854775807, 1)", "64 bits"),
        ("substring('abc', 2, 5)", "within the string"),
        ("createArray(1)[3]", "index '3' is out of bounds"),
        ("createObject('a', 1).b", "property 'b' doesn't exist, available properties are 'a'"),
        ("parameters('missing')", "parameter 'missing' is not found"),
        ("variables('missing')", "variable 'missing' is not found"),
        ("copyIndex()", "no copy loop"),
        ("resourceId('nonamespace', 'x')", "must have a namespace"),
        ("resourceId('A.B/cs/ds', 'x')", "requires '2' resource name"),
        ("reference('x')", "not known before the deployment runs"),
        ("listKeys('x', '2024-10-01')", "not known before the deployment runs"),
        ("utcNow()", "default value of a parameter"),
        ("newGuid()", "default value of a parameter"),
        ("fail('no such luck')", "no such luck"),
        ("concat('a'", "expected"),
        ("concat('a',)", "expected"),
        ("'a", "expected"),
        ("1 2", "expected"),
        ("map(createArray(1), lambda('a', 'b', 'c', 1))", "must have 1 or 2 variables"),
        ("format('{3}', 1)", "asks for argument .3."),
        ("json('{')", "not valid JSON"),
        ("base64ToString('%')", "not a valid base64"),
        ("cidrSubnet('10.0.0.0/24', 8, 0)", "does not fit"),
        ("float('inf')", "cannot be converted"),
        ("float('1e999')", "cannot be converted"),
        (f"float(json('{'9' * 400}'))", "cannot be converted"),
        (f"add({'9' * 5000}, 1)", "an integer of 64 bits"),
        ("base64ToString('é')", "not a valid base64"),
        ("uri('http://[', 'x')", "cannot be made"),
        ("dateTimeToEpoch('0001-01-01T00:00:00+10:00')", "not an ISO 8601 date"),
    ],
)
def test_wrong_use_is_told_in_words(expression: str, says: str) -> None:
    """An expression without a value says what is wrong with it."""
    with pytest.raises(ExpressionFailed, match=says):
        value_of(expression)


BOMBS = [
    "replace(padLeft('', 131072, 'a'), 'a', padLeft('', 131072, 'b'))",
    "padLeft('a', 2000000000)",
    (
        "reduce(range(0, 60), createArray(1), lambda('a', 'n', "
        "createArray(lambdaVariables('a'), lambdaVariables('a'))))"
    ),
    "reduce(range(0, 200), createArray(1), lambda('a', 'n', createArray(lambdaVariables('a'))))",
    "map(range(0, 10000), lambda('x', map(range(0, 10000), lambda('y', 1))))",
    "range(0, 100000)",
    "length(map(range(0, 10000), lambda('x', padLeft('', 131072, 'a'))))",
    "(" * 5000,
    "concat(" * 200 + "'a'" + ")" * 200,
    "mul(mul(9223372036854775807, 9223372036854775807), 2)",
    "format(replace(padLeft('', 9000, 'a'), 'a', '{0,9999}'), 'x')",
]


@pytest.mark.parametrize("expression", BOMBS)
def test_nothing_makes_an_expression_endless(expression: str) -> None:
    """What would take all memory or time is refused."""
    with pytest.raises(ExpressionFailed):
        value_of(expression)


def test_variables_that_double_each_other_are_refused() -> None:
    """A small template cannot stand for an endless one."""
    variables: dict[str, Any] = {"v0": "[createArray(1)]"}
    for at in range(1, 60):
        variables[f"v{at}"] = f"[createArray(variables('v{at - 1}'), variables('v{at - 1}'))]"
    with pytest.raises(ExpressionFailed, match=r"too large|too much work"):
        value_of("variables('v59')", variables=variables)


def test_function_that_calls_itself_ends() -> None:
    """Recursion is bounded."""
    own = OwnFunction("my.loop", ("x",), "[my.loop(parameters('x'))]")
    with pytest.raises(ExpressionFailed, match="deep"):
        value_of("my.loop(1)", functions={"my.loop": own})
