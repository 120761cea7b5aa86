"""`--help` imports click and nothing else from outside: every other package would be waited for at each start."""

import json
import subprocess
import sys

PROGRAM = """
import json, sys
bare = set(sys.modules)
import reconciler.cli.main as main
try:
    main.run(%r)
except SystemExit:
    pass
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules.keys() - bare})))
"""
OURS = {"click", "reconciler"}


def imported(*arguments: str) -> set[str]:
    """The top-level packages that a run of the command line imports."""
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM % (list(arguments),)], capture_output=True, text=True, check=True
    )
    return set(json.loads(ran.stdout.splitlines()[-1]))


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
