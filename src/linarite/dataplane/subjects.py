"""Whom a call is counted for: its project, its tags, and who makes it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from linarite.dataplane.limits_reader import tags_text
from linarite.domain.application_key import NAME_PREFIX
from linarite.domain.errors import InvalidRequest
from linarite.domain.usage_limits import Caller, merged_tags

if TYPE_CHECKING:
    from linarite.dataplane.call import Call
    from linarite.domain.facts import Deployment, Facts
    from linarite.domain.ledger import Bucket

PROJECT_HEADER = b"openai-project"
LISTED_MAX = 20


def tell_subjects(call: Call, facts: Facts, where: Deployment) -> None:
    """Fill in the call's notes `project` and `tags`. Raises InvalidRequest (400).

    A project is taken from the header only where the account has projects, and then it must be one
    of them: clients send the header to accounts that know none, and nobody invents names to be
    counted under.
    """
    call.tags = where.tags
    if facts.projects:
        told = call.headers.get(PROJECT_HEADER)
        if told is not None:
            call.project = _project(told, facts)
    if call.principal is not None and (terms := call.principal.terms) is not None and terms.tags:
        call.tags = _both(where.tags, terms.tags)


def usage_buckets(call: Call, facts: Facts) -> tuple[Bucket, ...]:
    """The usage limits that hold for a call to a deployment; costs nothing where there are none."""
    limits = facts.usage_limits
    if limits is None or call.deployment is None or call.principal is None:
        return ()
    caller = call.principal
    key = caller.name.removeprefix(NAME_PREFIX).lower() if caller.terms is not None else ""
    return limits.buckets(
        call.deployment.id, Caller(key, caller.object_id, call.end_user, call.project)
    )


def _project(told: bytes, facts: Facts) -> str:
    name = told.decode("latin-1").lower()
    if name in facts.projects:
        return name
    known = ", ".join(sorted(facts.projects)[:LISTED_MAX])
    raise InvalidRequest(
        f"The project '{name[:100]}' that the header OpenAI-Project names is none of the account "
        f"'{facts.account.name}'. It has: {known}. Leave the header out to be counted for none "
        "(the official clients send it for `project=` and OPENAI_PROJECT_ID).",
        param="OpenAI-Project",
        code="invalid_project",
    )


@lru_cache(maxsize=1024)
def _both(outer: str, inner: str) -> str:
    """Tags of a deployment and of a key as one; the key's win."""
    if not outer:
        return inner
    return tags_text(merged_tags(*map(msgspec.json.decode, (outer, inner))))
