"""From one value of an undescribed complex attribute to another, in operations that mean the same everywhere.

``replace`` of a complex attribute keeps the members that it does not name (RFC 7644 §3.5.2.3); some servers drop them.
So every member that differs has an operation of its own. Paths lead one level deep and no deeper (§3.10).
"""

import re
from collections.abc import Iterator, Mapping

from reconciler.model import Json, PatchOp, PatchOperation, Value
from reconciler.scim.values import same_value

_MEMBER = re.compile(r"[A-Za-z$][A-Za-z0-9_$-]*").fullmatch


def replace_value(path: str, before: Value, after: Json) -> Iterator[PatchOperation]:
    """The operations that make the value at `path`, which is `before`, into `after`."""
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        yield PatchOperation(op=PatchOp.REPLACE, path=path, value=after)
    elif all(_MEMBER(name) for name in (*before, *after)) and before.keys() & after.keys():
        yield from _members(path, before, after)
    else:
        yield from _anew(path, after)


def _members(path: str, before: Mapping[str, Json], after: Mapping[str, Json]) -> Iterator[PatchOperation]:
    for name, value in sorted(after.items()):
        held = before.get(name)
        if name not in before:
            yield PatchOperation(op=PatchOp.ADD, path=f"{path}.{name}", value=value)
        elif same_value(held, value):
            continue
        elif isinstance(held, Mapping) and isinstance(value, Mapping):
            yield from _anew(f"{path}.{name}", value)
        else:
            yield PatchOperation(op=PatchOp.REPLACE, path=f"{path}.{name}", value=value)
    for name in sorted(before.keys() - after.keys()):
        yield PatchOperation(op=PatchOp.REMOVE, path=f"{path}.{name}")


def _anew(path: str, value: Json) -> Iterator[PatchOperation]:
    """Taken away and given again: what no path can reach inside is gone then."""
    yield PatchOperation(op=PatchOp.REMOVE, path=path)
    yield PatchOperation(op=PatchOp.ADD, path=path, value=value)
