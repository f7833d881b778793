"""The engine's process: `python -m linarite.engines.llamacpp.worker`.

Reads its order from standard input, loads the model and serves llama.cpp's HTTP interface on a
unix socket until it is told to end or its parent is gone. Here, and only here, are model files,
chat templates and grammars parsed.
"""

from __future__ import annotations

import signal
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from linarite.engines.llamacpp.model_file import ModelFacts, UnreadableModel, read_model_facts
from linarite.engines.llamacpp.worker_messages import LlamacppLoaded, LlamacppOrder
from linarite.engines.worker_process.life import begin, leave, report
from linarite.engines.worker_process.reports import Failed, Loading

_SPARE_THREADS = 16
"""of those that serve one connection each, more than the gateway opens for requests"""
_ERRORS_ONLY = 1
"""llama.cpp's verbosity: from warnings on it writes a line or more for each request"""


def main() -> NoReturn:
    """Obey the order on standard input."""
    order, reports = begin(LlamacppOrder)
    try:
        server = _serve(order, reports)
    except (ImportError, MemoryError, OSError, RuntimeError, UnreadableModel) as error:
        report(reports, Failed(str(error) or type(error).__name__))
        leave(1)
    # SIGTERM ends the process where it is: there is nothing to save. The server must live until
    # then; its own end would wait for its connections.
    while server is not None:
        signal.pause()
    leave(0)


def _serve(order: LlamacppOrder, reports: int) -> object:
    facts = read_model_facts(Path(order.model_path))
    embedding = order.options.embedding
    if embedding is None:
        embedding = facts.makes_vectors
    report(reports, Loading(facts.architecture))
    # Loads the native library, and that in this process only.
    library: Any = import_module("xllamacpp")
    context = order.options.context_within(facts.context_tokens)
    parameters = _parameters(library, order, facts, context=context, embedding=embedding)
    server: object = library.Server(parameters)
    template = not embedding and (bool(order.options.chat_template) or facts.chat_template)
    loaded = LlamacppLoaded(
        embedding=embedding,
        context_tokens=context,
        chat_template=template,
        special_texts=facts.special_texts,
    )
    report(reports, loaded)
    return server


def _parameters(
    library: Any,  # noqa: ANN401 - the library has no types
    order: LlamacppOrder,
    facts: ModelFacts,
    *,
    context: int,
    embedding: bool,
) -> object:
    options = order.options
    parameters = library.CommonParams()
    parameters.model.path = order.model_path
    parameters.hostnames = [order.socket_path]
    parameters.n_threads_http = options.connections_max + _SPARE_THREADS
    parameters.n_parallel = options.parallel_requests
    parameters.n_ctx = options.parallel_requests * context
    # An input to be embedded is computed in one go.
    batch = max(options.prompt_batch_tokens, options.parallel_requests, context * embedding)
    parameters.n_batch = batch
    parameters.n_ubatch = batch
    parameters.cpuparams.n_threads = order.threads
    parameters.cpuparams_batch.n_threads = order.threads
    parameters.n_gpu_layers = options.gpu_layers
    parameters.cache_type_k = _cache_type(library, options.cache_type_k)
    parameters.cache_type_v = _cache_type(library, options.cache_type_v)
    # A vector is made of the tokens that were just computed: none may be left out as known.
    parameters.cache_ram_mib = 0 if embedding else options.cache_ram_mib
    parameters.cache_prompt = options.prompt_cache and not embedding
    parameters.embedding = embedding
    # With a cache for each slot, inputs of different lengths are computed in several goes, and
    # the vector is made of the last one's tokens alone.
    parameters.kv_unified = embedding
    if embedding and (options.pooling != "auto" or not facts.pooling):
        pooling = "mean" if options.pooling == "auto" else options.pooling
        parameters.pooling_type = library.llama_pooling_type[
            f"LLAMA_POOLING_TYPE_{pooling.upper()}"
        ]
    if options.chat_template:
        parameters.chat_template = options.chat_template
    # A chat that ends with the assistant's words asks for the next turn, not for their end.
    parameters.prefill_assistant = False
    parameters.ui = False
    parameters.offline = True
    parameters.endpoint_metrics = True
    parameters.verbosity = _ERRORS_ONLY
    return parameters


def _cache_type(library: Any, name: str) -> object:  # noqa: ANN401 - the library has no types
    return library.ggml_type[f"GGML_TYPE_{name.upper()}"]


if __name__ == "__main__":
    main()
