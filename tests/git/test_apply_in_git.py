"""The record of an ordinary life in git: who pushes what and when, and how checkouts of all kinds stand to it."""

import json
from pathlib import Path

import pytest

from tests.cli.in_process import quick
from tests.cli.provider import people
from tests.git.company import TEAM, Company, acceptance_in, apply, said, trailers
from tests.record.git_world import REF, git, state_of


def test_a_first_apply_announces_and_concludes(company: Company) -> None:
    head = git(company.world.seed, "rev-parse", "HEAD")
    company.applied()
    newest, first = company.history()
    assert [trailers(each)["State"] for each in (first, newest)] == ["claimed", "done"]
    for each in (first, newest):
        assert each.splitlines()[0] == f"applied {head[:12]} to prod"
        assert trailers(each)["Source-Commit"] == head
        assert {"Run", "Actor", "Nonce"} <= set(trailers(each))
    assert trailers(first)["Run"] == trailers(newest)["Run"]
    assert trailers(first)["Nonce"] != trailers(newest)["Nonce"]
    assert company.active() >= set(TEAM)


def test_the_record_names_what_was_applied_and_what_came_of_it(company: Company) -> None:
    """The content too: a commit may be gone one day, and two commits may hold the same."""
    company.applied()
    header, report = (
        json.loads(git(company.world.origin, "show", f"{REF}:{name}.json")) for name in ("header", "report")
    )
    assert header["source"] == {
        "commit": git(company.world.seed, "rev-parse", "HEAD"),
        "trees": {
            each: git(company.world.seed, "rev-parse", f"HEAD:{each}") for each in ("identities", "reconciler.yaml")
        },
    }
    assert report == {
        "results": [
            {"number": number, "address": f"user.{key}", "outcome": "succeeded"}
            for number, key in enumerate(TEAM, start=1)
        ]
    }


def test_the_record_is_announced_before_the_first_write(company: Company) -> None:
    seen: list[list[str]] = []

    def before(request: object) -> None:
        if getattr(request, "method", "") == "POST":
            seen.append([trailers(each)["State"] for each in company.history()])

    company.running.before = before
    company.applied()
    assert seen == [["claimed"]] * len(TEAM)


def test_the_clone_stays_as_it_was(company: Company) -> None:
    company.world.commit({"notes.md": "not pushed"}, push=False)
    company.seed.write("notes.md", "changed, not staged")
    company.seed.write("staged.md", "staged")
    git(company.world.seed, "add", "staged.md")
    before = state_of(company.world.seed)
    company.applied()
    assert own(state_of(company.world.seed)) == own(before)
    company.seed.write("notes.md", "changed again")
    company.seed.run("plan")
    company.applied()
    assert git(company.world.seed, "status", "--porcelain", "--untracked-files=all") == " M notes.md\nA  staged.md"


def own(state: dict[str, object]) -> dict[str, object]:
    """A clone without what a run leaves in its own folder."""
    files = state["files"]
    assert isinstance(files, list)
    return {**state, "files": [each for each in files if "/.reconciler/" not in each[0]]}


def test_nothing_to_do_is_no_push(company: Company) -> None:
    company.applied()
    tip = company.world.tip()
    assert "No changes." in company.applied().out
    assert company.seed.run("plan", "--detailed-exitcode").code == 0
    assert company.world.tip() == tip


def test_nothing_to_do_on_a_newer_commit_is_one_push(company: Company) -> None:
    company.applied()
    newer = company.world.commit({"README.md": "new"})
    company.applied()
    assert len(company.history()) == 3
    assert trailers(company.history()[0])["State"] == "done"
    assert trailers(company.history()[0])["Source-Commit"] == newer


def test_a_second_clone_knows_what_was_applied(company: Company) -> None:
    assert "no earlier apply is on record" in said(company.seed.run("plan"))
    company.applied()
    other = company.clone("other")
    planned = other.run("plan")
    assert "No changes." in planned.out
    assert "Notes" not in planned.out
    # so it can take away what the first one gave
    company.declare("ann.lee", folder=other)
    assert "# user.bob.li will be deactivated" in other.run("plan").out
    company.applied(other)
    assert company.active() & set(TEAM) == {"ann.lee"}
    # and the first, brought up to date, has nothing left to do
    git(company.world.seed, "pull", "-q", "origin", "main")
    assert company.seed.run("plan", "--detailed-exitcode").code == 0


def test_without_a_remote_the_record_is_local(company: Company) -> None:
    git(company.world.seed, "remote", "remove", "origin")
    assert "this repository has no remote: what was applied is on record here only" in said(company.seed.run("plan"))
    company.applied()
    assert not company.world.tip()
    assert len(git(company.world.seed, "rev-list", REF).split()) == 2


def test_several_remotes_need_a_choice(company: Company) -> None:
    git(company.world.seed, "remote", "rename", "origin", "forge")
    git(company.world.seed, "remote", "add", "mirror", company.world.url)
    for command in ("plan", "apply --auto-approve"):
        ran = company.seed.run(*command.split())
        assert ran.code == 64
        assert "forge, mirror" in ran.err
        assert "record: {remote: NAME}" in ran.err
    assert not company.running.asked
    company.world.seed.joinpath("reconciler.yaml").write_text(company.running.settings() + "record: {remote: forge}\n")
    git(company.world.seed, "commit", "-qam", "the record is on forge")
    company.applied()
    assert company.world.tip()


def test_an_embedded_target_leaves_git_alone(company: Company) -> None:
    company.world.commit({"reconciler.yaml": "targets:\n  here: {profile: rfc, url: 'sandbox:'}\n"})
    before = git(company.world.seed, "for-each-ref")
    company.seed.write("identities/a.yaml", people(*TEAM, "cem.o"))
    assert apply(company.seed).code == 0
    assert git(company.world.seed, "for-each-ref") == before
    assert git(company.world.seed, "status", "--porcelain", "--untracked-files=all") == " M identities/a.yaml"
    assert not git(company.world.origin, "for-each-ref", "refs/reconciler")


def test_what_a_hook_left_in_the_environment_is_not_followed(company: Company, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    git(elsewhere, "init", "-q")
    environment = {"GIT_DIR": str(elsewhere / ".git"), "GIT_WORK_TREE": str(elsewhere), "GIT_INDEX_FILE": "/nowhere"}
    assert company.seed.run("apply", "--auto-approve", **environment).code == 0
    assert company.world.tip()
    assert not git(elsewhere, "for-each-ref")


# --- checkouts


def test_an_old_checkout_is_refused(company: Company) -> None:
    old = git(company.world.seed, "rev-parse", "HEAD")
    company.declare(*TEAM, "cem.o")
    company.applied()
    clone = company.clone("old")
    git(clone.path, "checkout", "-q", old)
    planned = clone.run("plan")
    assert planned.code == 0
    assert f"this checkout ({old[:12]}) is older than what was applied last" in said(planned)
    assert "an apply would refuse" in said(planned)
    refused = apply(clone)
    assert refused.code == 3
    assert "behind" in refused.out
    assert "run from the tip of the main branch" in said(refused)
    assert not company.running.writes
    # a person may decide to go back
    assert apply(clone, "--accept", acceptance_in(refused.out)).code == 0
    assert "cem.o" not in company.active()


def test_a_rewritten_main_is_refused(company: Company) -> None:
    company.applied()
    applied = git(company.world.seed, "rev-parse", "HEAD")
    git(company.world.seed, "commit", "-q", "--amend", "-m", "another history")
    git(company.world.seed, "push", "-q", "--force", "origin", "HEAD:main")
    company.declare(*TEAM, ann_lee="Lead")
    planned, refused = company.seed.run("plan"), apply(company.seed)
    assert planned.code == 0
    assert f"the applied commit {applied[:12]} is not in the history of this checkout" in said(planned)
    assert refused.code == 3
    assert "diverged" in refused.out
    assert not company.running.writes
    assert apply(company.seed, "--accept", acceptance_in(refused.out)).code == 0
    # from now on this history is the one
    company.declare(*TEAM, ann_lee="Boss")
    company.applied()


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("identities/a.yaml", people("ann.lee", "bob.li", ann_lee="Lead")),
        ("identities/more/b.yaml", people("cem.o")),
        ("acceptances.yaml", "- {rule: removals, digest: 3f2a9c41, reason: because}\n"),
        ("reconciler.yaml", None),
    ],
)
def test_what_is_not_committed_is_not_applied(path: str, text: str | None, company: Company) -> None:
    company.seed.write(path, text or company.running.settings(more="    timeZone: Europe/Berlin\n"))
    planned, refused = company.seed.run("plan"), apply(company.seed)
    assert planned.code == 0
    assert "not committed" in said(planned)
    assert path in said(planned)
    assert refused.code == 3
    assert "dirty: declarations or settings that are not committed" in said(refused)
    assert path in said(refused)
    assert not company.running.writes
    assert not company.world.tip()
    # staged is not committed either
    git(company.world.seed, "add", "-A")
    assert apply(company.seed).code == 3
    git(company.world.seed, "commit", "-q", "-m", "now it is")
    company.applied()


def test_other_uncommitted_files_do_not_matter(company: Company) -> None:
    company.seed.write("notes.md", "a note")
    assert "not committed" not in said(company.seed.run("plan"))
    company.applied()


def test_declarations_outside_the_repository_are_not_committed(company: Company, tmp_path: Path) -> None:
    outside = quick(tmp_path / "outside")
    outside.write("a.yaml", people("cem.o"))
    for command in ("plan", "apply --auto-approve"):
        ran = company.seed.run(*command.split(), "--identities", str(outside.path))
        assert ("outside the repository" in said(ran)) is command.startswith("apply"), (
            "a plan of a pull request is none"
        )
        assert ran.code == (3 if command.startswith("apply") else 0)
    assert not company.running.writes


def test_a_repository_without_a_commit(company: Company, tmp_path: Path) -> None:
    fresh = quick(tmp_path / "fresh")
    git(fresh.path, "init", "-q", "-b", "main")
    fresh.write("reconciler.yaml", company.running.settings())
    fresh.write("identities/a.yaml", people(*TEAM))
    planned, refused = fresh.run("plan"), apply(fresh)
    assert planned.code == 0
    assert "this repository has no commit yet" in said(planned)
    assert refused.code == 3
    assert "this repository has no commit yet" in said(refused)
    assert not company.running.writes
    git(fresh.path, "add", "-A")
    git(fresh.path, "commit", "-q", "-m", "first")
    company.applied(fresh)


def test_a_detached_head_applies(company: Company) -> None:
    clone = company.clone("detached")
    git(clone.path, "checkout", "-q", "--detach")
    company.applied(clone)
    assert len(company.history()) == 2


def test_a_worktree_applies(company: Company) -> None:
    git(company.world.seed, "worktree", "add", "-q", "../tree", "-b", "side")
    company.applied(quick(company.world.folder / "tree"))
    assert "No changes." in company.seed.run("plan").out


def test_a_shallow_clone_applies_what_contains_the_record(company: Company) -> None:
    company.applied()
    company.declare(*TEAM, ann_lee="Agent")
    company.declare(*TEAM, ann_lee="Lead")
    clone = company.clone("shallow", "--depth", "1")
    planned = clone.run("plan")
    assert "1 to change" in planned.out
    assert "history" not in said(planned)
    company.applied(clone)
    assert git(clone.path, "rev-list", "--count", "HEAD") == "1"
    assert company.seed.run("plan", "--detailed-exitcode").code == 0


def test_a_shallow_clone_that_cannot_tell_stops(company: Company) -> None:
    company.declare(*TEAM, "cem.o")
    company.applied()
    clone = company.clone("shallow", "--depth", "1")
    company.declare(*TEAM, "cem.o", ann_lee="Lead")
    company.applied()
    # a commit that the origin does not have, on a history that is cut off
    company.declare(*TEAM, folder=clone, push=False)
    planned, stopped = clone.run("plan"), apply(clone)
    assert planned.code == 0
    assert "too short to tell" in said(planned)
    assert stopped.code == 1
    assert "nothing was written to the target" in stopped.err
    assert "fetch-depth: 0" in stopped.err
    assert not company.running.writes


def test_a_squash_merge_is_an_ordinary_successor(company: Company) -> None:
    company.applied()
    seed = company.world.seed
    git(seed, "checkout", "-q", "-b", "change")
    company.declare(*TEAM, "cem.o", push=False)
    company.declare(*TEAM, "cem.o", cem_o="Agent", push=False)
    git(seed, "checkout", "-q", "main")
    git(seed, "merge", "-q", "--squash", "change")
    git(seed, "commit", "-q", "-m", "squashed")
    git(seed, "push", "-q", "origin", "main")
    company.applied()
    assert "cem.o" in company.active()


def test_an_apply_from_a_branch_shows_after_its_squash(company: Company) -> None:
    company.applied()
    seed = company.world.seed
    git(seed, "checkout", "-q", "-b", "change")
    company.declare(*TEAM, "cem.o", push=False)
    git(seed, "push", "-q", "origin", "change")
    company.applied()
    git(seed, "checkout", "-q", "main")
    git(seed, "merge", "-q", "--squash", "change")
    git(seed, "commit", "-q", "-m", "squashed")
    git(seed, "push", "-q", "origin", "main")
    ran = apply(company.seed)
    assert ran.code == 3
    assert "somebody applied from a branch" in said(ran)


def test_a_revert_takes_back_what_was_given(company: Company) -> None:
    company.applied()
    company.declare(*TEAM, "cem.o")
    company.applied()
    git(company.world.seed, "revert", "--no-edit", "HEAD")
    git(company.world.seed, "push", "-q", "origin", "main")
    assert "# user.cem.o will be deactivated" in company.seed.run("plan").out
    company.applied()
    assert "cem.o" not in company.active()


def test_a_merge_contains_what_was_applied(company: Company) -> None:
    company.applied()
    seed = company.world.seed
    git(seed, "checkout", "-q", "-b", "change")
    company.world.commit({"identities/c.yaml": people("cem.o")}, push=False)
    git(seed, "checkout", "-q", "main")
    company.declare(*TEAM, ann_lee="Lead")
    company.applied()
    git(seed, "merge", "-q", "--no-ff", "--no-edit", "change")
    git(seed, "push", "-q", "origin", "main")
    company.applied()
    assert "cem.o" in company.active()
