"""The template language as policy rules use it.

Source: "Azure Policy definition structure policy rule", section Policy functions: every template
function of values, without those that read the world or the deployment, and some of its own.
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any, cast

from linarite.controlplane.templates.evaluation import integer_key
from linarite.controlplane.templates.functions import find_function
from linarite.controlplane.templates.functions.dates import date_time_add
from linarite.controlplane.templates.language.parser import is_expression, parse, unescaped
from linarite.controlplane.templates.language.syntax import Access, Literal, calls_in
from linarite.controlplane.templates.problems import ArgumentUnfit, ExpressionFailed
from linarite.controlplane.templates.values import find, integer, kind_of, text, weigh
from linarite.controls.policy.expressions import Called, ExpressionUnfit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.controlplane.templates.functions.builtin import Builtin
    from linarite.controlplane.templates.language.syntax import Call, Node
    from linarite.controlplane.templates.values import Value
    from linarite.controls.policy.expressions import Asking

STEPS_MAX = 20_000
"""nodes and values that one expression may come to"""
OWN: dict[str, tuple[int, int]] = {
    "parameters": (1, 1),
    "field": (1, 1),
    "current": (0, 1),
    "resourcegroup": (0, 0),
    "subscription": (0, 0),
    "requestcontext": (0, 0),
    "policy": (0, 0),
    "utcnow": (0, 1),
    "adddays": (2, 2),
    "if": (3, 3),
    "and": (1, 100),
    "or": (1, 100),
    "coalesce": (1, 100),
    "iprangecontains": (2, 2),
}
"""functions that are answered here, in lower case → how many arguments they take"""
NOT_IN_POLICIES = frozenset(("newguid", "datetimeadd", "managementgroup"))


class TemplateExpressions:
    """`Expressions` by the template language."""

    def is_expression(self, text: str) -> bool:
        """As `Expressions.is_expression`."""
        return is_expression(text)

    def plain(self, text: str) -> str:
        """As `Expressions.plain`."""
        return unescaped(text)

    def calls(self, text: str) -> Sequence[Called]:
        """As `Expressions.calls`."""
        try:
            found = calls_in(parse(text))
        except ExpressionFailed as failed:
            raise ExpressionUnfit(str(failed)) from None
        for call in found:
            _require_known(call)
        return [Called(call.name, tuple(map(_literal, call.arguments))) for call in found]

    def value(self, text: str, asking: Asking) -> Any:  # noqa: ANN401 - JSON
        """As `Expressions.value`."""
        try:
            return _Evaluation(asking).value_of(parse(text))
        except (ExpressionFailed, ArgumentUnfit) as failed:
            raise ExpressionUnfit(str(failed)) from None


class _Evaluation:
    """One evaluation of one expression."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._steps = 0

    def value_of(self, node: Node) -> Value:
        """The value of a node."""
        self._spend(1)
        if isinstance(node, Literal):
            return node.value
        if isinstance(node, Access):
            return self._access(node)
        builtin = _require_known(node)
        if builtin is None:
            return self._own(node)
        arguments = [self.value_of(argument) for argument in node.arguments]
        try:
            value = builtin.function(*arguments)
        except ArgumentUnfit as unfit:
            raise ExpressionFailed(
                f"The template language function '{node.name}' {unfit}"
            ) from None
        if isinstance(value, list | dict):
            self._spend(weigh(value))
        return value

    def _own(self, node: Call) -> Value:
        name = node.name.lower()
        if name == "if":
            chosen = self.value_of(node.arguments[0])
            return self.value_of(node.arguments[1 if _true(chosen) else 2])
        if name in {"and", "or"}:
            answers = (_true(self.value_of(each)) for each in node.arguments)
            return all(answers) if name == "and" else any(answers)
        if name == "coalesce":
            values = (self.value_of(each) for each in node.arguments)
            return next((each for each in values if each is not None), None)
        return self._answered(name, [self.value_of(argument) for argument in node.arguments])

    def _answered(self, name: str, arguments: list[Value]) -> Value:
        asking = self._asking
        if name == "parameters":
            answer = asking.parameter(text(arguments[0]))
        elif name == "field":
            answer = asking.field(text(arguments[0]))
        elif name == "current":
            answer = asking.current(text(arguments[0]) if arguments else None)
        elif name == "utcnow":
            answer = asking.now if not arguments else date_time_add(asking.now, "PT0S", *arguments)
        elif name == "adddays":
            answer = _days_added(*arguments)
        elif name == "iprangecontains":
            answer = _contains(*arguments)
        else:
            answer = dict(asking.known(name))
        return cast("Value", answer)

    def _access(self, node: Access) -> Value:
        whole, key = self.value_of(node.of), self.value_of(node.key)
        if whole is None and node.safe:
            return None
        if isinstance(whole, dict) and isinstance(key, str):
            name = find(whole, key)
            if name is None and not node.safe:
                raise ExpressionFailed(f"The property '{key[:100]}' doesn't exist.")
            return None if name is None else whole[name]
        if isinstance(whole, list):
            at = integer_key(key)
            if 0 <= at < len(whole):
                return whole[at]
            if node.safe:
                return None
            raise ExpressionFailed(f"The array index '{at}' is out of bounds.")
        raise ExpressionFailed(
            f"A value of type '{kind_of(whole)}' has no property '{str(key)[:100]}'."
        )

    def _spend(self, steps: int) -> None:
        self._steps += steps
        if self._steps > STEPS_MAX:
            raise ExpressionFailed(f"The expression comes to more than {STEPS_MAX} values.")


def _require_known(call: Call) -> Builtin | None:
    """A function of values that policies may call, None for one of `OWN`.

    Raises ExpressionUnfit.
    """
    name = call.name.lower()
    if name in OWN:
        _require_count(call, *OWN[name])
        return None
    found = find_function(call.name)
    if found is None or found[1].takes != "values" or name in NOT_IN_POLICIES:
        raise ExpressionUnfit(
            f"the template function '{call.name[:60]}' is not known in policies; see "
            "https://aka.ms/policyfunctions"
        )
    _require_count(call, found[1].least, found[1].most)
    return found[1]


def _require_count(call: Call, least: int, most: int) -> None:
    if not least <= len(call.arguments) <= most:
        raise ExpressionUnfit(
            f"the template function '{call.name[:60]}' takes {least} to {most} argument(s); it has "
            f"{len(call.arguments)}"
        )


def _literal(node: Node) -> str | None:
    return node.value if isinstance(node, Literal) and isinstance(node.value, str) else None


def _true(value: Value) -> bool:
    if not isinstance(value, bool):
        raise ExpressionFailed(f"A boolean is expected; it is of type '{kind_of(value)}'.")
    return value


def _days_added(date: Value, count: Value) -> Value:
    days = integer(count)
    return date_time_add(date, f"{'-' if days < 0 else ''}P{abs(days)}D")


def _contains(outer: Value, inner: Value) -> bool:
    """Whether one range of addresses lies in another; each `a`, `a/n` or `a - b`."""
    try:
        (low, high), (first, last) = _range(text(outer)), _range(text(inner))
    except (ValueError, TypeError):
        raise ExpressionFailed("ipRangeContains takes two ranges of IP addresses.") from None
    return low.version == first.version and low <= first and last <= high


def _range(said: str) -> tuple[Any, Any]:
    low, dash, high = (part.strip() for part in said.partition("-"))
    if dash:
        return ip_address(low), ip_address(high)
    network = ip_network(low, strict=False)
    return network[0], network[-1]
