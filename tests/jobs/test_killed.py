"""`kill -9` at every step: what was being provisioned ends all the same, after a restart."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
CHILD = Path(__file__).parent / "children" / "die_at_every_write.py"


def test_wherever_the_server_dies_the_next_one_ends_the_job(tmp_path: Path) -> None:
    """Dying just before and just after each write; and again and again at the same one."""
    done = subprocess.run(
        [sys.executable, str(CHILD), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    deaths = [(each["before"], each["at"]) for each in told if "died" in each]
    ends = [each for each in told if "died" not in each]
    # Begin, five steps and the end are a write each, if nothing is said in between.
    assert deaths[:7] == [(True, number) for number in range(1, 8)]
    assert (False, 7) in deaths
    assert len(ends) == len(deaths) + 3  # two lives without death, and the job that is given up
    *restarted, given_up = ends
    assert {end["status"] for end in restarted} == {"Succeeded"}
    assert {(end["state"], end["serves"]) for end in restarted} == {("Succeeded", "gpt-4o")}
    assert max(end["interruptions"] for end in restarted) == 2
    assert (given_up["status"], given_up["state"]) == ("Failed", "Failed")
    assert given_up["serves"] is None
