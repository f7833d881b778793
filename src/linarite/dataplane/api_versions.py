"""The api-versions of the dated dialect, and which of them know an operation.

List: Azure OpenAI's data-plane inference reference, GA and preview versions since 2022-12-01.
"""

from __future__ import annotations

GA = ("2022-12-01", "2023-05-15", "2024-02-01", "2024-06-01", "2024-10-21")

PREVIEW = (
    "2023-03-15-preview",
    "2023-06-01-preview",
    "2023-07-01-preview",
    "2023-08-01-preview",
    "2023-09-01-preview",
    "2023-10-01-preview",
    "2023-12-01-preview",
    "2024-02-15-preview",
    "2024-03-01-preview",
    "2024-04-01-preview",
    "2024-05-01-preview",
    "2024-07-01-preview",
    "2024-08-01-preview",
    "2024-09-01-preview",
    "2024-10-01-preview",
    "2024-12-01-preview",
    "2025-01-01-preview",
    "2025-02-01-preview",
    "2025-03-01-preview",
    "2025-04-01-preview",
)

DATED = frozenset(GA + PREVIEW)
V1 = frozenset(("", "v1", "preview"))


def versions_since(first_ga: str, first_preview: str) -> frozenset[str]:
    """Every dated version that knows an operation, given the first GA and preview ones.

    An empty string means: in none of that kind. Dates compare as text.
    """
    ga = {version for version in GA if first_ga and version >= first_ga}
    preview = {version for version in PREVIEW if first_preview and version >= first_preview}
    return frozenset(ga | preview)
