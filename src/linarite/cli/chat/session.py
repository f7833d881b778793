"""The talk at the terminal, line by line; or one question from a pipe."""

from __future__ import annotations

import asyncio
import importlib
import sys
from contextlib import aclosing
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from linarite.cli.chat.conversation import Conversation
from linarite.cli.chat.stopwatch import Stopwatch
from linarite.domain.errors import LinariteError, SetupError

if TYPE_CHECKING:
    from linarite.cli.chat.model import ChatModel

INTERRUPTED = 130
KEPT_CONTROLS = "\n\t"
CONTROLS = {code: None for code in (*range(32), *range(127, 160)) if chr(code) not in KEPT_CONTROLS}
"""what a terminal would take for a command; a model must not be able to give any"""
ENDINGS = {
    "length": "cut off: the answer reached the limit of tokens",
    "content_filter": "stopped by the content filter",
}
HELP = """\
/reset          forget what was said
/system TEXT    set the system message; without TEXT: show it
/help           this
/exit           end (or Ctrl-D)
Ctrl-C stops an answer."""


class Session:
    """A conversation with one model, on this process's standard streams."""

    def __init__(self, model: ChatModel, *, system: str | None, stats: bool) -> None:
        self._model = model
        self._conversation = Conversation(system)
        self._stats = stats
        self._out = Console(highlight=False)
        self._aside = Console(stderr=True, highlight=False)

    def run(self) -> int:
        """Talk until there is nothing more to answer; returns the exit code."""
        with asyncio.Runner() as runner:
            try:
                if sys.stdin.isatty() and sys.stdout.isatty():
                    return self._converse(runner)
                return self._answer_once(runner)
            finally:
                runner.run(self._model.close())

    def _answer_once(self, runner: asyncio.Runner) -> int:
        question = sys.stdin.read().strip()
        if not question:
            raise SetupError("Nothing came on standard input. Try: echo 'Hello' | linarite chat")
        try:
            runner.run(self._answer(question))
        except KeyboardInterrupt:
            return INTERRUPTED
        return 0

    def _converse(self, runner: asyncio.Runner) -> int:
        prompt = self._prompt(edits_lines=has_readline())
        name = runner.run(self._model.name())
        self._say(f"{name} at {self._model.endpoint.origin}. /help tells more, Ctrl-D ends.")
        while True:
            try:
                line = input(prompt).strip()
                if line == "/exit":
                    return 0
                if line.startswith("/"):
                    self._obey(line)
                elif line:
                    runner.run(self._answer(line))
            except EOFError:
                self._out.print()
                return 0
            except KeyboardInterrupt:
                self._out.print()
                self._say("stopped; Ctrl-D ends")
            except LinariteError as refusal:
                self._complain(refusal.message)

    def _obey(self, line: str) -> None:
        """Do what a line that begins with a slash says."""
        command, _, rest = line.partition(" ")
        if command == "/reset":
            turns = self._conversation.turns
            self._conversation.reset()
            self._say(f"forgot {turns} {'question' if turns == 1 else 'questions'}")
        elif command == "/system":
            self._conversation.system = rest.strip() or self._conversation.system
            self._say(f"system message: {self._conversation.system or 'none'}")
        elif command == "/help":
            self._say(HELP)
        else:
            self._complain(f"There is no {command}. /help lists what there is.")

    async def _answer(self, question: str) -> None:
        """Show an answer as it comes. What had come when it was stopped is kept."""
        watch = Stopwatch()
        said: list[str] = []
        ending: str | None = None
        messages = self._conversation.with_question(question)
        try:
            async with aclosing(self._model.answer(messages)) as pieces:
                async for piece in pieces:
                    watch.see(piece)
                    said.append(piece.text)
                    self._show(piece.text, piece.reasoning)
                    ending = piece.finish_reason or ending
        finally:
            self._conversation.keep(question, "".join(said))
        self._out.file.write("\n")
        self._out.file.flush()
        if ending in ENDINGS:
            self._say(ENDINGS[ending])
        if self._stats:
            self._say(watch.report())

    def _show(self, text: str, reasoning: str) -> None:
        """Print what is new: unchanged into a file, harmless and with reasoning on a terminal."""
        if not self._out.is_terminal:
            self._out.file.write(text)
        elif reasoning:
            shown = Text(reasoning.translate(CONTROLS), style="dim")
            self._out.print(shown, end="", soft_wrap=True)
        else:
            self._out.file.write(text.translate(CONTROLS))
        self._out.file.flush()

    def _prompt(self, *, edits_lines: bool) -> str:
        """The prompt; readline has to be told which characters take no room."""
        if not edits_lines or self._out.color_system is None or self._out.no_color:
            return "> "
        return "\001\x1b[1;34m\002> \001\x1b[0m\002"

    def _say(self, text: str) -> None:
        """Speak about the talk, aside from it."""
        self._aside.print(Text(text, style="dim"), soft_wrap=True)

    def _complain(self, message: str) -> None:
        line = Text.assemble(("error: ", "bold red"), " ".join(message.split()))
        self._aside.print(line, soft_wrap=True)


def has_readline() -> bool:
    """Whether `input` can edit lines and remember them; not every system has what it takes."""
    try:
        importlib.import_module("readline")
    except ImportError:
        return False
    return True
