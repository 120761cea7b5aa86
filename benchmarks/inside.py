"""Single stages inside one process, where a whole process would hide them. Prints seconds of CPU, the least of several.

usage: inside.py printing PLANFILE | members COUNT
"""

import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from time import process_time
from typing import Final

from reconciler.memory import no_collection
from reconciler.model import (
    Address,
    AppliedState,
    DesiredItem,
    DesiredList,
    DesiredResource,
    DesiredState,
    ItemKey,
    ListMode,
    LiveResource,
    LiveState,
    Origin,
    Policy,
    ResourceType,
    SourceLocation,
)
from reconciler.planfile import load
from reconciler.profiles.profile import RFC
from reconciler.reconcile import Context, Reconciliation, reconcile
from reconciler.rendering.text import render_text
from reconciler.rendering.view import view

_TIMES: Final = 9
_PLACE: Final = SourceLocation("groups.yaml", 1)
_GROUPS: Final = 10
_ORIGIN: Final = Origin(_PLACE)


def seconds(work: Callable[[], object]) -> float:
    """The shortest time of doing it: a process is disturbed by others, never helped."""
    times = []
    for _ in range(_TIMES):
        started = process_time()
        work()
        times.append(process_time() - started)
    return min(times)


def printing(plan_file: str) -> float:
    """A saved plan as text, every change by itself."""
    plan = load(Path(plan_file).read_bytes())
    with no_collection():
        return seconds(lambda: render_text(view(plan, verbose=True), width=100, colour=True))


def members(count: int) -> float:
    """A group of `count` members of whom 10 come and 10 go: what each of several adds to a run over the same people."""
    people = range(count + 10)
    users = {
        Address(ResourceType.USER, f"u{each}"): DesiredResource(
            address=Address(ResourceType.USER, f"u{each}"), attributes={"userName": f"u{each}"}, source=_PLACE
        )
        for each in people
    }
    items: dict[ItemKey, DesiredItem] = {each: DesiredItem(origin=_ORIGIN) for each in list(users)[10:]}
    wanted = {"members": DesiredList(mode=ListMode.AUTHORITATIVE, items=items)}
    groups = {
        Address(ResourceType.GROUP, f"g{each}"): DesiredResource(
            address=Address(ResourceType.GROUP, f"g{each}"),
            attributes={"displayName": f"g{each}"},
            source=_PLACE,
            lists=wanted,
        )
        for each in range(_GROUPS)
    }
    live_users = {
        f"id{each}": LiveResource(
            resource_type=ResourceType.USER, id=f"id{each}", attributes={"userName": f"u{each}", "active": True}
        )
        for each in people
    }
    held = {"members": dict.fromkeys(f"id{each}" for each in range(count))}
    live_groups = {
        f"g{each}": LiveResource(
            resource_type=ResourceType.GROUP, id=f"g{each}", attributes={"displayName": f"g{each}"}, lists=held
        )
        for each in range(_GROUPS)
    }
    with no_collection():
        without = seconds(lambda: _run(users, live_users))
        with_groups = seconds(lambda: _run({**users, **groups}, {**live_users, **live_groups}))
    return (with_groups - without) / _GROUPS


def _run(desired: dict[Address, DesiredResource], live: dict[str, LiveResource]) -> Reconciliation:
    wanted = DesiredState(resources=desired, today=date(2026, 1, 1))
    return reconcile(wanted, LiveState(resources=live), AppliedState(), RFC, Policy(), Context(target="t"))


def main() -> None:
    """The command line."""
    stage, argument = sys.argv[1:]
    print(printing(argument) if stage == "printing" else members(int(argument)))


if __name__ == "__main__":
    main()
