"""The openvino engine alone: the library's own batch in a loop, with Linarite's parameters.

The library has no server of its own. So this one takes a whole round as one line of JSON on a
loopback socket, runs it as its clients would, each request after the one before, and answers with
what a client would have seen.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from importlib import import_module
from typing import Any, NamedTuple

from linarite.engines.openvino.options import OpenvinoOptions

BLOCK_TOKENS = 32


class Running(NamedTuple):
    """A request under way."""

    number: int
    handle: Any
    client: int
    sent_at: float


class Bare:
    """The model and its batch."""

    def __init__(self, path: str, slots: int, context: int, threads: int) -> None:
        """Load it."""
        self.genai: Any = import_module("openvino_genai")
        defaults = OpenvinoOptions()
        scheduler = self.genai.SchedulerConfig()
        scheduler.num_kv_blocks = slots * context // BLOCK_TOKENS + 2
        scheduler.max_num_batched_tokens = defaults.prompt_batch_tokens
        scheduler.max_num_seqs = slots
        scheduler.enable_prefix_caching = defaults.prompt_cache
        properties = {
            "KV_CACHE_PRECISION": defaults.cache_type,
            "INFERENCE_NUM_THREADS": threads,
            "ENABLE_CPU_PINNING": False,
        }
        self.pipeline = self.genai.ContinuousBatchingPipeline(path, scheduler, "CPU", properties)
        self.tokenizer = self.pipeline.get_tokenizer()
        self.numbers = 0

    def round(self, clients: list[list[Any]], tokens: int) -> dict[str, Any]:
        """Run every client's requests, one after the other; all clients at the same time."""
        waiting = [list(requests) for requests in clients]
        began = time.perf_counter()
        running = [self.begin(waiting[at].pop(0), tokens, at) for at in range(len(waiting))]
        counted = 0
        first_token_s: dict[int, float] = {}
        while running:
            self.pipeline.step()
            for request in list(running):
                if not request.handle.can_read():
                    continue
                first_token_s.setdefault(request.number, time.perf_counter() - request.sent_at)
                outputs = list(request.handle.read().values())
                counted += sum(len(output.generated_ids) for output in outputs)
                if any(output.finish_reason.name != "NONE" for output in outputs):
                    running.remove(request)
                    if waiting[request.client]:
                        following = waiting[request.client].pop(0)
                        running.append(self.begin(following, tokens, request.client))
        seconds = time.perf_counter() - began
        return {"tokens": counted, "seconds": seconds, "first": list(first_token_s.values())}

    def begin(self, messages: list[dict[str, str]], tokens: int, client: int) -> Running:
        """Take up a request."""
        sent_at = time.perf_counter()
        prompt = self.tokenizer.apply_chat_template(messages, add_generation_prompt=True)
        ids = self.tokenizer.encode(prompt, add_special_tokens=False).input_ids
        config = self.genai.GenerationConfig()
        config.max_new_tokens = tokens
        self.numbers += 1
        handle = self.pipeline.add_request(self.numbers, ids, config)
        return Running(self.numbers, handle, client, sent_at)


def main() -> None:
    """Serve `MODEL PORT SLOTS CONTEXT_PER_SLOT THREADS` until the process is ended."""
    path, port, slots, context, threads = sys.argv[1], *map(int, sys.argv[2:6])
    os.nice(OpenvinoOptions().niceness)
    bare = Bare(path, slots, context, threads)
    with socket.create_server(("127.0.0.1", port)) as listener:
        while True:
            connection, _ = listener.accept()
            with connection, connection.makefile("rwb") as lines:
                for line in lines:
                    asked = json.loads(line)
                    lines.write(json.dumps(bare.round(asked["clients"], asked["tokens"])).encode())
                    lines.write(b"\n")
                    lines.flush()


if __name__ == "__main__":
    main()
