"""An endpoint of somebody else's: chat completions on one address, for the server to call.

`outside_of` runs it on a host of a bed; the program is `python -m tests.netbed.outside`, with its
address and port.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from linarite.cli.netbed.layout import PARTNER
from tests.netbed.client import ROOT
from tests.netbed.sides import OUTSIDE, OUTSIDE_PORT
from tests.serving import clean_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from linarite.cli.netbed.namespaces import Bed

SAYS = "from outside"


class Endpoint(BaseHTTPRequestHandler):
    """Answers every chat alike."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """A whole answer."""
        self.rfile.read(int(self.headers["content-length"]))
        message = {"role": "assistant", "content": SAYS}
        answer = {
            "id": "1",
            "object": "chat.completion",
            "created": 1,
            "model": OUTSIDE,
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
        }
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def outside_of(bed: Bed) -> Iterator[None]:
    """It runs on the partner's host while the block does."""
    program = [sys.executable, "-m", "tests.netbed.outside", PARTNER.address, str(OUTSIDE_PORT)]
    with subprocess.Popen(
        bed.command(PARTNER.name, program),
        cwd=ROOT,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == b"ready\n"
            yield
        finally:
            process.terminate()


if __name__ == "__main__":
    with ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Endpoint) as server:
        print("ready", flush=True)
        server.serve_forever()
