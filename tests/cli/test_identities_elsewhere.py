"""--identities: the declarations of another checkout, by the settings of this one."""

from pathlib import Path

import pytest

from tests.cli.in_process import QuickFolder, quick

ANN = "users:\n  ann.lee: {userName: ann.lee@example.com, displayName: Ann Lee}\n"
BOB = "users:\n  bob.li: {userName: bob.li@example.com, displayName: Bob Li}\n"


@pytest.fixture
def folder(tmp_path: Path) -> QuickFolder:
    """Settings without declarations, and a checkout elsewhere that has both parts of an organisation."""
    here = quick(tmp_path / "base")
    elsewhere = quick(tmp_path / "pull")
    elsewhere.write("identities/emea/a.yaml", ANN)
    elsewhere.write("identities/apac/b.yaml", BOB)
    return here


@pytest.mark.parametrize(
    ("folders", "people"),
    [
        ("[identities]", {"ann.lee", "bob.li"}),
        ("[identities/emea]", {"ann.lee"}),
        ("[identities/apac]", {"bob.li"}),
        ("[identities/emea, identities/apac]", {"ann.lee", "bob.li"}),
        ("[people/emea]", {"ann.lee", "bob.li"}),
    ],
)
def test_a_target_keeps_its_folders_below_one_of_the_same_name(
    folders: str, people: set[str], folder: QuickFolder
) -> None:
    """Otherwise a plan of a pull request would give every target everybody."""
    folder.write("reconciler.yaml", f"targets:\n  office: {{profile: rfc, url: 'sandbox:', identities: {folders}}}\n")
    ran = folder.run("plan", "--identities", "../pull/identities")
    assert ran.code == 0, ran.err
    assert {name for name in ("ann.lee", "bob.li") if f"user.{name} will be created" in ran.out} == people


def test_a_folder_that_is_not_there_is_an_error_and_not_nobody(folder: QuickFolder) -> None:
    folder.write(
        "reconciler.yaml", "targets:\n  office: {profile: rfc, url: 'sandbox:', identities: [identities/us]}\n"
    )
    ran = folder.run("plan", "--identities", "../pull/identities")
    assert ran.code == 1
    assert "there is no folder identities/us" in ran.err
