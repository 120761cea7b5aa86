"""Whom people report to and which groups are inside which: no loops, and nobody her own manager."""

from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

from reconciler.declarations.membership import MEMBERS
from reconciler.declarations.reporting import Reporter
from reconciler.declarations.resolution import Resolution
from reconciler.model import Address, ResourceType, SourceLocation

_Node = TypeVar("_Node", bound=Hashable)


def check_managers(found: Resolution, report: Reporter) -> None:
    """The managers form no cycle."""
    manager = found.compiler.profile.users.table.get("manager")
    if manager is None:
        return
    above: dict[Address, list[Address]] = {}
    for address, user in found.users.items():
        boss = user.attributes.get(manager.path)
        if isinstance(boss, Address):
            above[address] = [boss]
    for cycle in cycles(above):
        source = found.users[cycle[0]].origins[manager.path].source or found.users[cycle[0]].source
        if len(cycle) == 1:
            mend = "name another manager, or take the line out"
            report.error("own-manager", source, f"{cycle[0]} is her own manager", mend=mend, of=cycle[0])
        else:
            report.error(
                "manager-cycle",
                source,
                f"these people are one another's managers: {_path(cycle)}",
                mend="take one of the manager lines out",
                of=cycle[0],
            )


def check_nesting(found: Resolution, report: Reporter) -> None:
    """No group is inside itself."""
    inside: dict[Address, list[Address]] = {}
    for address, group in found.groups.items():
        members = group.lists[MEMBERS].items if MEMBERS in group.lists else {}
        inside[address] = [
            each for each in members if isinstance(each, Address) and each.resource_type is ResourceType.GROUP
        ]
    for cycle in cycles(inside):
        alone = len(cycle) == 1
        report.error(
            "group-cycle",
            _line(found, cycle),
            f"{cycle[0]} is inside itself" if alone else f"these groups are inside one another: {_path(cycle)}",
            mend="take one of the members out",
            of=cycle[0],
        )


def cycles(edges: Mapping[_Node, Sequence[_Node]]) -> list[list[_Node]]:
    """Loops in a graph, each once, from the node that comes first; a walk without recursion."""
    done: set[_Node] = set()
    found: list[list[_Node]] = []
    for start in edges:
        if start in done:
            continue
        trail, waiting = [start], [iter(edges[start])]
        on_trail = {start}
        while trail:
            step = next(waiting[-1], None)
            if step is None:
                waiting.pop()
                on_trail.discard(trail[-1])
                done.add(trail.pop())
            elif step in on_trail:
                found.append(trail[trail.index(step) :])
            elif step not in done:
                trail.append(step)
                on_trail.add(step)
                waiting.append(iter(edges.get(step, ())))
    return found


def _line(found: Resolution, cycle: Sequence[Address]) -> SourceLocation:
    group = found.groups[cycle[0]]
    item = group.lists[MEMBERS].items[cycle[1] if len(cycle) > 1 else cycle[0]]
    return item.origin.source or group.source


def _path(cycle: Sequence[Address]) -> str:
    return " -> ".join(each.key for each in (*cycle, cycle[0]))
