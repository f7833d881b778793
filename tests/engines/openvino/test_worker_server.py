"""What the worker does with what comes while it is busy with something else."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, cast

from linarite.engines.openvino.messages import (
    Accepted,
    Sampling,
    Step,
    Submit,
    TextPrompt,
    frame,
)
from linarite.engines.openvino.worker.server import Server

if TYPE_CHECKING:
    from linarite.engines.openvino.worker.batch import Batch


def asked(number: int) -> bytes:
    """A request as it comes over the connection."""
    return frame(Submit(number, TextPrompt("Once"), Sampling(0.0, 1.0, 1)))


class SlowToBegin:
    """A batch that takes so long over each prompt that the next one has come."""

    def __init__(self, gateway: socket.socket, later: list[bytes]) -> None:
        self.steps: list[set[int]] = []
        """the replies that each step was of"""
        self._gateway = gateway
        self._later = later
        self._running: set[int] = set()

    @property
    def busy(self) -> bool:
        """Anything is under way."""
        return bool(self._running)

    def begin(self, ask: Submit) -> tuple[Accepted, None]:
        """Take it up; meanwhile the next one comes."""
        self._running.add(ask.id)
        if self._later:
            self._gateway.sendall(self._later.pop(0))
        return Accepted(ask.id, 1), None

    def advance(self) -> list[Step]:
        """End all of them, and the connection with the last."""
        self.steps.append(set(self._running))
        self._running.clear()
        if not self._later:
            self._gateway.shutdown(socket.SHUT_WR)
        return []


def test_who_comes_while_a_prompt_is_read_begins_in_the_same_step() -> None:
    """A step over a prompt takes long: who misses it has his first token that much later."""
    gateway, connection = socket.socketpair()
    with gateway, connection:
        batch = SlowToBegin(gateway, [asked(2), asked(3)])
        gateway.sendall(asked(1))
        Server(connection, cast("Batch", batch)).run()
    assert batch.steps == [{1, 2, 3}]


def test_who_comes_without_end_does_not_keep_the_others_from_a_step() -> None:
    """As by prompts that are sent and given up again."""
    gateway, connection = socket.socketpair()
    with gateway, connection:
        batch = SlowToBegin(gateway, [asked(number) for number in range(2, 21)])
        gateway.sendall(asked(1))
        Server(connection, cast("Batch", batch)).run()
    assert batch.steps == [set(range(1, 9)), set(range(9, 17)), set(range(17, 21))]
