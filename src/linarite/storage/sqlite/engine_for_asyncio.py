"""SQLAlchemy's engine for asyncio, without the object-relational mapper.

The package `sqlalchemy.ext.asyncio` loads sessions and the mapper beneath them: 7 MB of every
server, for what no statement here uses. Its engine's module needs none of that. So while the
engine is loaded, the package is an empty one with the same folder; then it is forgotten, and
whoever imports the package loads the whole of it, around the same engine. See docs/decisions/073.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import sqlalchemy.ext

_PACKAGE = "sqlalchemy.ext.asyncio"

if _PACKAGE in sys.modules:
    from sqlalchemy.ext.asyncio.engine import AsyncEngine, create_async_engine
else:
    sys.modules[_PACKAGE] = _empty = ModuleType(_PACKAGE)
    _empty.__path__ = [str(Path(folder) / "asyncio") for folder in sqlalchemy.ext.__path__]
    try:
        from sqlalchemy.ext.asyncio.engine import AsyncEngine, create_async_engine
    finally:
        del sys.modules[_PACKAGE]

__all__ = ["AsyncEngine", "create_async_engine"]
