"""How retrieval is judged, and what it is judged on."""

from __future__ import annotations

from math import log2

import pytest

from bench.retrieval import quality
from bench.retrieval_sets import page_of

PAGE = r"""
.\" Copyright
.TH wait 2
.SH BEZEICHNUNG
wait, waitpid \- wartet auf einen
.I Prozess
.SH ÜBERSICHT
.nf
.B #include <sys/wait.h>
.SH BESCHREIBUNG
Der Aufruf
.BR wait ()
h\[u00E4]lt an.
.SH FEHLER
"""


def test_quality_of_ranks() -> None:
    """The first place counts whole, later ones less, those behind the tenth nothing."""
    assert quality([1, 1]) == (1.0, 1.0)
    assert quality([None, 11]) == (0.0, 0.0)
    assert quality([2, 10, None, 1]) == (
        pytest.approx((1 / log2(3) + 1 / log2(11) + 1) / 4),
        0.75,
    )


def test_a_manual_page_is_read() -> None:
    """What it says of itself, and how its description begins."""
    page = page_of(PAGE)
    assert page is not None
    assert page.says == "wartet auf einen Prozess"
    assert page.text == "Der Aufruf\nwait ()\nh lt an."
    assert page_of(".so man2/wait.2\n") is None
