"""Runs whole processes and says what they cost: seconds on the clock, seconds of CPU, and the most memory they held."""

import compileall
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import Final

ROOT: Final = Path(__file__).parent.parent
_BESIDE: Final = Path(sys.executable).parent / "reconciler"
RECONCILER: Final = [str(_BESIDE)] if _BESIDE.exists() else [sys.executable, "-m", "reconciler"]
"""The command under test, from this checkout."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Of one process and its children: `wall` and `cpu` in seconds, `peak` in bytes of resident memory."""

    wall: float
    cpu: float
    peak: int
    output: str


class Failed(Exception):
    """A measured process ended otherwise than it should; what it said is in the message."""


def run(command: Sequence[str], folder: Path, *, expected: Sequence[int] = (0,)) -> Cost:
    """One process from start to end. Raises Failed for another exit code than the `expected` ones."""
    environment = _environment()
    said = folder / ".output"
    with said.open("wb") as output:
        started = perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        wall = perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    text = said.read_text("utf-8", "replace")
    if process.returncode not in expected:
        raise Failed(f"{' '.join(command)} ended with {process.returncode}: {text[-2000:]}")
    # Linux counts in KiB, macOS in bytes
    unit = 1 if sys.platform == "darwin" else 1024
    return Cost(wall=wall, cpu=usage.ru_utime + usage.ru_stime, peak=usage.ru_maxrss * unit, output=text)


@cache
def _environment() -> dict[str, str]:
    """What the processes get. They start as an installed wheel does: pip compiles it, a checkout is compiled here.

    PYTHONDONTWRITEBYTECODE in the environment would have each of them compile the whole checkout again.
    """
    compileall.compile_dir(ROOT / "reconciler", quiet=1)
    given = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**given, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "CHECKPOINT_DISABLE": "1"}


def median(costs: Sequence[Cost]) -> Cost:
    """The median of each number by itself, so that one disturbed run does not count."""
    return Cost(
        wall=statistics.median(each.wall for each in costs),
        cpu=statistics.median(each.cpu for each in costs),
        peak=round(statistics.median(each.peak for each in costs)),
        output=costs[-1].output,
    )


def least(costs: Sequence[Cost]) -> Cost:
    """The least of each number by itself: others that run on the machine make a process dearer, never cheaper."""
    return Cost(
        wall=min(each.wall for each in costs),
        cpu=min(each.cpu for each in costs),
        peak=min(each.peak for each in costs),
        output=costs[-1].output,
    )


def alternating(
    times: int, *measurements: Callable[[], Cost], of_each: Callable[[Sequence[Cost]], Cost] = median
) -> list[Cost]:
    """The median of each measurement; they take turns, so that a busy machine disturbs all of them alike."""
    rounds = [[measure() for measure in measurements] for _ in range(times)]
    return [of_each([each[place] for each in rounds]) for place in range(len(measurements))]
