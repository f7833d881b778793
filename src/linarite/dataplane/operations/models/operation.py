"""Listing models. As in Azure these are models, not deployments; each names its deployments."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from linarite.dataplane.parts.documents import DocumentReply
from linarite.domain.errors import ResourceNotFound

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from linarite.dataplane.call import Call, OperationKit
    from linarite.domain.engine import Capabilities, Slot
    from linarite.domain.facts import Deployment, Facts
    from linarite.domain.model_lifecycle import LifecycleStatus


STATUSES: dict[LifecycleStatus, str] = {
    "Preview": "preview",
    "GenerallyAvailable": "generally-available",
    "Legacy": "generally-available",
    "Deprecating": "deprecating",
    "Deprecated": "deprecated",
}
"""ARM's words as the data plane's document writes them; it has none for Legacy"""


class ListModels:
    """Azure's `Models_List`."""

    name = "Models_List"
    action = "Microsoft.CognitiveServices/accounts/OpenAI/models/read"
    reads_body = False

    def __init__(self, kit: OperationKit) -> None:
        """Ask the kit what instances can do."""
        self._capabilities_of = kit.capabilities_of

    def parse(self, call: Call, body: bytes, facts: Facts) -> dict[str, Any]:  # noqa: ARG002 - the port's shape
        """The whole document: it needs no engine."""
        documents = [
            document(deployments, self._capabilities_of) for deployments in by_model(facts).values()
        ]
        call.reply = DocumentReply()
        return {"data": documents, "object": "list"}

    async def run(
        self,
        ask: dict[str, Any],
        slot: Slot | None,  # noqa: ARG002 - the port's shape
    ) -> AsyncGenerator[dict[str, Any], None]:
        """One event: the document."""
        yield ask


class GetModel:
    """Azure's `Models_Get`; a deployment's name finds its model too."""

    name = "Models_Get"
    action = "Microsoft.CognitiveServices/accounts/OpenAI/models/read"
    reads_body = False

    def __init__(self, kit: OperationKit) -> None:
        """Ask the kit what instances can do."""
        self._capabilities_of = kit.capabilities_of

    def parse(self, call: Call, body: bytes, facts: Facts) -> dict[str, Any]:  # noqa: ARG002 - the port's shape
        """The document. Raises ResourceNotFound, naming the models there are."""
        wanted = call.path_arguments["model"]
        models = by_model(facts)
        named = facts.deployment(wanted)
        found = models.get(named.model.name if named is not None else wanted)
        if found is None:
            raise ResourceNotFound(hint={"requested": wanted[:200], "models": sorted(models)})
        call.reply = DocumentReply()
        return document(found, self._capabilities_of)

    async def run(
        self,
        ask: dict[str, Any],
        slot: Slot | None,  # noqa: ARG002 - the port's shape
    ) -> AsyncGenerator[dict[str, Any], None]:
        """One event: the document."""
        yield ask


def by_model(facts: Facts) -> dict[str, list[Deployment]]:
    """The account's deployments, grouped by model name."""
    groups: dict[str, list[Deployment]] = {}
    for deployment in facts.deployments.values():
        groups.setdefault(deployment.model.name, []).append(deployment)
    return groups


def document(
    deployments: list[Deployment],
    capabilities_of: Callable[[str], Capabilities | None],
) -> dict[str, Any]:
    """A model in Azure's shape, with OpenAI's `created` and `owned_by`.

    The dated dialect's document has no such two, but its official client demands them.
    """
    first = deployments[0]
    ends = first.version_life.retired_at
    known = [capabilities_of(deployment.instance) for deployment in deployments]
    able = next((item for item in known if item is not None), None)
    return {
        "id": first.model.name,
        "object": "model",
        "status": "succeeded",
        "capabilities": {
            "fine_tune": False,
            "inference": True,
            "completion": bool(able and able.completion),
            "chat_completion": bool(able and able.chat_completion),
            "embeddings": bool(able and able.embeddings),
        },
        "lifecycle_status": STATUSES[first.version_life.status(datetime.now(UTC))],
        "deprecation": {"inference": int(ends.timestamp())} if ends is not None else {},
        "created_at": first.created_at,
        "deployments": [deployment.name for deployment in deployments],
        "created": first.created_at,
        "owned_by": first.model.format.lower(),
    }
