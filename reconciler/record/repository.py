"""A git repository as the command line sees it, and the one function through which git is called.

Everything is read with plumbing commands; nothing here moves HEAD, touches the index or the work tree, or asks a
question on the terminal. Answers are told apart by exit codes; what git says in words is only handed on to people.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Self

from msgspec import Struct

from reconciler.lazy import pattern
from reconciler.record.store import GitError

LOCAL_SECONDS = 120.0
NETWORK_SECONDS = 300.0
TIMED_OUT = 124  # the exit code reported for a git that had to be ended, as timeout(1) does
USAGE = 129

# What a hook or a wrapper may have left behind would send our commands to another repository or another index.
# GIT_CONFIG_* stays: that is how CI systems hand over credentials.
_DROPPED = re.compile(
    "GIT_(DIR|WORK_TREE|INDEX_FILE|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|COMMON_DIR|CONFIG|GRAFT_FILE|"
    "SHALLOW_FILE|NAMESPACE|PREFIX|QUARANTINE_PATH|REPLACE_REF_BASE|IMPLICIT_WORK_TREE|INTERNAL_SUPER_PREFIX|"
    "(GLOB|NOGLOB|ICASE)_PATHSPECS|PUSH_OPTION_COUNT|(AUTHOR|COMMITTER)_DATE)"
)
_FIXED = {
    "LC_ALL": "C",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",  # `status` must not rewrite the index
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_LITERAL_PATHSPECS": "1",
}
_CREDENTIALS = pattern(r"(?<=://)[^/@\s]+@")
_UNPRINTABLE = pattern(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]+")
_MOST_LINES = 20
_LONGEST_LINE = 300


class GitAnswer(Struct, frozen=True, kw_only=True):
    """How one git command ended: exit code, standard output, standard error."""

    code: int
    stdout: bytes
    stderr: str

    @property
    def text(self) -> str:
        """Standard output as text, without the line end. File names keep undecodable bytes as surrogates."""
        return os.fsdecode(self.stdout).rstrip("\n")

    @property
    def lines(self) -> tuple[str, ...]:
        """What git and the server said, fit to print: no control characters, no credentials, not without end."""
        return printable_lines(self.stderr)


def run_git(
    arguments: Sequence[str],
    *,
    folder: Path,
    stdin: bytes = b"",
    seconds: float = LOCAL_SECONDS,
    environment: Mapping[str, str] | None = None,
) -> GitAnswer:
    """Run one git command in `folder` and return its answer, whatever the exit code (`TIMED_OUT`: it was ended).

    Raises `GitError` where git is missing or cannot start, and where it is too old for the options used.
    """
    try:
        process = subprocess.Popen(
            ["git", *arguments],
            cwd=folder,
            env={**_environment(), **(environment or {})},
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # Away from the terminal: ssh cannot ask there, and Ctrl-C does not cut a push in two behind our back.
            start_new_session=True,
        )
    except OSError as error:
        raise _cannot_start(folder, error) from error
    with process:
        try:
            stdout, stderr = process.communicate(stdin or None, seconds)
        except subprocess.TimeoutExpired:
            _end(process)
            return GitAnswer(code=TIMED_OUT, stdout=b"", stderr=f"no answer within {seconds:.0f} seconds")
        except BaseException:
            _end(process)
            raise
    answer = GitAnswer(code=process.returncode, stdout=stdout, stderr=stderr.decode(errors="replace"))
    if answer.code == USAGE:
        raise GitError("this git is too old", lines=answer.lines[:1], mend="install git 2.29 or newer")
    return answer


def printable_lines(text: str) -> tuple[str, ...]:
    """Return the lines of a foreign text without control characters, credentials in URLs, empty and endless lines."""
    cleaned = (_UNPRINTABLE.sub(" ", mask_credentials(line)).strip() for line in text.splitlines())
    return tuple(line[:_LONGEST_LINE] for line in cleaned if line)[-_MOST_LINES:]


def mask_credentials(text: str) -> str:
    """Return `text` with the user information of every URL in it replaced by three stars."""
    return _CREDENTIALS.sub("***@", text)


class GitRepository(Struct, frozen=True, kw_only=True):
    """One repository with a work tree. `top` is the work tree's root."""

    top: Path
    options: tuple[str, ...] = ()

    @classmethod
    def find(cls, path: Path, *, trusted: Path | None = None) -> Self | None:
        """Return the repository that holds `path` (a file or a folder), None where there is none.

        `trusted` names a top folder to be used although it belongs to another user; that is the caller's decision and
        holds for these calls only. Raises `GitError` where git is missing or does not open the repository it found.
        """
        folder = path if path.is_dir() else path.parent
        options = ("-c", f"safe.directory={trusted.resolve()}") if trusted else ()
        answer = run_git([*options, "rev-parse", "--show-toplevel"], folder=folder)
        if answer.code == 0:
            return cls(top=Path(answer.text), options=options)
        holder = _holder(folder)
        if holder is None:
            return None
        raise GitError(
            f"git does not open the repository in {holder}",
            lines=answer.lines,
            mend=f"if it belongs to another user (a container): git config --global --add safe.directory {holder}",
        )

    def run(
        self,
        *arguments: str,
        stdin: bytes = b"",
        seconds: float = LOCAL_SECONDS,
        environment: Mapping[str, str] | None = None,
    ) -> GitAnswer:
        """Run git at the top of this repository and return the answer, whatever the exit code."""
        return run_git(
            [*self.options, *arguments], folder=self.top, stdin=stdin, seconds=seconds, environment=environment
        )

    def ask(self, *arguments: str, stdin: bytes = b"", accept: tuple[int, ...] = (0,)) -> GitAnswer:
        """Run git at the top of this repository. Raises `GitError` for an exit code that is not in `accept`."""
        answer = self.run(*arguments, stdin=stdin)
        if answer.code not in accept:
            raise GitError(f"git {arguments[0]} failed in {self.top} (exit {answer.code})", lines=answer.lines)
        return answer

    def commit_id(self, revision: str) -> str | None:
        """Return the full id of the commit that `revision` names, None where it names none here."""
        if revision.startswith("-"):
            return None
        answer = self.ask("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}", accept=(0, 1, 128))
        return answer.text if answer.code == 0 else None

    def head(self) -> str | None:
        """Return the commit that is checked out, on a branch or detached; None before the first commit."""
        answer = self.ask("rev-parse", "--verify", "--quiet", "HEAD^{commit}", accept=(0, 1))
        return answer.text or None

    def dirty(self, paths: Iterable[Path]) -> tuple[str, ...]:
        """Return the files under `paths` whose content no commit holds: changed, staged, untracked or ignored.

        Only YAML counts, and whole folders that git does not look into (another repository). Paths come back relative
        to the top, sorted. Raises `GitError` for a path outside the repository.
        """
        wanted = [str(path.absolute()) for path in paths]
        if not wanted:
            return ()
        flags = ("--porcelain=v1", "-z", "--untracked-files=all", "--ignored=traditional", "--no-renames")
        names = {entry[3:] for entry in self.ask("status", *flags, "--", *wanted).text.split("\0") if entry}
        return tuple(sorted(name for name in names if name.endswith((".yaml", ".yml", "/"))))

    def of_others(self, paths: Iterable[Path]) -> tuple[str, ...]:
        """Return the folders at, above and below `paths` that another repository holds: a submodule, a clone.

        No commit of this repository says what is in them. Relative to the top, sorted; hidden folders are passed over.
        """
        top = self.top.resolve()
        found = set()
        for path in (each.absolute() for each in paths):
            above = [each for each in (path, *path.parents) if top in each.resolve().parents]
            found |= {each for each in above if (each / ".git").exists()}
            for folder, folders, names in os.walk(path):
                if ".git" in (*folders, *names) and Path(folder).resolve() != top:
                    found.add(Path(folder))
                    folders.clear()
                folders[:] = [each for each in folders if not each.startswith(".")]
        return tuple(sorted(str(each.resolve().relative_to(top)) for each in found))

    def default_branch(self, remote: str) -> str | None:
        """Return the name of the default branch of `remote`, as a clone notes it; None where this one has not."""
        head = f"refs/remotes/{remote}/"
        answer = self.ask("symbolic-ref", "--quiet", f"{head}HEAD", accept=(0, 1, 128))
        return answer.text.removeprefix(head) if answer.code == 0 and answer.text.startswith(head) else None

    def ids(self, commit: str, paths: Iterable[str]) -> dict[str, str]:
        """Return path -> the id of the file or folder there as of `commit`, for those paths (from the top) that it has.

        Equal ids, equal content. Raises `GitError` where the commit is not here.
        """
        wanted = [path for path in paths if path != "."]
        if not wanted:
            return {}
        entries = self.ask("ls-tree", "-z", commit, "--", *wanted).text.split("\0")
        named = (entry.partition("\t") for entry in entries if entry)
        return {path: facts.split(" ")[2] for facts, _, path in named}

    def is_shallow(self) -> bool:
        """Say whether the history is cut off: then a missing ancestor proves nothing."""
        return self.ask("rev-parse", "--is-shallow-repository").text == "true"

    def remotes(self) -> tuple[str, ...]:
        """Return the names of the configured remotes."""
        return tuple(self.ask("remote").text.splitlines())

    def default_remote(self) -> str | None:
        """Return the remote to use when none is named: `origin`, or the only one; None without any."""
        names = self.remotes()
        if "origin" in names:
            return "origin"
        if len(names) > 1:
            raise GitError(
                f"this repository has several remotes and none is called origin: {', '.join(names)}",
                mend="name one in reconciler.yaml: record: {remote: NAME}",
            )
        return names[0] if names else None

    def show(self, commit: str, path: str) -> bytes | None:
        """Return the file at `path` (relative to the top) as of `commit`, None where that commit has no such file.

        Raises `GitError` where the commit itself is not here.
        """
        full = self.commit_id(commit)
        if full is None:
            raise GitError(
                f"commit {mask_credentials(commit)} is not in this clone",
                mend="fetch the history: in a workflow `fetch-depth: 0` with `filter: blob:none`",
            )
        listed = self.ask("ls-tree", "-z", full, "--", str(PurePosixPath(path))).text
        if not listed:
            return None
        _, kind, object_id = listed.split("\t")[0].split(" ")
        return self.ask("cat-file", "blob", object_id).stdout if kind == "blob" else None


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not _DROPPED.fullmatch(name)} | _FIXED


def has_git() -> bool:
    """Whether there is a git to call."""
    return shutil.which("git") is not None


def _cannot_start(folder: Path, error: OSError) -> GitError:
    if not has_git():
        return GitError("git is not installed, or not on the PATH", mend="install git 2.29 or newer")
    return GitError(f"git cannot be started in {folder}: {error.strerror}")


def _end(process: subprocess.Popen[bytes]) -> None:
    # The whole group: a transport helper that lives on would hold the pipes open.
    if sys.platform == "win32":
        process.kill()
    else:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # it ended by itself just now
            os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def _holder(folder: Path) -> Path | None:
    resolved = folder.resolve()
    return next((above for above in (resolved, *resolved.parents) if (above / ".git").exists()), None)
