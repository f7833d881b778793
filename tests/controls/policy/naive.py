"""The condition language, written down once more as plainly as can be: what the tests compare with.

Knows no parsing, no bounds and no expressions; a resource is a dictionary, a rule is its JSON.
"""

from __future__ import annotations

import re
from typing import Any

ACCOUNTS = "Microsoft.CognitiveServices/accounts"
PATHS = {
    "type": ["type"],
    "kind": ["kind"],
    "location": ["location"],
    "tags": ["tags"],
    "tags['team']": ["tags", "team"],
    f"{ACCOUNTS}/sku.name": ["sku", "name"],
    f"{ACCOUNTS}/disableLocalAuth": ["properties", "disableLocalAuth"],
    f"{ACCOUNTS}/publicNetworkAccess": ["properties", "publicNetworkAccess"],
    f"{ACCOUNTS}/networkAcls.ipRules[*].value": [
        "properties",
        "networkAcls",
        "ipRules",
        "[*]",
        "value",
    ],
    f"{ACCOUNTS}/allowedFqdnList[*]": ["properties", "allowedFqdnList", "[*]"],
}


def met(  # noqa: PLR0911 - a case each
    rule: Any,  # noqa: ANN401 - JSON
    resource: dict[str, Any],
    member: Any = None,  # noqa: ANN401 - JSON
) -> bool:
    """Whether a rule's `if` holds."""
    if "allOf" in rule:
        return all(met(each, resource, member) for each in rule["allOf"])
    if "anyOf" in rule:
        return any(met(each, resource, member) for each in rule["anyOf"])
    if "not" in rule:
        return not met(rule["not"], resource, member)
    (operator,) = rule.keys() - {"field", "value", "count"}
    wanted = rule[operator]
    if "value" in rule:
        return compare(operator, rule["value"], wanted)
    if "count" in rule:
        members = values(PATHS[rule["count"]["field"]], resource)
        where = rule["count"].get("where")
        counted = [each for each in members if where is None or met(where, resource, (each,))]
        return compare(operator, len(counted), wanted)
    path = PATHS[rule["field"]]
    if "[*]" not in path:
        return compare(operator, values(path, resource)[0], wanted)
    if member is not None:
        return compare(operator, member[0], wanted)
    found = values(path, resource)
    if operator == "exists":
        return any(each is not None for each in found) == (str(wanted).lower() == "true")
    return all(compare(operator, each, wanted) for each in found)


def values(path: list[str], value: Any) -> list[Any]:  # noqa: ANN401 - JSON
    """What a path leads to."""
    if not path:
        return [value]
    if path[0] == "[*]":
        return [found for each in value or [] for found in values(path[1:], each)]
    return values(path[1:], value.get(path[0]) if isinstance(value, dict) else None)


def compare(  # noqa: C901, PLR0911 - a case each
    operator: str,
    value: Any,  # noqa: ANN401 - JSON
    wanted: Any,  # noqa: ANN401 - JSON
) -> bool:
    """One condition."""
    if operator.startswith("not"):
        return not compare(operator[3].lower() + operator[4:], value, wanted)
    if operator == "exists":
        return (value is not None) == (str(wanted).lower() == "true")
    if value is None:
        return False
    if operator in {"less", "lessOrEquals", "greater", "greaterOrEquals"}:
        low, high = (value, wanted) if operator.startswith("less") else (wanted, value)
        return low < high or (operator.endswith("OrEquals") and low == high)
    if operator == "in":
        return any(compare("equals", value, each) for each in wanted)
    if operator == "containsKey":
        return isinstance(value, dict) and wanted.lower() in [key.lower() for key in value]
    if isinstance(value, dict):
        return False
    text, pattern = said(value), said(wanted)
    if operator == "equals":
        return text.lower() == pattern.lower()
    if operator == "contains":
        return pattern.lower() in text.lower()
    if operator == "like":
        whole = ".*".join(map(re.escape, pattern.split("*")))
        return re.fullmatch(whole, text, re.IGNORECASE | re.DOTALL) is not None
    signs = {"#": str.isdecimal, "?": str.isalpha, ".": lambda _: True}
    same = [
        signs[sign](each)
        if sign in signs
        else each == sign or (operator == "matchInsensitively" and each.lower() == sign.lower())
        for each, sign in zip(text, pattern, strict=False)
    ]
    return len(text) == len(pattern) and all(same)


def said(value: Any) -> str:  # noqa: ANN401 - JSON
    """A scalar as text."""
    return str(value).lower() if isinstance(value, bool) else str(value)
