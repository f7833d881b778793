"""Starts an engine, tells its process id and waits to be killed.

Arguments: engine, model, folder.
"""

from __future__ import annotations

import asyncio
import sys
from importlib import import_module
from pathlib import Path


async def main() -> None:
    """Run until killed."""
    name, model_path, folder = sys.argv[1:]
    real_engine = import_module(f"tests.engines.{name}.real_engine")
    engine = real_engine.engine_on(model_path, Path(folder))
    await engine.start(lambda _share, _what: None)
    print(engine.pid, flush=True)
    await engine.wait_exit()


if __name__ == "__main__":
    asyncio.run(main())
