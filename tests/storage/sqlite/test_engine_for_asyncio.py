"""The engine without the mapper: the same one, whoever loads the rest beside it."""

from __future__ import annotations

import subprocess
import sys


def test_the_package_can_be_loaded_afterwards() -> None:
    """Whole, and around the engine that is there."""
    asked = (
        "import sys\n"
        "from linarite.storage.sqlite.engine_for_asyncio import AsyncEngine\n"
        "assert not {'sqlalchemy.orm', 'sqlalchemy.ext.asyncio'} & set(sys.modules)\n"
        "import sqlalchemy.ext.asyncio as whole\n"
        "from sqlalchemy.ext.asyncio import engine\n"
        "assert whole.AsyncEngine is AsyncEngine is engine.AsyncEngine\n"
        "engine = whole.create_async_engine('sqlite+aiosqlite://')\n"
        "print(type(engine) is AsyncEngine, whole.AsyncSession(engine).bind is engine)\n"
    )
    assert _answer(asked) == "True True\n"


def test_a_package_that_is_loaded_is_used() -> None:
    """Its engine, and it stays."""
    asked = (
        "import sys, sqlalchemy.ext.asyncio as whole\n"
        "from linarite.storage.sqlite.engine_for_asyncio import create_async_engine\n"
        "print(create_async_engine is whole.create_async_engine)\n"
        "print(sys.modules['sqlalchemy.ext.asyncio'] is whole)\n"
    )
    assert _answer(asked) == "True\nTrue\n"


def _answer(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
