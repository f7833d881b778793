"""What applications leave with an account, in memory, for tests."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from itertools import accumulate
from typing import TYPE_CHECKING

import msgspec

from linarite.domain.held_data import Held

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from linarite.domain.stored_object import Page, StoredObject


class MemoryStoredObjects:
    """`StoredObjects` in a dictionary."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, str], StoredObject] = {}

    async def add(self, made: StoredObject) -> None:
        """See StoredObjects."""
        self._kept[_place(made)] = made

    async def get(self, account_id: str, kind: str, object_id: str) -> StoredObject | None:
        """See StoredObjects."""
        return self._kept.get((account_id.lower(), kind, object_id))

    async def those(
        self, account_id: str, kind: str, object_ids: Sequence[str]
    ) -> list[StoredObject]:
        """See StoredObjects."""
        found = [await self.get(account_id, kind, each) for each in object_ids]
        return [each for each in found if each is not None]

    async def remove(self, account_id: str, kind: str, object_id: str) -> bool:
        """See StoredObjects."""
        return self._kept.pop((account_id.lower(), kind, object_id), None) is not None

    async def write(
        self,
        *,
        added: Sequence[StoredObject] = (),
        replaced: Sequence[StoredObject] = (),
        removed: Sequence[StoredObject] = (),
        needed: Sequence[StoredObject] = (),
    ) -> bool:
        """See StoredObjects."""
        if not all(_place(each) in self._kept for each in (*replaced, *removed, *needed)):
            return False
        for each in removed:
            del self._kept[_place(each)]
        for each in (*replaced, *added):
            self._kept[_place(each)] = each
        return True

    async def list(self, account_id: str, kind: str, page: Page) -> list[StoredObject]:
        """See StoredObjects."""
        found = [
            each
            for (account, its_kind, _), each in self._kept.items()
            if (account, its_kind) == (account_id.lower(), kind)
            and page.label in {"", each.label}
            and page.owner in {None, each.owner}
            and (not page.alive_at or each.expires_at == 0 or each.expires_at > page.alive_at)
            and (not page.after or (each.id > page.after) is page.ascending)
            and each.id != page.after
        ]
        found.sort(key=lambda each: each.id, reverse=not page.ascending)
        found = found[: page.limit]
        if page.bytes_max:
            sizes = list(accumulate(len(msgspec.json.encode(each)) for each in found))
            found = found[: bisect_left(sizes, page.bytes_max) + 1]
        return found

    async def size_of(
        self, account_id: str, kind: str, *, object_ids: Sequence[str] = (), label: str = ""
    ) -> int:
        """See StoredObjects."""
        return sum(
            len(msgspec.json.encode(each))
            for (account, its_kind, its_id), each in self._kept.items()
            if (account, its_kind) == (account_id.lower(), kind)
            and (its_id in object_ids or label in {each.label} - {""})
        )

    async def count(self, account_id: str, kind: str, label: str, *, lasting: bool) -> int:
        """See StoredObjects."""
        return sum(
            (account, its_kind, each.label) == (account_id.lower(), kind, label)
            and lasting is (each.expires_at == 0)
            for (account, its_kind, _), each in self._kept.items()
        )

    async def sizes(self, account_id: str) -> Mapping[str, int]:
        """See StoredObjects."""
        return self.all_sizes().get(account_id.lower(), {})

    def all_sizes(self) -> Mapping[str, Mapping[str, int]]:
        """See StoredObjects."""
        found: dict[str, Counter[str]] = {}
        for (account, kind, _), each in self._kept.items():
            size = len(msgspec.json.encode(each)) + (each.blob_bytes if each.blob else 0)
            found.setdefault(account, Counter())[kind] += size
        return found

    async def end(self, over: Sequence[StoredObject], why: str) -> None:
        """See StoredObjects."""
        del why
        for each in over:
            self._kept.pop(_place(each), None)

    async def held(self, account_id: str) -> list[Held]:
        """See StoredObjects."""
        mine = [
            each for each in self._kept.values() if each.account_id.lower() == account_id.lower()
        ]
        return [
            _held(kind, [each for each in mine if each.kind == kind])
            for kind in sorted({each.kind for each in mine})
        ]

    async def expired(self, now: int, limit: int) -> list[StoredObject]:
        """See StoredObjects."""
        over = [each for each in self._kept.values() if 0 < each.expires_at <= now]
        return over[:limit]

    async def blobs(self) -> set[str]:
        """See StoredObjects."""
        return {each.blob for each in self._kept.values()} - {""}

    async def accounts(self) -> set[str]:
        """See StoredObjects."""
        return {account for account, _, _ in self._kept}

    async def of_account(self, account_id: str, limit: int) -> list[StoredObject]:
        """See StoredObjects."""
        mine = [
            each for (account, _, _), each in self._kept.items() if account == account_id.lower()
        ]
        return mine[:limit]


def _held(kind: str, objects: list[StoredObject]) -> Held:
    ends = [each.expires_at for each in objects if each.expires_at]
    return Held(
        kind=kind,
        place="memory",
        count=len(objects),
        bytes=sum(len(msgspec.json.encode(each)) + each.blob_bytes for each in objects),
        oldest=min(each.created_at for each in objects),
        newest=max(each.created_at for each in objects),
        ends_first=min(ends, default=0),
        ends_last=max(ends, default=0),
        endless=len(objects) - len(ends),
    )


def _place(kept: StoredObject) -> tuple[str, str, str]:
    return kept.account_id.lower(), kept.kind, kept.id
