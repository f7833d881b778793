"""Calls that a reply must consist of, as grammars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.engines.llamacpp.constraint import Constraint, text_rule
from linarite.engines.text_chat.toolbox import CALL_CLOSING, CALL_OPENING, arguments_schema

if TYPE_CHECKING:
    from linarite.domain.chat import FunctionDefinition
    from linarite.engines.llamacpp.constraint import SchemaCompiler


def arguments_constraint(function: FunctionDefinition, schemas: SchemaCompiler) -> Constraint:
    """Arguments of this function and nothing else."""
    return Constraint(f"answer: {_arguments_rule(function, schemas)}\n", "tools")


def calls_constraint(
    functions: list[FunctionDefinition], schemas: SchemaCompiler, reply_rule: str | None = None
) -> Constraint:
    """A call of one of the functions; with `reply_rule` a tagged call, or such a reply instead.

    Each function's schema stays a rule of its own: its references point into itself.
    """
    numbers = range(len(functions))
    calls = " | ".join(f"call_{number}" for number in numbers)
    rules = [f"call: {calls}\n"]
    for number, function in enumerate(functions):
        opening = text_rule(f'{{"name": {text_rule(function.name)}, "arguments": ')
        rules.append(f'call_{number}: {opening} arguments_{number} "}}"\n')
        rules.append(f"arguments_{number}: {_arguments_rule(function, schemas)}\n")
    if reply_rule is None:
        rules.append("answer: call\n")
    else:
        tagged = f"{text_rule(CALL_OPENING)} call {text_rule(CALL_CLOSING)}"
        rules.append(f"answer: reply | {tagged}\nreply: {reply_rule}\n")
    return Constraint("".join(rules), "tools")


def _arguments_rule(function: FunctionDefinition, schemas: SchemaCompiler) -> str:
    schema = arguments_schema(function)
    return schemas.json_rule(schema, strict=bool(function.strict), param="tools")
