"""What a command does not need is not imported: it would be waited for at each start."""

import json
import subprocess
import sys

import pytest

PROGRAM = """
import json, sys
bare = set(sys.modules)
import reconciler.cli.main as main
try:
    main.run(%r)
except SystemExit:
    pass
print(json.dumps(sorted(sys.modules.keys() - bare)))
"""
OURS = {"click", "reconciler"}


def modules(*arguments: str) -> set[str]:
    """What a run of the command line imports, module by module."""
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM % (list(arguments),)], capture_output=True, text=True, check=True
    )
    return set(json.loads(ran.stdout.splitlines()[-1]))


def imported(*arguments: str) -> set[str]:
    """The top-level packages that a run of the command line imports."""
    return {name.partition(".")[0] for name in modules(*arguments)}


def test_help_imports_click_only() -> None:
    assert {each for each in imported("--help") if each not in sys.stdlib_module_names} == OURS


def test_help_imports_no_slow_part_of_the_standard_library() -> None:
    assert not imported("--help") & {"asyncio", "multiprocessing", "sqlite3", "ssl", "urllib", "xml"}


def test_a_command_imports_what_it_needs() -> None:
    """The two tests above can fail."""
    assert {"httpx", "ssl", "yaml"} <= imported("plan", "--target", "no-such-target")


def test_no_command_imports_what_httpx_brings_for_others() -> None:
    """A command line with pygments and rich's progress bars, and trio: longer to import than httpx itself."""
    assert not imported("plan", "--target", "no-such-target") & {"anyio", "asyncio", "pygments", "trio"}


@pytest.mark.parametrize(
    ("command", "needless"),
    [
        # what writes, what a log has no use for, what another format or option asks for
        (
            "plan",
            {
                "reconciler.applying",
                "reconciler.audit",
                "reconciler.holding",
                "reconciler.running.applies",
                "reconciler.cli.failures",
                "reconciler.rendering.html",
                "reconciler.rendering.markdown",
                "reconciler.rendering.masking",
                "reconciler.rendering.report",
                "reconciler.rendering.sarif",
                "reconciler.sandbox",
                "reconciler.saved",
                "rich",
                "deepdiff",
                "jsonschema",
                "phonenumbers",
            },
        ),
        # plans, servers, git
        (
            "validate",
            {
                "reconciler.planfile",
                "reconciler.reconcile",
                "reconciler.record",
                "reconciler.rendering.view",
                "reconciler.running",
                "reconciler.transport",
                "httpx",
                "orjson",
                "rich",
                "ssl",
                "subprocess",
                "importlib.resources",
                "tempfile",
            },
        ),
    ],
)
def test_a_command_imports_nothing_that_only_others_need(command: str, needless: set[str]) -> None:
    """`--help` of a command imports all that stands at the top of its modules."""
    assert not modules(command, "--help") & needless
