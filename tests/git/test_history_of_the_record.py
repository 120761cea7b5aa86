"""How much history the record keeps, and what those see who have not looked for a while."""

from datetime import timedelta

import pytest

from reconciler.record.store import RecordRaceLost
from tests.git.company import TEAM, Company, apply, said, trailers
from tests.git.test_leases import left_behind, states
from tests.record.git_world import REF, git, message

REFUSES_A_SHORTER_HISTORY = (
    'test "$2" = 0000000000000000000000000000000000000000 && exit 0; '
    'git merge-base --is-ancestor "$2" "$3" || { echo "policy: no rewriting" >&2; exit 1; }; exit 0'
)


def keep(company: Company, number: int) -> None:
    settings = company.running.settings() + f"record: {{keep: {number}}}\n"
    company.world.commit({"reconciler.yaml": settings})


def changed(company: Company, title: str) -> None:
    company.declare(*TEAM, ann_lee=title)
    company.applied()


def test_the_history_begins_anew_after_so_many_commits(company: Company) -> None:
    keep(company, 4)
    lengths = []
    for title in ("one", "two", "three", "four", "five"):
        changed(company, title)
        lengths.append(len(company.history()))
    # two for each apply, never more than four at its end
    assert lengths == [2, 4, 1, 3, 1]
    assert states(company) == ["done"]
    # the newest is whole
    assert company.seed.run("plan", "--detailed-exitcode").code == 0
    company.declare("ann.lee", ann_lee="five")
    assert "# user.bob.li will be deactivated" in company.seed.run("plan").out


def test_one_keeps_no_history(company: Company) -> None:
    keep(company, 1)
    for title in ("one", "two", "three"):
        changed(company, title)
        assert states(company) == ["done"]
    # also where nothing was to be done
    company.world.commit({"README.md": "new"})
    company.applied()
    assert states(company) == ["done"]


def test_the_record_as_it_was_at_the_cut_is_what_the_next_run_reads(company: Company) -> None:
    """Values, ids, whose they are: nothing of the newest state is cut off."""
    company.applied()
    before = {path: git(company.world.seed, "show", f"{REF}:{path}") for path in shards(company)}
    keep(company, 1)
    company.applied()
    assert len(company.history()) == 1
    assert {path: git(company.world.seed, "show", f"{REF}:{path}") for path in shards(company)} == before


def shards(company: Company) -> list[str]:
    return [each for each in git(company.world.seed, "ls-tree", "-r", "--name-only", REF).split() if "/" in each]


def test_a_reader_that_is_behind_follows(company: Company) -> None:
    company.applied()
    readers = [company.clone("full"), company.clone("shallow", "--depth", "1")]
    for each in readers:
        assert each.run("plan").code == 0
    keep(company, 1)
    changed(company, "Lead")
    for each in readers:
        git(each.path, "pull", "-q", "origin", "main")
        planned = each.run("plan", "--detailed-exitcode")
        assert planned.code == 0, planned.out + planned.err
        assert "Notes" not in planned.out
        assert git(each.path, "rev-parse", REF) == company.world.tip()


def test_an_apply_that_has_read_the_old_history_loses(company: Company) -> None:
    keep(company, 1)
    changed(company, "Lead")
    store = company.world.store(company.world.clone("slow"))
    read = store.read()
    changed(company, "Boss")
    tip = company.world.tip()
    with pytest.raises(RecordRaceLost, match="the record moved while this run was at work"):
        store.write(dict(read.files), expected=read.version, message=message())
    assert company.world.tip() == tip


def test_a_server_that_refuses_a_shorter_history_gets_a_longer_one(company: Company) -> None:
    company.world.hook("update", REFUSES_A_SHORTER_HISTORY)
    keep(company, 2)
    changed(company, "one")
    changed(company, "two")
    assert len(company.history()) == 4
    planned = company.seed.run("plan")
    assert planned.code == 0
    assert "the record has 4 commits and record.keep says 2" in said(planned)
    assert "the server refuses that" in said(planned)
    assert company.seed.run("plan", "--detailed-exitcode").code == 0


def test_a_claim_of_somebody_who_died_is_not_cut_off_by_the_next_claim(company: Company) -> None:
    """Only an end begins anew: whoever takes over stands on what the dead one announced."""
    keep(company, 1)
    company.applied()
    left_behind(company, ago=timedelta(hours=1))
    company.declare(*TEAM, "cem.o")
    seen: list[list[str]] = []
    company.running.before = lambda request: seen.append(states(company)) if request.method == "POST" else None
    assert apply(company.seed).code == 0
    assert seen == [["done", "claimed", "claimed"]]
    assert states(company) == ["done"]


@pytest.mark.parametrize(("email", "by"), [("", "reconciler@localhost.invalid"), (", email: bot@x.io", "bot@x.io")])
def test_whose_commits_they_are(email: str, by: str, company: Company) -> None:
    company.world.commit({"reconciler.yaml": company.running.settings() + f"record: {{keep: 9{email}}}\n"})
    company.applied()
    assert set(git(company.world.origin, "log", "--format=%an <%ae> %cn <%ce>", REF).split("\n")) == {
        f"reconciler <{by}> reconciler <{by}>"
    }
    assert trailers(company.history()[0])["State"] == "done"
