"""A real terminal for a command: a pseudo-terminal of a given size, whose keys we press and whose screen we read."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

# The terminal has to control the process, or Ctrl-C is only a letter.
_START = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
_CONTROLS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@dataclass
class Terminal:
    """`screen`: everything that was written so far, with its control codes."""

    process: "subprocess.Popen[bytes]"
    master: int
    screen: str = ""

    def press(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def wait_for(self, text: str, seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while text not in self.screen:
            assert time.monotonic() < deadline, f"{text!r} did not come:\n{self.screen}"
            if not self._read() and text not in self.screen:
                raise AssertionError(f"it ended before {text!r} came:\n{self.screen}")

    def end(self, seconds: float = 60.0, *, insisting: str = "") -> int:
        """Read to the end; the exit code. `insisting`: keys that are pressed again every other second, as people do.

        A Ctrl-C in the moment between the question and the wait for its answer is seen with the next key only.
        """
        start = again = time.monotonic()
        while self._read():
            now = time.monotonic()
            assert now < start + seconds, f"it does not end:\n{self.screen}"
            if insisting and now > again + 2:
                self.press(insisting)
                again = now
        return self.process.wait(5)

    @property
    def text(self) -> str:
        """The screen without control codes."""
        return _CONTROLS.sub("", self.screen)

    def _read(self) -> bool:
        """Take what is there, within a moment; False once nobody writes any more."""
        ready, _, _ = select.select([self.master], [], [], 0.2)
        if not ready:
            return True
        try:
            data = os.read(self.master, 65536)
        except OSError:  # Linux says EIO where the other end is closed
            return False
        self.screen += data.decode().replace("\r\n", "\n")
        return bool(data)


@contextmanager
def terminal(folder: Path, *arguments: str, columns: int = 100, **environment: str) -> Iterator[Terminal]:
    """Run `reconciler` on a terminal; whatever is still running at the end is ended."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    process = subprocess.Popen(
        [sys.executable, "-c", _START, sys.executable, "-W", "error", "-m", "reconciler", *arguments],
        cwd=folder,
        env={**kept, "TERM": "xterm-256color", "PYTHONUTF8": "1", "GIT_CONFIG_GLOBAL": os.devnull, **environment},
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    try:
        yield Terminal(process, master)
    finally:
        process.kill()
        process.wait()
        os.close(master)
