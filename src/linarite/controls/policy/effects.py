"""A rule's `then`: the effect, and what each effect wants to know besides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, cast

import msgspec

from linarite.controls.policy.fields import EVERY, find_field
from linarite.controls.policy.problems import INVALID_EFFECT_DETAILS, invalid_rule
from linarite.controls.policy.reading import RuleUnfit
from linarite.controls.policy.tree import Node

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linarite.controls.policy.expressions import Expressions
    from linarite.controls.policy.parameters import Declared
    from linarite.controls.policy.reading import RuleReader

EFFECTS = {
    name.lower(): name
    for name in (
        "append",
        "audit",
        "auditIfNotExists",
        "deny",
        "denyAction",
        "deployIfNotExists",
        "disabled",
        "manual",
        "modify",
    )
}
"""lower case → Azure's spelling"""
NOT_CARRIED_OUT = "deployIfNotExists"
OPERATIONS = {"add": "add", "addorreplace": "addOrReplace", "remove": "remove"}
CONFLICTS = ("audit", "deny", "disabled")
STATES = {"unknown": "Unknown", "compliant": "Compliant", "noncompliant": "NonCompliant"}


class Operation(msgspec.Struct, frozen=True):
    """One change that `modify` or `append` makes."""

    operation: str
    """add, addOrReplace, remove, or append"""
    field: str
    value: Any = None
    condition: str = ""
    """an expression; "" always applies"""


class Changes(msgspec.Struct, frozen=True):
    """What `modify` and `append` change."""

    operations: tuple[Operation, ...] = ()
    conflict: str = "deny"


class Existence(msgspec.Struct, frozen=True):
    """What `auditIfNotExists` looks for."""

    type: str
    name: str = ""
    scope: str = "resourcegroup"
    condition: Node | None = None


class ProtectedActions(msgspec.Struct, frozen=True):
    """What `denyAction` forbids; the one action that there is is `delete`."""

    cascades: bool = True
    """whether it also forbids deleting the resource group around"""


class DefaultState(msgspec.Struct, frozen=True):
    """How `manual` stands until somebody attests it."""

    state: str = "Unknown"


Details: TypeAlias = "Changes | Existence | ProtectedActions | DefaultState | None"


class Then(msgspec.Struct, frozen=True):
    """The effect, or the expression that makes it, and its details."""

    effect: str
    details: Details = None


class EffectReader:
    """Reads one `then`; what is wrong goes where the rule's reader collects it."""

    def __init__(self, reader: RuleReader, expressions: Expressions, declared: Declared) -> None:
        self._reader = reader
        self._expressions = expressions
        self._declared = declared

    def then(self, source: Any, place: str) -> Then:  # noqa: ANN401 - JSON
        """The effect and its details."""
        given = _lowered(source)
        effect = given.get("effect")
        if not isinstance(effect, str):
            self._wrong("'then' must have an 'effect'", f"{place}.effect")
            return Then("disabled")
        possible = self._possible(effect, f"{place}.effect")
        if NOT_CARRIED_OUT in possible:
            self._wrong(
                "the effect 'deployIfNotExists' is not carried out by this server. Use 'modify' to "
                "set properties as resources are written, or 'auditIfNotExists' to be told of what "
                "is missing",
                f"{place}.effect",
            )
        details = self._details(possible, given.get("details"), f"{place}.details")
        return Then(effect, details)

    def _possible(self, effect: str, place: str) -> set[str]:
        """The effects that it may come to, in Azure's spelling."""
        words = [effect]
        if self._expressions.is_expression(effect):
            self._reader.expressions_in(effect, place)
            named = [
                call.literals[0].lower()
                for call in self._calls(effect)
                if call.name.lower() == "parameters" and call.literals and call.literals[0]
            ]
            parameters = [self._declared[name] for name in named if name in self._declared]
            words = [str(each) for parameter in parameters for each in parameter.allowed]
            words += [
                each.default
                for each in parameters
                if not each.allowed and isinstance(each.default, str)
            ]
        unknown = [word for word in words if word.lower() not in EFFECTS]
        if unknown:
            known = ", ".join(EFFECTS.values())
            self._wrong(f"the effect '{unknown[0][:40]}' is none of {known}", place)
        return {EFFECTS[word.lower()] for word in words if word.lower() in EFFECTS}

    def _calls(self, effect: str) -> Any:  # noqa: ANN401 - a sequence, empty where unreadable
        return () if self._reader.problems else self._expressions.calls(effect)

    def _details(self, possible: set[str], source: Any, place: str) -> Details:  # noqa: ANN401 - any JSON
        if "modify" in possible:
            return self._modify(_lowered(source), place)
        if "append" in possible:
            return self._append(source, place)
        if possible & {"auditIfNotExists", NOT_CARRIED_OUT}:
            return self._existence(_lowered(source), place)
        if "denyAction" in possible:
            return self._deny_action(_lowered(source), place)
        if "manual" in possible:
            state = str(_lowered(source).get("defaultstate") or "Unknown")
            return DefaultState(STATES.get(state.lower(), "Unknown"))
        return None

    def _modify(self, given: Mapping[str, Any], place: str) -> Changes:
        conflict = str(given.get("conflicteffect") or "deny").lower()
        if conflict not in CONFLICTS and not self._expressions.is_expression(conflict):
            self._wrong(
                f"'conflictEffect' is one of {', '.join(CONFLICTS)}", f"{place}.conflictEffect"
            )
        if not given.get("roledefinitionids"):
            self._wrong("'modify' must name 'roleDefinitionIds'", f"{place}.roleDefinitionIds")
        operations = given.get("operations")
        if not isinstance(operations, list) or not operations:
            self._wrong("'modify' must have 'operations'", f"{place}.operations")
            return Changes()
        read = [
            self._operation(_lowered(each), f"{place}.operations[{at}]")
            for at, each in enumerate(cast("list[Any]", operations))
        ]
        return Changes(tuple(each for each in read if each is not None), conflict)

    def _operation(self, given: Mapping[str, Any], place: str) -> Operation | None:
        word = OPERATIONS.get(str(given.get("operation") or "").lower())
        if word is None:
            self._wrong(
                f"'operation' is one of {', '.join(OPERATIONS.values())}", f"{place}.operation"
            )
            return None
        if word != "remove" and "value" not in given:
            self._wrong(f"'{word}' must have a 'value'", f"{place}.value")
            return None
        condition = given.get("condition")
        if condition is not None and not (
            isinstance(condition, str) and self._expressions.is_expression(condition)
        ):
            self._wrong("'condition' is an expression in brackets", f"{place}.condition")
            return None
        self._reader.expressions_in([given.get("value"), condition], place)
        field = self._changed_field(given.get("field"), f"{place}.field")
        return (
            None if field is None else Operation(word, field, given.get("value"), condition or "")
        )

    def _append(self, source: Any, place: str) -> Changes:  # noqa: ANN401 - JSON
        if not isinstance(source, list) or not source:
            self._wrong("'append' takes an array of fields with values", place)
            return Changes()
        read: list[Operation] = []
        for at, each in enumerate(cast("list[Any]", source)):
            given = _lowered(each)
            field = self._changed_field(given.get("field"), f"{place}[{at}].field")
            self._reader.expressions_in(given.get("value"), f"{place}[{at}].value")
            if field is not None:
                read.append(Operation("append", field, given.get("value")))
        return Changes(tuple(read))

    def _changed_field(self, name: Any, place: str) -> str | None:  # noqa: ANN401 - JSON
        """A field that may be set: its arrays are set as a whole, or added to."""
        if isinstance(name, str) and self._expressions.is_expression(name):
            self._reader.expressions_in(name, place)
            return name
        before = len(self._reader.problems)
        self._reader.problems += _field_problems(self._reader, name, place)
        if len(self._reader.problems) > before:
            return None
        field = find_field(str(name))
        if field is None or not is_settable(str(name)):
            self._wrong(f"the field '{str(name)[:200]}' can't be modified", place)
            return None
        return str(name)

    def _existence(self, given: Mapping[str, Any], place: str) -> Existence:
        kind = given.get("type")
        if not isinstance(kind, str) or not kind:
            self._wrong("'auditIfNotExists' must name the 'type' that must exist", f"{place}.type")
            return Existence("")
        condition = given.get("existencecondition")
        return Existence(
            type=kind,
            name=str(given.get("name") or ""),
            scope=str(given.get("existencescope") or "resourceGroup").lower(),
            condition=None
            if condition is None
            else self._reader.node(condition, f"{place}.existenceCondition"),
        )

    def _deny_action(self, given: Mapping[str, Any], place: str) -> ProtectedActions:
        names = given.get("actionnames")
        if not isinstance(names, list) or [
            str(each).lower() for each in cast("list[Any]", names)
        ] != ["delete"]:
            self._wrong("'actionNames' must be [\"delete\"]", f"{place}.actionNames")
        cascade = _lowered(given.get("cascadebehaviors")).get("resourcegroup") or "deny"
        return ProtectedActions(cascades=str(cascade).lower() != "allow")

    def _wrong(self, message: str, place: str) -> None:
        code = INVALID_EFFECT_DETAILS if ".details" in place else "InvalidPolicyRule"
        self._reader.problems.append(invalid_rule(message, place, code))


def is_settable(name: str) -> bool:
    """Whether `modify` and `append` may change a field; of an array's members, only the array."""
    field = find_field(name)
    if field is None:
        return False
    whole = find_field(name.removesuffix(EVERY)) if name.endswith(EVERY) else field
    return whole is not None and whole.modifiable and EVERY not in whole.path


def _field_problems(reader: RuleReader, name: Any, place: str) -> list[Any]:  # noqa: ANN401 - JSON
    try:
        reader.field_name(name, place)
    except RuleUnfit as unfit:
        return [unfit.problem]
    return []


def _lowered(source: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    if not isinstance(source, dict):
        return {}
    return {name.lower(): inner for name, inner in cast("dict[str, Any]", source).items()}
