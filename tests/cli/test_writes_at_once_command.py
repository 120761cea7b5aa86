"""`writesAtOnce` as people meet it: so many requests wait for their answers, and an interrupt lets all of them end."""

import signal
import subprocess
import threading
from pathlib import Path

import pytest

from reconciler.sandbox import Request
from reconciler.sandbox.messages import Response
from tests.cli.in_process import quick
from tests.cli.provider import Provider, people, prepared
from tests.cli.test_apply import SIX

PATIENCE = 60.0


class Together:
    """Holds creates until `number` of them are there and they are let through."""

    def __init__(self, running: Provider, number: int) -> None:
        self.reached, self._open = threading.Event(), threading.Event()
        self._there, self._number, self._one = 0, number, threading.Lock()
        running.before = self._before

    def _before(self, request: Request) -> Response | None:
        if request.method == "POST":
            with self._one:
                self._there += 1
                if self._there == self._number:
                    self.reached.set()
            assert self._open.wait(PATIENCE)
        return None

    def let_through(self) -> None:
        self._open.set()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_all_that_is_on_its_way_end(number: int, tmp_path: Path, running: Provider) -> None:
    folder = prepared(quick(tmp_path / "here"), running, people(*SIX), more="    writesAtOnce: 3\n")
    gate = Together(running, 3)
    with folder.started("apply", "--auto-approve") as process:
        assert gate.reached.wait(PATIENCE)
        process.send_signal(number)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.3)
        gate.let_through()
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 5
    assert "Apply incomplete: 3 added, 0 changed, 0 destroyed; 3 not tried." in out
    assert not err
    assert len(running.writes) == 3
    # the record is whole: what is done is ours, and a plan shows what is left
    assert "Plan: 3 to add" in folder.run("plan").out
    assert folder.run("apply", "--auto-approve").code == 0
    assert folder.run("plan", "--detailed-exitcode").code == 0


def test_the_embedded_provider_is_asked_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = quick(tmp_path / "here")
    folder.write("reconciler.yaml", 'targets: {here: {profile: rfc, url: "sandbox:", writesAtOnce: 16}}\n')
    folder.write("identities/all.yaml", people(*SIX))
    threads = threading.Thread.start
    begun: list[str] = []

    def noted(thread: threading.Thread) -> None:
        begun.append(thread.name)
        threads(thread)

    monkeypatch.setattr(threading.Thread, "start", noted)
    assert folder.run("apply", "--auto-approve").code == 0
    assert not [each for each in begun if each.startswith("applying")]
