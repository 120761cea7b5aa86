"""`docs/diagnostics.md`, made of the source text and of what the repositories with mistakes were told."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from tests.diagnostics.codes import Said, codes, ends, refusals
from tests.diagnostics.planning import planned
from tests.diagnostics.repositories import HERE, repositories

PAGE = Path(__file__).parents[2] / "docs" / "diagnostics.md"
_MESSAGE = re.compile(
    r"^(?:\S+:\d+:\d+: )?(?P<severity>error|warning|notice)\[(?P<code>[\w-]+)\]: (?P<summary>.*)\n"
    r"(?:  (?!mend: ).*\n)*(?:  mend: (?P<mend>.*)\n(?P<more>(?:  .*\n)*))?",
    re.MULTILINE,
)
_IN_FILES = ("declarations", "profiles", "schemas", "settings", "yamlsource")
_INTRODUCTION = """# What is reported

Every code, with an example and what to do. A test makes this page of the source text and of real runs (`BLESS=1 pytest
tests/diagnostics`) and fails if a code is missing here, or is gone. Codes are stable words; sentences may change.
Where … stands, the run fills in a name or a number.

A problem with a file is printed as `path:line:column: error[code]: what`, with why and how to mend it below. One run
of `validate`, `plan` or `apply` reports every problem of every file, as far as it can be known: a value of the wrong
shape is left out and everything else is checked all the same. In a file that is not valid YAML, what stands before
the error is checked; names that are found nowhere are not reported then, since they may stand in the rest.
"""
_ENDS = {
    "UsageError": "The call is wrong; exit code 64.",
    "InputError": "Declarations, settings or a plan file cannot be used; exit code 1.",
    "Unreachable": "The service provider gives no answer; exit code 1.",
    "SignInFailed": "The credential is missing, refused or lacks a right; exit code 1.",
    "NotScim": "Something answers, but not as a SCIM service provider does; exit code 1.",
    "IncompleteListing": "A listing did not arrive whole, so nothing is concluded from it; exit code 1.",
    "RecordTrouble": "The memory of what was applied cannot be used; exit code 1, before anything is written.",
    "StalePlan": "A saved or reviewed plan is not what would be done now; exit code 4, before anything is written.",
}


def page() -> str:
    """The whole page."""
    found = codes()
    in_files = [each for each in found if each.module.partition(".")[0] in _IN_FILES]
    rules = [each for each in found if each.kind == "rule"]
    others = [each for each in found if each not in in_files and each not in rules]
    left = [each for each in others if each.code in refusals()]
    return "\n".join(
        [
            _INTRODUCTION,
            "## In declarations and settings\n",
            *_table(in_files),
            "\n## Left as it is\n\nOne identity that cannot be planned, while all others go on; exit code 5.\n",
            *_table(left),
            "\n## Notes of a plan or an apply\n",
            *_table([each for each in others if each.code not in refusals()]),
            "\n## Safety rules\n\nThe run stops with exit code 3; the plan prints the line that accepts it.\n",
            *_table(rules),
            "\n## A run that cannot go on\n\nOne message on standard error; nothing more is done.\n",
            *_endings(),
            "\nA fault of reconciler itself says so in one line, names a file with the details (read it first: it may"
            "\nname people), and ends with 1. What was written before is reported and recorded all the same.\n",
        ]
    )


@cache
def heard() -> dict[tuple[str, bool], Said]:
    """Code, and whether it is a rule's -> the first message that a repository with mistakes, or a plan, was given."""
    found: dict[tuple[str, bool], Said] = {}
    for path in sorted(HERE.glob("*.txt")):
        for repository in repositories(path):
            for each in _MESSAGE.finditer(repository.said):
                mend = " ".join([each["mend"] or "", *(each["more"] or "").split()]).strip()
                said = Said(each["code"], each["severity"], "", each["summary"], mend)
                found.setdefault((said.code, False), said)
    return {**planned(), **found}


def _table(found: Sequence[Said]) -> Iterator[str]:
    yield "| code | what is said, for example | what to do |"
    yield "| --- | --- | --- |"
    real = heard()
    for code in dict.fromkeys(each.code for each in found):
        said = [each for each in found if each.code == code]
        longest = max(said, key=lambda each: (len(re.findall(r"\w+", each.summary)), bool(each.mend)))
        best = real.get((code, longest.kind == "rule"), longest)
        yield f"| `{code}` | {_cell(best.summary)} | {_cell(best.mend)} |"


def _endings() -> Iterator[str]:
    by_class: dict[str, list[Said]] = {name: [] for name in _ENDS}
    for each in ends():
        by_class[each.code].append(each)
    for name, found in by_class.items():
        yield f"**{_ENDS[name]}**\n"
        yield from ("| what is said | what to do |", "| --- | --- |")
        for each in sorted(found, key=lambda each: (each.summary, each.mend)):
            yield f"| {_cell(each.summary)} | {_cell(each.mend)} |"
        yield ""


def _cell(text: str) -> str:
    """A sentence as code, so that nothing in it is taken for markup."""
    plain = text.replace("\n", " ").replace("|", "\\|").strip("… ") and text.replace("\n", " ").replace("|", "\\|")
    if not plain:
        return ""
    fence = "``" if "`" in plain else "`"
    return f"{fence}{plain}{fence}" if fence == "`" else f"{fence} {plain} {fence}"
