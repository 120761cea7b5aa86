"""`apply --reviewed`: the plan that was reviewed, by file or digest, or what is left of it; else the difference."""

import json
from pathlib import Path

import pytest

from reconciler.planfile import dump, load
from tests.cli.provider import people
from tests.git.company import Company, acceptance_in, apply, said
from tests.record.git_world import git
from tests.saved.hands import digest_of, patch, promoted, saved


def reviewed(company: Company, what: object, *more: str) -> tuple[int, str]:
    ran = apply(company.seed, "--reviewed", str(what), *more)
    return ran.code, said(ran)


# --- one plan, however it came to main


def on_branch(company: Company) -> None:
    """A change on a branch; main has moved on by two commits that have nothing to do with it."""
    seed = company.world.seed
    company.applied()
    git(seed, "switch", "-qc", "change")
    company.world.commit({"identities/a.yaml": people("ann.lee", "bob.li", "cem.o")}, push=False)
    company.world.commit({"identities/a.yaml": people("ann.lee", "bob.li", "cem.o", ann_lee="Lead")}, push=False)
    git(seed, "switch", "-q", "main")
    for number in (1, 2):
        company.world.commit({f"notes{number}.md": "of no weight"})


def branch_head(seed: Path) -> None:
    git(seed, "switch", "-q", "change")


def squashed(seed: Path) -> None:
    git(seed, "merge", "-q", "--squash", "change")
    git(seed, "commit", "-qm", "squashed")


def rebased(seed: Path) -> None:
    git(seed, "switch", "-q", "change")
    git(seed, "rebase", "-q", "main")


def merged(seed: Path) -> None:
    git(seed, "merge", "-q", "--no-ff", "-m", "merged", "change")


def picked(seed: Path) -> None:
    git(seed, "cherry-pick", "main..change")


WAYS = (branch_head, squashed, rebased, merged, picked)


def test_however_a_change_gets_to_main_it_is_one_plan(company: Company) -> None:
    on_branch(company)
    seed, digests = company.world.seed, {}
    start = git(seed, "rev-parse", "main"), git(seed, "rev-parse", "change")
    for way in WAYS:
        git(seed, "checkout", "-q", "-B", "main", start[0])
        git(seed, "branch", "-f", "change", start[1])
        way(seed)
        digests[way.__name__] = json.loads(company.seed.run("plan", "--format", "json").out)["digest"]
    assert len(set(digests.values())) == 1, digests


@pytest.mark.parametrize("way", WAYS[1:])
def test_what_was_reviewed_on_the_branch_may_be_applied_from_main(company: Company, way: object) -> None:
    on_branch(company)
    git(company.world.seed, "switch", "-q", "change")
    file = saved(company)
    git(company.world.seed, "switch", "-q", "main")
    way(company.world.seed)  # type: ignore[operator]
    code, words = reviewed(company, digest_of(file))
    assert (code, "Apply complete" in words) == (0, True), words


# --- by file


def test_the_very_plan(company: Company) -> None:
    assert reviewed(company, promoted(company))[0] == 0
    assert "cem.o" in company.active()


def test_a_printed_plan_will_do(company: Company) -> None:
    file = promoted(company)
    file.write_bytes(dump(load(file.read_bytes())))
    assert reviewed(company, file)[0] == 0


def test_what_is_left_of_it(company: Company) -> None:
    file = promoted(company)
    patch(company.running, "ann.lee", "title", "Lead")
    code, words = reviewed(company, file)
    assert code == 0, words
    assert [method for method, _ in company.running.writes] == ["POST"]


def test_all_of_it_is_in_place(company: Company) -> None:
    file = promoted(company)
    assert reviewed(company, file)[0] == 0
    assert reviewed(company, file)[0] == 0


def test_what_is_neither_planned_any_more_nor_in_place(company: Company) -> None:
    """Somebody took the line out again on main: nobody has reviewed that it does not happen."""
    file = promoted(company)
    company.declare("ann.lee", "bob.li", ann_lee="Lead")
    code, words = reviewed(company, file)
    assert code == 4
    assert "Only in the reviewed plan, and not in place: # user.cem.o will be created" in words
    assert "nobody has reviewed" not in words
    assert not company.running.writes


def test_what_came_on_top(company: Company) -> None:
    file = promoted(company)
    company.declare("ann.lee", "bob.li", "cem.o", ann_lee="Lead", bob_li="Boss")
    code, words = reviewed(company, file)
    assert code == 4
    assert "Only in the plan made now, which nobody has reviewed: # user.bob.li will be updated in place" in words
    assert "cem.o" not in words
    assert not company.running.writes


def test_what_is_done_otherwise(company: Company) -> None:
    file = promoted(company)
    company.declare("ann.lee", "bob.li", "cem.o", ann_lee="Boss")
    code, words = reviewed(company, file)
    assert code == 4
    assert words.index('+ title = "Lead"') < words.index("As it would be done now") < words.index('+ title = "Boss"')
    assert not company.running.writes


def test_what_is_found_otherwise(company: Company) -> None:
    file = promoted(company)
    patch(company.running, "ann.lee", "title", "Agent")
    code, words = reviewed(company, file)
    assert code == 4
    assert '"Agent" -> "Lead"' in words
    assert not company.running.writes


def test_a_plan_of_another_target(company: Company) -> None:
    file = promoted(company)
    settings = company.running.settings()
    company.world.commit(
        {
            "reconciler.yaml": f"defaultTarget: other\n{settings}{settings.partition(chr(10))[2]}".replace(
                "prod:", "other:", 1
            )
        }
    )
    code, words = reviewed(company, file)
    assert code == 1
    assert 'for target "prod", not "other"' in words


# --- by digest


def test_the_digest_of_the_very_plan(company: Company) -> None:
    assert reviewed(company, digest_of(promoted(company)))[0] == 0


def test_another_digest_shows_the_plan(company: Company) -> None:
    digest = digest_of(promoted(company))
    company.declare("ann.lee", "bob.li", "cem.o", ann_lee="Boss")
    code, words = reviewed(company, digest)
    assert code == 4
    assert '"Boss"' in words
    assert digest_of(saved(company)) in words
    assert not company.running.writes


def test_by_its_digest_a_part_of_a_plan_cannot_be_told(company: Company) -> None:
    digest = digest_of(promoted(company))
    patch(company.running, "ann.lee", "title", "Lead")
    code, words = reviewed(company, digest)
    assert code == 4
    assert "given the file of the reviewed plan, the difference is shown" in words


def test_where_nothing_is_to_be_done_any_digest_will_do(company: Company) -> None:
    """A job that is run again after it had done all of it."""
    digest = digest_of(promoted(company))
    assert reviewed(company, digest)[0] == 0
    code, words = reviewed(company, digest)
    assert code == 0
    assert "No changes" in words


# --- rails


def leaving(company: Company) -> Path:
    company.declare("ann.lee", "bob.li", "cem.o", "dia.r", "eve.s")
    company.applied()
    company.declare("ann.lee")
    return saved(company)


@pytest.mark.parametrize("by", [str, digest_of])
def test_what_only_this_run_accepts_was_reviewed_as_broken(company: Company, by: object) -> None:
    file = leaving(company)
    what = by(file)  # type: ignore[operator]
    assert reviewed(company, what)[0] == 3
    (broken,) = json.loads(file.read_text())["violations"]
    assert reviewed(company, what, "--accept", f"{broken['rule']}@{broken['digest']}")[0] == 0
    assert company.active() == {"ann.lee", "root"}


def test_a_rule_that_breaks_only_now_is_told(company: Company) -> None:
    file = promoted(company)
    company.world.commit({"reconciler.yaml": company.running.settings(more="    policy: {limits: {updates: 0}}\n")})
    code, words = reviewed(company, file)
    assert code == 4
    assert "This plan breaks a safety rule that the reviewed one did not: updates@" in words


def test_rules_about_the_checkout_are_no_part_of_what_was_reviewed(company: Company) -> None:
    company.applied()
    old = company.declare("ann.lee", "bob.li", ann_lee="Lead")
    file = saved(company)
    company.declare("ann.lee", "bob.li", bob_li="Agent")
    company.applied()
    git(company.world.seed, "checkout", "-q", old)
    ran = apply(company.seed, "--reviewed", str(file))
    assert ran.code == 3
    assert not company.running.writes
    assert acceptance_in(ran.out).startswith("behind@")
