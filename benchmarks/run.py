"""Measures `reconciler` as people run it: whole processes beside what they are compared with. Prints a table.

Ratios are what counts: the seconds are this machine's. `--quick` leaves out Terraform and the large companies; `--only`
names single rows. Ends with 1 if a row is over its limit. usage: python -m benchmarks.run [--quick] [--only NAME …]
"""

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from benchmarks import terraform
from benchmarks.company import teams
from benchmarks.measuring import RECONCILER, Cost, alternating, least, median, run
from benchmarks.world import World, world

_SMALL: Final = 1_000
_MIDDLE: Final = 10_000
_LARGE: Final = 50_000
_TIMES: Final = 5
_MEMBERS: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table. `value` is held against `limit` (at most; with `least` at least); None: not measured."""

    what: str
    measured: str
    value: float | None
    limit: float | None
    unit: str = "x"
    least: bool = False

    @property
    def kept(self) -> bool:
        """Whether the limit is kept, as far as there is one."""
        if self.value is None or self.limit is None:
            return True
        return self.value >= self.limit if self.least else self.value <= self.limit

    def __str__(self) -> str:
        value = "not measured" if self.value is None else _number(self.value, self.unit)
        bound = "" if self.limit is None else f"{'≥' if self.least else '≤'} {_number(self.limit, self.unit)}"
        verdict = "" if self.kept else " **over**"
        return f"| {self.what} | {self.measured} | {value}{verdict} | {bound} |"


def _number(value: float, unit: str) -> str:
    text = f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.2g}" if value < 1 else f"{value:.2f}"
    return f"{text} {unit}".replace(" x", "x")


def start(parent: Path) -> Iterator[Row]:
    """`--help` against the least that a click program can cost."""
    bare = [sys.executable, "-c", "import click"]
    ours, click = alternating(15, lambda: run([*RECONCILER, "--help"], parent), lambda: run(bare, parent))
    measured = f"{ours.wall * 1000:.0f} ms, `import click` {click.wall * 1000:.0f} ms"
    yield Row(what="`--help`", measured=measured, value=ours.wall / click.wall, limit=1.5)


def against_terraform(parent: Path) -> Iterator[Row]:
    """A `plan` that creates everybody, against Terraform's that does the same, in two shapes; and after a `validate`.

    `plan` makes every check that `validate` makes: who wants both calls `plan`. The last row is for who calls both.
    """
    what = f"{_SMALL:,} users to create, against `terraform plan`"
    command = terraform.terraform()
    if command is None:
        yield Row(what=f"`plan`, {what}", measured="no terraform in PATH", value=None, limit=50, least=True)
        return
    with world(parent, _SMALL, state="empty", recorded=False) as made:
        valid, planned = alternating(_TIMES, lambda: made.reconciler("validate"), lambda: made.reconciler("plan"))
    version = terraform.version(command, parent)
    theirs = {shape: terraform.plan(command, parent, _SMALL, shape) for shape in (terraform.SCIM, terraform.OURS)}
    for shape, cost in theirs.items():
        yield Row(
            what=f"`plan`, which validates, {what} of {shape}",
            measured=f"{_seconds(planned)}, {version} {_seconds(cost)} (1 run); {cost.cpu / planned.cpu:.0f}x in CPU",
            value=cost.wall / planned.wall,
            limit=50 if shape == terraform.SCIM else None,
            least=True,
        )
    both, scim = valid.wall + planned.wall, theirs[terraform.SCIM]
    measured = f"{both:.2f} s; {scim.cpu / (valid.cpu + planned.cpu):.0f}x in CPU"
    what = f"`validate` and then `plan`, {what} of {terraform.SCIM}"
    yield Row(what=what, measured=measured, value=scim.wall / both, limit=50, least=True)


def growth(parent: Path) -> Iterator[Row]:
    """What a user costs in a small and in a large company, start-up taken off; the least of several runs each."""
    costs: dict[int, Cost] = {}
    for size, times in ((1, _TIMES), (_SMALL, _TIMES), (_LARGE, 2)):
        with world(parent, size) as made:
            costs[size] = _validated_and_planned(made, times)
    fixed = costs[1]
    small, large = ((costs[size].cpu - fixed.cpu) / size * 1e6 for size in (_SMALL, _LARGE))
    measured = f"{small:.0f} and {large:.0f} µs of CPU a user; start-up {fixed.cpu:.2f} s"
    what = f"cost of a user, `validate` + `plan`, {_LARGE:,} users against {_SMALL:,}"
    yield Row(what=what, measured=measured, value=large / small, limit=1.3)
    memory = (costs[_LARGE].peak - fixed.peak) / _LARGE / 1024
    measured = f"{costs[_LARGE].peak / 2**20:.0f} MiB at {_LARGE:,} users"
    yield Row(what="memory of a user in a `plan`", measured=measured, value=memory, limit=None, unit="KiB")


def creating(parent: Path) -> Iterator[Row]:
    """What planning to create a user costs in a small and in a larger company."""
    costs: dict[int, Cost] = {}
    for size in (1, _SMALL, _MIDDLE):
        with world(parent, size, state="empty", recorded=False) as made:
            costs[size] = median([made.reconciler("plan") for _ in range(3)])
    small, large = ((costs[size].cpu - costs[1].cpu) / size * 1e6 for size in (_SMALL, _MIDDLE))
    what = f"cost of a user who is to be created, `plan`, {_MIDDLE:,} users against {_SMALL:,}"
    yield Row(what=what, measured=f"{small:.0f} and {large:.0f} µs of CPU", value=large / small, limit=1.3)


def floor(parent: Path) -> Iterator[Row]:
    """A plan that finds nothing to do against the least that this can cost; and the requests it took."""
    page = 100
    with world(parent, _MIDDLE, page=page) as made:
        bare = [sys.executable, "-m", "benchmarks.floor", f"http://127.0.0.1:{made.port}", "identities", str(page)]
        ours, floored, valid = alternating(
            _TIMES, lambda: made.reconciler("plan"), lambda: run(bare, made.folder), lambda: made.reconciler("validate")
        )
        made.requests()
        made.reconciler("plan")
        requests = made.requests()
    what = f"`plan` without changes, {_MIDDLE:,} users, against the bare comparison"
    measured = f"{_per_user(ours)} a user, bare {_per_user(floored)}; `validate` {_per_user(valid)}"
    yield Row(what=what, measured=measured, value=ours.wall / floored.wall, limit=None)
    rows = {"/users": _MIDDLE, "/groups": len(list(teams(_MIDDLE)))}
    allowed = sum(-(-count // page) + 1 for count in rows.values()) + 4
    measured = ", ".join(f"{path} {count}" for path, count in sorted(requests.items()))
    what = f"requests of that plan, {page} rows a page"
    yield Row(what=what, measured=measured, value=sum(requests.values()), limit=allowed, unit="")


def distant(parent: Path) -> Iterator[Row]:
    """The same plan where each answer takes its time: of waiting for each page alone, how much is left."""
    page, delay = 100, 0.05
    with world(parent, _MIDDLE, page=page) as near, world(parent, _MIDDLE, page=page, delay=delay) as far:
        far.requests()
        here, there = alternating(3, lambda: near.reconciler("plan"), lambda: far.reconciler("plan"))
        waits = sum(far.requests().values()) / 3 * delay
    what = f"waiting for pages, {delay * 1000:.0f} ms each, against one after the other"
    measured = f"{there.wall - here.wall:.1f} s more than on loopback; one after the other {waits:.1f} s"
    yield Row(what=what, measured=measured, value=(there.wall - here.wall) / waits, limit=0.5)


def printing(parent: Path) -> Iterator[Row]:
    """The text of a plan with very many different changes."""
    with world(parent, _MIDDLE, state="retitled", recorded=False) as made:
        plan = made.folder / "plan.json"
        whole = made.reconciler("plan", "--verbose", "--out", str(plan))
        alone = _inside("printing", str(plan))
    measured = f"{alone:.2f} s of a run of {whole.wall:.1f} s, {whole.output.count(chr(10)):,} lines"
    yield Row(what=f"printing {_MIDDLE:,} changes", measured=measured, value=alone, limit=0.3, unit="s")


def members(parent: Path) -> Iterator[Row]:
    """The comparison of one large group."""
    taken = _inside("members", str(_MEMBERS)) * 1000
    what = f"comparing a group of {_MEMBERS:,} members, 10 come and 10 go"
    yield Row(what=what, measured=f"{taken:.1f} ms", value=taken, limit=None, unit="ms")


ROWS: Final[dict[str, Callable[[Path], Iterator[Row]]]] = {
    "start": start,
    "members": members,
    "printing": printing,
    "floor": floor,
    "distant": distant,
    "creating": creating,
    "growth": growth,
    "terraform": against_terraform,
}
_SLOW: Final = ("creating", "growth", "terraform")


def _validated_and_planned(made: World, times: int) -> Cost:
    valid, planned = alternating(
        times, lambda: made.reconciler("validate"), lambda: made.reconciler("plan"), of_each=least
    )
    return Cost(wall=valid.wall + planned.wall, cpu=valid.cpu + planned.cpu, peak=planned.peak, output=planned.output)


def _seconds(cost: Cost) -> str:
    return f"{cost.wall:.3g} s ({cost.cpu:.3g} s of CPU)"


def _per_user(cost: Cost) -> str:
    return f"{cost.wall / _MIDDLE * 1e6:.0f} µs"


def _inside(*arguments: str) -> float:
    with tempfile.TemporaryDirectory() as folder:
        return float(run([sys.executable, "-m", "benchmarks.inside", *arguments], Path(folder)).output)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"without {', '.join(_SLOW)}")
    parser.add_argument("--only", nargs="+", choices=list(ROWS), default=None)
    options = parser.parse_args()
    names = options.only or [name for name in ROWS if not (options.quick and name in _SLOW)]
    print(f"{date.today()}, CPython {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}\n")
    print("| what | measured | value | limit |\n| --- | --- | --- | --- |")
    kept = True
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            for row in ROWS[name](Path(folder)):
                print(row, flush=True)
                kept = kept and row.kept
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
