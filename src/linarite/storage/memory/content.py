"""Sealed prompts and completions in memory, for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.domain.held_data import Held

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.domain.content_log import ContentPage, SealedContent


class MemoryContentStore:
    """`ContentStore` in a dictionary."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], SealedContent] = {}

    async def add(self, contents: Sequence[SealedContent]) -> None:
        """See ContentStore."""
        for each in contents:
            account = each.account_id.lower()
            kept = msgspec.structs.replace(each, account_id=account)
            self._kept.setdefault((account, each.request_id), kept)

    async def find(self, account_id: str, request_id: str) -> SealedContent | None:
        """See ContentStore."""
        return self._kept.get((account_id.lower(), request_id))

    async def list(self, account_id: str, page: ContentPage) -> list[SealedContent]:
        """See ContentStore."""
        found = [
            msgspec.structs.replace(each, sealed="")
            for (account, request_id), each in sorted(self._kept.items(), reverse=True)
            if account == account_id.lower()
            and each.expires_at > page.alive_at
            and (not page.before or request_id < page.before)
            and page.deployment.lower() in ("", each.deployment.lower())
        ]
        return found[: page.limit]

    async def accounts(self) -> set[str]:
        """See ContentStore."""
        return {account for account, _ in self._kept}

    async def held(self, account_id: str) -> list[Held]:
        """See HoldsData."""
        mine = [each for (account, _), each in self._kept.items() if account == account_id.lower()]
        if not mine:
            return []
        return [
            Held(
                kind="contentRecord",
                place="memory",
                count=len(mine),
                bytes=sum(len(each.sealed) for each in mine),
                oldest=min(each.at for each in mine),
                newest=max(each.at for each in mine),
                ends_first=min(each.expires_at for each in mine),
                ends_last=max(each.expires_at for each in mine),
            )
        ]

    async def remove(self, account_id: str, *, expired_at: int, before: int = 0) -> int:
        """See ContentStore."""
        over = [
            key
            for key, each in self._kept.items()
            if key[0] == account_id.lower() and (each.expires_at <= expired_at or each.at < before)
        ]
        for key in over:
            del self._kept[key]
        return len(over)

    async def remove_beyond(self, bytes_max: int) -> dict[str, int]:
        """See ContentStore."""
        gone: dict[str, int] = {}
        size = sum(len(each.sealed) for each in self._kept.values())
        for key in sorted(self._kept, key=lambda key: (self._kept[key].at, key[1])):
            if size <= bytes_max:
                break
            size -= len(self._kept.pop(key).sealed)
            gone[key[0]] = gone.get(key[0], 0) + 1
        return gone
