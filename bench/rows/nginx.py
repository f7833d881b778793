"""nginx as a plain proxy: no key, no record, nothing read. The floor."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from bench.fake_upstream import MODEL
from bench.load.target import Target
from bench.peers import nginx_binary
from bench.processes import start, until_listening
from bench.rows.fake import PATH
from bench.rows.process_row import ProcessRow
from bench.rows.row import free_port

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = """\
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  tcp_nodelay on;
  keepalive_requests 100000000;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  upstream fake {{
    server 127.0.0.1:{upstream_port};
    keepalive 512;
    keepalive_requests 100000000;
  }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://fake;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
    }}
  }}
}}
"""


class NginxRow(ProcessRow):
    """One worker, kept upstream connections, no buffering, no access log."""

    def __init__(self) -> None:
        super().__init__("nginx, plain proxy")

    async def start(self, folder: Path, upstream_port: int, cores: set[int]) -> None:
        """Start it. Raises Unavailable when it is not installed."""
        binary = nginx_binary()
        self.name = f"nginx {version_of(binary)}, plain proxy"
        home = folder / "nginx"
        home.mkdir()
        port = free_port()
        text = CONFIG.format(folder=home, upstream_port=upstream_port, port=port)
        (home / "nginx.conf").write_text(text, encoding="utf-8")
        command = [binary, "-p", str(home), "-c", str(home / "nginx.conf"), "-e", "stderr"]
        self._started = start(command, folder / "nginx.log", cores=cores)
        self._target = Target(port, PATH, MODEL)
        await until_listening(port, self._started, 20)


def version_of(binary: str) -> str:
    """As it says itself: `nginx version: nginx/1.22.1`."""
    done = subprocess.run([binary, "-v"], capture_output=True, text=True, check=True)
    return done.stderr.strip().rpartition("/")[2]
