"""Two repositories on one organisation: each has its own people, its own record, and what they share has rules."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.in_process import QuickFolder
from tests.cli.provider import people
from tests.git.company import Company, apply, causes
from tests.git.test_causes import CREW, members
from tests.record.git_world import World


@dataclass(frozen=True)
class Neighbours:
    """`company` is one repository, `other` the second one; both apply to the organisation of `company`."""

    company: Company
    other: Company

    def declare(self, where: Company, users: str, groups: str = "", policy: str = "") -> None:
        """Commit the whole of a repository's declarations."""
        settings = self.company.running.settings(more=policy)
        where.world.commit({"reconciler.yaml": settings, "identities/a.yaml": users, "identities/g.yaml": groups})

    @property
    def here(self) -> QuickFolder:
        return self.company.seed

    @property
    def there(self) -> QuickFolder:
        return self.other.seed


@pytest.fixture
def neighbours(tmp_path: Path) -> Iterator[Neighbours]:
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    with Company.founded(World(tmp_path / "here")) as company:
        yield Neighbours(company, Company(World(tmp_path / "there"), company.running))


def nothing_to_do(*folders: QuickFolder) -> None:
    for folder in folders:
        found = causes(folder)
        assert (found.changes, found.drift) == ([], [])


def test_each_leaves_the_people_of_the_other_alone(neighbours: Neighbours) -> None:
    neighbours.declare(neighbours.company, people("ann.lee", "cem.o"))
    neighbours.declare(neighbours.other, people("bob.li", "dan.o"))
    for folder in (neighbours.here, neighbours.there):
        assert apply(folder).code == 0
    nothing_to_do(neighbours.here, neighbours.there)
    # whoever leaves one of them leaves nothing of the other
    neighbours.declare(neighbours.company, people("ann.lee"))
    neighbours.declare(neighbours.other, people("bob.li"))
    assert causes(neighbours.here).changes == ["user.cem.o active declared"]
    assert causes(neighbours.there).changes == ["user.dan.o active declared"]
    assert apply(neighbours.here, "--drift").code == 0
    assert apply(neighbours.there, "--drift").code == 0
    assert neighbours.company.active() & {"ann.lee", "bob.li", "cem.o", "dan.o"} == {"ann.lee", "bob.li"}
    # a record that is lost in one of them is none of the other's business
    neighbours.company.world.origin.joinpath("refs/reconciler/applied/prod").unlink(missing_ok=True)
    nothing_to_do(neighbours.there)


def test_a_person_in_both_follows_the_lines_of_both(neighbours: Neighbours) -> None:
    """The second one finds her: her lines count there, and what the first one says otherwise is drift to it."""
    neighbours.declare(neighbours.company, people("ann.lee", ann_lee="Agent"))
    neighbours.declare(neighbours.other, people("ann.lee", ann_lee="Lead"))
    assert apply(neighbours.here).code == 0
    assert causes(neighbours.there).changes == ["user.ann.lee title declared"]
    assert apply(neighbours.there).code == 0
    nothing_to_do(neighbours.there)
    found = causes(neighbours.here)
    assert (found.changes, found.drift) == ([], ["user.ann.lee title drift"])
    # so they do not fight: neither writes again until one of them has a new line
    assert apply(neighbours.here).code == 0
    nothing_to_do(neighbours.there)
    neighbours.declare(neighbours.company, people("ann.lee", ann_lee="Boss"))
    assert causes(neighbours.here).changes == ["user.ann.lee title declared"]


def test_who_leaves_one_of_them_is_put_off_and_the_other_leaves_her_so(neighbours: Neighbours) -> None:
    for company in (neighbours.company, neighbours.other):
        neighbours.declare(company, people("ann.lee", "bob.li"))
        assert apply(company.seed).code == 0
    neighbours.declare(neighbours.company, people("bob.li"))
    assert causes(neighbours.here).changes == ["user.ann.lee active declared"]
    assert apply(neighbours.here).code == 0
    found = causes(neighbours.there)
    assert (found.changes, found.drift, found.codes) == ([], [], ["empty-file", "left-inactive"])
    assert apply(neighbours.there, "--drift").code == 0
    assert "ann.lee" not in neighbours.company.active()
    # `released` is how one of them lets go of her
    neighbours.declare(neighbours.other, people("bob.li") + "released: [ann.lee]\n")
    nothing_to_do(neighbours.there)


def test_an_additive_group_holds_the_members_of_both(neighbours: Neighbours) -> None:
    additive = ", membership: additive"
    neighbours.declare(neighbours.company, people("ann.lee", "cem.o"), CREW.format("ann.lee, cem.o", additive))
    neighbours.declare(neighbours.other, people("bob.li"), CREW.format("bob.li", additive))
    assert apply(neighbours.here).code == 0
    assert causes(neighbours.there).changes == ["group.crew +bob.li declared", "user.bob.li create declared"]
    assert apply(neighbours.there).code == 0
    nothing_to_do(neighbours.here, neighbours.there)
    neighbours.declare(neighbours.company, people("ann.lee", "cem.o"), CREW.format("ann.lee", additive))
    assert causes(neighbours.here).changes == ["group.crew -cem.o declared"]
    assert apply(neighbours.here, "--drift").code == 0
    assert members(neighbours.company, "crew") == {"ann.lee@example.com", "bob.li@example.com"}
    nothing_to_do(neighbours.there)


def test_an_authoritative_group_in_both_is_drift_to_both(neighbours: Neighbours) -> None:
    neighbours.declare(neighbours.company, people("ann.lee"), CREW.format("ann.lee", ""))
    neighbours.declare(neighbours.other, people("bob.li"), CREW.format("bob.li", ""))
    assert apply(neighbours.here).code == 0
    found = causes(neighbours.there)
    assert found.changes == ["group.crew +bob.li declared", "user.bob.li create declared"]
    assert found.drift == ["group.crew -ann.lee@example.com drift"]
    assert apply(neighbours.there).code == 0
    for folder, stranger in ((neighbours.here, "bob.li"), (neighbours.there, "ann.lee")):
        found = causes(folder)
        assert (found.changes, found.drift) == ([], [f"group.crew -{stranger}@example.com drift"])
        assert apply(folder).code == 0
    assert members(neighbours.company, "crew") == {"ann.lee@example.com", "bob.li@example.com"}
    # a target that corrects drift takes the members of the other: such a group has to be additive
    policy = "    policy: {drift: correct}\n"
    neighbours.declare(neighbours.company, people("ann.lee"), CREW.format("ann.lee", ""), policy)
    assert causes(neighbours.here).changes == ["group.crew -bob.li@example.com drift"]
