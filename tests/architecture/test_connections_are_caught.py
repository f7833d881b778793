"""THE LAWS CATCH what would go out past `controls/egress`: each way is planted, and reported."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.architecture.copies import PACKAGE, write
from tests.architecture.laws import LAWS

if TYPE_CHECKING:
    from pathlib import Path

WEB = f"{PACKAGE}/web/planted.py"
CLI = f"{PACKAGE}/cli/planted.py"
HOSTING = f"{PACKAGE}/hosting/planted.py"
ENGINE = f"{PACKAGE}/engines/planted.py"
PACKAGES = f"{PACKAGE}/hosting/models/packages.py"

BOUND_AND_CONNECTED = """from socket import socket as make


def dial():
    made = make()
    made.bind(("127.0.0.1", 0))
    made.connect(("127.0.0.1", 1))
"""
LOOP = "import asyncio\n\nLOOP = asyncio.get_running_loop()\n"

# (where, what is written, what the law says of its line)
SOCKETS: dict[str, tuple[str, str, str]] = {
    "socket": (WEB, "import socket\n\nS = socket.socket()\n", "3 opens a socket by socket.socket"),
    "socket that is bound and connected": (
        WEB,
        BOUND_AND_CONNECTED,
        "5 opens a socket by socket.socket",
    ),
    "socket that is connected elsewhere": (
        WEB,
        "def dial(made):\n    made.connect(('h', 1))\n",
        "2 goes out by made.connect",
    ),
    "datagram of a socket that is bound": (
        WEB,
        "class Udp:\n    def send(self):\n        self.udp.sendto(b'x', ('h', 1))\n",
        "3 goes out by self.udp.sendto",
    ),
    "socket by another module": (
        CLI,
        "import asyncio.base_events as b\n\nS = b.socket.socket()\n",
        "3 opens a socket by socket.socket",
    ),
    "socket by the module of TLS": (
        CLI,
        "import ssl\n\nS = ssl.SSLSocket()\n",
        "3 opens a socket by socket.socket",
    ),
    "class of sockets under another name": (
        CLI,
        "import socket\n\nMAKE = socket.socket\nS = MAKE()\n",
        "3 uses socket.socket as a value",
    ),
    "class of sockets inherited from": (
        CLI,
        "from socket import socket\n\n\nclass S(socket):\n    pass\n",
        "4 uses socket.socket as a value",
    ),
    "module of sockets under another name": (
        CLI,
        "import socket\n\nS = socket\nS.socket()\n",
        "3 hands on the module socket",
    ),
    "module of sockets by a name at run time": (
        CLI,
        "import socket\n\nS = getattr(socket, 'so' + 'cket')()\n",
        "3 hands on the module socket",
    ),
    "module of sockets taken apart": (
        CLI,
        "import socket\n\nS = socket.__dict__['so' + 'cket']()\n",
        "3 takes the module socket apart",
    ),
    "socket by its name as a text": (
        CLI,
        "import socket\n\nS = getattr(socket, 'create_connection')(('h', 1))\n",
        "3 opens a socket by socket.create_connection",
    ),
    "connection": (
        CLI,
        "from asyncio import open_connection as dial\n\nC = dial('localhost', 1)\n",
        "3 opens a socket by asyncio.open_connection",
    ),
    "connection by a module within": (
        CLI,
        "from asyncio import streams\n\nC = streams.open_connection('h', 1)\n",
        "3 opens a socket by asyncio.streams.open_connection",
    ),
    "connection by the loop": (
        HOSTING,
        LOOP + "C = LOOP.create_connection(print, 'h', 1)\n",
        "4 opens a socket by LOOP.create_connection",
    ),
    "connection by the loop, by its name as a text": (
        HOSTING,
        "from operator import methodcaller\n\nC = methodcaller('create_connection')\n",
        "3 opens a socket by .create_connection",
    ),
    "connection by the running loop": (
        HOSTING,
        "import asyncio\n\nC = asyncio.get_running_loop().create_unix_connection\n",
        "3 opens a socket by .create_unix_connection",
    ),
    "connection of a socket that is there": (
        HOSTING,
        LOOP + "C = LOOP.sock_connect(S, ('h', 1))\n",
        "4 opens a socket by LOOP.sock_connect",
    ),
    "certificate of another machine": (
        HOSTING,
        "import ssl\n\nC = ssl.get_server_certificate(('h', 1))\n",
        "3 opens a socket by ssl.get_server_certificate",
    ),
    "look-up of a name": (
        HOSTING,
        "import socket\n\nA = socket.getaddrinfo('h', 1)\n",
        "3 asks a name server by socket.getaddrinfo",
    ),
    "look-up of a name, the old way": (
        HOSTING,
        "from socket import gethostbyname\n\nA = gethostbyname('h')\n",
        "3 asks a name server by socket.gethostbyname",
    ),
    "look-up of a name by the loop": (
        HOSTING,
        LOOP + "A = LOOP.getaddrinfo('h', 1)\n",
        "4 asks a name server by LOOP.getaddrinfo",
    ),
    "connection of an engine to another machine": (
        ENGINE,
        "import asyncio\n\nC = asyncio.open_connection('h', 1)\n",
        "3 opens a socket by asyncio.open_connection",
    ),
    "socket of an engine that is none of this machine": (
        ENGINE,
        "import socket\n\nS = socket.socket(socket.AF_INET)\n",
        "3 opens a socket by socket.socket",
    ),
    "datagrams": (
        CLI,
        "import asyncio\n\nC = asyncio.get_running_loop().create_datagram_endpoint\n",
        "3 listens by .create_datagram_endpoint",
    ),
    "listener": (
        HOSTING,
        "from asyncio import start_server\n\nL = start_server(print, 'h', 1)\n",
        "3 listens by asyncio.start_server",
    ),
    "process": (
        CLI,
        "import subprocess as s\n\nP = s.run(['true'])\n",
        "3 starts a process by subprocess.run",
    ),
    "process by the system": (
        CLI,
        "import os\n\nP = os.system('true')\n",
        "3 starts a process by os.system",
    ),
    "processes of a pool": (
        CLI,
        "from concurrent.futures import ProcessPoolExecutor\n",
        "1 starts a process by concurrent.futures.ProcessPoolExecutor",
    ),
    "program that goes out": (
        PACKAGES,
        "import subprocess\n\nP = subprocess.run(['/usr/bin/curl', 'http://h'])\n",
        "3 runs curl",
    ),
}

LIBRARIES: dict[str, tuple[str, str, str]] = {
    "HTTP client": (CLI, "from urllib import request\n", "1 imports urllib.request"),
    "HTTP client by the package around it": (
        CLI,
        "import urllib\n\nR = urllib.request.urlopen('http://h')\n",
        "3 imports urllib.request.urlopen",
    ),
    "HTTP client in an engine": (ENGINE, "import http.client\n", "1 imports http.client"),
    "server of the standard library": (
        HOSTING,
        "from http.server import HTTPServer\n",
        "1 imports http.server.HTTPServer",
    ),
    "mail": (HOSTING, "import smtplib\n", "1 imports smtplib"),
    "files of another machine": (HOSTING, "import ftplib\n", "1 imports ftplib"),
    "calls by XML": (HOSTING, "from xmlrpc import client\n", "1 imports xmlrpc.client"),
    "entities of XML, which are fetched": (HOSTING, "import xml.sax\n", "1 imports xml.sax"),
    "log records sent away": (
        WEB,
        "from logging.handlers import SysLogHandler\n",
        "1 imports logging.handlers.SysLogHandler",
    ),
    "log records sent away by mail": (
        WEB,
        "from logging import handlers as h\n\nH = h.SMTPHandler('h', 'a', ['b'], 'c')\n",
        "1 imports logging.handlers",
    ),
    "log records sent away, by the package": (
        WEB,
        "import logging\n\nH = logging.handlers.HTTPHandler('h', '/')\n",
        "3 imports logging.handlers.HTTPHandler",
    ),
    "log handlers by their names": (
        WEB,
        "import logging.config\n",
        "1 imports logging.config",
    ),
    "the inside of sockets": (WEB, "import _socket\n", "1 imports _socket"),
    "native code": (WEB, "import ctypes\n", "1 imports ctypes"),
    "library that nobody has looked at": (HOSTING, "import requests\n", "1 imports requests"),
    "asynchronous HTTP client": (HOSTING, "import aiohttp\n", "1 imports aiohttp"),
    "HTTP client that tests use": (CLI, "import httpx\n", "1 imports httpx"),
    "websockets": (WEB, "import websockets\n", "1 imports websockets"),
    "remote calls": (HOSTING, "import grpc.aio\n", "1 imports grpc.aio"),
    "file systems of others": (HOSTING, "import fsspec\n", "1 imports fsspec"),
    "keys that a library fetches": (
        f"{PACKAGE}/controls/authenticate/planted.py",
        "from jwt import PyJWKClient\n",
        "1 imports jwt.PyJWKClient",
    ),
    "hub in another file of hosting": (
        f"{PACKAGE}/hosting/models/planted.py",
        "import huggingface_hub\n",
        "1 imports huggingface_hub: it may be imported in",
    ),
    "registry in another file of hosting": (
        f"{PACKAGE}/hosting/models/planted.py",
        "from importlib import import_module\n\nO = import_module('oras.provider')\n",
        "3 imports oras.provider: it may be imported in",
    ),
    "object store in another file": (
        f"{PACKAGE}/storage/planted.py",
        "import obstore\n",
        "1 imports obstore: it may be imported in",
    ),
    "object store of another machine": (
        f"{PACKAGE}/storage/blobs.py",
        "from obstore.store import S3Store\n",
        "1 uses obstore.store.S3Store",
    ),
    "object store by its address": (
        f"{PACKAGE}/storage/blobs.py",
        "import obstore\n\nS = obstore.store.from_url('s3://b')\n",
        "3 uses obstore.store.from_url",
    ),
    "figures pushed to another machine": (
        f"{PACKAGE}/telemetry/planted.py",
        "import prometheus_client as p\n\np.push_to_gateway('h', 'j', None)\n",
        "1 imports prometheus_client: list the library in this law, if it opens no connection",
    ),
    "resolver of the responder": (
        f"{PACKAGE}/privatelink/names/messages.py",
        "import dns.resolver\n",
        "1 imports dns.resolver",
    ),
    "import by a text": (
        WEB,
        "import importlib\n\nS = importlib.import_module('smtplib')\n",
        "3 imports smtplib",
    ),
    "import by a text that is put together": (
        WEB,
        "import importlib\n\nS = importlib.import_module('so' + 'cket')\n",
        "3 imports by a name that is not written there",
    ),
    "import by what import calls": (
        WEB,
        "S = __import__('so' + 'cket')\n",
        "1 imports by __import__",
    ),
    "module that others have imported": (
        WEB,
        "import sys\n\nS = sys.modules['socket'].socket()\n",
        "3 imports by sys.modules",
    ),
    "module by its file": (
        WEB,
        "from importlib.util import spec_from_file_location\n",
        "1 imports by importlib.util.spec_from_file_location",
    ),
    "module that is run": (WEB, "import runpy\n", "1 imports by runpy"),
    "text that is run": (WEB, "exec('import socket')\n", "1 imports by exec"),
}
PLANTS = {
    **{f"sockets: {name}": ("sockets", *plant) for name, plant in SOCKETS.items()},
    **{f"libraries: {name}": ("libraries", *plant) for name, plant in LIBRARIES.items()},
}


@pytest.mark.parametrize("plant", PLANTS)
def test_planted_way_out_is_caught(copy: Path, plant: str) -> None:
    """The law reports the line that was planted."""
    law, path, text, report = PLANTS[plant]
    write(copy, path, text)
    violations = LAWS[law](copy)
    assert any(each.startswith(f"{path}:{report}") for each in violations), violations


@pytest.mark.parametrize("law", ["sockets", "libraries"])
def test_nothing_is_caught_where_nothing_is_planted(copy: Path, law: str) -> None:
    """A file that only names what it may is none of the law's business."""
    write(
        copy,
        WEB,
        "import asyncio\nimport socket\n\nimport structlog\n\n\n"
        "def bound(of: socket.socket) -> socket.socket:\n"
        "    made = socket.socket()\n    made.bind(('127.0.0.1', 0))\n"
        "    assert isinstance(of, socket.socket)\n"
        "    structlog.get_logger().info('bound', to=made.getsockname())\n"
        "    asyncio.get_running_loop()\n    return made\n",
    )
    assert LAWS[law](copy) == []
