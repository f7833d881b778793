"""What settings say about chat over documents."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class DataSources(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How `data_sources` of chat completions are searched."""

    rewrite_queries: Annotated[
        bool,
        Meta(
            description="Have the deployment that is asked write the search queries of a question "
            "that follows others: one short request more, with a record of its own. Without it the "
            "question is searched for as it stands, and together with the one before."
        ),
    ] = True
    search_s: Annotated[
        float, Meta(description="Seconds in which a search service must answer.", gt=0)
    ] = 30.0


class SearchServiceSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An Azure AI Search service that requests may name without a key of their own."""

    endpoint: Annotated[
        str,
        Meta(
            description="As requests name it: `https://NAME.search.windows.net`. Naming it here "
            "opens its host, a private one too, for this purpose alone."
        ),
    ]
    api_key: Annotated[
        str,
        Meta(
            description="What it is searched with where a request says a managed identity, best as "
            "`env:NAME`."
        ),
    ] = ""
    token_file: Annotated[
        str,
        Meta(
            description="File with an access token instead of `api_key`, read for each search, so "
            "that something else can renew it."
        ),
    ] = ""
    managed_identity: Annotated[
        str,
        Meta(
            description="Resource id of the user-assigned identity that this stands for. Empty: "
            "the account's own (`system_assigned_managed_identity`)."
        ),
    ] = ""
    accounts: Annotated[
        list[str],
        Meta(description="Names of the accounts that have this identity. Empty: every account."),
    ] = []
    ca_file: Annotated[
        str,
        Meta(description="PEM file with the authority of its certificate, if it is no public one."),
    ] = ""

    def __repr__(self) -> str:
        """Hide the key."""
        return f"SearchServiceSettings(endpoint={self.endpoint!r}, accounts={self.accounts})"
