"""Which files are read, and what is said about those that cannot be."""

import os
from pathlib import Path

import pytest

from reconciler.declarations import check_declarations, load_declarations, resolve
from reconciler.model import Severity
from tests.declarations.declaring import HERE, RFC, TODAY, written

ANN = "users:\n  ann: {userName: ann@x.io}\n"
BOB = "users:\n  bob: {userName: bob@x.io}\n"


def codes(folder: Path, *folders: str) -> list[tuple[str, str]]:
    found = load_declarations(folder, folders or ("identities",))
    return [(each.code, f"{each.source.path}:{each.source.line}:{each.source.column}") for each in found.diagnostics]


def test_reads_every_yaml_file_below_the_folders_in_order(tmp_path: Path) -> None:
    written(tmp_path, BOB, "identities/emea/leeds/team.yaml")
    written(tmp_path, ANN, "identities/emea/a.yaml")
    written(tmp_path, "hello", "identities/README.md")
    written(tmp_path, "}{", "identities/.hidden.yaml")
    written(tmp_path, "}{", "identities/.git/x.yaml")
    written(tmp_path, "}{", "elsewhere/x.yaml")
    found = load_declarations(tmp_path, ["./identities/"])
    assert (found.files, found.diagnostics) == (2, ())
    assert [(each.key, str(each.source)) for each in found.users] == [
        ("ann", "identities/emea/a.yaml:2"),
        ("bob", "identities/emea/leeds/team.yaml:2"),
    ]


def test_a_file_below_two_folders_is_read_once(tmp_path: Path) -> None:
    written(tmp_path, ANN, "identities/emea/a.yaml")
    found = load_declarations(tmp_path, ["identities", "identities/emea"])
    assert (found.files, len(found.users), found.diagnostics) == (1, 1, ())


def test_several_documents_in_one_file(tmp_path: Path) -> None:
    written(tmp_path, f"# people\n---\n{ANN}---\n# nothing here\n---\n{BOB}")
    found = load_declarations(tmp_path, ["identities"])
    assert [each.key for each in found.users] == ["ann", "bob"]
    assert str(found.users[1].source) == "identities/people.yaml:9"


def test_every_problem_of_every_file_in_one_run(tmp_path: Path) -> None:
    written(tmp_path, "users:\n  a: {userName: a@x.io, titel: x}\n", "identities/b.yaml")
    written(tmp_path, "users:\n\tb: {}\n", "identities/a.yaml")
    written(tmp_path, ANN, "identities/c.yml")
    written(tmp_path, "# nothing\n", "identities/d.yaml")
    assert codes(tmp_path) == [
        ("tab-indentation", "identities/a.yaml:2:1"),
        ("unknown-key", "identities/b.yaml:2:25"),
        ("wrong-suffix", "identities/c.yml:1:1"),
        ("empty-file", "identities/d.yaml:1:1"),
    ]


@pytest.mark.parametrize("name", ["people.yml", "people.YAML", "people.Yml"])
def test_another_suffix_is_refused_with_the_name_to_give(tmp_path: Path, name: str) -> None:
    written(tmp_path, ANN, "identities/a.yaml")
    written(tmp_path, BOB, f"identities/{name}")
    (found,) = load_declarations(tmp_path, ["identities"]).diagnostics
    assert (found.code, found.mend) == ("wrong-suffix", "rename it to people.yaml")


def test_missing_and_empty_folders(tmp_path: Path) -> None:
    written(tmp_path, "x", "identities/README.md")
    assert codes(tmp_path, "identities", "identites") == [
        ("no-such-folder", "identites:1:1"),
        ("empty-folder", "identities:1:1"),
    ]


def test_links_that_leave_the_folder_are_refused(tmp_path: Path) -> None:
    written(tmp_path, ANN, "identities/a.yaml")
    outside = written(tmp_path, BOB, "outside/b.yaml") / "outside"
    (tmp_path / "identities/file.yaml").symlink_to(outside / "b.yaml")
    (tmp_path / "identities/folder").symlink_to(outside, target_is_directory=True)
    (tmp_path / "identities/broken.yaml").symlink_to(outside / "nothing.yaml")
    (tmp_path / "whole").symlink_to("/etc", target_is_directory=True)
    assert codes(tmp_path, "identities", "whole") == [
        ("link-outside", "identities/broken.yaml:1:1"),
        ("link-outside", "identities/file.yaml:1:1"),
        ("link-outside", "identities/folder:1:1"),
        ("link-outside", "whole:1:1"),
    ]


def test_links_inside_are_passed_over_because_the_file_is_read_where_it_stands(tmp_path: Path) -> None:
    written(tmp_path, ANN, "identities/emea/a.yaml")
    (tmp_path / "identities/again.yaml").symlink_to(tmp_path / "identities/emea/a.yaml")
    (tmp_path / "identities/loop").symlink_to(tmp_path / "identities", target_is_directory=True)
    found = load_declarations(tmp_path, ["identities"])
    assert (found.files, found.diagnostics) == (1, ())


def test_what_is_no_file_is_not_opened(tmp_path: Path) -> None:
    written(tmp_path, ANN, "identities/a.yaml")
    os.mkfifo(tmp_path / "identities/pipe.yaml")
    (tmp_path / "identities/folder.yaml").mkdir()
    assert codes(tmp_path) == [("not-a-file", "identities/pipe.yaml:1:1")]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_files_are_named(tmp_path: Path) -> None:
    written(tmp_path, ANN, "identities/a.yaml")
    (tmp_path / "identities/a.yaml").chmod(0)
    assert codes(tmp_path) == [("unreadable-file", "identities/a.yaml:1:1")]


def test_who_stands_in_an_unreadable_file_is_not_called_unknown(tmp_path: Path) -> None:
    """As of a file that is not read to its end: she may stand there."""
    written(tmp_path, ANN, "identities/a.yaml")
    written(tmp_path, "groups: {crew: {displayName: Crew, members: [ann, bne]}}", "identities/b.yaml")
    (tmp_path / "identities/a.yaml").chmod(0)
    if os.access(tmp_path / "identities/a.yaml", os.R_OK):
        pytest.skip("root may read everything")
    found = load_declarations(tmp_path, ["identities"])
    assert [each.code for each in found.diagnostics] == ["unreadable-file"]
    assert check_declarations(found, ()) == ()


def test_a_name_that_is_no_utf8_does_not_break_the_run(tmp_path: Path) -> None:
    written(tmp_path, ANN, "identities/a.yaml")
    with open(os.fsencode(tmp_path) + b"/identities/\xff.yaml", "wb") as stream:
        stream.write(BOB.encode())
    found = load_declarations(tmp_path, ["identities"])
    assert [each.source.path for each in found.users] == ["identities/\\xff.yaml", "identities/a.yaml"]


def test_an_unsound_user_is_known_all_the_same(tmp_path: Path) -> None:
    """One mistake gives one message: whoever refers to her is not told that she is unknown."""
    written(
        tmp_path,
        """
        users:
          ann: {userName: ann@x.io, titel: x}
          bob: {userName: bob@x.io, manager: ann, groups: [g]}
        groups:
          g: {displayName: G, members: [ann@x.io], memberRule: {title: x}}
        """,
    )
    declarations = load_declarations(tmp_path, ["identities"])
    assert [each.code for each in declarations.diagnostics] == ["unknown-key"]
    assert check_declarations(declarations, [(HERE, RFC)]) == ()


def test_targets_see_their_own_folders(tmp_path: Path) -> None:
    """The same key in the folders of two organisations is no mistake; in one view it is."""
    written(tmp_path, ANN, "identities/emea/a.yaml")
    written(tmp_path, ANN, "identities/us/a.yaml")
    declarations = load_declarations(tmp_path, ["identities/emea", "identities/us"])
    emea = _target("emea", "identities/emea")
    us = _target("us", "identities/us")
    assert check_declarations(declarations, [(emea, RFC), (us, RFC)]) == ()
    assert [str(each.source) for each in resolve(declarations, us, RFC, TODAY).resources.values()] == [
        "identities/us/a.yaml:2"
    ]
    both = _target("both", "identities/emea", "identities/us")
    assert [each.code for each in check_declarations(declarations, [(both, RFC)])] == ["repeated-user"]


def test_other_folders_than_the_targets_are_meant_as_they_were_read(tmp_path: Path) -> None:
    written(tmp_path, ANN, "drafts/a.yaml")
    declarations = load_declarations(tmp_path, ["drafts"])
    assert len(resolve(declarations, HERE, RFC, TODAY).resources) == 1


def test_a_problem_is_said_once_whatever_targets_show_it(tmp_path: Path) -> None:
    written(tmp_path, "users:\n  a: {userName: a@x.io, manager: b}\n")
    declarations = load_declarations(tmp_path, ["identities"])
    targets = [(_target(name, "identities"), RFC) for name in ("one", "two", "three")]
    (found,) = check_declarations(declarations, targets)
    assert (found.code, found.severity) == ("unknown-manager", Severity.ERROR)


def test_known_targets_may_be_more_than_those_checked(tmp_path: Path) -> None:
    written(tmp_path, "users:\n  a: {userName: a@x.io, targets: [there]}\n")
    declarations = load_declarations(tmp_path, ["identities"])
    assert [each.code for each in check_declarations(declarations, [(HERE, RFC)])] == ["unknown-target"]
    assert check_declarations(declarations, [(HERE, RFC)], known_targets={"here", "there"}) == ()


def _target(name: str, *folders: str):
    return type(HERE)(name=name, profile="rfc", url="sandbox:", identities=folders)
