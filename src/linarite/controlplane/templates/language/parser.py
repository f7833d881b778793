"""Reads an expression: a descent with one function for each rule.

    expression = primary { "." name | ".?" name | "[" expression "]" | "[?" expression "]" }
    primary    = string | integer | name [ "." name ] "(" [ expression { "," expression } ] ")"

Source: "Syntax and expressions in ARM templates". Strings stand in single quotes; two of them
are one. `[[` at the start of a JSON string is an escaped bracket, no expression.
"""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

from linarite.controlplane.templates.language.syntax import Access, Call, Literal, Node
from linarite.controlplane.templates.problems import ExpressionFailed

EXPRESSION_CHARS_MAX = 24_576
"""ARM's own limit on the text of an expression"""
NESTING_MAX = 100
INTEGER_CHARS_MAX = 100

_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^']|'')*')|(?P<integer>-?\d+)|(?P<name>[A-Za-z_$][\w$]*)"
    r"|(?P<mark>\.\?|\[\?|[()\[\],.]))"
)


class _Token(msgspec.Struct, frozen=True):
    kind: str
    text: str
    column: int


def is_expression(text: str) -> bool:
    """Whether a string of the document is to be evaluated."""
    return text.startswith("[") and text.endswith("]") and not text.startswith("[[")


def unescaped(text: str) -> str:
    """A string that is no expression, with its escaped bracket as it is meant."""
    return text[1:] if text.startswith("[[") and text.endswith("]") else text


@lru_cache(maxsize=4096)
def parse(text: str) -> Node:
    """The tree of `[…]`. Raises ExpressionFailed with the column where reading stopped."""
    if len(text) > EXPRESSION_CHARS_MAX:
        raise ExpressionFailed(
            f"The template language expression exceeds limit of '{EXPRESSION_CHARS_MAX}' "
            f"characters. It has '{len(text)}'."
        )
    return _Reader(text).whole()


class _Reader:
    """One reading of one text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._split()
        self._at = 0
        self._depth = 0

    def whole(self) -> Node:
        """The expression, with nothing left over."""
        node = self._expression()
        if self._peek().kind != "end":
            raise self._stopped(self._peek(), "end of the expression")
        return node

    def _expression(self) -> Node:
        self._depth += 1
        if self._depth > NESTING_MAX:
            raise ExpressionFailed(f"The expression is nested more than {NESTING_MAX} levels deep.")
        node = self._primary()
        while self._peek().text in {".", ".?", "[", "[?"} and self._peek().kind == "mark":
            mark = self._next().text
            if mark.startswith("."):
                node = Access(node, Literal(self._take("name").text), safe=mark == ".?")
            else:
                node = Access(node, self._expression(), safe=mark == "[?")
                self._take("mark", "]")
        self._depth -= 1
        return node

    def _primary(self) -> Node:
        token = self._next()
        if token.kind == "string":
            return Literal(token.text[1:-1].replace("''", "'"))
        if token.kind == "integer":
            return Literal(self._integer(token))
        if token.kind != "name":
            raise self._stopped(token, "a string, an integer or a function")
        name = token.text
        if self._peek().text == "." and self._peek().kind == "mark":
            self._next()
            name = f"{name}.{self._take('name').text}"
        return Call(name, self._arguments())

    def _integer(self, token: _Token) -> int:
        if len(token.text) > INTEGER_CHARS_MAX:
            raise self._stopped(token, "an integer of 64 bits")
        return int(token.text)

    def _arguments(self) -> tuple[Node, ...]:
        self._take("mark", "(")
        arguments: list[Node] = []
        if self._peek().text == ")" and self._peek().kind == "mark":
            self._next()
            return ()
        while True:
            arguments.append(self._expression())
            token = self._next()
            if token.kind == "mark" and token.text == ")":
                return tuple(arguments)
            if token.kind != "mark" or token.text != ",":
                raise self._stopped(token, "',' or ')'")

    def _take(self, kind: str, text: str | None = None) -> _Token:
        token = self._next()
        if token.kind != kind or (text is not None and token.text != text):
            raise self._stopped(token, f"'{text}'" if text else f"a {kind}")
        return token

    def _peek(self) -> _Token:
        return self._tokens[self._at]

    def _next(self) -> _Token:
        token = self._tokens[self._at]
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    def _split(self) -> list[_Token]:
        tokens: list[_Token] = []
        at, end = 1, len(self._text) - 1
        while self._text[at:end].strip():
            match = _TOKEN.match(self._text, at, end)
            if match is None or match.lastgroup is None:
                blank = len(self._text[at:end]) - len(self._text[at:end].lstrip())
                raise self._stopped(_Token("mark", self._text[at + blank], at + blank), "a token")
            kind = match.lastgroup
            tokens.append(_Token(kind, match[kind], match.start(kind)))
            at = match.end()
        return [*tokens, _Token("end", "end of the expression", end)]

    def _stopped(self, token: _Token, expected: str) -> ExpressionFailed:
        return ExpressionFailed(
            f"Unable to parse language expression '{self._text[1:-1][:200]}': expected {expected} "
            f"at position {token.column}, found '{token.text[:50]}'."
        )
