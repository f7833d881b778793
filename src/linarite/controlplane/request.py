"""A request to the control plane and its answer, free of HTTP's types.

A template deployment makes the same requests as a client does.
"""

from __future__ import annotations

from typing import Any

import msgspec

from linarite.controlplane.caller import Caller


class ArmRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request of an authenticated caller."""

    method: str
    path: str
    """decoded, as it was sent"""
    api_version: str
    caller: Caller
    query: dict[str, str] = {}
    """the other parameters, by lower-cased name"""
    headers: dict[str, str] = {}
    """by lower-cased name"""
    body: bytes = b""
    base_url: str = ""
    """scheme and authority under which the client reached us: links in answers begin with it"""
    request_id: str = ""
    correlation_id: str = ""
    client_address: str = ""
    of_template: bool = False
    """a template deployment makes it: secrets may have gone into the body"""


class Target(msgspec.Struct, frozen=True):
    """What a path means: the words of its template as the table spells them."""

    path: str
    """the path with the table's spelling of fixed words and the request's of names"""
    names: dict[str, str]
    """what stood in the template's braces"""

    def __getitem__(self, name: str) -> str:
        """What stood in one of the template's braces; "" where the template has none such."""
        return self.names.get(name, "")


class Answer(msgspec.Struct, frozen=True):
    """A status, what the body says, and headers beyond those every answer has."""

    status: int
    body: Any = None
    """what becomes JSON; None for no body"""
    headers: dict[str, str] = {}
