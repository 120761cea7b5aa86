"""Twice the people are twice the work: nothing goes through everybody for each of them.

Counted in Python's own instructions inside the package (not those of the built-in provider), so that it is the same on
every machine. What a single instruction may hide, such as subtracting one set from another, is the benchmarks' to find.
"""

import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import reconciler
from tests.cli.in_process import quick
from tests.conftest import Folder

PACKAGE = str(Path(reconciler.__file__).parent)
PROVIDER = str(Path(PACKAGE) / "sandbox")
SETTINGS = """\
targets:
  office:
    profile: rfc
    url: "sandbox:"
    policy: {limits: {removals: 100%, updates: 100%, memberRemovals: 100%, creations: 1000}}
"""
PER_GROUP = 10
MARGIN = 3_000
"""A line that is folded from some length on is no growth; one look at everybody for each of 80 is four times this."""

Write = Callable[[int], dict[str, str]]


def company(
    count: int, *, key: str = "u", title: str = "Agent", number: str = "n", shift: int = 0, more: str = ""
) -> dict[str, str]:
    """So many people, in groups of ten that each are `shift` groups further on."""
    groups = count // PER_GROUP
    people = [
        f"  {key}{each}: {{userName: u{each}@example.com, displayName: U {each}, title: {title}, "
        f"employeeNumber: {number}{each}, "
        f"groups: [g{(each // PER_GROUP + shift) % groups}]{more.format(each)}}}"
        for each in range(count)
    ]
    named = [f"  g{each}: {{displayName: G {each}}}" for each in range(groups)]
    return {
        "identities/people.yaml": "users:\n" + "\n".join(people) + "\n",
        "identities/groups.yaml": "groups:\n" + "\n".join(named) + "\n",
    }


def nobody(count: int) -> dict[str, str]:
    """One person is left, so that it does not look like an empty folder; groups stay."""
    first, *_ = (line for line in company(count)["identities/people.yaml"].splitlines() if "u0:" in line)
    return company(count) | {"identities/people.yaml": f"users:\n{first}\n"}


def renamed(files: dict[str, str]) -> dict[str, str]:
    return {name: text.replace("userName: u", "userName: w") for name, text in files.items()}


def guarded(files: dict[str, str], policy: str) -> dict[str, str]:
    """`policy`: one more key, about all who may be there."""
    people, groups = (", ".join(f"{kind}{each}" for each in range(count)) for kind, count in (("u", 80), ("g", 8)))
    said = policy.format(people=people, groups=groups)
    return files | {"reconciler.yaml": SETTINGS.replace("policy: {", f"policy: {{{said}, ")}


AFTERWARDS: dict[str, Write] = {
    "nothing": company,
    "a value of everybody": lambda count: company(count, title="Lead"),
    "the group of everybody": lambda count: company(count, shift=1),
    "the key of everybody": lambda count: company(count, key="v"),
    "the key of everybody, with the old one": lambda count: company(count, key="v", more=", formerly: [u{0}]"),
    "the key and the login of everybody": lambda count: renamed(company(count, key="v")),
    "the key and the number of everybody": lambda count: company(count, key="v", number="m"),
    "the key and the login of everybody, who is protected": lambda count: guarded(
        renamed(company(count, key="v", more=", formerly: [u{0}]")), "protect: [{people}]"
    ),
    "everybody is to leave, and groups are privileged": lambda count: guarded(
        company(count, more=", endsOn: 2199-01-31"), "privileged: {{groups: [{groups}]}}"
    ),
    "everybody is gone": nobody,
    "everybody leaves by date": lambda count: company(count, more=", endsOn: 2020-01-01"),
}


def instructions(work: Callable[[], object]) -> Counter[str]:
    """How many Python instructions of the package it takes, by function."""
    counts: Counter[str] = Counter()

    def inside(frame: FrameType, event: str, argument: Any) -> Any:
        if event == "opcode":
            code = frame.f_code
            counts[f"{code.co_filename.removeprefix(PACKAGE)}:{code.co_qualname}"] += 1
        return inside

    def called(frame: FrameType, event: str, argument: Any) -> Any:
        file = frame.f_code.co_filename
        if not file.startswith(PACKAGE) or file.startswith(PROVIDER):
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return inside

    before = sys.gettrace()
    threading.settrace(called)
    sys.settrace(called)
    try:
        work()
    finally:
        sys.settrace(before)
        threading.settrace(before)
    return counts


def write(folder: Folder, files: dict[str, str]) -> None:
    for name, text in files.items():
        folder.write(name, text)


def costs(folder: Path, count: int, change: Write | None, *command: str) -> Counter[str]:
    """Of a command about everybody who is to be created, or about a `change` after an apply."""
    made = quick(folder)
    write(made, {"reconciler.yaml": SETTINGS} | company(count))
    if change is not None:
        assert made.run("apply", "--auto-approve").code == 0
        write(made, change(count))
    found: list[int] = []
    counted = instructions(lambda: found.append(made.run(*command).code))
    assert found[0] in (0, 3, 5), found
    return counted


CASES = {"everybody is new": None, **AFTERWARDS}


@pytest.mark.parametrize("change", CASES.values(), ids=CASES)
def test_twice_the_people_are_twice_the_work_of_a_plan(tmp_path: Path, change: Write | None) -> None:
    assert not steeper(tmp_path, change, "plan", "--format", "json")


@pytest.mark.parametrize("case", ["everybody is new", "the group of everybody", "everybody leaves by date"])
def test_twice_the_people_are_twice_the_work_of_an_apply(tmp_path: Path, case: str) -> None:
    assert not steeper(tmp_path, CASES[case], "apply", "--auto-approve")


def steeper(folder: Path, change: Write | None, *command: str) -> dict[str, tuple[int, int]]:
    """The functions whose second doubling adds more than twice what the first added, and by how much both did."""
    few, some, many = (costs(folder / f"of{count}", count, change, *command) for count in (20, 40, 80))
    added = {name: (some[name] - few[name], many[name] - some[name]) for name in many}
    return {name: (first, second) for name, (first, second) in added.items() if second > 2.3 * first + MARGIN}
