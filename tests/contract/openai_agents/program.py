"""Agents with hosted tools, as their framework's own pages show them; run by its Python."""

# pyright: reportMissingImports=false, reportUnknownParameterType=false
# Its libraries are in an environment of their own.
from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

from agents import (
    Agent,
    FileSearchTool,
    HostedMCPTool,
    OpenAIResponsesModel,
    Runner,
    set_tracing_disabled,
)
from openai import AsyncOpenAI


async def main(store_id: str, mcp_url: str) -> None:
    """Print what came of it as JSON."""
    set_tracing_disabled(True)
    client = AsyncOpenAI(
        base_url=f"{os.environ['ENDPOINT']}/openai/v1/", api_key=os.environ["KEY"], max_retries=0
    )
    model = OpenAIResponsesModel(model="gpt-4o", openai_client=client)
    told: dict[str, Any] = {}

    search = FileSearchTool([store_id], max_num_results=2, include_search_results=True)
    agent = Agent(name="Librarian", model=model, tools=[search])
    result = await Runner.run(agent, "How much leave do I have?")
    told["found"] = result.final_output
    told["items"] = [type(each.raw_item).__name__ for each in result.new_items]

    server = {"type": "mcp", "server_label": "calc", "server_url": mcp_url}
    free = HostedMCPTool(tool_config=server | {"require_approval": "never"})
    result = await Runner.run(
        Agent(name="Calculator", model=model, tools=[free]), "Add the numbers 3 and 4"
    )
    told["added"] = result.final_output

    asked: list[str] = []

    def approve(request: Any) -> Any:  # noqa: ANN401 - as the framework calls it
        asked.append(request.data.name)
        return {"approve": True}

    careful = HostedMCPTool(
        tool_config=server | {"require_approval": "always"}, on_approval_request=approve
    )
    streamed = Runner.run_streamed(
        Agent(name="Careful", model=model, tools=[careful]), "Add the numbers 5 and 6"
    )
    async for _ in streamed.stream_events():
        pass
    told["approved"] = streamed.final_output
    told["asked"] = asked
    print(json.dumps(told))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
