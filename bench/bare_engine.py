"""The engine alone: xllamacpp's own HTTP server on loopback, with Linarite's parameters."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from threading import Event
from typing import Any

from linarite.engines.llamacpp.options import LlamacppOptions

ERRORS_ONLY = 1


def main() -> None:
    """Serve `MODEL PORT SLOTS CONTEXT_PER_SLOT THREADS [vectors]` until the process is ended."""
    path, port, slots, context, threads = sys.argv[1], *map(int, sys.argv[2:6])
    vectors = sys.argv[6:] == ["vectors"]
    library: Any = import_module("xllamacpp")
    defaults = LlamacppOptions()
    batch = max(defaults.prompt_batch_tokens, slots, context * vectors)
    os.nice(defaults.niceness)
    parameters = library.CommonParams()
    parameters.model.path = path
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = port
    parameters.n_parallel = slots
    parameters.n_ctx = slots * context
    parameters.n_batch = batch
    parameters.n_ubatch = batch
    parameters.cpuparams.n_threads = threads
    parameters.cpuparams_batch.n_threads = threads
    parameters.embedding = parameters.kv_unified = vectors
    if vectors:
        parameters.cache_ram_mib = 0
        parameters.cache_prompt = False
    parameters.ui = False
    parameters.verbosity = ERRORS_ONLY
    server = library.Server(parameters)
    print(server.listening_address, flush=True)
    Event().wait()


if __name__ == "__main__":
    main()
