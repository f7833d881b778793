"""Starts an engine, tells its process id and waits to be killed. Arguments: model, folder."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.engines.openvino.real_engine import engine_on


async def main() -> None:
    """Run until killed."""
    engine = engine_on(sys.argv[1], Path(sys.argv[2]))
    await engine.start(lambda _share, _what: None)
    print(engine.pid, flush=True)
    await engine.wait_exit()


if __name__ == "__main__":
    asyncio.run(main())
