# /// script
# requires-python = ">=3.11"
# dependencies = ["openai-agents>=0.20"]
# ///
"""An agent with a tool, by OpenAI's own framework over the Responses API.

export AZURE_OPENAI_ENDPOINT=… AZURE_OPENAI_API_KEY=…
python examples/agent.py "What is the weather in Paris?"
"""

import asyncio
import os
import sys

from agents import (
    Agent,
    ModelSettings,
    OpenAIResponsesModel,
    Runner,
    function_tool,
    set_tracing_disabled,
)
from openai import AsyncOpenAI

MODEL = os.environ.get("CHAT_DEPLOYMENT", "qwen2.5-coder-0.5b-instruct")


@function_tool
def weather(city: str) -> str:
    """The weather in a city, now."""
    print(f"  looking at the weather in {city}")
    return f"In {city} it is 19 degrees and sunny."


async def main(question: str) -> None:
    """Print what the agent says in the end."""
    set_tracing_disabled(True)  # it would send what is said to OpenAI
    client = AsyncOpenAI(
        base_url=f"{os.environ['AZURE_OPENAI_ENDPOINT'].rstrip('/')}/openai/v1/",
        api_key=os.environ["AZURE_OPENAI_API_KEY"],
    )
    agent = Agent(
        name="Assistant",
        instructions="Answer briefly. Ask the tool about the weather.",
        model=OpenAIResponsesModel(model=MODEL, openai_client=client),
        tools=[weather],
        # Small models would rather make the weather up: the first turn has to ask.
        model_settings=ModelSettings(tool_choice="required", temperature=0, max_tokens=100),
    )
    result = await Runner.run(agent, question, max_turns=4)
    print(result.final_output)


if __name__ == "__main__":
    asyncio.run(main(" ".join(sys.argv[1:]) or "What is the weather in Paris?"))
