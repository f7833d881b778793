"""What may be imported: by name, from a list that says of each library where it may be used.

A library that is not listed may open connections that nobody has looked at. Those of the standard
library that do are listed the other way round. Nothing is imported by a name that can't be read.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tests.architecture.laws.source import (
    PACKAGE,
    dotted_uses,
    found_in_modules,
    imported_modules,
    named_imports,
    parsed,
    within_any,
)

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterator
    from pathlib import Path

WAY_OUT = f"{PACKAGE}/controls/egress/"
MODELS = f"{PACKAGE}/hosting/models"

LIBRARIES: dict[str, tuple[str, ...]] = {
    "alembic": (PACKAGE,),
    "arro3": (f"{PACKAGE}/cli/usage/files.py",),
    "cryptography": (PACKAGE,),
    "dns": (f"{PACKAGE}/privatelink/names/messages.py",),
    "hiredis": (PACKAGE,),  # reads answers; what connects is ours
    "httptools": (PACKAGE,),
    "huggingface_hub": (f"{MODELS}/hub.py",),
    "joserfc": (PACKAGE,),
    "linarite": (PACKAGE,),
    "msgspec": (PACKAGE,),
    "kreuzberg": (f"{PACKAGE}/vector_stores/reader/",),  # in a process without a network
    "numpy": (f"{PACKAGE}/engines/openvino/worker/", f"{PACKAGE}/vector_stores/block.py"),
    "obstore": (f"{PACKAGE}/storage/blobs.py",),
    "openvino": (f"{PACKAGE}/engines/openvino/worker/",),
    "openvino_genai": (f"{PACKAGE}/engines/openvino/worker/",),
    "oras": (f"{MODELS}/oci.py",),
    "python_multipart": (PACKAGE,),
    "rich": (PACKAGE,),
    "sqlalchemy": (PACKAGE,),  # its drivers of other machines' databases are not listed
    "sqlcipher3": (f"{PACKAGE}/storage/sealed_sqlite.py",),
    "structlog": (PACKAGE,),
    "typer": (PACKAGE,),
    "uvloop": (PACKAGE,),
    "websockets": (f"{PACKAGE}/web/sockets/",),  # its part that reads and writes bytes
    "xllamacpp": (f"{PACKAGE}/engines/llamacpp/",),
}
"""libraries, each with where it may be imported. Before one is added: does it connect?"""

STANDARD_CLIENTS = frozenset(
    (
        *("antigravity", "asynchat", "asyncore", "ensurepip", "ftplib", "http.client"),
        *("http.cookiejar", "imaplib", "logging.config", "logging.handlers", "mailbox"),
        *("multiprocessing", "nntplib", "poplib", "pydoc", "smtpd", "smtplib", "telnetlib"),
        *("urllib.request", "urllib.robotparser", "venv", "webbrowser", "xml.dom", "xml.sax"),
        *("xmlrpc.client",),
    )
)
"""of the standard library, what connects, or starts what does"""
SERVERS = frozenset(("http.server", "socketserver", "wsgiref", "xmlrpc.server"))
NATIVE = frozenset(("ctypes", "_ctypes", "cffi"))
NATIVE_PLACES = (f"{PACKAGE}/engines/worker_process/",)
"""where the kernel is asked, to end with one's parent and to give up the network"""

IMPORTERS = frozenset(
    (
        *("__import__", "builtins.__import__", "importlib.__import__", "importlib.abc"),
        *("importlib.machinery", "importlib.metadata.entry_points", "importlib.reload"),
        *("importlib.util.module_from_spec", "importlib.util.spec_from_file_location"),
        *("importlib.util.LazyLoader", "imp", "pkgutil", "runpy", "sys.modules", "sys.meta_path"),
        *("sys.path_hooks", "zipimport", "__loader__", "__builtins__"),
        *("exec", "eval", "compile", "builtins.exec", "builtins.eval", "builtins.compile"),
    )
)
"""what imports, or runs, what is not written in the file"""
IMPORTER_METHODS = frozenset(("load_module", "exec_module", "import_from_string"))
TABLES = (f"{PACKAGE}/engines/__init__.py",)
"""where a module is chosen by a table of our own"""
HIDING = {
    f"{PACKAGE}/__init__.py": "sys.modules",
    f"{PACKAGE}/storage/sqlite/engine_for_asyncio.py": "sys.modules",
}
"""where a library is hidden from another that could use it (decisions 061 and 073): nothing comes
in so"""

PARTS = frozenset(
    (
        *(
            "dns.asyncquery",
            "dns.asyncresolver",
            "dns.query",
            "dns.resolver",
            "dns.xfr",
            "dns.zone",
        ),
        *("obstore.auth", "obstore.fsspec"),
        *("websockets.asyncio", "websockets.cli", "websockets.connect", "websockets.legacy"),
        *("websockets.serve", "websockets.sync", "websockets.unix_connect"),
        *("websockets.trio", "websockets.unix_serve"),
    )
)
"""modules of listed libraries that connect or listen"""
CONNECTING = frozenset(
    (*("AzureStore", "GCSStore", "HTTPStore", "HttpStore", "S3Store", "from_url"),)
)
"""names of listed libraries that connect or listen, whatever they are reached through"""

OUT = "call out through controls/egress"


def libraries_are_listed(root: Path) -> list[str]:
    """What is imported is listed, where it may be; nothing is imported that can't be read."""
    return sorted({f"{path}:{line} {what}" for path, (line, what) in found_in_modules(root, _ways)})


def _ways(path: str, text: str) -> Iterator[tuple[int, str]]:
    tree = parsed(text)
    for looked in (_imports, _parts, _unreadable):
        yield from looked(path, tree)


def _imports(path: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    for name, line in imported_modules(tree):
        top = name.partition(".")[0]
        if top in sys.stdlib_module_names:
            if top.startswith("_") and top != "__future__":
                yield line, f"imports {name}: use the module that it is the inside of"
        elif top not in LIBRARIES:
            yield line, f"imports {name}: list the library in this law, if it opens no connection"
        elif not path.startswith(LIBRARIES[top]):
            yield line, f"imports {name}: it may be imported in {', '.join(LIBRARIES[top])} alone"


def _parts(path: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    for name, line in (*imported_modules(tree), *dotted_uses(tree)):
        if within_any(name, STANDARD_CLIENTS) and not path.startswith(WAY_OUT):
            yield line, f"imports {name}: {OUT}"
        if within_any(name, SERVERS):
            yield line, f"imports {name}: listen in web/"
        if within_any(name, NATIVE) and not path.startswith(NATIVE_PLACES):
            yield line, f"imports {name}: what native code opens is seen by nobody"
        if within_any(name, PARTS):
            yield line, f"imports {name}: that part of the library connects or listens"
        if name.rpartition(".")[2] in CONNECTING:
            yield line, f"uses {name}: {OUT}"


def _unreadable(path: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    for name, line in (*imported_modules(tree), *dotted_uses(tree)):
        if HIDING.get(path) == name:
            continue
        if within_any(name, IMPORTERS) or name.rpartition(".")[2] in IMPORTER_METHODS:
            yield line, f"imports by {name}: write an import, or import_module with the name"
    for name, line in named_imports(tree):
        if not name and not path.startswith(TABLES):
            yield line, "imports by a name that is not written there: nobody can read what it is"
