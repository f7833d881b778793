"""Log lines: right form, one stream, known fields only, no secret and no prompt."""

from __future__ import annotations

import ast
import io
import json
import logging
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from linarite.domain.errors import InvalidRequest, SetupError
from linarite.storage.sealing import new_key
from linarite.telemetry.log_fields import LOG_FIELDS
from linarite.telemetry.logs import CHATTY, OWN_HANDLERS, configure_logs, request_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from linarite.telemetry.logs import LogFormat, LogLevel

SOURCE = Path(__file__).parents[2] / "src" / "linarite"
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """Undo what a test has configured for the whole process."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    loggers = [logging.getLogger(name) for name in {*CHATTY, *OWN_HANDLERS}]
    before = [(each, each.level, each.propagate, list(each.handlers)) for each in loggers]
    yield
    structlog.reset_defaults()
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)
    for logger, logger_level, propagate, logger_handlers in before:
        logger.setLevel(logger_level)
        logger.propagate = propagate
        logger.handlers[:] = logger_handlers


def lines_of(stream: io.StringIO) -> list[dict[str, Any]]:
    """The JSON lines that were written."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_json_with_what_happened_first() -> None:
    """Time in UTC, level, logger and event lead; fields follow as they were given."""
    stream = io.StringIO()
    configure_logs("json", "info", stream)
    structlog.get_logger("linarite.x").info("instance ready", instance="a", attempts=4)
    (line,) = lines_of(stream)
    assert list(line)[:4] == ["timestamp", "level", "logger", "event"]
    assert line["timestamp"].endswith("Z")
    assert line | {"timestamp": ""} == {
        "timestamp": "",
        "level": "info",
        "logger": "linarite.x",
        "event": "instance ready",
        "instance": "a",
        "attempts": 4,
    }


def test_the_standard_librarys_loggers_take_the_same_way() -> None:
    """A library's line has the same form, once, with its arguments put in."""
    stream = io.StringIO()
    logging.getLogger("uvicorn.error").addHandler(logging.StreamHandler(io.StringIO()))
    configure_logs("json", "info", stream)
    logging.getLogger("uvicorn.error").warning("listening on %s", 8080)
    (line,) = lines_of(stream)
    assert (line["logger"], line["level"]) == ("uvicorn.error", "warning")
    assert line["event"] == "listening on 8080"


def test_configuring_again_replaces() -> None:
    """Lines go to the stream that was named last, once."""
    first, second = io.StringIO(), io.StringIO()
    log = structlog.get_logger("linarite.x")
    configure_logs("json", "info", first)
    log.info("one")
    configure_logs("json", "info", second)
    log.info("two")
    assert [line["event"] for line in lines_of(first)] == ["one"]
    assert [line["event"] for line in lines_of(second)] == ["two"]


@pytest.mark.parametrize(
    ("log_format", "stream", "is_json", "is_coloured"),
    [
        ("auto", io.StringIO(), True, False),
        ("auto", Terminal(), False, True),
        ("console", io.StringIO(), False, False),
        ("console", Terminal(), False, True),
        ("json", Terminal(), True, False),
    ],
)
def test_the_form_follows_the_stream(
    log_format: LogFormat, stream: io.StringIO, is_json: bool, is_coloured: bool
) -> None:
    """People at a terminal read coloured text, files and pipes get JSON, unless told otherwise."""
    configure_logs(log_format, "info", stream)
    structlog.get_logger("linarite.x").info("instance ready", instance="a")
    text = stream.getvalue()
    assert text.startswith("{") == is_json
    assert ("\x1b[" in text) == is_coloured
    assert "instance ready" in text


def test_the_level_is_kept() -> None:
    """Below it nothing is written, by either kind of logger."""
    stream = io.StringIO()
    configure_logs("json", "warning", stream)
    structlog.get_logger("linarite.x").info("no")
    logging.getLogger("library").info("no")
    structlog.get_logger("linarite.x").warning("yes")
    logging.getLogger("library").error("yes")
    assert [line["event"] for line in lines_of(stream)] == ["yes", "yes"]


def test_libraries_that_log_values_are_quiet_even_when_debugging() -> None:
    """The database driver would log what it writes."""
    stream = io.StringIO()
    configure_logs("json", "debug", stream)
    for name in CHATTY:
        logging.getLogger(name).debug("executing with %s", "a secret")
        logging.getLogger(name).info("executing with %s", "a secret")
    assert lines_of(stream) == []


def test_fields_that_nobody_has_allowed_are_dropped() -> None:
    """Their names are told, so that whoever added one sees why; their values are not."""
    stream = io.StringIO()
    configure_logs("json", "info", stream)
    structlog.get_logger("linarite.x").info("x", status=200, prompt="tell me", body=b"abc")
    (line,) = lines_of(stream)
    assert line["fields_dropped"] == ["body", "prompt"]
    assert line["status"] == 200
    assert "tell me" not in stream.getvalue()


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_secrets_are_masked_everywhere(log_format: LogFormat) -> None:
    """In events, fields, library lines and exceptions, in either form."""
    stream = Terminal()
    configure_logs(log_format, "debug", stream)
    key = new_key()
    log = structlog.get_logger("linarite.x")
    event = f"event {key}"
    log.info(event, reason=f"reason {key}", why={"deep": [f"Bearer {key}"]})
    logging.getLogger("library").warning("api-key: %s", key)
    try:
        Path(f"/nowhere/{key}").read_bytes()
    except OSError:
        log.exception("failed", path=f"/x?api-key={key}")
        logging.getLogger("library").exception("failed with %s", key)
    assert key not in stream.getvalue()
    assert stream.getvalue().count("[masked]") >= 7


@pytest.mark.parametrize("level", ["info", "warning", "error"])
def test_an_exceptions_text_is_withheld_unless_it_is_ours(level: LogLevel) -> None:
    """A prompt that an exception quotes is not logged; type and place are, along the chain."""
    stream = io.StringIO()
    configure_logs("json", level, stream)
    prompt = "my diagnosis is"
    try:
        try:
            int(prompt)
        except ValueError as error:
            raise KeyError(prompt) from error
    except KeyError:
        structlog.get_logger("linarite.x").exception("request failed")
        logging.getLogger("library").exception("library failed")
    refusal = InvalidRequest(f"Invalid value: '{prompt}'.")
    structlog.get_logger("linarite.x").error("refused", exc_info=refusal)
    first, second, third = lines_of(stream)
    for line in (first, second):
        assert "ValueError: [text withheld]" in line["exception"]
        assert "KeyError: [text withheld]" in line["exception"]
        assert "test_logs.py" in line["exception"]
    assert "InvalidRequest: [text withheld]" in third["exception"]
    assert prompt not in stream.getvalue()


def test_an_exceptions_text_is_shown_where_it_helps_and_is_safe() -> None:
    """Set-up and system errors keep their words; debugging shows all."""
    stream = io.StringIO()
    configure_logs("json", "info", stream)
    log = structlog.get_logger("linarite.x")
    log.error("x", exc_info=SetupError("set this instead"))
    log.error("x", exc_info=FileNotFoundError(2, "No such file", "/x"))
    configure_logs("json", "debug", stream)
    log.error("x", exc_info=ValueError("seen when debugging"))
    told = [line["exception"] for line in lines_of(stream)]
    assert told[0] == "SetupError: set this instead"
    assert "/x" in told[1]
    assert told[2] == "ValueError: seen when debugging"


def test_members_of_a_group_are_told() -> None:
    """What failed side by side is all there, withheld like the rest."""
    stream = io.StringIO()
    configure_logs("json", "info", stream)
    group = ExceptionGroup("two", [ValueError("a prompt"), OSError(5, "disk")])
    structlog.get_logger("linarite.x").error("x", exc_info=group)
    (line,) = lines_of(stream)
    assert "  | ValueError: [text withheld]" in line["exception"]
    assert "disk" in line["exception"]
    assert "a prompt" not in line["exception"]


def test_the_request_id_is_on_every_line_of_its_request() -> None:
    """Set once, it reaches libraries' lines too; one that is given wins."""
    stream = io.StringIO()
    configure_logs("json", "info", stream)
    token = request_id.set("abc")
    structlog.get_logger("linarite.x").info("one")
    logging.getLogger("library").warning("two")
    structlog.get_logger("linarite.x").info("three", request_id="other")
    request_id.reset(token)
    structlog.get_logger("linarite.x").info("four")
    assert [line.get("request_id") for line in lines_of(stream)] == ["abc", "abc", "other", None]


def test_a_stream_that_is_gone_disturbs_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    """A closed pipe neither raises nor prints the line's arguments elsewhere."""
    stream = io.StringIO()
    configure_logs("json", "info", stream)
    stream.close()
    structlog.get_logger("linarite.x").info("x", reason="argument")
    logging.getLogger("library").error("x %s", "argument")
    assert "argument" not in "".join(capsys.readouterr())


def test_warnings_become_lines() -> None:
    """Python's warnings take the same way as everything else."""
    stream = io.StringIO()
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        configure_logs("json", "info", stream)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
        logging.captureWarnings(capture=False)
    (line,) = lines_of(stream)
    assert line["logger"] == "py.warnings"
    assert "DeprecationWarning: old" in line["event"]


def test_every_field_that_our_code_logs_is_allowed() -> None:
    """A field that is missing in `log_fields` would be dropped without anyone meaning it."""
    extra = {"exc_info", "stack_info"}
    unknown = [
        f"{path.relative_to(SOURCE)}:{call.lineno} {keyword.arg}"
        for path in sorted(SOURCE.rglob("*.py"))
        for call in log_calls(ast.parse(path.read_text()))
        for keyword in call.keywords
        if keyword.arg is not None and keyword.arg not in LOG_FIELDS | extra
    ]
    assert unknown == [], "add these to LOG_FIELDS if they can never hold a secret or a prompt"


def test_every_field_that_is_allowed_is_one_that_our_code_logs() -> None:
    """What nobody logs needs no leave."""
    of_logging = {"event", "level", "logger", "timestamp", "exception"}
    named: set[str] = set()
    for path in SOURCE.rglob("*.py"):
        text = path.read_text()
        if "get_logger(" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call):
                named.update(keyword.arg for keyword in node.keywords if keyword.arg is not None)
            elif isinstance(node, ast.Dict):
                named.update(str(key.value) for key in node.keys if isinstance(key, ast.Constant))
    assert LOG_FIELDS - of_logging - named == set(), "take these out of LOG_FIELDS"


def log_calls(tree: ast.AST) -> Iterator[ast.Call]:
    """Calls such as `log.info(…)`, `self._log.error(…)` and `log.bind(…)`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            holder = node.func.value
            name = holder.attr if isinstance(holder, ast.Attribute) else getattr(holder, "id", "")
            if name.strip("_") in {"log", "logger"} and node.func.attr in LEVELS | {"bind"}:
                yield node
