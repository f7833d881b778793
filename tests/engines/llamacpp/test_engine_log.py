from __future__ import annotations

import pytest

from linarite.engines.llamacpp.engine_log import LogLine, load_failure, while_loading, while_serving


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("0.00.034.979 E llama_model_load: error", LogLine("error", "llama_model_load: error")),
        ("0.01.241.730 W load: odd token '</s>'", LogLine("warning", "load: odd token '</s>'")),
        ("0.00.000.460 I srv init: hello", LogLine("debug", "srv init: hello")),
        ("ggml_cuda_init: found 1 device", LogLine("info", "ggml_cuda_init: found 1 device")),
        ("0.00.004.233 W srv init: security: no API key is set and CORS", None),
        ("", None),
    ],
)
def test_loading_is_logged_as_it_is(line: str, shown: LogLine | None) -> None:
    """Before anybody has sent anything there is nothing to hide."""
    assert while_loading(line) == shown


@pytest.mark.parametrize(
    "line",
    [
        'srv send_error: task id = 88, error: failed to parse {"CANARY": 1}',
        "4.19.721.632 I slot launch_slot_: CANARY",
        "parse: error parsing grammar: expecting ')' at CANARY",
        "CANARY ::= (",
        '   2 | start: %json {"CANARY": {}}',
        "3.43.935.403 E llg error: at 2(8): CANARY",
        "3.43.935.403 E llg error: Unimplemented keys: [CANARY]",
        "0.42.992.560 W srv operator(): got exception: CANARY",
        "0.42.992.560 W srv operator(): unknown field 'CANARY'",
        '0.42.992.560 E srv x: text "CANARY"',
        "/src/x.cpp:12: GGML_ASSERT(n > 0) failed: `CANARY`",
        "",
    ],
)
def test_what_callers_sent_is_never_logged(line: str) -> None:
    """A quotation is cut off with all that follows; lines of unknown make are dropped."""
    shown = while_serving(line)
    assert shown is None or "CANARY" not in shown.text


def test_what_matters_while_serving_is_logged() -> None:
    """Warnings and crashes are told, routine is not; what a caller was told is for debugging."""
    decode = "0.42.992.560 E srv update_slots: failed to decode the batch, n_batch = 64"
    assert while_serving(decode) == LogLine(
        "warning", "srv update_slots: failed to decode the batch, n_batch = 64"
    )
    crash = while_serving("/src/ggml.c:99: GGML_ASSERT(ok) failed")
    assert crash is not None
    assert crash.level == "error"
    answered = while_serving("0.1.2.3 E srv send_error: task id = 0, error: too long")
    assert answered == LogLine("debug", "srv send_error: task id = 0, error:…")
    assert while_serving("0.1.2.3 W srv stop: cancel task, id_task = 7") is None


def test_the_reason_of_a_failed_start_is_found() -> None:
    """llama.cpp's own reason, among the lines that say that something failed."""
    lines = [
        "0.00.004.233 W srv init: security",
        "0.00.034.979 E llama_model_load: error loading model: tensor 'x' is not within the file",
        "0.00.035.017 E llama_model_load_from_file_impl: failed to load model",
    ]
    assert load_failure(lines) == "tensor 'x' is not within the file"
    assert load_failure(lines[2:]) == "llama_model_load_from_file_impl: failed to load model"
    assert load_failure(lines[:1]) == ""
