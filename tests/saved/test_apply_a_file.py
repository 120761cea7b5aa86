"""`plan --out` and `apply FILE`: what the file holds is done once, where it belongs and while it fits; no more."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from reconciler.sandbox import Request
from reconciler.sandbox.messages import Response
from tests.cli.provider import answer, people, provider
from tests.conftest import Ran
from tests.git.company import Company, acceptance_in, apply, said
from tests.record.git_world import REF, git
from tests.sandbox.raw import stored
from tests.saved.hands import apply_file, delete, digest_of, forged, make, patch, promoted, saved

# --- it does what it shows, once


def test_a_file_is_carried_out(company: Company) -> None:
    file = promoted(company)
    ran = apply_file(company, file)
    assert ran.code == 0, ran.err
    assert "1 added, 1 changed" in ran.out
    assert company.running.users()["ann.lee@example.com"]["title"] == "Lead"
    assert "cem.o" in company.active()


def test_a_second_time_nothing_is_left(company: Company) -> None:
    file = promoted(company)
    apply_file(company, file)
    ran = apply_file(company, file)
    assert (ran.code, ran.out) == (0, "Nothing left to do: all that plan.json holds is in place.\n")
    assert not company.running.writes


def test_what_others_have_done_meanwhile_counts_as_done(company: Company) -> None:
    file = promoted(company)
    patch(company.running, "ann.lee", "title", "Lead")
    ran = apply_file(company, file)
    assert ran.code == 0, ran.err
    assert "are in place already" in ran.out
    assert [method for method, _ in company.running.writes] == ["POST"]


def test_it_is_asked_about_like_any_apply(company: Company) -> None:
    file = promoted(company)
    ran = company.seed.run("apply", str(file))
    assert ran.code == 64
    assert "--auto-approve" in ran.err


def test_what_a_plan_made_now_has_besides_stays(company: Company) -> None:
    """A login was changed by hand and back: the policy would have it put right, the file does not speak of it."""
    company.world.commit({"reconciler.yaml": company.running.settings(more="    policy: {drift: correct}\n")})
    file = promoted(company)
    patch(company.running, "bob.li", "displayName", "Robert")
    ran = apply_file(company, file)
    assert ran.code == 0, ran.err
    assert "1 that a plan made now has besides are not in it and stay" in said(ran)
    assert company.running.users()["bob.li@example.com"]["displayName"] == "Robert"
    assert "Robert" in company.seed.run("plan").out


# --- where it belongs


def test_the_content_counts_and_not_the_commit(company: Company) -> None:
    file = promoted(company)
    company.world.commit({"notes.md": "of no weight"})
    assert apply_file(company, file, folder=company.clone("other")).code == 0


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"identities/a.yaml": people("ann.lee", "bob.li")}, "identities/a.yaml has changed"),
        ({"identities/b.yaml": people("dia.r")}, "identities/b.yaml is new"),
        ({"acceptances.yaml": "- {rule: removals, digest: 3f2a9c41, reason: x}\n"}, "acceptances.yaml is new"),
        ({"reconciler.yaml": "more"}, "reconciler.yaml has changed"),
    ],
)
def test_other_files_are_refused_by_name(company: Company, files: dict[str, str], words: str) -> None:
    file = promoted(company)
    if files.get("reconciler.yaml"):
        files = {"reconciler.yaml": company.running.settings(more="    policy: {protect: [x]}\n")}
    company.world.commit(files)
    ran = apply_file(company, file)
    assert ran.code == 4
    assert words in ran.err
    assert not company.running.asked


def test_a_file_that_is_gone_is_named(company: Company) -> None:
    company.world.commit({"identities/b.yaml": people("dia.r")})
    file = saved(company)
    git(company.world.seed, "rm", "-q", "identities/b.yaml")
    ran = apply_file(company, file)
    assert ran.code == 4
    assert "identities/b.yaml is gone" in ran.err


def test_a_file_of_another_address(company: Company) -> None:
    file = promoted(company)
    with provider() as other:
        company.world.commit({"reconciler.yaml": other.settings()})
        ran = apply_file(company, file)
        assert ran.code == 1
        assert "another address" in ran.err
        assert not other.asked


def test_a_file_of_a_target_that_there_is_not(company: Company) -> None:
    file = promoted(company)
    company.world.commit({"reconciler.yaml": company.running.settings().replace("prod:", "live:")})
    ran = apply_file(company, file)
    assert ran.code == 64
    assert 'a plan for target "prod"' in ran.err


@pytest.mark.parametrize(
    "more", [("--drift",), ("--target", "other"), ("--all-targets",), ("--target", "prod", "--target", "other")]
)
def test_what_does_not_go_with_a_file(company: Company, more: tuple[str, ...]) -> None:
    file = promoted(company)
    ran = apply_file(company, file, *more)
    assert ran.code == 64, ran.err
    assert not company.running.asked


# --- while it fits


def test_a_value_that_has_moved_makes_it_stale(company: Company) -> None:
    file = promoted(company)
    patch(company.running, "ann.lee", "title", "Boss")
    ran = apply_file(company, file)
    assert ran.code == 4
    assert 'user.ann.lee: title has moved: the server has "Boss"; planned from nothing to "Lead"' in ran.err
    assert "plan.json is stale, nothing was written: 1 thing moved since" in said(ran)
    assert not company.running.writes


def test_a_create_whose_login_exists_by_now(company: Company) -> None:
    file = promoted(company)
    make(company.running, "cem.o", displayName="Cem O")
    ran = apply_file(company, file)
    assert ran.code == 4
    assert "user.cem.o: the account has moved: it exists by now" in ran.err
    assert not company.running.writes


def test_somebody_who_is_gone_by_now(company: Company) -> None:
    file = promoted(company)
    delete(company.running, "ann.lee")
    ran = apply_file(company, file)
    assert ran.code == 4
    assert "user.ann.lee: the account has moved: it is no longer on the server" in ran.err


def test_a_day_that_calls_for_more_makes_it_stale(company: Company) -> None:
    dated = "users:\n  ann.lee: {userName: ann.lee@example.com, displayName: Ann, endsOn: 2026-01-31}\n"
    company.world.commit({"identities/a.yaml": dated})
    file = saved(company, "plan.json", "--today", "2026-01-15")
    ran = apply_file(company, file)
    assert ran.code == 4
    assert "user.ann.lee" in ran.err
    assert "it was made for 2026-01-15, and today is" in said(ran)
    assert not company.running.writes


def test_the_file_of_another_plan_of_the_same_lines(company: Company) -> None:
    """The first was made before somebody changed the server; whoever applies the second has done that of the first."""
    first = promoted(company)
    patch(company.running, "ann.lee", "title", "Boss")
    second = saved(company, "second.json")
    assert digest_of(first) != digest_of(second)
    assert apply_file(company, first).code == 4
    assert apply_file(company, second).code == 0
    ran = apply_file(company, first)
    assert ran.code == 0
    assert "Nothing left to do" in ran.out


# --- an apply that was broken off


def test_a_half_applied_file_goes_on(company: Company) -> None:
    company.declare("ann.lee", "bob.li", "cem.o")
    file = saved(company)
    left = [2]

    def before(request: Request) -> Response | None:
        if request.method == "POST":
            left[0] -= 1
            return answer(500, b"{}") if left[0] < 0 else None
        return None

    company.running.before = before
    ran = apply_file(company, file)
    assert ran.code == 5
    company.running.before = lambda request: None
    ran = apply_file(company, file)
    assert ran.code == 0, ran.err
    assert "are in place already" in ran.out
    assert [method for method, _ in company.running.writes] == ["POST"]
    assert company.active() >= {"ann.lee", "bob.li", "cem.o"}


def test_a_killed_apply_goes_on_with_the_people_it_has_made(company: Company) -> None:
    """The group is to get people who did not exist when the plan was made, and do now."""
    lines = people("ann.lee", "bob.li") + "groups:\n  team: {displayName: Team, members: [ann.lee, bob.li]}\n"
    company.world.commit({"identities/a.yaml": lines})
    file = saved(company)
    reached = threading.Event()
    release = threading.Event()

    def before(request: Request) -> Response | None:
        if request.method == "POST" and request.target.endswith("/Groups"):
            reached.set()
            assert release.wait(60)
            return answer(500, b"{}")
        return None

    company.running.before = before
    same_run = {"GITHUB_RUN_ID": "4711"}
    process = subprocess.Popen(
        [sys.executable, "-m", "reconciler", "apply", str(file), "--auto-approve"],
        cwd=company.world.seed,
        env={**os.environ, **same_run},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert reached.wait(60)
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    release.set()
    company.running.before = lambda request: None
    assert "began at" in company.seed.run("show", str(file)).out
    company.running.asked.clear()
    ran = company.seed.run("apply", str(file), "--auto-approve", **same_run)
    assert ran.code == 0, ran.out + ran.err
    assert all("/Users" not in target for _, target in company.running.writes)
    team = stored(company.running.service, "Team")
    users = company.running.users()
    assert {each["value"] for each in team["members"]} == {
        users["ann.lee@example.com"]["id"],
        users["bob.li@example.com"]["id"],
    }
    assert "Nothing left to do" in apply_file(company, file).out


# --- rails


def leaving(company: Company) -> Path:
    """A plan by which more people leave than may."""
    everybody = ("ann.lee", "bob.li", "cem.o", "dia.r", "eve.s", "fay.t", "gus.w")
    company.declare(*everybody)
    company.applied()
    company.declare("ann.lee")
    return saved(company)


def test_a_file_that_breaks_a_rule_is_refused(company: Company) -> None:
    file = leaving(company)
    ran = apply_file(company, file)
    assert ran.code == 3
    assert not company.running.writes


def test_what_was_accepted_for_the_whole_is_accepted_for_the_rest(company: Company) -> None:
    file = leaving(company)
    broken = json.loads(file.read_text())["violations"]
    lines = [f"- {{rule: {each['rule']}, digest: {each['digest']}, reason: they left}}\n" for each in broken]
    company.world.commit({"acceptances.yaml": "".join(lines)})
    file = saved(company)
    patch(company.running, "bob.li", "active", False)
    assert json.loads(file.read_text())["violations"] == []
    ran = apply_file(company, file)
    assert ran.code == 0, ran.out + ran.err
    assert company.active() == {"ann.lee", "root"}


def test_who_starts_the_run_may_accept_for_the_whole(company: Company) -> None:
    file = leaving(company)
    (broken,) = json.loads(file.read_text())["violations"]
    patch(company.running, "bob.li", "active", False)
    ran = apply_file(company, file, "--accept", f"{broken['rule']}@{broken['digest']}")
    assert ran.code == 0, ran.out + ran.err
    assert company.active() == {"ann.lee", "root"}


def test_an_old_checkout_is_refused_with_its_file(company: Company) -> None:
    company.applied()
    old = company.declare("ann.lee", "bob.li", ann_lee="Lead")
    file = saved(company)
    company.declare("ann.lee", "bob.li", bob_li="Agent")
    company.applied()
    git(company.world.seed, "checkout", "-q", old)
    ran = apply_file(company, file)
    assert ran.code == 3
    assert "older than what was applied last" in said(ran)
    assert "behind@" in acceptance_in(ran.out)


def test_a_file_waits_for_another_apply(company: Company) -> None:
    """Somebody applies the very same file at the same time."""
    file = promoted(company)
    second: list[Ran] = []
    other = company.clone("other")

    def before(request: Request) -> None:
        if request.method == "POST" and not second:
            second.append(apply(other, str(file)))

    company.running.before = before
    first = apply_file(company, file)
    assert first.code == 0, first.out + first.err
    assert second[0].code == 3
    assert "it may be taken over after" in said(second[0])
    assert len(company.running.writes) == 2


def test_a_removal_needs_a_record_that_proves_it_now(company: Company) -> None:
    """The record was there when the plan was made, and is gone."""
    company.declare("ann.lee", "bob.li", "cem.o")
    company.applied()
    company.declare("ann.lee", "bob.li")
    file = saved(company)
    for folder in (company.world.seed, company.world.origin):
        git(folder, "update-ref", "-d", REF)
    ran = apply_file(company, file)
    assert ran.code == 4
    assert "user.cem.o: active has moved: a plan made now does not do it" in ran.err
    assert "cem.o" in company.active()


def test_what_nobody_has_committed_is_refused(company: Company) -> None:
    company.seed.write("identities/a.yaml", people("ann.lee", "bob.li", "cem.o"))
    file = saved(company)
    ran = apply_file(company, file)
    assert ran.code == 3
    assert "dirty" in ran.out


def accepting(document: dict[str, Any]) -> None:
    """Whoever can write the file says that everything was accepted."""
    for each in document["violations"]:
        document["saved"]["accepted"].append(each)
    document["violations"] = []


def widened(document: dict[str, Any]) -> None:
    """What was accepted for one is said to be accepted for many."""
    for each in document["violations"]:
        each["items"].append("user.nobody")


@pytest.mark.parametrize("change", [accepting, widened])
def test_a_file_cannot_accept_by_itself(company: Company, change: Any) -> None:
    file = leaving(company)
    (broken,) = json.loads(file.read_text())["violations"]
    forged(file, change)
    more = ("--accept", f"{broken['rule']}@{broken['digest']}") if change is widened else ()
    patch(company.running, "bob.li", "active", False)
    ran = apply_file(company, file, *more)
    assert ran.code == 3, ran.out + ran.err
    assert not company.running.writes


# --- damage and tampering


def test_a_truncated_file(company: Company) -> None:
    file = promoted(company)
    file.write_bytes(file.read_bytes()[:-20])
    ran = apply_file(company, file)
    assert ran.code == 1
    assert "plan.json cannot be used as a plan: line 1, column " in ran.err
    assert not company.running.asked


def retitled(document: dict[str, Any]) -> None:
    document["names"] = {}
    document["saved"]["day"] = "2020-01-01"


def test_an_edited_file(company: Company) -> None:
    file = promoted(company)
    document = json.loads(file.read_text())
    retitled(document)
    file.write_text(json.dumps(document))
    ran = apply_file(company, file)
    assert ran.code == 1
    assert "the file was altered after it was written" in ran.err


def test_a_file_that_is_only_laid_out_otherwise_is_the_same(company: Company) -> None:
    file = promoted(company)
    file.write_text(json.dumps(json.loads(file.read_text()), indent=2))
    assert apply_file(company, file).code == 0


def test_a_newer_format(company: Company) -> None:
    file = promoted(company)
    forged(file, lambda document: None)
    document = json.loads(file.read_text())
    document["format_version"] = 2
    file.write_text(json.dumps(document))
    ran = apply_file(company, file)
    assert ran.code == 1
    assert "newer format 2" in said(ran)


def test_a_printed_plan_is_no_saved_one(company: Company) -> None:
    ran = company.seed.run("plan", "--format", "json")
    file = company.seed.write("../printed.json", ran.out)
    ran = apply_file(company, file)
    assert ran.code == 1
    assert "plan --out" in ran.err


def test_a_file_that_is_not_there(company: Company) -> None:
    ran = apply_file(company, Path("nowhere.json"))
    assert ran.code == 1
    assert "no such file" in ran.err


def without_the_create(document: dict[str, Any]) -> None:
    document["changes"] = [each for each in document["changes"] if "create" not in each["actions"]]


def with_another_title(document: dict[str, Any]) -> None:
    for change in document["changes"]:
        for each in change["attribute_changes"]:
            if each["path"] == "title":
                each["after"] = "Boss"


def with_a_deletion(document: dict[str, Any]) -> None:
    document["changes"][0]["actions"] = ["delete"]


@pytest.mark.parametrize("change", [with_another_title, with_a_deletion])
def test_a_forged_file_cannot_bring_anything_about(company: Company, change: Any) -> None:
    file = promoted(company)
    forged(file, change)
    ran = apply_file(company, file)
    assert ran.code == 4, ran.out + ran.err
    assert not company.running.writes


@pytest.mark.parametrize("change", [with_another_title, without_the_create])
def test_a_forged_file_is_found_by_what_was_reviewed(company: Company, change: Any) -> None:
    file = promoted(company)
    reviewed = digest_of(file)
    forged(file, change)
    ran = apply_file(company, file, "--reviewed", reviewed)
    assert ran.code == 4
    assert "plan.json is not the plan that was reviewed" in ran.err
    assert not company.running.asked


def test_the_reviewed_file_itself(company: Company) -> None:
    file = promoted(company)
    assert apply_file(company, file, "--reviewed", digest_of(file)).code == 0


# --- word beside the file


def test_show_says_what_became_of_it(company: Company) -> None:
    file = promoted(company)
    assert "ended at" not in company.seed.run("show", str(file)).out
    apply_file(company, file)
    shown = company.seed.run("show", str(file))
    assert "an apply of this plan ended at" in said(shown)
    assert shown.code == 0


def test_where_no_word_can_be_left_the_apply_goes_on(company: Company) -> None:
    file = promoted(company)
    (file.parent / "plan.json.result.json").mkdir()
    ran = apply_file(company, file)
    assert ran.code == 0
    assert "cannot be written" in ran.err
    assert apply(company.seed).out.startswith("No changes")
