"""A request to the sign-in plane and its answer, free of the connection's types."""

from __future__ import annotations

from typing import Any

import msgspec


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """One request. Its repr hides what it carries: secrets may be anywhere in it."""

    method: str
    path: str
    names: dict[str, str] = {}
    """what stood in the braces of the route's template"""
    query: dict[str, str] = {}
    form: dict[str, str] = {}
    """the body of a form"""
    body: Any = None
    """the decoded body, where JSON came; None for none"""
    headers: dict[str, str] = {}
    """by lower-cased name"""
    base_url: str = ""
    """scheme and authority under which the client reached us"""
    address: str = ""
    """of the client"""
    port: int = 0
    """of the client"""
    request_id: str = ""
    correlation_id: str = ""

    def __repr__(self) -> str:
        """Hide everything that was sent."""
        return f"Ask({self.method} {self.path})"

    def __getitem__(self, name: str) -> str:
        """A parameter of the form; "" where there is none."""
        return self.form.get(name, "")


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """An answer: JSON unless `text` says otherwise."""

    status: int = 200
    body: Any = None
    """what becomes JSON; None for no body"""
    text: bytes | None = None
    """a page"""
    content_type: str = "text/html; charset=utf-8"
    """of `text`"""
    headers: dict[str, str] = {}

    def __repr__(self) -> str:
        """Hide the body: it may be a token."""
        return f"Reply({self.status})"
