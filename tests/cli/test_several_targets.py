"""Several targets in one run: chosen by name or all, read side by side, printed in order, each failing by itself."""

import json
import threading
from pathlib import Path

import pytest

from reconciler.planfile import load
from tests.cli.in_process import QuickFolder, quick
from tests.cli.provider import prepared, provider
from tests.cli.terminal import terminal

SETTINGS = """defaultTarget: us
targets:
  emea: {profile: rfc, url: 'sandbox:', identities: [common, emea]}
  us: {profile: rfc, url: 'sandbox:', identities: [common]}
  apac: {profile: rfc, url: 'http://127.0.0.1:1/scim', identities: [common]}
"""
ANN = "users:\n  ann.lee: {userName: ann.lee@example.com, displayName: Ann Lee, overrides: {emea: {title: Lead}}}\n"
BOB = "users:\n  bob.li: {userName: bob.li@example.com, displayName: Bob Li}\n"


@pytest.fixture
def folder(tmp_path: Path) -> QuickFolder:
    """Three targets: two embedded ones, and one where nobody listens."""
    here = quick(tmp_path / "here")
    here.write("reconciler.yaml", SETTINGS)
    here.write("common/people.yaml", ANN)
    here.write("emea/people.yaml", BOB)
    return here


def test_without_a_name_it_is_the_default_target(folder: QuickFolder) -> None:
    ran = folder.run("plan")
    assert 'on target "us"' in ran.out
    assert "emea" not in ran.out
    assert "targets:" not in ran.out


def test_plans_are_printed_in_the_order_of_the_command_line_with_a_total(folder: QuickFolder) -> None:
    ran = folder.run("plan", "--target", "us", "--target", "emea", "--target", "us", "--detailed-exitcode")
    assert ran.code == 2
    assert ran.out.count("reconciler will perform") == 2
    assert ran.out.index('on target "us"') < ran.out.index('on target "emea"')
    assert ran.out.rstrip().endswith("2 targets: 3 to add, 0 to change, 0 to destroy.")


def test_folders_and_overrides_are_those_of_each_target(folder: QuickFolder) -> None:
    ran = folder.run("plan", "--target", "us", "--target", "emea")
    us, emea = ran.out.split('on target "emea"')
    assert "bob.li" not in us
    assert "bob.li" in emea
    assert "Lead" not in us
    assert '"Lead"' in emea


def test_one_that_fails_does_not_stop_the_others(folder: QuickFolder) -> None:
    ran = folder.run("plan", "--all-targets")
    assert ran.code == 1
    assert ran.out.count("reconciler will perform") == 2
    assert 'target "apac"' in ran.err
    assert ran.err.count("error:") == 1
    assert ran.out.rstrip().endswith('2 targets: 3 to add, 0 to change, 0 to destroy. No plan for "apac".')


def test_what_is_said_of_a_line_that_they_share_is_said_once(folder: QuickFolder) -> None:
    """A policy for all targets, with a slip in it; what one of them alone is told of stays with it."""
    folder.write("reconciler.yaml", SETTINGS + "policy: {protect: [nobody.here], privileged: {groups: [nowhere]}}\n")
    two = ("--target", "us", "--target", "emea")
    for ran in (folder.run("plan", *two), folder.run("apply", "--auto-approve", *two)):
        assert ran.out.count("policy.protect names nobody here: nobody.here") == 1
        assert ran.out.count("policy.privileged.groups names nobody here: group.nowhere") == 1
        assert ran.out.count("no earlier apply is on record") == 2
    said = json.loads(folder.run("plan", *two, "--format", "json").out)
    assert [[each["code"] for each in one["plan"]["notices"]].count("policy-names-nobody") for one in said["targets"]]
    other = SETTINGS.replace("[common]}", "[common], policy: {protect: [nobody.there]}}", 1)
    folder.write("reconciler.yaml", other + "policy: {protect: [nobody.here]}\n")
    ran = folder.run("plan", *two)
    assert ran.out.count("names nobody here: nobody.here") == 1
    assert "nobody.there" in ran.out


def test_what_was_not_printed_for_one_is_said_with_the_next(folder: QuickFolder) -> None:
    folder.write("reconciler.yaml", SETTINGS + "policy: {protect: [nobody.here]}\n")
    folder.write("emea/people.yaml", BOB.replace("}", ", manager: {live: nobody}}"))
    ran = folder.run("drift", "--target", "us", "--target", "emea")
    assert "names nobody here" not in ran.out.partition("emea")[0]
    assert ran.out.count("names nobody here: nobody.here") == 1


def test_json_of_several_is_one_value(folder: QuickFolder) -> None:
    ran = folder.run("plan", "--all-targets", "--format", "json")
    said = json.loads(ran.out)
    assert [each["target"] for each in said["targets"]] == ["emea", "us", "apac"]
    assert [each.get("plan", {}).get("target") for each in said["targets"]] == ["emea", "us", None]
    assert "127.0.0.1" in said["targets"][2]["error"]["summary"]


def test_plans_of_several_are_saved_in_a_folder(folder: QuickFolder) -> None:
    folder.run("plan", "--target", "us", "--target", "emea", "--out", "plans")
    saved = {each.name: load(each.read_bytes()).target for each in (folder.path / "plans").iterdir()}
    assert saved == {"us.json": "us", "emea.json": "emea"}


def test_a_page_is_of_one_target(folder: QuickFolder) -> None:
    ran = folder.run("plan", "--all-targets", "--format", "html")
    assert ran.code == 64
    assert "one target" in ran.err


@pytest.mark.parametrize("command", ["plan", "drift", "validate", "apply --auto-approve"])
def test_a_wrong_name_stops_everything_at_once(command: str, folder: QuickFolder) -> None:
    ran = folder.run(*command.split(), "--target", "us", "--target", "emae")
    assert ran.code == 64
    assert "did you mean emea?" in ran.err
    assert not ran.out


def test_a_name_and_all_are_a_contradiction(folder: QuickFolder) -> None:
    ran = folder.run("plan", "--target", "us", "--all-targets")
    assert ran.code == 64
    assert "--all-targets" in ran.err


def test_all_targets_wins_over_the_environment(folder: QuickFolder) -> None:
    ran = folder.run("plan", "--all-targets", RECONCILER_TARGET="us")
    assert 'on target "emea"' in ran.out


def test_the_environment_may_name_several(folder: QuickFolder) -> None:
    ran = folder.run("plan", RECONCILER_TARGET="us emea")
    assert ran.out.count("reconciler will perform") == 2


def test_apply_goes_from_one_to_the_next_and_over_a_failure(folder: QuickFolder) -> None:
    ran = folder.run("apply", "--target", "apac", "--target", "us", "--target", "emea", "--auto-approve")
    assert ran.code == 1
    assert ran.out.count("reconciler will perform") == 2
    assert 'target "apac"' in ran.err
    assert ran.out.rstrip().endswith("2 of 3 targets done; apac: nothing could be planned or done.")
    again = folder.run("plan", "--target", "us", "--target", "emea", "--detailed-exitcode")
    assert again.code == 0
    assert again.out.rstrip().endswith("2 targets: 0 to add, 0 to change, 0 to destroy.")


def test_a_no_is_of_one_target(folder: QuickFolder) -> None:
    with terminal(folder.path, "apply", "--target", "us", "--target", "emea") as screen:
        screen.wait_for('actions on "us"?')
        screen.press("no\n")
        screen.wait_for('actions on "emea"?')
        screen.press("yes\n")
        assert screen.end() == 1
    assert folder.run("plan", "--target", "us", "--detailed-exitcode").code == 2
    assert folder.run("plan", "--target", "emea", "--detailed-exitcode").code == 0


def test_an_interrupt_at_a_question_is_for_all(folder: QuickFolder) -> None:
    with terminal(folder.path, "apply", "--target", "us", "--target", "emea") as screen:
        screen.wait_for('actions on "us"?')
        screen.press("\x03")
        assert screen.end(insisting="\x03") == 1
    assert "emea: not tried" in screen.text
    assert folder.run("plan", "--target", "emea", "--detailed-exitcode").code == 2


def test_drift_of_several(folder: QuickFolder) -> None:
    folder.run("apply", "--target", "us", "--target", "emea", "--auto-approve")
    ran = folder.run("drift", "--target", "us", "--target", "emea")
    assert ran.code == 0
    assert ran.out.count("No drift.") == 2


def test_a_broken_rule_of_one_target_is_the_code_of_all(folder: QuickFolder) -> None:
    people = "".join(f"  p{each}: {{userName: p{each}@example.com, displayName: P}}\n" for each in range(9))
    folder.write("emea/people.yaml", "users:\n" + people)
    folder.run("apply", "--target", "us", "--target", "emea", "--auto-approve")
    folder.write("emea/people.yaml", "users:\n" + people[: len(people) // 9])
    folder.write("common/people.yaml", ANN.replace("Ann Lee", "Ann May"))
    ran = folder.run("apply", "--target", "emea", "--target", "us", "--auto-approve")
    assert ran.code == 3
    assert "1 changed" in ran.out


def test_they_are_read_at_the_same_time(tmp_path: Path) -> None:
    """Each server answers only when the other one has been asked too."""
    both = threading.Barrier(2, timeout=60)
    with provider() as one, provider() as two:
        here = prepared(quick(tmp_path / "here"), one, ANN)
        settings = (here.path / "reconciler.yaml").read_text()
        second = one.settings().replace("targets:\n", "").replace("prod", "emea").replace(one.url, two.url)
        here.write("reconciler.yaml", "defaultTarget: prod\n" + settings + second)
        for each in (one, two):
            first = threading.Event()

            def before(request: object, first: threading.Event = first) -> None:
                if not first.is_set():
                    first.set()
                    both.wait()

            each.before = before
        ran = here.run("plan", "--all-targets")
        assert ran.code == 0, ran.err
        assert not both.broken
