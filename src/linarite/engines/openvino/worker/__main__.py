"""`python -m linarite.engines.openvino.worker`: obeys the order on standard input."""

from __future__ import annotations

import sys
from typing import NoReturn

from linarite.engines.openvino.messages import OpenvinoOrder
from linarite.engines.openvino.worker.model import open_model
from linarite.engines.openvino.worker.server import listen, serve
from linarite.engines.worker_process.life import begin, leave, report
from linarite.engines.worker_process.reports import Failed


def main() -> NoReturn:
    """Load the model, serve it until the gateway leaves, and end."""
    order, reports = begin(OpenvinoOrder)
    try:
        model = open_model(order, reports)
        listener = listen(order.socket_path)
    except Exception as error:  # noqa: BLE001 - whatever the library does not like about it
        report(reports, Failed(_reason(error)))
        leave(1)
    report(reports, model.loaded)
    try:
        serve(listener, model)
    except OSError:
        leave(0)
    except RuntimeError as error:
        # Its words may quote a prompt; its kind and place do not.
        print(f"openvino failed: {type(error).__name__}", file=sys.stderr, flush=True)  # noqa: T201 - the worker's words are its log
        leave(1)
    leave(0)


def _reason(error: BaseException) -> str:
    """The library's own words, without the places in its source where they were said."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = [line for line in lines if not line.startswith(("Exception from ", "Check "))]
    return "; ".join(told or lines) or type(error).__name__


if __name__ == "__main__":
    main()
