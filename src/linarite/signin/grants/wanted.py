"""What a request at the token endpoint asks for, whichever version it speaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.signin.refusals import refused

if TYPE_CHECKING:
    from linarite.signin.desk import Desk
    from linarite.signin.request import Ask
    from linarite.signin.tokens.resources import Wanted


def wanted_of(ask: Ask, desk: Desk) -> Wanted:
    """By `scope`, else by version 1's `resource`. Raises SignInRefused."""
    if ask["scope"] and not ask["resource"]:
        return desk.audiences.by_scope(ask["scope"], ask.base_url)
    if ask["resource"]:
        return desk.audiences.by_name(ask["resource"], ask.base_url)
    raise refused(900144, parameter="scope")
