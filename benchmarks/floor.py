"""The least that a plan without changes can cost in Python: read the YAML, list the pages, decode, compare; no checks.

Files are read by a bare event loop in two processes while the pages come, both sides are made canonical tuples, and
unequal ones are counted. No places, no messages, no record, no three states: nothing but the comparison.
usage: floor.py URL FOLDER PAGE
"""

import gc
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import httpx
import orjson
from yaml.cyaml import CParser  # type: ignore[attr-defined]
from yaml.events import MappingEndEvent, MappingStartEvent, ScalarEvent, SequenceEndEvent, SequenceStartEvent

from benchmarks.company import ENTERPRISE, GENESYS

_SINGLE: Final = ("displayName", "title")
_ENTERPRISE: Final = ("department", "division", "employeeNumber")


def load(data: bytes) -> Any:
    """Mappings, lists and text, from the events of libyaml's parser."""
    event: Callable[[], Any] = CParser(data).get_event
    event(), event()
    stack: list[Any] = []
    current: Any = None
    key = None
    while True:
        read = event()
        kind = type(read)
        if kind is ScalarEvent:
            value: Any = read.value
        elif kind is MappingStartEvent or kind is SequenceStartEvent:
            value = {} if kind is MappingStartEvent else []
        else:
            if kind not in (MappingEndEvent, SequenceEndEvent):
                raise ValueError("more than this reader knows")
            done, (current, key) = current, stack.pop()
            if current is None:
                return done
            continue
        if type(current) is dict:
            if key is None:
                key = value
                continue
            current[key] = value
            key = None
        elif current is not None:
            current.append(value)
        if kind is not ScalarEvent:
            stack.append((current, key))
            current, key = value, None


def parsed(path: str) -> dict[str, Any]:
    """One file."""
    gc.disable()
    document: dict[str, Any] = load(Path(path).read_bytes())
    return document


def wanted(user: dict[str, Any], templates: dict[str, Any], users: dict[str, Any]) -> tuple[Any, ...]:
    """A declared user in canonical form; the manager by userName."""
    layers = [templates[name] for name in user.get("from", ())] + [user]
    levels = {each: float(level) for layer in layers for each, level in layer.get("routingSkills", {}).items()}
    spoken = {each: float(level) for layer in layers for each, level in layer.get("routingLanguages", {}).items()}
    manager = users[user["manager"]]["userName"] if "manager" in user else None
    return (
        *(user[name] for name in (*_SINGLE, *_ENTERPRISE)),
        manager,
        user["emails"]["work"],
        frozenset(user["phoneNumbers"].items()),
        frozenset(role for layer in layers for role in layer.get("roles", ())),
        frozenset(levels.items()),
        frozenset(spoken.items()),
    )


def held(row: dict[str, Any], names: dict[str, str]) -> tuple[Any, ...]:
    """A live user in canonical form."""
    enterprise, more = row[ENTERPRISE], row[GENESYS]
    manager = enterprise.get("manager")
    return (
        *(row[name] for name in _SINGLE),
        *(enterprise[name] for name in _ENTERPRISE),
        names[manager["value"]] if manager else None,
        row["emails"][0]["value"],
        frozenset([(each["type"], each["value"]) for each in row["phoneNumbers"]]),
        frozenset([each["value"] for each in row["roles"]]),
        frozenset([(each["name"], float(each["proficiency"])) for each in more["routingSkills"]]),
        frozenset([(each["name"], float(each["proficiency"])) for each in more["routingLanguages"]]),
    )


def listed(client: httpx.Client, url: str, page: int) -> Iterator[dict[str, Any]]:
    """All rows of a listing."""
    start = 1
    while True:
        answer = orjson.loads(client.get(url, params={"startIndex": start, "count": page}).content)
        yield from answer["Resources"]
        start += page
        if start > answer["totalResults"]:
            return


def main() -> None:
    """Compare, and say how many differ."""
    gc.disable()
    url, folder, page = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    with ProcessPoolExecutor(2, mp_context=get_context("fork")) as pool, httpx.Client() as client:
        files = pool.map(parsed, sorted(str(each) for each in folder.rglob("*.yaml")), chunksize=4)
        rows = list(listed(client, f"{url}/users", page))
        groups = list(listed(client, f"{url}/groups", page))
        parts: dict[str, dict[str, Any]] = {"templates": {}, "users": {}, "groups": {}}
        for document in files:
            for word, entries in document.items():
                parts[word].update(entries)
    users = parts["users"]
    desired = {user["userName"]: wanted(user, parts["templates"], users) for user in users.values()}
    names = {row["id"]: row["userName"] for row in rows}
    changed = sum(1 for row in rows if desired[row["userName"]] != held(row, names))
    members = {
        group["displayName"]: {users[key]["userName"] for key in group["members"]} for group in parts["groups"].values()
    }
    changed += sum(1 for row in groups if members[row["displayName"]] != {names[m["value"]] for m in row["members"]})
    print(f"{changed} of {len(rows) + len(groups)} differ")


if __name__ == "__main__":
    main()
