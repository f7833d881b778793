"""Metrics as Azure Monitor has them: what is counted, what they are called, how they are asked.

`grains` is what is kept: tallies by minute and combination of dimensions, and the port of the
store. `catalogue` has the metrics that are made of them. `filters` reads `$filter`, `question`
turns grains into the time series of an answer. Nothing here reads or writes anything.
"""

from __future__ import annotations
