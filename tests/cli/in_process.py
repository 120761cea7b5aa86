"""The command in this process, for tests of many command lines; what a process of its own matters to uses `Folder`."""

import io
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from reconciler.cli.main import run
from tests.conftest import Folder, Ran


@dataclass(frozen=True)
class QuickFolder(Folder):
    """A `Folder` whose `run` calls the entry point without a new interpreter."""

    def run(self, *arguments: str, stdin: str | None = None, **environment: str) -> Ran:
        out, err = io.StringIO(), io.StringIO()
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
        with pytest.MonkeyPatch.context() as surroundings, redirect_stdout(out), redirect_stderr(err):
            for name in os.environ:
                surroundings.delenv(name)
            for name, value in {**kept, "GIT_CONFIG_GLOBAL": os.devnull, **environment}.items():
                surroundings.setenv(name, value)
            surroundings.chdir(self.path)
            surroundings.setattr(sys, "stdin", io.StringIO(stdin or ""))
            code = _code(list(arguments))
        assert "Traceback" not in out.getvalue() + err.getvalue()
        return Ran(code, out.getvalue(), err.getvalue())


def _code(arguments: list[str]) -> int:
    try:
        run(arguments)
    except SystemExit as ended:
        return int(ended.code or 0)
    raise AssertionError("the entry point did not end")


def quick(path: Path) -> QuickFolder:
    path.mkdir(exist_ok=True)
    return QuickFolder(path)
