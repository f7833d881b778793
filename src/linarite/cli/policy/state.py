"""`linarite policy state …`: compliance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from linarite.cli.arm.answers import part, parts
from linarite.cli.arm.flags import Output
from linarite.cli.arm.printed import print_data, print_many, say
from linarite.cli.policy.places import STATES, STATES_VERSION

if TYPE_CHECKING:
    from linarite.cli.arm.flags import OutputFlags
    from linarite.cli.arm.server import Server
    from linarite.cli.policy.places import ScopeFlags

NONE = "No policy looks at anything here. Assign one: linarite policy assignment create"


@dataclass(frozen=True, kw_only=True)
class FilterFlags:
    """Which states."""

    filter: Annotated[
        str | None, typer.Option("--filter", help="complianceState eq 'NonCompliant', and so on.")
    ] = None

    @property
    def query(self) -> dict[str, str]:
        """The same, as a query has it."""
        return {"$filter": self.filter} if self.filter else {}


async def list_states(
    server: Server, which: FilterFlags, at: ScopeFlags, shown: OutputFlags
) -> None:
    """List how every resource stands to every policy over it."""
    path = f"{await at.path(server)}/{STATES}/queryResults"
    states: list[dict[str, Any]] = []
    query = which.query
    while True:
        reply = await server.send("POST", path, version=STATES_VERSION, query=query)
        states += parts(reply.body, "value")
        if not reply.body.get("@odata.nextLink"):
            break
        query = which.query | {"$skiptoken": str(len(states))}
    print_many(states, row, shown.output, none=NONE)


async def summarize(server: Server, which: FilterFlags, at: ScopeFlags, shown: OutputFlags) -> None:
    """Count what does not comply, for each assignment."""
    path = f"{await at.path(server)}/{STATES}/summarize"
    reply = await server.send("POST", path, version=STATES_VERSION, query=which.query)
    (summary,) = parts(reply.body, "value")
    if shown.output is not Output.TABLE:
        print_data(summary, shown.output)
        return
    print_many(parts(summary, "policyAssignments"), counted, shown.output, none=NONE)


async def trigger_scan(server: Server, at: ScopeFlags) -> None:
    """Evaluate anew. Linarite evaluates whenever it is asked: this is for scripts made for az."""
    path = f"{await at.path(server)}/{STATES}/triggerEvaluation"
    await server.send("POST", path, version=STATES_VERSION)
    say("Evaluated.")


def row(state: dict[str, Any]) -> dict[str, object]:
    """Its line in a list."""
    return {
        "resource": str(state.get("resourceId") or "").partition("/providers/")[2]
        or state.get("resourceGroup")
        or "",
        "assignment": state.get("policyAssignmentName") or "",
        "policy": state.get("policyDefinitionReferenceId")
        or state.get("policyDefinitionName")
        or "",
        "effect": state.get("policyDefinitionAction") or "",
        "state": state.get("complianceState") or "",
    }


def counted(assignment: dict[str, Any]) -> dict[str, object]:
    """An assignment's line in a summary."""
    results = part(assignment, "results")
    states = {
        str(each.get("complianceState")): each.get("count")
        for each in parts(results, "resourceDetails")
    }
    return {
        "assignment": str(assignment.get("policyAssignmentId") or "").rpartition("/")[2],
        "non-compliant": results.get("nonCompliantResources") or 0,
        "compliant": states.get("compliant") or 0,
        "exempt": states.get("exempt") or 0,
    }
