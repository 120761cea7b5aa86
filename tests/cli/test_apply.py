"""`apply` as people meet it: the question, progress, interrupts, the report; and what `plan` says before and after."""

import json
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from reconciler.sandbox import Request
from reconciler.sandbox.messages import Response
from reconciler.schemas import schema
from tests.cli.in_process import QuickFolder, quick
from tests.cli.provider import WRITING, Provider, answer, people, prepared

pytest.importorskip("pty", reason="no pseudo-terminals here")
from tests.cli.terminal import terminal

QUESTION = 'Perform these actions on "prod"?'
SIX = ("ann.lee", "bob.li", "cem.o", "dia.r", "eve.s", "fay.t")


@pytest.fixture
def folder(tmp_path: Path, running: Provider) -> QuickFolder:
    """Two people are declared for an organisation that does not have them."""
    return prepared(quick(tmp_path / "here"), running, people("ann.lee", "bob.li"))


# --- the question


@pytest.mark.parametrize("keys", ["no\n", "\n", "y\n", "YES\n", " yes please\n", "\x04"])
def test_anything_but_yes_writes_nothing(keys: str, folder: QuickFolder, running: Provider) -> None:
    with terminal(folder.path, "apply") as screen:
        screen.wait_for(QUESTION)
        assert "# user.ann.lee will be created" in screen.text
        screen.press(keys)
        assert screen.end() == 1
    assert "Apply cancelled: nothing was written." in screen.text
    assert "Traceback" not in screen.text
    assert not running.writes
    assert not (folder.path / ".reconciler").exists()


def test_yes_applies(folder: QuickFolder, running: Provider) -> None:
    with terminal(folder.path, "apply") as screen:
        screen.wait_for(QUESTION)
        screen.press("yes\n")
        assert screen.end() == 0
    assert "Apply complete: 2 added, 0 changed, 0 destroyed." in screen.text
    assert {"ann.lee@example.com", "bob.li@example.com"} <= set(running.users())


def test_an_interrupt_at_the_question_writes_nothing(folder: QuickFolder, running: Provider) -> None:
    with terminal(folder.path, "apply") as screen:
        screen.wait_for(QUESTION)
        screen.press("\x03")
        assert screen.end(insisting="\x03") == 1
    assert "nothing was written" in screen.text
    assert "Traceback" not in screen.text
    assert not running.writes


def test_where_there_is_nothing_to_ask_nobody_is_asked(folder: QuickFolder, running: Provider) -> None:
    assert folder.run("apply", "--auto-approve").code == 0
    with terminal(folder.path, "apply") as screen:
        assert screen.end() == 0
    assert "No changes." in screen.text
    assert QUESTION not in screen.text


def test_a_yes_on_standard_input_is_no_terminal(folder: QuickFolder, running: Provider) -> None:
    ran = folder.run("apply", stdin="yes\n")
    assert ran.code == 64
    assert "--auto-approve" in ran.err
    assert not running.asked


# --- an interrupt


class Gate:
    """Holds a request until it is let through, so that a test can act while it is under way."""

    def __init__(self, running: Provider, method: str, number: int) -> None:
        self.reached, self._open, self._left = threading.Event(), threading.Event(), number
        self._method = method
        running.before = self._before

    def _before(self, request: Request) -> Response | None:
        if request.method == self._method:
            self._left -= 1
            if self._left == 0:
                self.reached.set()
                assert self._open.wait(60)
        return None

    def let_through(self) -> None:
        self._open.set()


def test_ctrl_c_between_operations_stops_politely(tmp_path: Path, running: Provider) -> None:
    folder = prepared(quick(tmp_path / "here"), running, people(*SIX))
    gate = Gate(running, "POST", 2)
    with terminal(folder.path, "apply", "--auto-approve") as screen:
        assert gate.reached.wait(60)
        screen.press("\x03")
        screen.wait_for("stopping: what has been sent is finished")
        gate.let_through()
        assert screen.end() == 5
    assert "Not tried:" in screen.text
    assert "Apply incomplete: 2 added, 0 changed, 0 destroyed; 4 not tried." in screen.text
    assert len(running.writes) == 2
    # the record is whole: what is done is ours, and a plan shows what is left
    assert "Plan: 4 to add" in folder.run("plan").out
    assert folder.run("apply", "--auto-approve").code == 0
    assert folder.run("plan", "--detailed-exitcode").code == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_ci_stops_as_politely(number: int, tmp_path: Path, running: Provider) -> None:
    folder = prepared(quick(tmp_path / "here"), running, people(*SIX))
    gate = Gate(running, "POST", 1)
    with folder.started("apply", "--auto-approve") as process:
        assert gate.reached.wait(60)
        process.send_signal(number)
        # the request under way is finished, not cut off
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.3)
        gate.let_through()
        out, err = process.communicate(timeout=60)
    assert process.returncode == 5
    assert "5 not tried" in out
    assert not err
    assert len(running.writes) == 1
    assert "Plan: 5 to add" in folder.run("plan").out


def test_an_interrupt_while_reading_writes_nothing(folder: QuickFolder, running: Provider) -> None:
    gate = Gate(running, "GET", 1)
    with folder.started("apply", "--auto-approve") as process:
        assert gate.reached.wait(60)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        gate.let_through()
    assert process.returncode == 1
    assert "nothing was written" in out
    assert "Traceback" not in out + err
    assert not running.writes


def test_an_interrupt_in_a_long_pause_while_reading_ends_it(tmp_path: Path, running: Provider) -> None:
    """Pages are read by several threads, each of which waits; whoever presses Ctrl-C does not want to."""
    folder = prepared(quick(tmp_path / "here"), running, people(*SIX))
    assert folder.run("apply", "--auto-approve").code == 0
    folder.write("reconciler.yaml", running.settings(more="    pageSize: 1\n"))
    put_off = threading.Event()

    def later(request: Request) -> Response | None:
        if "startIndex=1&" in request.target + "&":
            return None
        put_off.set()
        return Response(status=429, headers={"Retry-After": "280"}, body=b"")

    running.before = later
    for command in (("plan",), ("apply", "--auto-approve")):
        put_off.clear()
        with folder.started(*command) as process:
            assert put_off.wait(60)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        assert process.returncode == 1
        assert "Traceback" not in out + err


# --- the end report


def test_what_failed_and_what_was_skipped_is_named(tmp_path: Path, running: Provider) -> None:
    group = "groups:\n  ops: {displayName: Ops, members: [ann.lee, bob.li]}\n"
    folder = prepared(quick(tmp_path / "here"), running, people("ann.lee", "bob.li") + group)

    def refuses_ann(request: Request) -> Response | None:
        refused = request.method == "POST" and b"ann.lee" in request.body
        return answer(400, b'{"detail": "no licence left", "scimType": "invalidValue"}') if refused else None

    running.before = refuses_ann
    ran = folder.run("apply", "--auto-approve")
    assert ran.code == 5
    assert "Failed:" in ran.out
    assert "no licence left" in ran.out
    assert re.search(r"user\.ann\.lee", ran.out.partition("Failed:")[2])
    assert "Apply incomplete:" in ran.out
    # what is left is exactly what failed
    running.before = lambda request: None
    again = folder.run("apply", "--auto-approve")
    assert again.code == 0, again.out
    assert "1 added" in again.out
    assert folder.run("plan", "--detailed-exitcode").code == 0


def test_a_server_that_falls_silent_half_way_leaves_a_report(folder: QuickFolder, running: Provider) -> None:
    def silent_after_the_first(request: Request) -> Response | None:
        wrote = [each for each in running.asked if each[0] in WRITING]
        return answer(500, b"{}") if len(wrote) > 1 else None

    running.before = silent_after_the_first
    ran = folder.run("apply", "--auto-approve")
    assert ran.code == 5
    assert "Apply incomplete: 1 added" in ran.out
    assert "could not be read again" in " ".join((ran.out + ran.err).split())
    running.before = lambda request: None
    assert "Plan: 1 to add" in folder.run("plan").out
    assert folder.run("apply", "--auto-approve").code == 0
    assert folder.run("plan", "--detailed-exitcode").code == 0
    logins = [each["userName"] for each in running.service.dump()["User"]]
    assert len(logins) == len(set(logins))


def test_what_the_server_does_not_keep_is_said(tmp_path: Path, running: Provider) -> None:
    folder = prepared(quick(tmp_path / "here"), running, people("ann.lee", ann_lee="Lead"))

    def forgetful(request: Request) -> Response | None:
        if request.method != "POST":
            return None
        body = json.loads(request.body)
        body.pop("title")
        kept = Request(method="POST", target=request.target, headers=request.headers, body=json.dumps(body).encode())
        return running.service.handle(kept)

    running.before = forgetful
    ran = folder.run("apply", "--auto-approve")
    assert ran.code == 5
    said = " ".join(ran.out.split())
    assert "did not keep title" in said
    assert "notStored: [title]" in said


# --- what is printed where


def test_progress_is_for_terminals_only(folder: QuickFolder, running: Provider) -> None:
    ran = folder.run("apply", "--auto-approve")
    assert "of 2" not in ran.out + ran.err
    assert "\x1b" not in ran.out + ran.err
    assert "\r" not in ran.out + ran.err
    assert not ran.err
    folder.write("identities/all.yaml", people("ann.lee", "bob.li", ann_lee="Lead", bob_li="Lead"))
    with terminal(folder.path, "apply", "--auto-approve") as screen:
        assert screen.end() == 0
    assert "1 of 2" in screen.screen
    assert "2 of 2" in screen.screen
    # and it is wiped out in the end
    assert screen.screen.rindex("\x1b[K") > screen.screen.rindex("2 of 2")


def test_colours_only_where_they_are_wanted(folder: QuickFolder) -> None:
    with terminal(folder.path, "plan") as coloured:
        assert coloured.end() == 0
    with terminal(folder.path, "plan", NO_COLOR="1") as plain:
        assert plain.end() == 0
    assert "\x1b[" in coloured.screen
    assert "\x1b" not in plain.screen
    assert coloured.text == plain.screen == folder.run("plan").out


@pytest.mark.parametrize("columns", [60, 80, 140])
def test_lines_fit_the_terminal(columns: int, folder: QuickFolder) -> None:
    with terminal(folder.path, "plan", columns=columns) as screen:
        assert screen.end() == 0
    widest = max(map(len, screen.text.splitlines()))
    assert widest <= columns
    assert widest > columns // 2


def test_a_reader_that_has_seen_enough_is_no_error(folder: QuickFolder) -> None:
    command = [sys.executable, "-m", "reconciler", "schema", "identities"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=folder.path) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        said = process.stderr.read()
        assert process.wait(30) == 0
    assert not said


def test_the_same_state_is_printed_the_same_way(tmp_path: Path, running: Provider) -> None:
    group = "groups:\n  ops: {displayName: Ops, members: [ann.lee, bob.li, cem.o, dia.r]}\n"
    folder = prepared(quick(tmp_path / "here"), running, people(*SIX) + group)
    for form in ("text", "json", "markdown", "html"):
        first, second = (folder.run("plan", "--format", form) for _ in range(2))
        assert first.out == second.out
        assert first.code == 0
    # nor does the order in the files matter, except for the places that it names
    shuffled = "groups:\n  ops: {members: [dia.r, cem.o, bob.li, ann.lee], displayName: Ops}\n" + people(*SIX[::-1])
    before = json.loads(folder.run("plan", "--format", "json").out)
    folder.write("identities/all.yaml", shuffled)
    after = json.loads(folder.run("plan", "--format", "json").out)
    assert before["digest"] == after["digest"]
    assert [each["address"] for each in before["changes"]] == [each["address"] for each in after["changes"]]


# --- saved plans


def test_a_saved_plan_is_shown_as_it_was_printed(folder: QuickFolder, running: Provider) -> None:
    planned = folder.run("plan", "--out", "plan.json")
    running.asked.clear()
    assert folder.run("show", "plan.json").out == planned.out
    for form in ("json", "markdown", "html"):
        live = folder.run("plan", "--format", form)
        running.asked.clear()
        assert folder.run("show", "plan.json", "--format", form).out == live.out
        assert not running.asked
    saved = json.loads((folder.path / "plan.json").read_text())
    Draft202012Validator(schema("plan")).validate(saved)
    assert {saved.pop(name) is not None for name in ("saved", "checksum")} == {True}
    assert saved == json.loads(folder.run("plan", "--format", "json").out)


def test_a_plan_as_json_fits_the_published_schema(tmp_path: Path, running: Provider) -> None:
    folder = prepared(quick(tmp_path / "here"), running, people(*SIX))
    validator = Draft202012Validator(schema("plan"))
    plans = [folder.run("plan", "--format", "json")]
    assert folder.run("apply", "--auto-approve").code == 0
    plans.append(folder.run("plan", "--format", "json"))
    folder.write("identities/all.yaml", people("ann.lee", ann_lee="Lead"))
    plans += [folder.run("plan", "--format", "json"), folder.run("drift", "--format", "json")]
    for each in plans:
        validator.validate(json.loads(each.out))
    assert [each.code for each in plans] == [0, 0, 3, 0]
    assert [bool(json.loads(each.out)["violations"]) for each in plans] == [False, False, True, False]


# --- accepting a broken rule


@pytest.fixture
def leaving(tmp_path: Path, running: Provider) -> QuickFolder:
    """Four of six are gone from the declarations, one more than may go at once."""
    folder = prepared(quick(tmp_path / "here"), running, people(*SIX))
    assert folder.run("apply", "--auto-approve").code == 0
    folder.write("identities/all.yaml", people(*SIX[:2]))
    running.asked.clear()
    return folder


def acceptance_in(text: str) -> tuple[str, str]:
    """Rule and digest of the line that a plan offers."""
    found = re.search(r"\{rule: ([A-Za-z-]+), digest: ([0-9a-f]{8}),", text)
    assert found, text
    return found[1], found[2]


def test_accept_lifts_exactly_one_violation(leaving: QuickFolder, running: Provider) -> None:
    refused = leaving.run("apply", "--auto-approve")
    assert refused.code == 3
    assert not running.writes
    rule, digest = acceptance_in(refused.out)
    for other in (f"{rule}@00000000", f"updates@{digest}"):
        assert leaving.run("apply", "--auto-approve", "--accept", other).code == 3
    for other in (digest, f"{rule}@{digest[:7]}", f"{rule}@{digest}0", f"{rule}:{digest}", rule):
        ran = leaving.run("apply", "--auto-approve", "--accept", other)
        assert ran.code == 64
        assert "RULE@DIGEST" in ran.err
    assert not running.writes
    ran = leaving.run("apply", "--auto-approve", "--accept", f"{rule}@{digest}")
    assert ran.code == 0, ran.out
    assert "4 deactivated" in ran.out


def test_an_accepted_line_is_void_when_one_item_changes(leaving: QuickFolder, running: Provider) -> None:
    rule, digest = acceptance_in(leaving.run("plan").out)
    leaving.write("acceptances.yaml", f"- {{rule: {rule}, digest: {digest}, reason: Leeds closes}}\n")
    assert leaving.run("plan").code == 0
    leaving.write("identities/all.yaml", people("ann.lee"))
    assert leaving.run("plan").code == 3
    assert leaving.run("apply", "--auto-approve").code == 3
    leaving.write("identities/all.yaml", people("ann.lee", SIX[2]))
    assert leaving.run("apply", "--auto-approve").code == 3
    assert not running.writes
    leaving.write("identities/all.yaml", people(*SIX[:2]))
    assert leaving.run("apply", "--auto-approve").code == 0
    assert sum(1 for each in running.users().values() if each.get("active") is False) == 4


def test_two_broken_rules_need_two_acceptances(tmp_path: Path, running: Provider) -> None:
    policy = "policy: {limits: {removals: 0, updates: 0}}\n"
    folder = prepared(quick(tmp_path / "here"), running, people("ann.lee", "bob.li"), more=policy)
    assert folder.run("apply", "--auto-approve").code == 0
    folder.write("identities/all.yaml", people("ann.lee", ann_lee="Lead"))
    running.asked.clear()
    offered = re.findall(r"\{rule: ([A-Za-z-]+), digest: ([0-9a-f]{8}),", folder.run("plan").out)
    assert sorted(rule for rule, _ in offered) == ["removals", "updates"]
    for rule, digest in offered:
        assert folder.run("apply", "--auto-approve", "--accept", f"{rule}@{digest}").code == 3
    assert not running.writes
    both = [part for rule, digest in offered for part in ("--accept", f"{rule}@{digest}")]
    assert folder.run("apply", "--auto-approve", *both).code == 0


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (401, "Not now; the credential is not accepted: check the token and its expiry"),
        (403, "Not now; the credential may have no right to create users"),
        (400, "Not now."),
    ],
)
def test_a_refused_credential_says_what_to_look_at(status: int, told: str, running: Provider, tmp_path: Path) -> None:
    said = f'{{"status": "{status}", "detail": "Not now."}}'.encode()
    here = prepared(quick(tmp_path / "here"), running, people("ann.lee"))
    running.before = lambda request: answer(status, said) if request.method == "POST" else None
    ran = here.run("apply", "--auto-approve", "--format", "json")
    assert ran.code == 5
    assert [each["message"] for each in json.loads(ran.out)["targets"][0]["results"]] == [told]
