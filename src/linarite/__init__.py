"""Linarite: an Azure OpenAI Service that you run yourself."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from types import ModuleType

__version__ = "0.1.0"

if "structlog" not in sys.modules and "rich" not in sys.modules:
    # structlog loads rich where it is there, for tracebacks in colours that nobody wants here:
    # 6 MB of every server and a tenth of a second of every command. For a moment it is not there.
    sys.modules["rich"] = cast("ModuleType", None)
    import structlog

    del sys.modules["rich"], structlog
